"""What tools return becomes JSON and media, or an error that says why not."""

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import attrs
import pytest

from livebridge import wire
from livebridge.errors import ToolError
from livebridge.protocol import CallLedger, CallState
from livebridge.session._tool_failures import failure_text
from livebridge.session._tool_orphans import same_call
from livebridge.session._tool_result import error_response, response_of

CALL = wire.FunctionCall(id="c1", name="f")


class Size(enum.Enum):
    SMALL = "small"


@dataclass
class Guest:
    name: str
    friends: list


@attrs.frozen
class Room:
    number: int
    size: Size


class Listing:
    def model_dump(self, *, exclude_none):
        return {"x": 1}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, {"result": None}),
        (1, {"result": 1}),
        ("text", {"result": "text"}),
        ([1, (2, {3})], {"result": [1, [2, [3]]]}),
        ({"a": {"b": Size.SMALL}}, {"a": {"b": "small"}}),
        (Guest("A", [Guest("B", [])]), {"name": "A", "friends": [{"name": "B", "friends": []}]}),
        (Room(1, Size.SMALL), {"number": 1, "size": "small"}),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), {"result": "2026-01-02T03:04:00+00:00"}),
        ([date(2026, 1, 2), time(3, 4)], {"result": ["2026-01-02", "03:04:00"]}),
        (wire.Content(role="user"), {"role": "user"}),
        (Listing(), {"result": {"x": 1}}),
        (wire.FunctionResponse(response={"own": 1}), {"own": 1}),
    ],
    ids=str,
)
def test_whatever_json_can_hold_is_an_answer(result, expected):
    response = response_of(result, CALL, max_bytes=1000)
    assert response.response == expected
    assert (response.id, response.name, response.parts) == ("c1", "f", None)


@pytest.mark.parametrize(
    "media",
    [
        wire.Blob(data=b"x", mime_type="image/png"),
        (b"x", "image/png"),
        (bytearray(b"x"), "image/png"),
        (memoryview(b"x"), "image/png"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_media_travels_as_a_part_and_is_referred_to_by_name(media):
    response = response_of([media, "and", media], CALL)
    assert response.response == {"result": [{"$ref": "media-1"}, "and", {"$ref": "media-2"}]}
    first, second = response.parts
    assert first.inline_data == wire.FunctionResponseBlob(
        data=b"x", mime_type="image/png", display_name="media-1"
    )
    assert second.inline_data.display_name == "media-2"


def test_media_keeps_the_name_that_it_has():
    blob = wire.FunctionResponseBlob(data=b"x", mime_type="image/png", display_name="plan.png")
    response = response_of({"plan": blob}, CALL)
    assert response.response == {"plan": {"$ref": "plan.png"}}
    assert response.parts[0].inline_data == blob


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (object(), "cannot be sent"),
        (float("nan"), "cannot be sent"),
        (b"raw", "put bytes into parts"),
        ((b"raw", "no type"), "put bytes into parts"),
        ({1: 2}, "keys of JSON objects are text"),
        (2**70, "more than 64 bits"),
        (Guest, "cannot be sent"),
    ],
    ids=str,
)
def test_what_json_cannot_hold_is_refused(result, text):
    with pytest.raises(ToolError, match=text):
        response_of(result, CALL, max_bytes=1000)


def test_a_result_that_contains_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(ToolError, match="contains itself"):
        response_of(loop, CALL)


def test_an_answer_that_is_too_large_is_refused_media_included():
    assert response_of("x" * 50, CALL, max_bytes=200).response == {"result": "x" * 50}
    for large in ("x" * 200, (b"x" * 200, "image/png")):
        with pytest.raises(ToolError, match="more than the 200 that are allowed"):
            response_of(large, CALL, max_bytes=200)


def test_scheduling_is_the_tools_unless_the_result_says_so():
    assert response_of(1, CALL, scheduling="silent").scheduling == "SILENT"
    own = wire.FunctionResponse(response={}, scheduling="INTERRUPT")
    assert response_of(own, CALL, scheduling="silent").scheduling == "INTERRUPT"
    assert response_of(1, CALL).scheduling is None
    assert response_of({}, CALL, will_continue=False).will_continue is False
    assert error_response(CALL, "no", scheduling="when_idle").scheduling == "WHEN_IDLE"


@pytest.mark.parametrize(
    ("error", "detail", "text"),
    [
        (ValueError("x"), "message", "ValueError: x"),
        (ValueError("x"), "type", "ValueError"),
        (ValueError("x"), "generic", "the tool failed"),
        (ToolError("x"), "generic", "x"),
    ],
)
def test_what_the_model_is_told_of_a_failure(error, detail, text):
    assert failure_text(error, detail) == text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [1, {"c": 2}]}, {"b": [1.0, {"c": 2}], "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (None, {}, True),
        ({"a": "1"}, {"a": 1}, False),
    ],
)
def test_two_calls_are_the_same_if_json_says_so(one, other, same):
    def called(args):
        return wire.FunctionCall(name="f", args=args)

    assert same_call(called(one), called(other)) is same
    assert not same_call(called(one), wire.FunctionCall(name="g", args=one))


def test_a_call_whose_connection_was_replaced_is_orphaned_and_may_come_back():
    ledger = CallLedger()
    a, b, c = (wire.FunctionCall(id=name, name="f") for name in "abc")
    ledger.announce([a, b, c], epoch=1)
    assert ledger.claim("b")
    assert ledger.cancel(["c"]) == ["c"]
    assert [ledger.orphan(key) for key in ("a", "b", "c", "unknown")] == [True, True, False, False]
    assert (ledger.answered, ledger.cancelled, ledger.orphaned) == (0, 1, 2)
    assert ledger.orphan("a")
    assert ledger.orphaned == 2
    assert not ledger.claim("a")
    assert dict(ledger.pending) == {}
    assert ledger.call("a") is a
    assert ledger.call("unknown") is None
    ledger.announce([a], epoch=1)
    assert ledger.state("a") is CallState.ORPHANED
    ledger.announce([a], epoch=2)
    assert ledger.state("a") is CallState.OPEN
    assert ledger.epoch("a") == 2
    assert ledger.claim("a")


def test_orphans_are_remembered_however_many_calls_follow():
    ledger = CallLedger()
    ledger.announce([wire.FunctionCall(id="old")], epoch=1)
    ledger.orphan("old")
    for n in range(600):
        ledger.announce([wire.FunctionCall(id=f"c{n}")], epoch=2)
        ledger.claim(f"c{n}")
    assert ledger.state("old") is CallState.ORPHANED
    assert ledger.state("c0") is None


def test_two_answers_without_id_belong_to_two_calls():
    ledger = CallLedger()
    one, two = ledger.announce([wire.FunctionCall(name="f"), wire.FunctionCall(name="f")], epoch=1)
    assert ledger.key_for(None, "f") == one
    assert ledger.key_for(None, "f", {one}) == two
    assert ledger.key_for(None, "f", {one, two}) is None
