"""From a signature to a declaration: every type JSON has a form for, and a clear refusal of the others."""

import enum
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict, Union

import attrs
import pytest

from livebridge import wire
from livebridge.errors import ConfigError, ToolError
from livebridge.session import tool
from livebridge.session._tool_function import tool_function
from livebridge.session._tool_types import InexpressibleError, ShapeMaker, resolve


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Guest:
    """A guest.

    Attributes:
        name: What they are called.
        tags: Words about them.
    """

    name: str
    size: Size = Size.LARGE
    tags: list[str] = field(default_factory=list)
    secret: int = field(default=0, init=False)


@attrs.frozen
class Room:
    number: int
    floor: int = 1
    hidden: int = attrs.field(default=0, init=False)


@attrs.frozen
class Tree:
    value: int
    children: "list[Tree]" = attrs.field(factory=list)


class Address(TypedDict):
    """Where somebody lives."""

    street: str
    floor: NotRequired[int]


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Lost:
    where: "Nowhere"  # noqa: F821 - that is the point


@dataclass
class Bad:
    inner: bytes


class Doc:
    documentation = "Documented."


GuestId = NewType("GuestId", int)


def schema(hint, default=...):
    """The schema of one parameter, in either dialect, as it is written."""

    def probe(x):
        """Probe."""

    probe.__annotations__ = {"x": hint}
    if default is not ...:
        probe.__defaults__ = (default,)
    declared = wire.to_plain(tool_function(probe, {}).declaration)
    whole = declared.get("parameters") or declared["parametersJsonSchema"]
    return ("parameters" if "parameters" in declared else "json"), whole["properties"]["x"], whole


