"""From plain JSON values to message classes: one hook per class, made once, and nothing is ever lost.

A hook walks the keys that are present, not the fields that could be: an audio message has six keys, its
classes have fifty fields. What it does not know goes to ``unknown`` as it stands; so does a known member
whose value does not fit, and its field stays ``None``. JSON's ``null`` means absent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, get_args

from livebridge.errors import DecodeError
from livebridge.wire._base import Duration, Int64, Message, Timestamp
from livebridge.wire._hooks import Hook, Table, structuring, table_of
from livebridge.wire._kinds import enum_of
from livebridge.wire._misfit import MisfitError
from livebridge.wire._scalars import (
    bytes_from_base64,
    read_bool,
    read_duration,
    read_float,
    read_int,
    read_text,
)

M = TypeVar("M", bound=Message)

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


def _message_reader(cls: type[Message]) -> Hook:
    # made at the first use: a Schema holds Schemas, and most classes are never seen by most programs
    table: Table | None = None

    def read(plain: Any, _: Any) -> Message:
        nonlocal table
        if table is None:
            table = table_of(cls, CONVERTER)
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


def _sequence_reader(kind: Any) -> Hook:
    (item_kind,) = get_args(kind)
    hook = CONVERTER.get_structure_hook(item_kind)

    def read(plain: Any, _: Any) -> tuple[Any, ...]:
        if isinstance(plain, (list, tuple)):
            return tuple([hook(item, item_kind) for item in plain])
        raise MisfitError("a JSON array", plain)

    return read


def _mapping_reader(kind: Any) -> Hook:
    item_kind = get_args(kind)[1]
    hook = CONVERTER.get_structure_hook(item_kind)

    def read(plain: Any, _: Any) -> dict[str, Any]:
        if isinstance(plain, Mapping):
            return {key: hook(item, item_kind) for key, item in plain.items()}
        raise MisfitError("a JSON object", plain)

    return read


def _enum_reader(kind: Any) -> Hook:
    members: dict[str, str] = {member.value: member for member in enum_of(kind)}

    def read(plain: Any, _: Any) -> str:
        text = read_text(plain)
        return members.get(text, text)

    return read


def _scalar_reader(read: Callable[[Any], Any]) -> Hook:
    return lambda plain, _: read(plain)


CONVERTER: Final = structuring(
    message=_message_reader,
    sequence=_sequence_reader,
    mapping=_mapping_reader,
    enum=_enum_reader,
    scalars={kind: _scalar_reader(read) for kind, read in SCALARS.items()},
)
