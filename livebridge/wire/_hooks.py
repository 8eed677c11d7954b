"""What reading JSON and taking a user's values share: hooks by the kind of a field, and fields by their names."""

from collections.abc import Callable, Mapping
from functools import partial
from operator import eq
from typing import Any

import cattrs

from livebridge.wire._base import Message
from livebridge.wire._kinds import is_mapping, is_message, is_open_enum, is_sequence
from livebridge.wire._names import fields_of

Hook = Callable[[Any, Any], Any]
"""Turns a value into what a field of this type holds, or raises a `MisfitError`."""

HookFactory = Callable[[Any], Hook]
"""Makes the hook of one type."""

Table = dict[str, tuple[str, Hook, Any]]
"""By the names under which a member may come: attribute, hook, type."""


def structuring(
    *,
    message: HookFactory,
    sequence: HookFactory,
    mapping: HookFactory,
    enum: HookFactory,
    scalars: Mapping[Any, Hook],
) -> cattrs.Converter:
    """Make a converter to message classes that picks its hooks by the kind of a field.

    Args:
        message: For message classes.
        sequence: For ``Sequence[…]``.
        mapping: For ``Mapping[str, …]``.
        enum: For ``SomeEnum | str``.
        scalars: The hooks of all other types.
    """
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(is_message, message)
    converter.register_structure_hook_factory(is_sequence, sequence)
    converter.register_structure_hook_factory(is_mapping, mapping)
    converter.register_structure_hook_factory(is_open_enum, enum)
    for kind, hook in scalars.items():
        if isinstance(kind, type):
            converter.register_structure_hook(kind, hook)
        else:
            converter.register_structure_hook_func(partial(eq, kind), hook)
    return converter


def table_of(cls: type[Message], converter: cattrs.Converter) -> Table:
    """List the members that a message class knows, under every name."""
    return {
        spelling: (field.attribute, converter.get_structure_hook(field.kind), field.kind)
        for field in fields_of(cls)
        for spelling in field.spellings
    }