STRING = {"type": "STRING"}
INTEGER = {"type": "INTEGER"}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, STRING),
        ("str", STRING),
        (int, INTEGER),
        (float, {"type": "NUMBER"}),
        (bool, {"type": "BOOLEAN"}),
        (datetime, {"type": "STRING", "format": "date-time"}),
        (GuestId, INTEGER),
        (list[int], {"type": "ARRAY", "items": INTEGER}),
        (set[str], {"type": "ARRAY", "items": STRING}),
        (Sequence[str], {"type": "ARRAY", "items": STRING}),
        (Iterable[str], {"type": "ARRAY", "items": STRING}),
        (tuple[int, ...], {"type": "ARRAY", "items": INTEGER}),
        (tuple[int, int], {"type": "ARRAY", "items": INTEGER, "minItems": 2, "maxItems": 2}),
        (Literal["a", "b"], {"type": "STRING", "enum": ["a", "b"]}),
        (Literal["a", None], {"type": "STRING", "enum": ["a"], "nullable": True}),  # noqa: PYI061 - same
        (Literal[Size.SMALL], {"type": "STRING", "enum": ["small"]}),
        (Size, {"type": "STRING", "enum": ["small", "large"]}),
        (Optional[int], {"type": "INTEGER", "nullable": True}),  # noqa: UP045 - the older spelling counts too
        (int | None, {"type": "INTEGER", "nullable": True}),
        (Union[int, str], {"anyOf": [INTEGER, STRING]}),  # noqa: UP007 - same
        (int | str | None, {"anyOf": [INTEGER, STRING], "nullable": True}),
        (Annotated[int, "How many."], {"type": "INTEGER", "description": "How many."}),
        (Annotated[int, 3, Doc()], {"type": "INTEGER", "description": "Documented."}),
        (
            Guest,
            {
                "type": "OBJECT",
                "description": "A guest.",
                "properties": {
                    "name": {"type": "STRING", "description": "What they are called."},
                    "size": {"type": "STRING", "enum": ["small", "large"], "default": "large"},
                    "tags": {"type": "ARRAY", "items": STRING, "description": "Words about them."},
                },
                "required": ["name"],
            },
        ),
        (
            Room,
            {
                "type": "OBJECT",
                "properties": {"number": INTEGER, "floor": {"type": "INTEGER", "default": 1}},
                "required": ["number"],
            },
        ),
        (
            Address,
            {
                "type": "OBJECT",
                "description": "Where somebody lives.",
                "properties": {"street": STRING, "floor": INTEGER},
                "required": ["street"],
            },
        ),
        (list[Room | None], {"type": "ARRAY", "items": {**schema(Room)[1], "nullable": True}}),
    ],
    ids=str,
)
def test_what_the_subset_can_say_is_said_in_it(hint, expected):
    dialect, found, _ = schema(hint)
    assert dialect == "parameters"
    assert found == {**expected, "type": expected["type"]} if "type" in expected else found == expected


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (Any, {}),
        (object, {}),
        (None, {"type": "null"}),
        (list, {"type": "array", "items": {}}),
        (tuple, {"type": "array", "items": {}}),
        (dict, {"type": "object"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Mapping[str, Any], {"type": "object"}),
        (date, {"type": "string", "format": "date"}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (Literal[1, "a"], {"enum": [1, "a"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (Level | None, {"anyOf": [{"type": "integer", "enum": [1, 2]}, {"type": "null"}]}),
        (
            Annotated[Level | str | None, "Either."],
            {
                "anyOf": [{"type": "integer", "enum": [1, 2]}, {"type": "string"}, {"type": "null"}],
                "description": "Either.",
            },
        ),
        (list[dict], {"type": "array", "items": {"type": "object"}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
    ],
    ids=str,
)
def test_what_the_subset_cannot_say_is_said_in_json_schema(hint, expected):
    dialect, found, _ = schema(hint)
    assert (dialect, found) == ("json", expected)


def test_a_class_that_contains_itself_is_defined_once():
    dialect, found, whole = schema(Tree)
    assert dialect == "json"
    assert found == {"$ref": "#/$defs/Tree"}
    assert whole["$defs"]["Tree"] == {
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
        },
        "required": ["value"],
    }

    def two(one: Tree, other: Tree | None = None):
        """Take two."""

    plain = wire.to_plain(tool_function(two, {}).declaration)["parametersJsonSchema"]
    assert plain["properties"]["one"] == {"$ref": "#/$defs/Tree"}
    assert plain["properties"]["other"] == {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (bytes, "bytes has no form in JSON"),
        (complex, "complex has no form in JSON"),
        (dict[int, str], "the keys of dict are no text"),
        (Point, "Point is a named tuple"),
        (Literal[b"x"], "have no form in JSON"),
        (list[bytes], "bytes has no form in JSON"),
        (Bad, "Bad.inner: bytes has no form in JSON"),
        (Lost, "a type hint of Lost cannot be resolved"),
        ("Nowhere", "its type hint cannot be resolved"),
        (3, "3 is no type that JSON has"),
    ],
    ids=str,
)
def test_what_cannot_be_expressed_is_refused_by_name_of_function_and_parameter(hint, text):
    with pytest.raises(ConfigError, match=r"tool probe, parameter x: ") as raised:
        schema(hint)
    assert text in str(raised.value)


def test_what_is_no_type_at_all_is_refused():
    with pytest.raises(InexpressibleError, match="no type that JSON has"):
        ShapeMaker().shape(3)
    with pytest.raises(InexpressibleError, match="cannot be resolved"):
        resolve(Lost)


def test_defaults_make_parameters_optional_and_are_told_where_json_has_a_word_for_them():
    assert schema(int, 3)[1] == {"type": "INTEGER", "default": 3}
    assert schema(Size, Size.SMALL)[1]["default"] == "small"
    assert "default" not in schema(list[int], [1])[1]
    assert "required" not in schema(int, 3)[2]
    assert schema(int)[2]["required"] == ["x"]
    assert schema(Level, Level.LOW)[1]["default"] == 1


def test_descriptions_come_from_the_docstring_unless_the_hint_has_one():
    def book(people: int, at: Annotated[str, "When."], where: str = "here") -> None:
        """Book a table.

        For tonight.

        Args:
            people: How
                many.
            at: Not this.
        """

    declared = tool_function(book, {}).declaration
    assert declared.description == "Book a table.\n\nFor tonight."
    properties = declared.parameters.properties
    assert properties["people"].description == "How many."
    assert properties["at"].description == "When."
    assert properties["where"].description is None


def test_a_function_without_parameters_or_words_is_only_a_name():
    def ping():
        pass

    assert tool_function(ping, {}).declaration == wire.FunctionDeclaration(name="ping")


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x, "'<lambda>' is no name for a tool"),
        (tool(name="no spaces")(schema), "is no name"),
    ],
)
def test_a_name_must_be_one_the_api_takes(function, text):
    with pytest.raises(ConfigError, match=text):
        tool_function(function, {})


