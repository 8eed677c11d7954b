import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge import wire
from livebridge.errors import LocalProtocolError
from livebridge.protocol import TRANSITIONS, ConnectionState, LiveProtocol, Unrecognized
from livebridge.protocol import _connection as module

SETUP = wire.ClientMessage(setup=wire.Setup(model="models/m"))
TEXT = wire.ClientMessage(realtime_input=wire.RealtimeInput(text="hello"))


def ready() -> LiveProtocol:
    protocol = LiveProtocol()
    protocol.send(SETUP)
    protocol.receive(b'{"setupComplete":{"sessionId":"s"}}')
    return protocol


def test_setup_is_the_first_message_and_is_sent_once():
    protocol = LiveProtocol()
    assert protocol.send(SETUP) == b'{"setup":{"model":"models/m"}}'
    assert protocol.state is ConnectionState.SETUP_SENT
    with pytest.raises(LocalProtocolError, match="wait for setupComplete"):
        protocol.send(SETUP)


def test_nothing_else_leaves_before_setup_complete():
    protocol = LiveProtocol()
    with pytest.raises(LocalProtocolError, match="legal now: setup"):
        protocol.send(TEXT)
    with pytest.raises(LocalProtocolError, match="START"):
        protocol.admit()
    assert protocol.state is ConnectionState.START


def test_after_setup_complete_everything_but_setup_may_leave():
    protocol = ready()
    assert protocol.setup_complete == wire.SetupComplete(session_id="s")
    protocol.admit()
    assert protocol.send(TEXT) == b'{"realtimeInput":{"text":"hello"}}'
    with pytest.raises(LocalProtocolError):
        protocol.send(SETUP)
    assert protocol.state is ConnectionState.READY


@pytest.mark.parametrize(
    "message",
    [
        wire.ClientMessage(),
        wire.ClientMessage(setup=SETUP.setup, realtime_input=TEXT.realtime_input),
    ],
)
def test_a_client_message_carries_exactly_one_member(message):
    with pytest.raises(LocalProtocolError, match="exactly one"):
        LiveProtocol().send(message)


def test_a_second_setup_complete_is_a_message_like_any_other():
    protocol = ready()
    again = protocol.receive(b'{"setupComplete":{"sessionId":"other"}}')
    assert isinstance(again, wire.ServerMessage)
    assert protocol.setup_complete == wire.SetupComplete(session_id="s")


def test_frames_before_setup_complete_are_messages_too():
    protocol = LiveProtocol()
    protocol.send(SETUP)
    early = protocol.receive(b'{"serverContent":{"turnComplete":true}}')
    assert isinstance(early, wire.ServerMessage)
    assert protocol.state is ConnectionState.SETUP_SENT


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b'{"error":{"code":400,"message":"bad field"}}', "bad field"),
        (b'{"error":"no"}', "no"),
    ],
)
def test_an_error_object_in_place_of_setup_complete_is_a_refusal(frame, text):
    protocol = LiveProtocol()
    protocol.send(SETUP)
    assert isinstance(protocol.receive(frame), Unrecognized)
    assert text in str(protocol.refusal)


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ({"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}, 400, "INVALID_ARGUMENT: no"),
        ({"code": 8, "message": "later", "status": "RESOURCE_EXHAUSTED"}, 429, "RESOURCE_EXHAUSTED: later"),
        ({"status": "UNAVAILABLE"}, 503, "UNAVAILABLE: {'status': 'UNAVAILABLE'}"),
        ({"code": 503, "message": "x"}, 503, "x"),
        ({"code": "odd", "message": "x"}, None, "x"),
        ({"code": [400], "message": ["x"]}, None, "['x']"),
        ("no", None, "no"),
    ],
)
def test_a_refusal_has_a_status_and_a_reason(error, status, reason):
    protocol = LiveProtocol()
    protocol.send(SETUP)
    protocol.receive(json.dumps({"error": error}).encode())
    assert protocol.refusal.status == status
    assert protocol.refusal.reason == reason


def test_an_unknown_message_before_setup_complete_refuses_nothing():
    protocol = LiveProtocol()
    protocol.send(SETUP)
    assert isinstance(protocol.receive(b'{"somethingNew":{}}'), Unrecognized)
    assert protocol.refusal is None


def test_an_error_object_later_is_just_unrecognized():
    protocol = ready()
    assert isinstance(protocol.receive(b'{"error":{"message":"x"}}'), Unrecognized)
    assert protocol.refusal is None


@given(st.binary(max_size=200))
def test_no_bytes_from_the_network_raise(frame):
    protocol = ready()
    assert isinstance(protocol.receive(frame), wire.ServerMessage | Unrecognized)


def test_eof_is_idempotent_and_ends_every_state():
    for protocol in (LiveProtocol(), ready()):
        protocol.receive_eof()
        protocol.receive_eof()
        assert protocol.state is ConnectionState.CLOSED
        with pytest.raises(LocalProtocolError, match="the connection has ended"):
            protocol.admit()


def test_the_drawing_and_the_table_agree():
    drawn = set(re.findall(r"^    (\w+) +--([\w ]+)--> +(\w+)$", module.__doc__, re.MULTILINE))
    table = {
        (state.value, step.value, after.value)
        for state, steps in TRANSITIONS.items()
        for step, after in steps.items()
    }
    assert drawn == table
