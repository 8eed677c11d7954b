import json

import pytest
import trio

from livebridge import Session, wire
from livebridge.simulator import (
    Call,
    Fault,
    Faults,
    GoAway,
    LiveSimulator,
    Recorder,
    Replay,
    Rules,
    Script,
    ToneVoice,
)

TEXT_MODEL = "models/gemini-live-2.5-flash-preview"
AUDIO_MODEL = "gemini-2.5-flash-native-audio-latest"
SETUP = {"setup": {"model": TEXT_MODEL}}


@pytest.fixture
def write_log(tmp_path):
    """Writes a log of connections; each is a list of (sender, message or close)."""

    def write(*connections, step=0.0):
        entries, at = [{"log": "livebridge", "version": 1}], 0.0
        for number, happened in enumerate(connections, start=1):
            entries.append({"connection": number, "at": at, "event": "opened", "path": "/"})
            for sender, what in happened:
                at += step
                line = {"connection": number, "at": at, "from": sender}
                is_message = isinstance(what, dict)
                entries.append(line | ({"event": "message", "message": what} if is_message else what[0]))
        path = tmp_path / "session.jsonl"
        path.write_text("\n".join(json.dumps(entry) for entry in entries))
        return path

    return write


def said(sender, what):
    return sender, what


def closed(sender, **members):
    return sender, ({"event": "closed", **members},)


def refused_with(status, **members):
    return "server", ({"event": "refused", "status": status, **members},)


HELLO = [said("client", SETUP), said("server", {"setupComplete": {}})]


def turn(text):
    return {"clientContent": {"turns": [{"parts": [{"text": text}]}], "turnComplete": True}}


def answer(text):
    return {"serverContent": {"modelTurn": {"parts": [{"text": text}]}, "turnComplete": True}}


def sound(size):
    data = wire.encode_base64(bytes(size))
    return {"realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "data": data}}}


async def silent(client, seconds=0.03):
    with trio.move_on_after(seconds) as scope:
        await client.socket.get_message()
    return scope.cancelled_caught


async def test_answers_wait_for_what_they_answer(write_log, connect):
    path = write_log(
        [*HELLO, said("client", turn("a")), said("server", answer("b")), said("client", turn("c"))]
    )
    async with Replay(path).serve() as replay:
        client = await connect(replay)
        (session,) = replay.sessions
        assert await silent(client)
        assert session.waiting_for == "setup"
        assert await client.setup() == {"setupComplete": {}}
        assert await silent(client)
        assert session.waiting_for == "clientContent"
        assert not session.complete
        await client.say("anything")
        assert await client.receive() == answer("b")
        await client.say("more")
        while not session.complete:
            await trio.lowlevel.checkpoint()
        assert [next(iter(message)) for message in session.received] == [
            "setup",
            "clientContent",
            "clientContent",
        ]


async def test_sound_may_come_in_chunks_of_another_size(write_log, connect):
    path = write_log(
        [*HELLO, said("client", sound(30)), said("client", sound(30)), said("server", answer("b"))]
    )
    async with Replay(path).serve() as replay:
        client = await connect(replay)
        await client.setup()
        await client.send(sound(40))
        assert await silent(client)
        assert replay.sessions[0].waiting_for == "realtimeInput.audio"
        old = sound(20)["realtimeInput"]["audio"]
        await client.send({"realtime_input": {"audio": old}})
        assert await client.receive() == answer("b")


async def test_chunks_of_the_old_kind_and_what_is_no_json_are_waited_for_too(write_log, connect):
    chunk = sound(10)["realtimeInput"]["audio"]
    strange = ("client", ({"event": "message", "opcode": "binary", "base64": "AAE="},))
    chunks = {"realtimeInput": {"mediaChunks": [chunk, chunk]}}
    path = write_log([*HELLO, said("client", chunks), strange, said("server", answer("b"))])
    async with Replay(path).serve() as replay:
        client = await connect(replay)
        await client.setup()
        await client.send(chunks)
        assert await silent(client)
        await client.socket.send_message(b"\x00\x01")
        assert await client.receive() == answer("b")


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (closed("server", code=1011, reason="Oops."), (1011, "Oops.")),
        (closed("server"), (1006, None)),
    ],
)
async def test_the_server_ends_it_as_it_did(write_log, connect, end, expected):
    async with Replay(write_log([*HELLO, end])).serve() as replay:
        client = await connect(replay)
        await client.setup()
        assert await client.until_close() == expected
        assert replay.sessions[0].complete


async def test_after_the_end_of_the_log_the_client_may_stay(write_log, connect):
    async with Replay(write_log([*HELLO, closed("client", code=1000)])).serve() as replay:
        client = await connect(replay)
        await client.setup()
        assert await silent(client)
        await client.socket.aclose(1000)
        assert replay.sessions[0].complete


async def test_a_client_may_leave_in_the_middle(write_log, connect):
    async with Replay(write_log([*HELLO, said("client", turn("a"))])).serve() as replay:
        client = await connect(replay)
        await client.setup()
        await client.socket.aclose(1000)
        assert not replay.sessions[0].complete


async def test_refusals_are_repeated(write_log, refused):
    path = write_log([refused_with(429, retry_after="3")], [refused_with(503)])
    async with Replay(path).serve() as replay:
        first, second = await refused(replay), await refused(replay)
        assert (first.status_code, second.status_code) == (429, 503)
        assert (b"retry-after", b"3") in first.headers
        assert [session.complete for session in replay.sessions] == [True, True]


