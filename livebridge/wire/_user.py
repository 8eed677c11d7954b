"""From what users hand in to message classes: forgiving about the form, strict about the meaning.

Every example of the field passes mappings, in snake_case or in camelCase, and people come with google-genai's
own objects. All of these are taken, at any depth; but a key nobody knows or a value of the wrong type is an
error that says where it stands and what was expected, before anything is sent.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final, TypeVar, get_args

from livebridge.errors import ConfigError
from livebridge.wire import _unlisted as unlisted
from livebridge.wire._base import Duration, Int64, Message, Timestamp
from livebridge.wire._content import Content, Part
from livebridge.wire._hooks import Hook, Table, structuring, table_of
from livebridge.wire._kinds import enum_of
from livebridge.wire._misfit import MisfitError
from livebridge.wire._names import fields_of
from livebridge.wire._scalars import bytes_from_base64, read_duration, read_int, write_bool, write_duration
from livebridge.wire._scalars import write_float as check_number
from livebridge.wire._scalars import write_text as check_text

M = TypeVar("M", bound=Message)


def from_user(cls: type[M], value: Any, *, where: str) -> M:
    """Make a message of what a user handed in.

    Taken are: an instance of the class, as it is; a mapping with snake_case or camelCase keys, whose values
    are taken in the same way; an object with ``model_dump()``, such as google-genai's types. In them:

    * enumerations as text in any case, with or without their common prefix (``"high"`` for
      ``START_SENSITIVITY_HIGH``); an unknown value passes, with a `UserWarning` at the caller's line: the server
      may know more;
    * bytes also as base64, durations as seconds, `~datetime.timedelta` or ``"9.5s"``, timestamps also as
      `~datetime.datetime` with a time zone;
    * a `Content` also as text, as a `Part` or as a list of these (its role is then ``user``), a `Part` also
      as text;
    * ``None`` for what is absent.

    Args:
        cls: What to make.
        value: What the user gave.
        where: What it is, for error texts: the name of an option or an argument.

    Returns:
        The message. Sequences in it are tuples.

    Raises:
        ConfigError: A key is unknown (the nearest known one is named) or given twice, or a value has the
            wrong type. The text begins with the path, ``tools[0].function_declarations[1].name`` for example.
    """
    with unlisted.collected() as found:
        try:
            message: M = CONVERTER.get_structure_hook(cls)(value, cls)
        except MisfitError as misfit:
            raise ConfigError(f"{where}{misfit.path}: {misfit}") from misfit.__cause__
        except RecursionError:
            raise ConfigError(f"{where}: nested too deeply") from None
    for text, enum in found:
        unlisted.warn(text, enum, message, where)
    return message


class UnknownKeyError(MisfitError):
    """A key that no field has. Like its base it never leaves the package.

    Args:
        key: What was written.
        cls: The message class it was written for.
    """

    def __init__(self, key: Any, cls: type[Message]) -> None:
        super().__init__("another key", key)
        names = [field.attribute for field in fields_of(cls)]
        spellings = {name: field.attribute for field in fields_of(cls) for name in field.spellings}
        nearest = get_close_matches(str(key), spellings, n=1)
        if nearest:
            hint = f"did you mean {spellings[nearest[0]]!r}?"
        else:
            hint = f"known are {', '.join(sorted(names))}" if names else "it has no fields"
        self.args = (f"{cls.__name__} has no field {key!r}; {hint}",)


def _message_taker(cls: type[Message]) -> Hook:
    # made at the first use: a Schema holds Schemas, and most classes are never seen by most programs
    table: Table | None = None

    def take(value: Any, _: Any) -> Message:
        nonlocal table
        if table is None:
            table = table_of(cls, CONVERTER)
        if isinstance(value, cls):
            return value
        values: dict[str, Any] = {}
        for key, item in _members(cls, value).items():
            entry = table.get(key)
            if entry is None:
                raise UnknownKeyError(key, cls)
            attribute, hook, kind = entry
            if item is None:
                continue
            if attribute in values:
                raise MisfitError("one spelling of this field, not two", item).under(f".{attribute}")
            try:
                values[attribute] = hook(item, kind)
            except MisfitError as misfit:
                raise misfit.under(f".{attribute}") from misfit.__cause__
        return cls(**values)

    return take


def _members(cls: type[Message], value: Any) -> Mapping[Any, Any]:
    members = _dumped(value)
    if cls is Content:
        members = _content_members(members)
    elif cls is Part and isinstance(members, str):
        members = {"text": members}
    if not isinstance(members, Mapping):
        raise MisfitError(f"{cls.__name__} or a mapping of its fields", value)
    return members


def _content_members(value: Any) -> Any:
    """Turn the short forms of a `Content` (text, one part, a list of parts) into its fields."""
    if isinstance(value, str | Part) or _is_part(value):
        return {"parts": [value], "role": "user"}
    if isinstance(value, list | tuple):
        return {"parts": value, "role": "user"}
    return value


def _is_part(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(any(key in field.spellings for field in fields_of(Part)) for key in value)


def _dumped(value: Any) -> Any:
    """Open a foreign object that can list its fields (pydantic's protocol, which google-genai follows)."""
    dump = getattr(value, "model_dump", None)
    if not callable(dump) or isinstance(value, type):
        return value
    try:
        return dump(exclude_none=True)
    except (TypeError, ValueError) as error:
        raise MisfitError("an object whose model_dump(exclude_none=True) works", value) from error


NO_LISTS: Final = (str, bytes, bytearray, memoryview, Mapping)
"""What can be iterated over and is still no list of anything."""


def _sequence_taker(kind: Any) -> Hook:
    (item_kind,) = get_args(kind)
    hook = CONVERTER.get_structure_hook(item_kind)

    def take(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, Iterable) or isinstance(value, NO_LISTS):
            raise MisfitError("a list", value)
        items = []
        for index, item in enumerate(value):
            try:
                items.append(hook(item, item_kind))
            except MisfitError as misfit:
                raise misfit.under(f"[{index}]") from misfit.__cause__
        return tuple(items)

    return take


def _mapping_taker(kind: Any) -> Hook:
    item_kind = get_args(kind)[1]
    hook = CONVERTER.get_structure_hook(item_kind)

    def take(value: Any, _: Any) -> dict[str, Any]:
        members = _dumped(value)
        if not isinstance(members, Mapping):
            raise MisfitError("a mapping", value)
        items = {}
        for key, item in members.items():
            try:
                items[check_text(key)] = hook(item, item_kind)
            except MisfitError as misfit:
                raise misfit.under(f"[{key!r}]") from misfit.__cause__
        return items

    return take


def _enum_taker(kind: Any) -> Hook:
    enum = enum_of(kind)
    members: dict[str, str] = {member.value.casefold(): member for member in enum}
    prefix = next(iter(enum)).value.casefold().removesuffix("unspecified")
    for name, member in list(members.items()):
        members.setdefault(name.removeprefix(prefix), member)

    def take(value: Any, _: Any) -> str:
        text = value.value if isinstance(value, Enum) else value
        if not isinstance(text, str):
            raise MisfitError(f"{enum.__name__}, one of {', '.join(enum)}", value)
        member = members.get(text.casefold())
        if member is None:
            unlisted.note(text, enum)
        return text if member is None else member

    return take


def _take_bytes(value: Any, _: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    try:
        return bytes_from_base64(value)
    except MisfitError:
        raise MisfitError("bytes, or base64 text", value) from None


def _take_int(value: Any, _: Any) -> int:
    if isinstance(value, int | float):
        return read_int(value)
    raise MisfitError("an integer", value)


def _take_float(value: Any, _: Any) -> float:
    check_number(value)
    return float(value)


def _take_duration(value: Any, _: Any) -> float:
    if isinstance(value, str):
        return read_duration(value)
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    try:
        write_duration(seconds)
    except MisfitError:
        raise MisfitError('seconds, a timedelta, or text such as "9.5s"', value) from None
    return float(seconds)


def _take_timestamp(value: Any, _: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat().removesuffix("+00:00") + ("Z" if not value.utcoffset() else "")
    raise MisfitError("RFC 3339 text or a datetime with a time zone", value)


SCALARS: Final[Mapping[Any, Hook]] = {
    str: lambda value, _: check_text(value),
    bool: lambda value, _: write_bool(value),
    int: _take_int,
    float: _take_float,
    bytes: _take_bytes,
    Duration: _take_duration,
    Int64: _take_int,
    Timestamp: _take_timestamp,
}


CONVERTER: Final = structuring(
    message=_message_taker,
    sequence=_sequence_taker,
    mapping=_mapping_taker,
    enum=_enum_taker,
    scalars=SCALARS,
)