def test_parameters_that_the_model_cannot_fill_are_refused():
    def rest(*words: str) -> None:
        pass

    def options(**words: str) -> None:
        pass

    def bare(x) -> None:
        pass

    for function in (rest, options):
        with pytest.raises(ConfigError, match="parameter words: the model cannot fill"):
            tool_function(function, {})
    with pytest.raises(ConfigError, match="parameter x: needs a type hint"):
        tool_function(bare, {})


def test_the_hint_of_the_result_may_be_anything():
    def book() -> "Nowhere":  # noqa: F821 - that is the point
        """Book."""

    assert tool_function(book, {}).name == "book"


class Clerk:
    """Serve."""

    async def __call__(self, people: int) -> int:
        return people

    def method(self, people: int) -> int:
        """Do it."""
        return people + 1


def test_objects_methods_and_partials_are_functions_too():
    clerk = tool_function(Clerk(), {})
    assert (clerk.name, clerk.form, clerk.declaration.description) == ("Clerk", "async", "Serve.")
    method = tool_function(Clerk().method, {})
    assert (method.name, method.form) == ("method", "sync")
    assert method.bind({"people": 1}, {})() == 2
    partial = tool_function(functools.partial(Clerk().method, people=7), {})
    assert partial.name == "method"
    assert partial.bind({}, {})() == 8
    assert "required" not in wire.to_plain(partial.declaration)["parameters"]


def test_arguments_are_given_as_the_signature_wants_them():
    def both(first: int, /, second: Guest, *, third: Level = Level.LOW):
        return first, second, third

    bound = tool_function(both, {}).bind({"third": 2, "second": {"name": "A"}, "first": 1.0}, {})
    assert bound() == (1, Guest("A"), Level.HIGH)


def test_null_stands_for_a_default_where_the_hint_has_no_room_for_it():
    def book(people: int = 2, note: str | None = "x"):
        return people, note

    assert tool_function(book, {}).bind({"people": None, "note": None}, {})() == (2, None)


def test_all_that_is_wrong_with_arguments_is_told_at_once():
    def book(people: int, guest: Guest):
        raise AssertionError

    with pytest.raises(ToolError) as raised:
        tool_function(book, {}).bind({"people": None, "guest": {"nme": "A"}, "x": 1}, {})
    text = str(raised.value)
    for part in (
        "x: there is no such argument",
        "people: expected",
        "guest.name: is missing",
        "guest: has no field",
    ):
        assert part in text


def test_there_may_be_no_arguments_at_all():
    def ping():
        return 1

    with pytest.raises(ToolError, match="expected none"):
        tool_function(ping, {}).bind({"x": 1}, {})


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"behavior": "sometimes"}, "behavior must be"),
        ({"behavior": "non_blocking", "scheduling": "later"}, "scheduling must be"),
        ({"scheduling": "silent"}, "is for tools with behavior='non_blocking'"),
        ({"timeout": 0}, "timeout must be"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, text):
    with pytest.raises(ConfigError, match=text):
        tool(**settings)


def test_a_marked_function_is_the_function_itself():
    @tool(name="other", description="Other words.", behavior="blocking")
    def book(people: int) -> int:
        """Not these."""
        return people

    assert book(3) == 3
    made = tool_function(book, {})
    assert made.declaration.name == "other"
    assert made.declaration.description == "Other words."
    assert made.declaration.behavior == "BLOCKING"
