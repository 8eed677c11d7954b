"""The only module that knows JSON text: bytes to plain values and back."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from livebridge.errors import ConfigError, DecodeError
from livebridge.wire._base import Message
from livebridge.wire._writer import plain_from

PRETTY: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def loads(data: bytes | bytearray | memoryview | str) -> Any:
    """Parse JSON text (UTF-8, strict: no comments, no ``NaN``).

    Returns:
        Plain values: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool``, ``None``.

    Raises:
        DecodeError: It is no JSON, no UTF-8, or nested deeper than 1024 levels.
    """
    try:
        return orjson.loads(data)
    except ValueError as error:
        # the parser's own exception carries the whole document: name what it says, drop the rest
        raise DecodeError(f"no JSON: {error}") from None


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """Write a value as JSON text in UTF-8.

    Beside plain values it takes any `Mapping`, wire messages (as `to_plain` gives them), enumerations, dates
    and dataclasses. Numbers that JSON does not have (NaN, infinity) become ``null``.

    Args:
        value: What to write.
        pretty: Indent by two spaces and end with a newline, as the Live API's servers do.

    Raises:
        ConfigError: JSON cannot hold it (bytes, a lone surrogate, keys that are no text, a cycle …).
    """
    try:
        return orjson.dumps(value, default=_plain, option=PRETTY if pretty else None)
    except TypeError as error:
        cause = error.__cause__
        raise ConfigError(f"cannot be written as JSON: {error if cause is None else cause}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return plain_from(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
