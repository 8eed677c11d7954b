"""Options that take one of a few words."""

from __future__ import annotations

from collections.abc import Iterable

from livebridge.errors import ConfigError


def check_word(option: str, value: object, legal: Iterable[str]) -> None:
    """Refuse what is not among the legal words.

    Args:
        option: Whose option, and which, for the error.
        value: What was given.
        legal: The words.

    Raises:
        ConfigError: It is none of them.
    """
    words = tuple(legal)
    if value not in words:
        raise ConfigError(f"{option} must be one of {', '.join(words)}; got {value!r}")
