"""Checks of single options: each takes the option's name and value, and raises or returns the value to use."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from livebridge.errors import ConfigError
from livebridge.protocol import ModelCapabilities

Check = Callable[[str, object], None]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What HTTP takes as the name of a header (RFC 9110, section 5.1)."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_YIELDING: Final = (inspect.isasyncgenfunction, inspect.isgeneratorfunction)

_STORE: Final = ("load", "save", "delete")


def number(*, at_least: float = 0.0, above: float | None = None, or_none: bool = False) -> Check:
    """A finite number that is not a truth value."""

    def check(name: str, value: object) -> None:
        if value is None and or_none:
            return
        fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if fits and (value > above if above is not None else value >= at_least):  # type: ignore[operator]  # a number
            return
        bound = f"above {above:g}" if above is not None else f"of at least {at_least:g}"
        none = " or None" if or_none else ""
        raise ConfigError(f"option {name} must be a number {bound}{none}, not {value!r}")

    return check


def count() -> Check:
    """A whole number from 1."""

    def check(name: str, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"option {name} must be a whole number from 1, not {value!r}")

    return check


def kind(*kinds: type, or_none: bool = False) -> Check:
    """An instance of one of these classes."""

    def check(name: str, value: object) -> None:
        if not isinstance(value, kinds) and not (value is None and or_none):
            words = [each.__name__ for each in kinds] + (["None"] if or_none else [])
            raise ConfigError(f"option {name} must be {' or '.join(words)}, not {type(value).__name__}")

    return check


def one_of(*allowed: str | None) -> Check:
    """One of these words (or ``None``, where that is one of them)."""

    def check(name: str, value: object) -> None:
        if value not in allowed:
            words = ", ".join(repr(word) for word in allowed)
            raise ConfigError(f"option {name} must be one of {words}, not {value!r}")

    return check


def callback_policy(name: str, value: object) -> None:
    """``log``, ``crash`` or a function."""
    if value not in ("log", "crash") and not callable(value):
        raise ConfigError(f"option {name} must be 'log', 'crash' or a function, not {value!r}")


def fuse(name: str, value: object) -> None:
    """``None`` or ``(count, seconds)``."""
    if value is None:
        return
    fits = isinstance(value, tuple) and len(value) == _PAIR
    if not fits or not all(isinstance(each, int | float) and each > 0 for each in value):  # type: ignore[attr-defined]  # a tuple
        raise ConfigError(f"option {name} must be (count, seconds) or None, not {value!r}")


def function(name: str, value: object) -> None:
    """Something that can be called."""
    if not callable(value):
        raise ConfigError(f"option {name} must be a function, not {value!r}")


def called_with(where: str, function: object, *arguments: str) -> None:
    """A function that can be called with as many arguments, and runs when it is.

    Args:
        where: The function's name for error texts.
        function: The function.
        arguments: What it is called with, in a word each.

    Raises:
        ConfigError: It is none.
    """
    many = "one argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
    if not callable(function):
        raise ConfigError(f"{where} must be a function of {many}, not {function!r}")
    if any(yields(code) for code in (function, type(function).__call__) for yields in _YIELDING):
        raise ConfigError(
            f"{where} is a generator (there is a yield in it): its code would never run; make it a function"
        )
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise ConfigError(f"{where} is called with {many} ({', '.join(arguments)}), but {error}") from error
    except ValueError:
        return  # a function of C that does not tell


def models(name: str, value: object) -> None:
    """``None`` or what models can do, by their names."""
    kind(Mapping, or_none=True)(name, value)
    for model, able in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(able, ModelCapabilities):
            raise ConfigError(
                f"option {name} maps names of models to ModelCapabilities, not {model!r} to {type(able).__name__}"
            )


def headers(name: str, value: object) -> None:
    """``None`` or headers that HTTP can carry; their values may be secrets and are never quoted."""
    kind(Mapping, or_none=True)(name, value)
    for header, content in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(header, str) or not _TOKEN.fullmatch(header):
            raise ConfigError(f"option {name}: {header!r} cannot be the name of a header")
        if not isinstance(content, str):
            raise ConfigError(f"option {name}: {header} must be text, not {type(content).__name__}")
        if _CONTROL.search(content) or not _is_latin(content):
            raise ConfigError(
                f"option {name}: {header} has characters that a header cannot hold, a line end perhaps"
            )


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def proxy(name: str, value: object) -> None:
    """``None``, ``"env"`` or the URL of a proxy, which may hold a password and is never quoted."""
    kind(str, or_none=True)(name, value)
    if value in (None, "env"):
        return
    parts = _url(name, str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"option {name} must be a URL such as 'http://proxy:3128' (https:// works as well), 'env' or None"
        )


def base_url(name: str, value: object) -> None:
    """``None`` or a URL; its scheme and host are looked at where the address is made of it."""
    kind(str, or_none=True)(name, value)
    _url(name, str(value or ""))


def _url(name: str, url: str) -> SplitResult:
    """Take a URL apart; what is wrong with it is told without quoting it."""
    if _CONTROL.search(url) or " " in url:
        raise ConfigError(f"option {name} has characters that a URL cannot hold, a line end perhaps")
    try:
        parts = urlsplit(url)
        _ = parts.port  # a property that checks
    except ValueError:
        raise ConfigError(f"option {name} is no URL; a port is a number up to 65535") from None
    return parts


def store(name: str, value: object) -> None:
    """``None`` or an instance with the three methods of a `ResumeStore`."""
    if value is None:
        return
    if isinstance(value, type):
        raise ConfigError(f"option {name} must be an instance: {value.__name__}(…)")
    lacking = [method for method in _STORE if not callable(getattr(value, method, None))]
    if lacking:
        raise ConfigError(
            f"option {name} must be a ResumeStore, not {type(value).__name__}: it has no {' and no '.join(lacking)}"
        )


def seconds(name: str, value: object) -> None:
    """A time to wait at most, of a method: seconds or ``None``.

    Raises:
        ConfigError: It is none.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if value is not None and not fits:
        raise ConfigError(f"{name} must be a number of seconds of at least 0, or None, not {value!r}")


_PAIR: Final = 2
