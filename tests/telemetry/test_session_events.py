"""What sessions report: the right events, all with whose they are, and nothing secret."""

import contextlib
import json
from collections.abc import Iterable

import pytest
import trio

from livebridge import telemetry
from livebridge.auth import GeminiApi, VertexAi
from livebridge.errors import ConnectError, SetupError
from livebridge.protocol import ReconnectPolicy
from livebridge.session import Session
from livebridge.telemetry import BUS, EVENTS
from livebridge.transport import MemoryNetwork

MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"
KEY = "AIza-very-secret"
HANDLE = "handle-very-secret"


class Records:
    """Keeps events under their names without prefix, dots between the words."""

    def __init__(self):
        self.all = []

    def __call__(self, event, measurements, metadata, config):
        self.all.append((".".join(event[2:]), dict(measurements), dict(metadata)))

    @property
    def names(self):
        return [name for name, _, _ in self.all]

    def of(self, name):
        return [(measured, about) for each, measured, about in self.all if each == name]

    def about(self, name):
        common = {"session_id", "model", "epoch"}
        return [{k: v for k, v in about.items() if k not in common} for _, about in self.of(name)]


@pytest.fixture
def records():
    assert not BUS.active
    made = Records()
    telemetry.attach("records", EVENTS, made)
    yield made
    telemetry.detach("records")


@pytest.fixture
async def network(nursery):
    return MemoryNetwork()


@contextlib.asynccontextmanager
async def talking(network, *messages, **options):
    """A session in memory whose server completes the setup and then says something."""
    given = {"model": MODEL, "auth": GeminiApi(api_key=KEY), "dial": network.dial, "stall": None, **options}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, network, messages)
        async with Session.start(**given) as session:
            yield session
        nursery.cancel_scope.cancel()


async def serve(network, messages: Iterable[object]):
    server = await network.accept()
    await server.receive()
    server.send([json.dumps({"setupComplete": {}}).encode()])
    if messages:
        server.send([each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages])
    with contextlib.suppress(Exception):
        while True:
            await server.receive()


async def test_a_life_is_reported_from_beginning_to_end_in_order(network, records):
    async with talking(network, {"serverContent": {"turnComplete": True}}) as session:
        await session.send_text("Hello")
        await session.wait_turn()
        ours = session.telemetry_id
    story = [name for name in records.names if name != "session.status" and "receive" not in name]
    assert story == [
        "session.init",
        "websocket.connect.start",
        "websocket.connect.stop",
        "websocket.send",
        "session.ready",
        "websocket.send",
        "session.message.sent",
        "websocket.close",
        "session.close",
    ]
    for _, measured, about in records.all:
        assert about["session_id"] == ours
        assert about["model"] == MODEL
        assert measured["system_time"] > 1.6e9
    assert [about["epoch"] for _, about in records.of("session.ready")] == [1]
    assert records.about("session.ready") == [{"kind": "new"}]
    assert records.about("session.init") == [{"auth": "GeminiApi"}]
    assert records.about("session.close") == [{"reason": "user_requested", "code": 1000}]
    assert records.about("session.message.sent") == [{"message_type": "client_content"}]
    kinds = [about["message_type"] for about in records.about("session.message.received")]
    assert kinds == ["setup_complete", "server_content"]
    (taken,) = records.of("websocket.connect.stop")
    assert taken[0]["duration_ms"] == pytest.approx(taken[0]["duration"] * 1000)
    moves = [(about["before"], about["phase"]) for about in records.about("session.status")]
    assert moves[:3] == [("idle", "dialing"), ("dialing", "setup"), ("setup", "ready")]


