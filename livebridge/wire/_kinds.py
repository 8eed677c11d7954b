"""What kind of type a field has: the questions on which the codec picks a hook."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from livebridge.wire._base import Message

UNIONS: Final = (Union, UnionType)
"""``Optional[X]`` and ``X | Y``: two spellings, two types."""


def without_none(optional: Any) -> Any:
    """Take ``None`` out of an optional type.

    Returns:
        ``X`` for ``X | None``, ``X | Y`` for ``X | Y | None``.
    """
    choices = tuple(choice for choice in get_args(optional) if choice is not type(None))
    return Union[choices]  # noqa: UP007 - the choices are known at run time only


def is_message(kind: Any) -> bool:
    """Whether it is a message class."""
    return isinstance(kind, type) and issubclass(kind, Message)


def is_sequence(kind: Any) -> bool:
    """Whether it is ``Sequence[…]``."""
    return get_origin(kind) is Sequence


def is_mapping(kind: Any) -> bool:
    """Whether it is ``Mapping[str, …]``."""
    return get_origin(kind) is Mapping


def is_open_enum(kind: Any) -> bool:
    """Whether it is ``SomeEnum | str``."""
    return get_origin(kind) in UNIONS and issubclass(enum_of(kind), StrEnum)


def enum_of(kind: Any) -> type[StrEnum]:
    """Name the enumeration in ``SomeEnum | str``."""
    enum: type[StrEnum] = get_args(kind)[0]
    return enum
