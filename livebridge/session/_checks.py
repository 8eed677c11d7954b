"""Checks of single options: each takes the option's name and value, and raises or returns the value to use."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from livebridge.errors import ConfigError

Check = Callable[[str, object], None]


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


_PAIR: Final = 2
