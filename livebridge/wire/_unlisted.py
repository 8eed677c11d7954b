"""Tells users of enumeration values that nobody knows: which one, where it stands, and at their own line."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, Final, get_args

from livebridge.wire._base import Message
from livebridge.wire._kinds import is_open_enum, is_sequence
from livebridge.wire._names import fields_of

NOT_THE_CALLER: Final = frozenset({"livebridge", "attr", "attrs", "cattrs", "contextlib", "functools"})
"""Packages whose frames stand between a user's line and this module."""

FOUND: Final[ContextVar[list[tuple[str, type[StrEnum]]]]] = ContextVar("livebridge_unlisted")


def note(text: str, enum: type[StrEnum]) -> None:
    """Remember a value that an enumeration does not list."""
    FOUND.get().append((text, enum))


@contextmanager
def collected() -> Iterator[list[tuple[str, type[StrEnum]]]]:
    """Collect what is noted inside the block."""
    found: list[tuple[str, type[StrEnum]]] = []
    token = FOUND.set(found)
    try:
        yield found
    finally:
        FOUND.reset(token)


def warn(text: str, enum: type[StrEnum], message: Message, where: str) -> None:
    """Warn of one value in a message that was made of what a user handed in."""
    place = next(places(message, text), "")
    warnings.warn(
        f"{text!r} is no known {enum.__name__}; {where}{place} is sent as it is. Known are {', '.join(enum)}",
        UserWarning,
        stacklevel=_level_of_caller(),
    )


def places(value: Any, text: str, kind: Any = None, path: str = "") -> Iterator[str]:
    """The paths to enumerations in a message that have this value."""
    if isinstance(value, Message):
        for field in fields_of(type(value)):
            yield from places(getattr(value, field.attribute), text, field.kind, f"{path}.{field.attribute}")
    elif isinstance(value, tuple):
        item_kind = get_args(kind)[0] if is_sequence(kind) else None
        for index, item in enumerate(value):
            yield from places(item, text, item_kind, f"{path}[{index}]")
    elif value == text and is_open_enum(kind):
        yield path


def _level_of_caller() -> int:
    """How far up, seen from `warn`, the code stands that is not ours and was not generated."""
    frame = sys._getframe(1)  # noqa: SLF001 - what warnings itself uses
    level = 1
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename, frame.f_globals):
        frame = frame.f_back
        level += 1
    return level


def _is_ours(file: str, names: dict[str, Any]) -> bool:
    package: str = names.get("__name__", "").partition(".")[0]
    return package in NOT_THE_CALLER or file.startswith("<attrs generated")
