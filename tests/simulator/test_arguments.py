import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.simulator._arguments import fill, parameters_of

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)


def declare(**properties):
    required = [name for name, schema in properties.items() if schema.pop("required", True)]
    schema = {"type": "object", "properties": properties, "required": required}
    return wire.FunctionDeclaration(name="function", parameters_json_schema=schema)


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("What is the weather in Paris?", {"type": "string"}, "Paris"),
        ("the weather in New York please", {"type": "string"}, "New York"),
        ("Turn off the light in the kitchen", {"type": "string"}, "the kitchen"),
        ('Play "Blue Train"', {"type": "string"}, "Blue Train"),
        ("A table for 4", {"type": "integer"}, 4),
        ("A table for four", {"type": "integer"}, 4),
        ("Set it to 21.5 degrees", {"type": "number"}, 21.5),
        ("Turn it on", {"type": "boolean"}, True),
        ("Turn it", {"type": "boolean"}, False),
        ("make it BLUE", {"type": "string", "enum": ["red", "blue"]}, "blue"),
        ("make it dark", {"type": "string", "enum": ["red", "blue"]}, "red"),
        ("about Paris and about Rome", {"type": "array"}, ["Paris", "Rome"]),
        ("hello", {"type": "array"}, []),
        ("hello", {"type": "object"}, {}),
        ("hello", {"type": "integer"}, 1),
        ("hello", {"type": "number"}, 1.0),
        ("hello", {"type": "string"}, "hello"),
        ("in Paris", {"type": ["null", "string"]}, "Paris"),
        ("in Paris", {}, "Paris"),
        ("Wetter Österreich", {"type": "string"}, "Österreich"),
        ("погода Москва", {"type": "string"}, "Москва"),
        ("fly to Ås Ørsted", {"type": "string"}, "Ås Ørsted"),
        ("in A\u030arhus", {"type": "string"}, "A\u030arhus"),
        ("play «Ночь» now", {"type": "string"}, "Ночь"),
        ("play „Die Nacht“ now", {"type": "string"}, "Die Nacht"),
        ("what's 'Blue Train' like, it's cool", {"type": "string"}, "Blue Train"),
        ("what's the weather in Rome, it's cold", {"type": "string"}, "Rome"),
    ],
)
def test_an_argument_is_found_in_what_was_said(text, schema, value):
    assert fill(declare(value=dict(schema)), text) == {"value": value}


def test_several_arguments_take_the_words_in_order():
    declaration = declare(people={"type": "integer"}, at={"type": "string"}, name={"type": "string"})
    arguments = fill(declaration, "Book a table for 4 at 19:30 for Alice")
    assert arguments == {"people": 4, "at": "19:30", "name": "Alice"}


def test_a_query_is_everything_that_was_said():
    declaration = declare(query={"type": "string"})
    assert fill(declaration, "Search for cats")["query"] == "Search for cats"


def test_an_optional_argument_that_is_not_found_is_left_out():
    declaration = declare(city={"type": "string"}, days={"type": "integer", "required": False})
    assert fill(declaration, "weather in Paris") == {"city": "Paris"}


def test_a_schema_of_the_wire_declares_arguments_too():
    city = wire.Schema(type=wire.Type.STRING, enum=["Paris", "Rome"])
    schema = wire.Schema(type=wire.Type.OBJECT, properties={"city": city}, required=["city"])
    declaration = wire.FunctionDeclaration(name="weather", parameters=schema)
    (parameter,) = parameters_of(declaration)
    assert (parameter.kind, parameter.choices, parameter.required) == ("string", ("Paris", "Rome"), True)
    assert fill(declaration, "Rome") == {"city": "Rome"}
    bare = wire.FunctionDeclaration(name="weather", parameters=wire.Schema(type=wire.Type.OBJECT))
    assert fill(bare, "Rome") == {}


@pytest.mark.parametrize("schema", [None, [], {"properties": []}, {"properties": {"a": 1}}, {"required": 3}])
def test_a_schema_that_is_none_gives_no_trouble(schema):
    declaration = wire.FunctionDeclaration(name="f", parameters_json_schema=schema)
    assert set(fill(declaration, "Paris")) <= {"a"}


@CALMLY
@given(text=st.text(max_size=60), kinds=st.lists(st.sampled_from(["string", "integer", "number", "array"])))
def test_required_arguments_are_always_there_and_have_their_type(text, kinds):
    declaration = declare(**{f"value{index}": {"type": kind} for index, kind in enumerate(kinds)})
    arguments = fill(declaration, text)
    types = {"string": str, "integer": int, "number": float, "array": list}
    assert len(arguments) == len(kinds)
    for (_, value), kind in zip(arguments.items(), kinds, strict=True):
        assert isinstance(value, types[kind])
