"""Messages of any class, for tests of what must hold for all of them."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import strategies as st

from livebridge import wire
from livebridge.wire._kinds import enum_of, is_mapping, is_message, is_open_enum, is_sequence
from livebridge.wire._names import fields_of

INT64 = st.integers(-(2**63), 2**63 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | FINITE | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FREE_FORM = st.dictionaries(st.text(max_size=5), JSON, max_size=2)
UNKNOWN = st.none() | st.dictionaries(st.text(max_size=5).map("x-".__add__), JSON, min_size=1, max_size=2)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    bool: st.booleans(),
    int: INT64,
    float: st.floats(allow_nan=False),
    bytes: st.binary(max_size=20),
    wire.Duration: st.integers(-(10**15), 10**15).map(lambda nanoseconds: nanoseconds / 10**9),
    wire.Int64: INT64,
    wire.Timestamp: st.text(max_size=8),
    Any: JSON.filter(lambda value: value is not None),
}
DEEP = 4


def values_of(kind: Any, *, depth: int, tame: bool) -> st.SearchStrategy[Any]:
    if is_message(kind):
        return messages_of(kind, depth=depth + 1, tame=tame)
    if is_sequence(kind):
        return st.lists(values_of(get_args(kind)[0], depth=depth, tame=tame), max_size=2).map(tuple)
    if is_mapping(kind):
        item = get_args(kind)[1]
        inner = JSON if item is Any else values_of(item, depth=depth, tame=tame)
        return st.dictionaries(st.text(max_size=5), inner, max_size=2)
    if is_open_enum(kind):
        members = st.sampled_from(list(enum_of(kind)))
        return members if tame else members | st.text(max_size=8)
    if tame and kind is float:
        return FINITE
    return SCALARS[kind]


@st.composite
def messages_of(
    draw: st.DrawFn, cls: type[wire.Message], *, depth: int = 0, tame: bool = False
) -> wire.Message:
    fields = fields_of(cls)
    if depth > DEEP or not fields:
        return cls(unknown=None if tame else draw(UNKNOWN))
    chosen = draw(st.sets(st.sampled_from(fields), max_size=4))
    values = {field.attribute: draw(values_of(field.kind, depth=depth, tame=tame)) for field in chosen}
    return cls(**values, unknown=None if tame else draw(UNKNOWN))


@pytest.fixture(scope="session")
def any_message() -> Callable[..., st.SearchStrategy[wire.Message]]:
    """``any_message(cls)``: messages of a class; with ``tame=True`` only what a user would write by hand."""
    return messages_of


@pytest.fixture(scope="session")
def any_json() -> st.SearchStrategy[Any]:
    """Plain JSON values of any shape."""
    return JSON