async def test_more_connections_than_the_log_has_are_refused_or_begin_anew(write_log, connect, refused):
    path = write_log(HELLO)
    async with Replay(path).serve() as replay:
        await (await connect(replay)).setup()
        refusal = await refused(replay)
        assert refusal.status_code == 503
        assert b"the log holds 1 connections, this is number 2" in refusal.body
    async with Replay(path, repeat=True).serve() as replay:
        for _ in range(3):
            assert await (await connect(replay)).setup() == {"setupComplete": {}}


async def test_pauses_are_kept_on_demand(write_log, connect):
    path = write_log([*HELLO, said("server", answer("b"))], step=0.4)
    async with Replay(path, pace=4).serve() as replay:
        client = await connect(replay)
        began = trio.current_time()
        await client.setup()
        assert await client.receive() == answer("b")
        assert 0.2 <= trio.current_time() - began < 2
    async with Replay(path, pace="real").serve() as replay:
        client = await connect(replay)
        await client.send(SETUP)
        assert await silent(client, 0.2)


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"HTTP/1.1 404"),
        (b"\x00\r\n\r\n", b""),
        (b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\r\n", b""),
    ],
    ids=["no upgrade", "no HTTP", "no valid upgrade"],
)
async def test_what_cannot_be_replayed_to_is_told_so_or_left(write_log, call, reply):
    async with (
        Replay(write_log(HELLO)).serve() as replay,
        await trio.open_tcp_stream(replay.host, replay.port) as stream,
    ):
        await stream.send_all(call)
        assert (await stream.receive_some())[:12] == reply


async def test_googles_logs_are_served_as_they_are(tmp_path, connect):
    complete = b'{\n  "setupComplete": {}\n}\n'
    path = tmp_path / "x.websocket.log"
    path.write_bytes(b">%d %s\n<%d %s\n" % (len(wire.dumps(SETUP)) + 1, wire.dumps(SETUP), 27, complete))
    async with Replay(path).serve() as replay:
        client = await connect(replay)
        await client.send(SETUP)
        assert await client.socket.get_message() == complete


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


async def converse(options):
    """A conversation with text, a call, speech, an interruption of the connection; everything the session told."""
    told, resumed = [], trio.Event()

    def on_resumed(info):
        told.append(("resumed", info.continuity))
        resumed.set()

    pcm = ToneVoice(rate=16_000).speak("What is my name?") + bytes(32_000)
    async with Session.start(
        model=AUDIO_MODEL,
        tools=[get_weather],
        input_audio_transcription={},
        output_audio_transcription={},
        on_transcription=lambda piece: told.append((piece.direction, piece.text)),
        on_tool_call=lambda call: told.append(("call", str(call)[:0])),
        on_resumed=on_resumed,
        on_go_away=lambda info: told.append(("go away", info.epoch)),
        on_turn_complete=lambda turn: told.append(("turn", turn.text, turn.audio, turn.usage)),
        **options,
    ) as session:
        await session.ask("My name is Bob.", timeout=5)
        await resumed.wait()
        await session.ask("What is the weather in Paris?", timeout=5)
        for start in range(0, len(pcm), 3200):
            await session.send_audio(pcm[start : start + 3200])
        await session.wait_turn(timeout=5)
    return told


@pytest.mark.parametrize("audio", [True, False], ids=["with sound", "without sound"])
async def test_a_session_behaves_the_same_with_a_replay_as_with_what_was_recorded(tmp_path, audio):
    path = tmp_path / "session.jsonl"
    farewell = Fault(what=GoAway(seconds=5), message="turnComplete")
    async with (
        LiveSimulator.serve(brain=Rules(), faults=Faults(farewell)) as simulator,
        Recorder(path, upstream=simulator.url, audio=audio).serve() as recorder,
    ):
        recorded = await converse({**simulator.connection, "base_url": recorder.url})
    async with Replay(path).serve() as replay:
        replayed = await converse(replay.connection)
        assert len(replay.sessions) == 2
        assert replay.sessions[1].received[0]["setup"]["sessionResumption"]["handle"] == "handle-1"
    if not audio:
        recorded, replayed = (without_sound(told) for told in (recorded, replayed))
    assert replayed == recorded
    assert [kind for kind, *_ in recorded if kind in {"turn", "resumed", "go away"}] == [
        "go away", "turn", "resumed", "turn", "turn",
    ]  # fmt: skip


def without_sound(told):
    return [
        (kind, rest[0], len(rest[1]), *rest[2:]) if kind == "turn" else (kind, *rest) for kind, *rest in told
    ]


async def test_a_vertex_session_is_replayed_too(tmp_path):
    path = tmp_path / "session.jsonl"
    async with (
        LiveSimulator.serve(brain=Script([[Call("get_weather", {"city": "Rome"})], "Fine."])) as simulator,
        Recorder(path, upstream=simulator.url).serve() as recorder,
    ):
        recorded = await ask_once({**simulator.vertex_connection, "base_url": recorder.url})
    async with Replay(path).serve() as replay:
        assert await ask_once(replay.vertex_connection) == recorded
    assert recorded[0] == "Fine."


async def ask_once(options):
    async with Session.start(
        model=AUDIO_MODEL, tools=[get_weather], output_audio_transcription={}, **options
    ) as session:
        turn = await session.ask("Go", timeout=5)
        return turn.text, session.session_id
