"""What tools answer becomes client messages, or errors that teach; so do changes of the context."""

import datetime as dt
import enum

import pytest
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._inputs import context_update, tool_response


def answered(value, *, require_ids=True, known=None):
    return tool_response(value, require_ids=require_ids, known=known).tool_response.function_responses


class Colour(enum.Enum):
    RED = "red"


ANSWER = wire.FunctionResponse(id="1", name="f", response={"output": 1})


@pytest.mark.parametrize(
    "given",
    [
        ANSWER,
        [ANSWER],
        (ANSWER,),
        wire.ToolResponse(function_responses=[ANSWER]),
        {"id": "1", "name": "f", "response": {"output": 1}},
        [{"id": "1", "name": "f", "response": {"output": 1}}],
        {"functionResponses": [{"id": "1", "name": "f", "response": {"output": 1}}]},
        {"function_responses": [ANSWER]},
        types.FunctionResponse(id="1", name="f", response={"output": 1}),
        [types.FunctionResponse(id="1", name="f", response={"output": 1})],
        types.LiveClientToolResponse(
            function_responses=[types.FunctionResponse(id="1", name="f", response={"output": 1})]
        ),
    ],
)
def test_responses_come_in_many_forms(given):
    assert answered(given) == (ANSWER,)


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (3, {"result": 3}),
        (None, {"result": None}),
        (["a"], {"result": ["a"]}),
        ((1, 2), {"result": [1, 2]}),
        ({"a": {"b": Colour.RED}}, {"a": {"b": "red"}}),
        ({}, {}),
        (-(2**63), {"result": -(2**63)}),
        (types.Blob(mime_type="x"), {"mime_type": "x"}),
        (
            {"deep": [types.Blob(mime_type="x"), True, 1.5, None]},
            {"deep": [{"mime_type": "x"}, True, 1.5, None]},
        ),
    ],
)
def test_what_a_tool_gave_is_wrapped_and_made_plain(value, content):
    (response,) = answered({"id": "1", "response": value})
    assert response.response == content
    assert wire.encode_client(
        wire.ClientMessage(tool_response=wire.ToolResponse(function_responses=[response]))
    )


def test_a_name_is_filled_in_from_the_call():
    first, second, third = answered(
        [{"id": "1", "response": 1}, {"id": "2", "response": 1}, {"id": "1", "name": "own", "response": 1}],
        known={"1": "f"},
    )
    assert (first.name, second.name, third.name) == ("f", None, "own")


def test_scheduling_is_written_in_any_case():
    (response,) = answered({"id": "1", "response": 1, "scheduling": "interrupt", "willContinue": True})
    assert response.scheduling is wire.FunctionResponseScheduling.INTERRUPT


def test_an_answer_may_consist_of_parts_only():
    (response,) = answered({"id": "1", "parts": [{"inline_data": {"mime_type": "image/png", "data": b"x"}}]})
    assert response.response is None
    assert response.parts[0].inline_data.data == b"x"


def test_vertex_needs_no_id():
    assert answered({"name": "f", "response": 1}, require_ids=False)[0].id is None


CYCLE: dict[str, object] = {}


CYCLE["self"] = CYCLE


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "it is empty"),
        ({}, "it is empty"),
        (wire.ToolResponse(), "it is empty"),
        ("done", "not str"),
        (b"done", "not bytes"),
        (7, "not int"),
        ([7], r"responses\[0\]"),
        ({"response": {}}, r"responses\[0\] has no id: the Gemini API needs the id"),
        ([ANSWER, {"name": "f", "response": {}}], r"responses\[1\] has no id"),
        ({"id": "1"}, "has no response; expected for example"),
        ({"id": "1", "respnse": 1}, "did you mean 'response'"),
        ({"id": "1", "response": {1: 2}}, r"responses\[0\].*(text|int)"),
        ({"id": "1", "response": {"a": {1: 2}}}, "keys of JSON objects are text, not 1"),
        ({"id": "1", "response": {"a": [1, b"x"]}}, r"responses\[0\].response.a\[1\] is a bytes.*into parts"),
        (
            {"id": "1", "response": {"when": dt.datetime.now(dt.UTC)}},
            "response.when is a datetime",
        ),
        ({"id": "1", "response": {"n": float("nan")}}, "response.n is nan"),
        ({"id": "1", "response": {"n": 2**64}}, "more than 64 bits"),
        ({"id": "1", "response": {"t": "\ud800"}}, "no valid Unicode"),
        ({"id": "1", "response": CYCLE}, "nested too deeply"),
    ],
)
def test_an_answer_that_cannot_be_written_is_refused_with_the_place(given, text):
    with pytest.raises(ConfigError, match=text):
        answered(given)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(plain)
def test_whatever_json_can_hold_arrives_as_it_is(value):
    (response,) = answered({"id": "1", "response": {"output": value}})
    assert response.response == {"output": value}
    frame = wire.encode_client(
        wire.ClientMessage(tool_response=wire.ToolResponse(function_responses=[response]))
    )
    assert wire.decode_client(frame).tool_response.function_responses[0].response == {"output": value}


def test_tools_can_be_replaced_and_removed():
    made = context_update(tools=[{"name": "f"}], system_instruction="Be brief.").context_update
    assert made.system_instruction == wire.Content(role="user", parts=(wire.Part(text="Be brief."),))
    assert made.tools.tools[0].function_declarations[0].name == "f"
    assert wire.encode_client(context_update(tools=[])) == b'{"contextUpdate":{"tools":{"tools":[]}}}'
    assert context_update(system_instruction="x").context_update.tools is None


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "needs system_instruction, tools, or both"),
        ({"tools": [print]}, "declarations, not Python functions"),
        ({"tools": {"name": "f"}}, "tools takes a list"),
        ({"system_instruction": 7}, "system_instruction"),
    ],
)
def test_a_context_update_that_says_nothing_or_nonsense_is_refused(given, text):
    with pytest.raises(ConfigError, match=text):
        context_update(**given)
