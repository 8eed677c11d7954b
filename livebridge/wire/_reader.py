"""From plain JSON values to message classes: one hook per class, made once, and nothing is ever lost.

A hook walks the keys that are present, not the fields that could be: an audio message has six keys, its
classes have fifty fields. What it does not know goes to ``unknown`` as it stands; so does a known member
whose value does not fit, and its field stays ``None``. JSON's ``null`` means absent.
"""

from collections.abc import Callable, Mapping
from functools import partial
from operator import eq
from typing import Any, Final, TypeVar, get_args

import cattrs

from livebridge.errors import DecodeError
from livebridge.wire._base import Duration, Int64, Message, Timestamp
from livebridge.wire._kinds import enum_of, is_mapping, is_message, is_open_enum, is_sequence
from livebridge.wire._misfit import MisfitError
from livebridge.wire._names import fields_of
from livebridge.wire._scalars import (
    bytes_from_base64,
    read_bool,
    read_duration,
    read_float,
    read_int,
    read_text,
)

M = TypeVar("M", bound=Message)
Read = Callable[[Any, Any], Any]
Table = dict[str, tuple[str, Read, Any]]
"""By the names under which a member may come: attribute, hook, type."""

SCALARS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: read_text,
    bool: read_bool,
    int: read_int,
    float: read_float,
    bytes: bytes_from_base64,
    Duration: read_duration,
    Int64: read_int,
    Timestamp: read_text,
}


def message_from(cls: type[M], plain: Any) -> M:
    """Make a message from plain JSON values.

    Raises:
        DecodeError: It is no JSON object, or nested too deeply.
    """
    try:
        message: M = CONVERTER.get_structure_hook(cls)(plain, cls)
    except MisfitError as misfit:
        raise DecodeError(f"no {cls.__name__}: {misfit}") from None
    except RecursionError:
        raise DecodeError(f"no {cls.__name__}: nested too deeply") from None
    return message


def _message_reader(cls: type[Message]) -> Read:
    # made at the first use: a Schema holds Schemas, and most classes are never seen by most programs
    table: Table | None = None

    def read(plain: Any, _: Any) -> Message:
        nonlocal table
        if table is None:
            table = _table_of(cls)
        if type(plain) is not dict and not isinstance(plain, Mapping):
            raise MisfitError("a JSON object", plain)
        values: dict[str, Any] = {}
        for key, value in plain.items():
            entry = table.get(key)
            if entry is not None:
                if value is None:
                    continue
                attribute, hook, kind = entry
                try:
                    values[attribute] = hook(value, kind)
                    continue
                except MisfitError:
                    pass  # kept raw, below
            values.setdefault("unknown", {})[key] = value
        return cls(**values)

    return read


def _table_of(cls: type[Message]) -> Table:
    return {
        spelling: (field.attribute, CONVERTER.get_structure_hook(field.kind), field.kind)
        for field in fields_of(cls)
        for spelling in field.spellings
    }


def _sequence_reader(kind: Any) -> Read:
    (item_kind,) = get_args(kind)
    hook = CONVERTER.get_structure_hook(item_kind)

    def read(plain: Any, _: Any) -> tuple[Any, ...]:
        if isinstance(plain, (list, tuple)):
            return tuple([hook(item, item_kind) for item in plain])
        raise MisfitError("a JSON array", plain)

    return read


def _mapping_reader(kind: Any) -> Read:
    item_kind = get_args(kind)[1]
    hook = CONVERTER.get_structure_hook(item_kind)

    def read(plain: Any, _: Any) -> dict[str, Any]:
        if isinstance(plain, Mapping):
            return {key: hook(item, item_kind) for key, item in plain.items()}
        raise MisfitError("a JSON object", plain)

    return read


def _enum_reader(kind: Any) -> Read:
    members: dict[str, str] = {member.value: member for member in enum_of(kind)}

    def read(plain: Any, _: Any) -> str:
        text = read_text(plain)
        return members.get(text, text)

    return read


def _scalar_reader(read: Callable[[Any], Any]) -> Read:
    return lambda plain, _: read(plain)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(is_message, _message_reader)
    converter.register_structure_hook_factory(is_sequence, _sequence_reader)
    converter.register_structure_hook_factory(is_mapping, _mapping_reader)
    converter.register_structure_hook_factory(is_open_enum, _enum_reader)
    for kind, read in SCALARS.items():
        if isinstance(kind, type):
            converter.register_structure_hook(kind, _scalar_reader(read))
        else:
            converter.register_structure_hook_func(partial(eq, kind), _scalar_reader(read))
    return converter


CONVERTER: Final = _converter()
