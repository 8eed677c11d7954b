"""Plain values become annotated types, or an error lists every place that does not fit."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge.errors import DecodeError
from livebridge.wire import structure


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


@dataclass
class Point:
    x: int
    near: "list[int]"
    next: "Point | None" = None


@attrs.frozen
class Named:
    name: str
    colour: Colour = Colour.RED


class Address(TypedDict):
    street: str
    floor: NotRequired[int]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (int, 2.0, 2),
        (int, 2, 2),
        (float, 3, 3.0),
        (bool, True, True),
        (str, "x", "x"),
        (None, None, None),
        (Any, {"a": [1]}, {"a": [1]}),
        (object, [1], [1]),
        (list[int], [1, 2.0], [1, 2]),
        (list, [1, "a"], [1, "a"]),
        (set[str], ["a", "a"], {"a"}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (Sequence[int], [1], (1,)),
        (Iterable[int], [1.0], [1]),
        (Iterable, ["a"], ["a"]),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Mapping[str, Point], {"a": {"x": 1, "near": []}}, {"a": Point(1, [])}),
        (Literal["a", 1], "a", "a"),
        (Literal["a", 1], 1.0, 1),
        (Colour, "blue", Colour.BLUE),
        (Level, 1, Level.LOW),
        (Literal[Colour.RED], "red", Colour.RED),
        (Annotated[int, "words"], 2, 2),
        (Optional[int], None, None),  # noqa: UP045 - the older spelling counts too
        (int | None, 3, 3),
        (int | str, "a", "a"),
        (str | int, 3, 3),
        (float | int, 3, 3),
        (float | str, 3, 3.0),
        (Point | Named, {"name": "n"}, Named("n")),
        (datetime, "2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - as it was written
        (date, "2026-01-02", date(2026, 1, 2)),
        (time, "03:04", time(3, 4)),
        (Point, {"x": 1, "near": [2], "next": {"x": 3, "near": []}}, Point(1, [2], Point(3, []))),
        (Named, {"name": "n", "colour": "blue"}, Named("n", Colour.BLUE)),
        (Address, {"street": "s"}, {"street": "s"}),
        (Address, {"street": "s", "floor": 2}, {"street": "s", "floor": 2}),
    ],
    ids=str,
)
def test_what_fits_is_made(kind, value, expected):
    made = structure(value, kind, where="x")
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (int, True, "x: expected an integer, got bool"),
        (int, "2", "x: expected an integer, got str"),
        (int, 2.5, "x: expected an integer, got float"),
        (float, "2", "x: expected a number, got str"),
        (float, True, "x: expected a number, got bool"),
        (bool, 1, "x: expected true or false, got int"),
        (str, 5, "x: expected text, got int"),
        (str, None, "x: expected text, got None"),
        (bytes, "a", "x: expected bytes, got str"),
        (None, 3, "x: expected null, got int"),
        (list[int], "abc", "x: expected a list, got str"),
        (list, {"a": 1}, "x: expected a list, got dict"),
        (Iterable[int], "abc", "x: expected a list, got str"),
        (
            list[int],
            [1, "a", 2.5],
            "x[1]: expected an integer, got str; x[2]: expected an integer, got float",
        ),
        (tuple[int, str], [1], "x: Not enough values"),
        (dict[str, int], [1], "x: expected an object, got list"),
        (dict, 3, "x: expected an object, got int"),
        (Literal["a", 1], True, "x: expected one of 'a', 1, got True"),
        (Literal["a"], ["a"], "x: expected one of 'a', got list"),
        (Colour, "green", "x: expected one of 'red', 'blue', got 'green'"),
        (Colour, "g" * 50, "got str"),
        (datetime, "soon", "x: expected a datetime in ISO 8601 form, got str"),
        (date, 3, "x: expected a date in ISO 8601 form, got int"),
        (int | None, "a", "x: expected an integer, got str"),
        (int | bool | None, "a", "fits none of its types (int: expected an integer, got str; bool: expected"),
        (Point, 5, "x: expected an object with the fields of Point, got int"),
        (Named, [], "x: expected an object with the fields of Named, got list"),
        (Address, [], "x: expected an object with the fields of Address, got list"),
        (Address, {}, "x.street: is missing"),
        (Point, {"x": "1", "near": ["b"], "z": 3}, "x.x: expected an integer"),
        (Point, {"x": "1", "near": ["b"], "z": 3}, "x.near[0]: expected an integer"),
        (Point, {"x": "1", "near": ["b"], "z": 3}, "x: has no field 'z'"),
        (Point | Named, {"q": 1}, "Named.name: is missing"),
        (complex, 1, "x: "),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_with_its_place(kind, value, text):
    with pytest.raises(DecodeError) as raised:
        structure(value, kind, where="x")
    assert text in str(raised.value)


def test_nesting_without_end_is_no_crash():
    value = None
    for _ in range(5000):
        value = {"x": 1, "near": [], "next": value}
    with pytest.raises(DecodeError):
        structure(value, Point, where="x")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    value=_json,
    kind=st.sampled_from([int, Point, Named | Point, list[Named], Address, dict[str, Colour], Level]),
)
def test_any_json_either_fits_or_is_refused(value, kind):
    told = "x"
    try:
        structure(value, kind, where="x")
    except DecodeError as error:
        told = str(error)
    assert told.startswith("x")
