"""From message classes to plain JSON values: one hook per class, made once.

What is ``None`` is left out and nothing else is: ``False``, ``0``, ``""`` and empty containers are written,
because absent and empty are different things in a setup or an input. It is strict: a value of the wrong type
is an error here, not a connection closed by the server.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import eq
from typing import Any, Final, get_args

import cattrs

from livebridge.errors import ConfigError
from livebridge.wire._base import Duration, Int64, Message, Timestamp
from livebridge.wire._kinds import is_mapping, is_message, is_open_enum, is_sequence
from livebridge.wire._misfit import MisfitError
from livebridge.wire._names import fields_of
from livebridge.wire._scalars import (
    base64_from_bytes,
    write_bool,
    write_duration,
    write_float,
    write_int,
    write_int64,
    write_text,
)

Write = Callable[[Any], Any]
Table = list[tuple[str, str, Write]]
"""In the order of writing: attribute, name on the wire, hook."""

SCALARS: Final[Mapping[Any, Write]] = {
    str: write_text,
    bool: write_bool,
    int: write_int,
    float: write_float,
    bytes: base64_from_bytes,
    Duration: write_duration,
    Int64: write_int64,
    Timestamp: write_text,
}


def plain_from(message: Message) -> dict[str, Any]:
    """Turn a message into plain JSON values with camelCase keys.

    Raises:
        ConfigError: A field holds a value of the wrong type; the error says where and what was expected.
    """
    if not isinstance(message, Message):
        raise ConfigError(f"expected a message of livebridge.wire, got {type(message).__name__}")
    try:
        plain: dict[str, Any] = CONVERTER.get_unstructure_hook(type(message))(message)
    except MisfitError as misfit:
        raise ConfigError(f"{type(message).__name__}{misfit.path}: {misfit}") from None
    except RecursionError:
        raise ConfigError(f"{type(message).__name__}: nested too deeply") from None
    return plain


def _message_writer(cls: type[Message]) -> Write:
    # made at the first use: a Schema holds Schemas, and most classes are never seen by most programs
    table: Table | None = None

    def write(message: Any) -> dict[str, Any]:
        nonlocal table
        if table is None:
            table = _table_of(cls)
        if not isinstance(message, cls):
            raise MisfitError(cls.__name__, message)
        plain: dict[str, Any] = {}
        for attribute, wire, hook in table:
            value = getattr(message, attribute)
            if value is not None:
                try:
                    plain[wire] = hook(value)
                except MisfitError as misfit:
                    raise misfit.under(f".{attribute}") from None
        if message.unknown is not None:
            for key, value in message.unknown.items():
                plain.setdefault(key, value)
        return plain

    return write


def _table_of(cls: type[Message]) -> Table:
    fields = fields_of(cls)
    return [(field.attribute, field.wire, CONVERTER.get_unstructure_hook(field.kind)) for field in fields]


def _sequence_writer(kind: Any) -> Write:
    hook = CONVERTER.get_unstructure_hook(get_args(kind)[0])

    def write(value: Any) -> list[Any]:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray, memoryview)):
            raise MisfitError("a list or tuple", value)
        plain = []
        for index, item in enumerate(value):
            try:
                plain.append(hook(item))
            except MisfitError as misfit:
                raise misfit.under(f"[{index}]") from None
        return plain

    return write


def _mapping_writer(kind: Any) -> Write:
    hook = CONVERTER.get_unstructure_hook(get_args(kind)[1])

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise MisfitError("a mapping", value)
        plain = {}
        for key, item in value.items():
            try:
                plain[write_text(key)] = hook(item)
            except MisfitError as misfit:
                raise misfit.under(f"[{key!r}]") from None
        return plain

    return write


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_unstructure_hook_factory(is_message, _message_writer)
    converter.register_unstructure_hook_factory(is_sequence, _sequence_writer)
    converter.register_unstructure_hook_factory(is_mapping, _mapping_writer)
    converter.register_unstructure_hook_factory(is_open_enum, lambda _: write_text)
    for kind, hook in SCALARS.items():
        if isinstance(kind, type):
            converter.register_unstructure_hook(kind, hook)
        else:
            converter.register_unstructure_hook_func(partial(eq, kind), hook)
    converter.register_unstructure_hook_factory(partial(eq, Any), lambda _: lambda value: value)
    return converter


CONVERTER: Final = _converter()