async def test_every_kind_of_server_message_has_its_event(network, records):
    messages = [
        {"toolCall": {"functionCalls": [{"id": "1", "name": "f"}, {"id": "2", "name": "g"}]}},
        {"toolCallCancellation": {"ids": ["1"]}},
        {"sessionResumptionUpdate": {"newHandle": HANDLE, "resumable": True}},
        {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.5s"}},
        {"voiceActivity": {"type": "ACTIVITY_END"}},
        {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_EOS"}},
        {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}},
        b"no JSON",
        {"serverContent": {"turnComplete": True}},
    ]
    async with talking(network, *messages, on_message=lambda _: None) as session:
        await session.send_tool_response([{"id": "2", "name": "g", "response": {"output": 1}}])
        await session.wait_turn()
    calls = [(about["call_id"], about["function_name"]) for about in records.about("session.tool_call")]
    assert calls == [("1", "f"), ("2", "g")]
    assert records.about("session.tool_call_cancellation") == [{"call_ids": ("1",)}]
    assert records.about("session.resumption_update") == [{"resumable": True}]
    activity = [(m.get("audio_offset"), a["type"]) for m, a in records.of("session.voice_activity")]
    assert activity == [(1.5, "ACTIVITY_START"), (None, "ACTIVITY_END"), (None, "VAD_SIGNAL_TYPE_EOS")]
    (counts,) = [measured for measured, _ in records.of("session.usage")]
    assert (counts["prompt_token_count"], counts["output_token_count"]) == (3, 4)
    assert [measured["size"] for measured, _ in records.of("session.unrecognized")] == [7]
    answers = [m for m, a in records.of("session.message.sent") if a["message_type"] == "tool_response"]
    assert [measured["response_count"] for measured in answers] == [1]


async def test_a_go_away_is_reported_with_its_time_if_it_has_one(network, records):
    messages = [{"goAway": {"timeLeft": "50s"}}, {"goAway": {}}, {"serverContent": {"turnComplete": True}}]
    async with talking(network, *messages) as session:
        await session.wait_turn()
    times = [measured for measured, _ in records.of("session.go_away")]
    assert (times[0]["time_left"], times[0]["time_left_ms"]) == (50.0, 50_000.0)
    assert "time_left" not in times[1]


async def test_a_raising_callback_is_reported_without_its_words(network, records):
    def careless(message):
        raise RuntimeError("the password is tomato")

    async with talking(network, {"serverContent": {"turnComplete": True}}, on_message=careless) as session:
        await session.wait_turn()
    reported = records.about("session.callback_error")
    assert {"callback": "on_message", "error": "RuntimeError"} in reported
    assert "tomato" not in str(records.all)


async def test_a_raising_tool_is_reported_too(network, records):
    def broken(call):
        raise RuntimeError("no")

    told = trio.Event()
    call = {"toolCall": {"functionCalls": [{"id": "1", "name": "f"}]}}
    async with talking(network, call, on_tool_call=broken, on_error=lambda _: told.set()):
        await told.wait()
    assert records.about("session.callback_error") == [{"callback": "on_tool_call", "error": "RuntimeError"}]


async def test_a_refused_dial_is_an_exception_a_retry_and_an_error(network, records, autojump_clock):
    refusal = ConnectError("refused", phase="dial", initiated_by="server", status=503, retryable=True)
    network.refuse(refusal, refusal)
    policy = ReconnectPolicy(max_attempts=5)
    with pytest.RaisesGroup(ConnectError):
        async with talking(network, reconnect=policy, connect_attempts=2):
            raise AssertionError("not reached")
    assert [about["error"] for about in records.about("websocket.connect.exception")] == ["ConnectError"] * 2
    ((measured, about),) = records.of("websocket.retry")
    assert (about["error"], measured["attempts_remaining"]) == ("ConnectError", 4)
    assert measured["delay_ms"] == pytest.approx(measured["delay"] * 1000)
    assert records.about("session.error") == [
        {"error": "ConnectError", "code": None, "status": 503, "phase": "dial", "retryable": True}
    ]
    assert records.about("session.close")[0]["reason"] == "error"


async def test_without_a_bound_on_attempts_none_is_reported(network, records, autojump_clock):
    network.refuse(ConnectError("refused", phase="dial", initiated_by="network", retryable=True))
    async with talking(network):
        ((measured, _),) = records.of("websocket.retry")
    assert "attempts_remaining" not in measured


async def test_a_reconnect_is_reported_with_its_gap_and_its_new_epoch(network, records, autojump_clock):
    async def hang_up():
        server = await network.accept()
        await server.receive()
        server.send([b'{"setupComplete": {}}'])
        server.close(1011, "Internal error encountered.")
        await serve(network, ())

    resumed = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_up)
        async with Session.start(
            model=MODEL, api_key=KEY, dial=network.dial, on_resumed=lambda _: resumed.set()
        ):
            await resumed.wait()
        nursery.cancel_scope.cancel()
    ready = records.of("session.ready")
    assert [about["epoch"] for _, about in ready] == [1, 2]
    assert "gap" not in ready[0][0]
    assert ready[1][0]["gap"] >= 0
    assert records.about("websocket.close")[0] == {"close_reason": "already_closed", "code": 1011}


async def test_a_refused_setup_is_an_error_with_its_close_code(network, records):
    async def refuse():
        server = await network.accept()
        await server.receive()
        server.close(1007, "Request contains an invalid argument.")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refuse)
        with pytest.raises(SetupError):
            async with Session.start(model=MODEL, api_key=KEY, dial=network.dial):
                raise AssertionError("not reached")
    assert records.about("session.error")[0]["code"] == 1007


async def test_no_event_holds_a_secret(network, records, autojump_clock):
    messages = [
        {"sessionResumptionUpdate": {"newHandle": HANDLE, "resumable": True}},
        {"goAway": {"timeLeft": "50s"}},
        {"serverContent": {"modelTurn": {"parts": [{"text": "private words"}]}, "turnComplete": True}},
    ]
    async with talking(network, *messages, resume_handle=HANDLE + "-old", headers={"x-key": KEY}) as session:
        await session.send_text("private words")
        await session.wait_turn()
    told = str(records.all)
    assert len(records.all) > 10
    for secret in (KEY, HANDLE, "private words"):
        assert secret not in told


async def test_two_sessions_can_be_told_apart_and_an_auth_strategy_is_named(network, records):
    auth = VertexAi(project="p", location="europe-west4", credentials=_token)
    async with talking(network, auth=auth) as first, talking(network) as second:
        assert first.telemetry_id != second.telemetry_id
    starts = [about for _, about in records.of("websocket.connect.start")]
    assert {about["session_id"] for about in starts} == {first.telemetry_id, second.telemetry_id}
    assert [(a["auth_strategy"], a["location"]) for a in starts] == [
        ("VertexAi", "europe-west4"),
        ("GeminiApi", None),
    ]


async def test_only_what_somebody_listens_to_is_made(network):
    heard = []
    telemetry.attach("mine", ("gemini", "live", "session", "ready"), lambda event, *_: heard.append(event))
    try:
        async with talking(network) as session:
            await session.send_text("Hello")
    finally:
        telemetry.detach("mine")
    assert heard == [("gemini", "live", "session", "ready")]


async def _token():
    return "ya29.token"
