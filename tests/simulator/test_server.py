import json
import ssl

import httpx2
import pytest
import trio
import trio.testing
import trio_websocket
import trustme

from livebridge import wire
from livebridge.auth import VertexAi
from livebridge.errors import ConfigError, DecodeError
from livebridge.simulator import (
    TEST_ACCESS_TOKEN,
    TEST_API_KEY,
    Call,
    Echo,
    LiveSimulator,
    Rules,
    Script,
    ToneVoice,
    load_brain,
    run,
)

MODEL = "models/gemini-live-2.5-flash-preview"
VERTEX_PATH = "//ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
BEARER = (("authorization", f"Bearer {TEST_ACCESS_TOKEN}"),)


async def test_a_text_conversation_over_a_real_socket(serve, connect):
    async with serve(brain=Rules()) as simulator:
        client = await connect(simulator)
        assert await client.setup() == {"setupComplete": {}}
        await client.say("Hello")
        turn = await client.until("turnComplete")
        (connection,) = simulator.connections
        (conversation,) = simulator.conversations
        assert connection.conversation is conversation
        assert conversation.connected
        assert conversation.heard.user_texts == ["Hello"]
        assert (
            "".join(
                part["text"]
                for message in turn
                for part in message.get("serverContent", {}).get("modelTurn", {}).get("parts", [])
            )
            == "Hello! How can I help you?"
        )
    assert not conversation.connected


async def test_vertex_is_served_on_the_same_port_with_a_double_slash(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator, VERTEX_PATH, BEARER)
        answer = await client.setup("publishers/google/models/gemini-live-2.5-flash")
        (connection,) = simulator.connections
        assert answer["setupComplete"]["sessionId"] == simulator.conversations[0].id
        assert connection.admission.vertex
        assert repr(connection) == "<Connection 1 vertex v1beta1>"


@pytest.mark.parametrize(
    ("frames", "kind", "first"),
    [
        ("binary", bytes, b'{\n  "setupComplete": {}\n}\n'),
        ("compact", bytes, b'{"setupComplete":{}}'),
        ("fragmented", bytes, b'{\n  "setupComplete": {}\n}\n'),
        ("text", str, '{\n  "setupComplete": {}\n}\n'),
    ],
)
async def test_server_frames_come_in_the_chosen_style(serve, connect, frames, kind, first):
    async with serve(frames=frames, brain=Script(["x" * 5000])) as simulator:
        client = await connect(simulator)
        await client.send({"setup": {"model": MODEL}})
        assert await client.socket.get_message() == first
        await client.say("?")
        message = await client.socket.get_message()
        assert isinstance(message, kind)
        assert json.loads(message)["serverContent"]["modelTurn"]["parts"][0]["text"] == "x" * 5000


async def test_a_client_may_send_binary_frames_and_fragments_and_need_not_wait(serve, connect):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.socket.send_message(json.dumps({"setup": {"model": MODEL}}).encode())
        await client.say("Hi")
        assert (await client.receive()) == {"setupComplete": {}}
        assert (await client.until("turnComplete"))[-1]["usageMetadata"]["totalTokenCount"] == 2


@pytest.mark.parametrize("payload", ["no json", b"\xff\xfe", "", "[" * 5000])
async def test_what_is_no_json_ends_the_connection(serve, connect, payload):
    async with serve() as simulator:
        client = await connect(simulator)
        await client.socket.send_message(payload)
        assert await client.until_close() == (1007, "Invalid JSON payload received. Unexpected token.")


async def test_a_refused_upgrade_has_a_status_and_a_body(serve, refused):
    async with serve() as simulator:
        refusal = await refused(simulator, headers=())
        assert refusal.status_code == 403
        assert json.loads(refusal.body)["error"]["status"] == "PERMISSION_DENIED"
        assert simulator.dials == 1


async def test_a_bad_websocket_handshake_is_no_trouble(serve):
    async with serve() as simulator:
        stream = await trio.open_tcp_stream(simulator.host, simulator.port)
        path = "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent"
        head = (
            f"GET {path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nx-goog-api-key: {TEST_API_KEY}\r\n\r\n"
        )
        await stream.send_all(head.encode())
        assert await stream.receive_some() == b""


async def test_a_client_may_send_its_setup_right_behind_the_upgrade(serve, gemini_path):
    setup = b'{"setup": {"model": "models/gemini-live-2.5-flash-preview"}}'
    frame = bytes([0x81, 0x80 | len(setup), 0, 0, 0, 0]) + setup
    head = (
        f"GET {gemini_path}?key={TEST_API_KEY} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with serve() as simulator, await trio.open_tcp_stream(simulator.host, simulator.port) as stream:
        await stream.send_all(head.encode() + frame)
        received = b""
        while b"setupComplete" not in received:
            received += await stream.receive_some()
        assert received.startswith(b"HTTP/1.1 101")


async def test_a_stream_in_memory_is_served_too(serve, nursery, gemini_path):
    async with serve(brain=Echo()) as simulator:
        near, far = trio.testing.memory_stream_pair()
        nursery.start_soon(simulator.handle, far)
        socket = await trio_websocket.wrap_client_stream(
            nursery, near, "simulator", f"{gemini_path}?key={TEST_API_KEY}"
        )
        await socket.send_message(json.dumps({"setup": {"model": MODEL}}))
        assert await socket.get_message() == b'{\n  "setupComplete": {}\n}\n'
        (connection,) = simulator.connections
        connection.stall(writing=False)
        await socket.send_message("{}")
        with trio.move_on_after(0.1) as silence:
            await socket.get_message()
        assert silence.cancelled_caught
        connection.drop()
        await connection.ended.wait()


@pytest.mark.parametrize("data", [b"", b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00"])
async def test_whoever_speaks_no_http_is_shown_out(serve, data):
    async with serve() as simulator:
        stream = await trio.open_tcp_stream(simulator.host, simulator.port)
        await stream.send_all(data)
        await stream.send_eof()
        assert await stream.receive_some() == b""


async def test_a_body_that_is_too_large_is_not_read(serve):
    async with serve() as simulator:
        stream = await trio.open_tcp_stream(simulator.host, simulator.port)
        await stream.send_all(
            b"POST /v1alpha/auth_tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n"
        )
        with trio.move_on_after(5) as scope, pytest.raises(trio.BrokenResourceError):
            while True:
                await stream.send_all(bytes(65536))
        assert not scope.cancelled_caught


async def test_models_and_tokens_are_served_over_http(serve):
    async with serve() as simulator, httpx2.AsyncClient(base_url=simulator.url) as http:
        http.headers["x-goog-api-key"] = TEST_API_KEY
        models = (await http.get("/v1beta/models")).json()["models"]
        token = (await http.post("/v1alpha/auth_tokens", json={"uses": 1})).json()
        missing = await http.get("/favicon.ico")
    assert "models/gemini-3.1-flash-live-preview" in [model["name"] for model in models]
    assert token["name"].startswith("auth_tokens/")
    assert missing.status_code == 404


async def test_an_ephemeral_token_opens_a_session(serve, connect, gemini_path):
    async with serve() as simulator, httpx2.AsyncClient(base_url=simulator.url) as http:
        answer = await http.post("/v1alpha/auth_tokens", json={}, headers={"x-goog-api-key": TEST_API_KEY})
        path = gemini_path.replace("v1beta", "v1alpha") + "Constrained"
        headers = (("authorization", f"Token {answer.json()['name']}"),)
        client = await connect(simulator, path, headers)
        assert await client.setup() == {"setupComplete": {}}
        again = await connect(simulator, path, headers)
        await again.send({"setup": {"model": MODEL}})
        assert await again.until_close() == (1011, "The service is currently unavailable.")


async def test_it_speaks_tls_with_a_context(serve):
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    async with serve(ssl_context=server) as simulator:
        assert simulator.url.startswith("https://127.0.0.1:")
        async with httpx2.AsyncClient(base_url=simulator.url, verify=client) as http:
            answer = await http.get("/v1/models", headers={"x-goog-api-key": TEST_API_KEY})
        assert answer.status_code == 200
        stranger = await trio.open_tcp_stream(simulator.host, simulator.port)
        await stranger.send_all(b"GET / HTTP/1.1\r\n\r\n")
        with trio.fail_after(5):
            while await stranger.receive_some():
                pass


async def test_a_connection_closes_on_command(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator)
        await client.setup()
        connection = simulator.connections[0]
        connection.close(1012, "restart")
        assert await client.until_close() == (1012, "restart")
        await simulator.wait_for(lambda s: not s.connections)
        assert connection.ended.is_set()
        connection.close()


async def test_a_connection_drops_on_command(serve):
    async with serve() as simulator:
        for command in ("drop", "end"):
            async with trio_websocket.open_websocket_url(
                f"ws://{simulator.host}:{simulator.port}"
                f"/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent?key={TEST_API_KEY}"
            ) as socket:
                await simulator.wait_for(lambda s: s.connections)
                getattr(simulator.connections[0], command)()
                with pytest.raises(trio_websocket.ConnectionClosed) as caught:
                    await socket.get_message()
                assert caught.value.reason.code == 1006
            await simulator.wait_for(lambda s: not s.connections)


async def test_go_away_comes_on_command_and_is_kept(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator)
        await client.setup()
        simulator.connections[0].go_away(0.05)
        assert await client.receive() == {"goAway": {"timeLeft": "0.05s"}}
        assert await client.until_close() == (1011, "Deadline expired before operation could complete.")


async def test_tools_are_cancelled_on_command(serve, connect):
    async with serve(brain=Script([[Call("look")]])) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("?")
        (call,) = (await client.until("toolCall"))[-1]["toolCall"]["functionCalls"]
        (connection,) = simulator.connections
        assert connection.open_calls == 1
        assert connection.busy
        connection.cancel_tools()
        (message, *_) = await client.until("toolCallCancellation")
        assert message == {"toolCallCancellation": {"ids": [call["id"]]}}


async def test_messages_and_bytes_are_sent_on_command(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.send(wire.ServerMessage(go_away=wire.GoAway(time_left=1.5)))
        connection.send_raw(b"\x00garbage")
        assert await client.receive() == {"goAway": {"timeLeft": "1.5s"}}
        assert await client.socket.get_message() == b"\x00garbage"


async def test_a_stalled_connection_says_nothing_until_it_is_resumed(serve, connect):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.stall()
        await client.say("Hi")
        with trio.move_on_after(0.12) as silence:
            await client.receive()
        assert silence.cancelled_caught
        assert not simulator.conversations[0].heard.user_texts
        connection.resume()
        assert (await client.until("turnComplete"))[-1]["usageMetadata"]


@pytest.mark.parametrize("command", ["drop", "end"])
async def test_a_stalled_connection_can_be_dropped(serve, connect, command):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.stall(reading=False)
        await client.say("Hi")
        await simulator.wait_for(lambda s: s.conversations[0].heard.user_texts)
        getattr(connection, command)()
        assert (await client.until_close())[0] == 1006


async def test_one_resume_ends_stalls_however_often_they_were_asked_for(serve, connect):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.stall(reading=False)
        await client.say("Hi")
        await simulator.wait_for(lambda s: s.conversations[0].heard.user_texts)
        await trio.testing.wait_all_tasks_blocked(0.01)
        connection.stall()
        connection.resume()
        with trio.fail_after(5):
            assert await client.until("turnComplete")


@pytest.mark.parametrize("stall", [{}, {"reading": False}, {"writing": False}])
async def test_a_client_that_hangs_up_on_a_stalled_connection_is_missed(serve, connect, stall):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.stall(**stall)
        await client.say("Hi")
        await client.say("Hi")
        await trio.aclose_forcefully(client.socket._stream)
        with trio.fail_after(5):
            await connection.ended.wait()
        assert not simulator.conversations[0].connected


async def test_a_client_that_says_goodbye_to_a_silent_connection_and_hangs_up_is_missed(serve, connect):
    """The answer to its close frame waits for the end of the silence; nothing else may wait with it."""
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.stall(reading=False)
        await client.say("Hi")
        await simulator.wait_for(lambda s: s.conversations[0].heard.user_texts)
        with trio.move_on_after(0.1):
            await client.socket.aclose()
        await trio.aclose_forcefully(client.socket._stream)
        with trio.fail_after(5):
            await connection.ended.wait()
            await simulator.wait_for(lambda s: not s.connections)
        assert not simulator.conversations[0].connected


async def test_a_connection_that_has_ended_can_be_dropped_again(serve, connect):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.end()
        connection.drop()
        await connection._frames.end()
        await connection._frames.reset()
        assert (await client.until_close())[0] == 1006


async def test_pings_are_answered(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator)
        with trio.fail_after(5):
            await client.socket.ping(b"are you there")
        assert simulator.connections[0].client_close is None


async def test_the_close_of_the_client_is_known(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        await client.socket.aclose(1000, "bye")
        await connection.ended.wait()
        assert connection.client_close == (1000, "bye")
        assert simulator.conversations[0].ended_at is not None


async def test_a_client_that_breaks_the_websocket_protocol_is_closed(serve, connect):
    async with serve() as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        await client.socket._stream.send_all(b"\xff\xff\xff\xff")
        with pytest.raises(trio_websocket.ConnectionClosed) as caught:
            await client.socket.get_message()
        assert caught.value.reason.code == 1002
        await connection.ended.wait()
        assert connection.client_close is None


async def test_every_frame_can_be_kept(serve, connect):
    async with serve(keep_frames=True) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        directions = [frame.direction for frame in connection.frames]
        assert directions == ["in", "out"]
        assert connection.frames[1].message == {"setupComplete": {}}
        assert "setupComplete" not in repr(connection.frames)
        await client.socket.send_message("{")
        await client.until_close()
        with pytest.raises(DecodeError):
            _ = connection.frames[2].message


async def test_a_brain_that_raises_ends_the_connection_like_a_fault_of_the_server(serve, connect, caplog):
    class Broken:
        def respond(self, conversation, cue):
            if cue.text == "now":
                raise RuntimeError("no idea")
            yield from ()
            raise RuntimeError("too late")

    async with serve(brain=Broken()) as simulator:
        for text in ("now", "later"):
            client = await connect(simulator)
            await client.setup()
            await client.say(text)
            assert await client.until_close() == (1011, "Internal error encountered.")
    assert [record.name for record in caplog.records] == ["livebridge.simulator"] * 2


async def test_a_brain_that_says_what_is_no_json_ends_the_connection_too(serve, connect, caplog):
    async with serve(brain=Script([[Call("look", {"at": object()})]])) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("?")
        assert await client.until_close() == (1011, "Internal error encountered.")
        other = await connect(simulator)
        assert await other.setup() == {"setupComplete": {}}
    assert "connection 1" in caplog.text


async def test_a_flood_of_messages_is_taken_at_the_pace_of_the_server(serve, connect):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        for number in range(300):
            await client.send({"clientContent": {"turns": [{"parts": [{"text": str(number)}]}]}})
        await client.send({"clientContent": {"turnComplete": True}})
        await client.until("turnComplete")
        assert simulator.conversations[0].heard.user_texts == [str(number) for number in range(300)]


async def test_the_options_for_a_session_carry_url_and_credentials(serve):
    async with serve() as simulator:
        assert simulator.connection == {"base_url": simulator.url, "api_key": TEST_API_KEY}
        auth = simulator.vertex_connection["auth"]
        assert isinstance(auth, VertexAi)
        headers = await auth.headers()
        assert headers["authorization"] == f"Bearer {TEST_ACCESS_TOKEN}"
        assert (
            auth.model_resource("m")
            == "projects/simulated-project/locations/us-central1/publishers/google/models/m"
        )


async def test_a_known_recording_is_understood(serve, connect):
    pcm = b"".join((5000 * (n % 7 - 3) // 3).to_bytes(2, "little", signed=True) for n in range(16000))
    async with serve(brain=Echo()) as simulator:
        simulator.recordings.add(pcm, "What is the weather?", rate=16000)
        client = await connect(simulator)
        await client.setup("models/gemini-2.5-flash-native-audio-latest")
        data = wire.encode_base64(pcm + bytes(32000))
        await client.send({"realtimeInput": {"audio": {"data": data, "mimeType": "audio/pcm;rate=16000"}}})
        turn = await client.until("turnComplete")
        sound = b"".join(
            wire.decode_base64(part["inlineData"]["data"])
            for message in turn
            for part in message.get("serverContent", {}).get("modelTurn", {}).get("parts", [])
        )
        assert ToneVoice.decode(sound) == "What is the weather?"


async def test_waiting_for_something_returns_what_it_was(serve, connect, nursery):
    async with serve() as simulator:
        assert await simulator.wait_for(lambda s: s.port) == simulator.port
        nursery.start_soon(connect, simulator)
        (connection,) = await simulator.wait_for(lambda s: s.connections)
        assert connection.number == 1


async def test_an_error_in_the_block_comes_out_as_it_is(serve):
    with pytest.raises(KeyError, match="mine"):
        async with serve():
            raise KeyError("mine")


async def test_an_unknown_setting_names_the_nearest_known_one():
    with pytest.raises(ConfigError, match="no setting handel_ttl; did you mean handle_ttl"):
        async with LiveSimulator.serve(handel_ttl=3):
            pass
    with pytest.raises(ConfigError, match="no setting zzz"):
        async with LiveSimulator.serve(zzz=3):
            pass


async def test_it_can_be_run_as_a_program(nursery, tmp_path, connect):
    brain = tmp_path / "concierge.py"
    brain.write_text(
        "from livebridge.simulator import Script\nbrain = Script(['At your service.'])\n", "utf-8"
    )
    faults = tmp_path / "faults.toml"
    faults.write_text('[[fault]]\ndo = "repeat"\nmessage = "setupComplete"\n', "utf-8")
    found = []
    opened = trio.Event()

    async def started(simulator):
        found.append(simulator)
        opened.set()

    async def program():
        await run(port=0, brain=str(brain), faults=str(faults), started=started)

    nursery.start_soon(program)
    await opened.wait()
    client = await connect(found[0])
    await client.setup()
    assert await client.receive() == {"setupComplete": {}}
    await client.say("Hello")
    turn = await client.until("turnComplete")
    assert turn[0]["serverContent"]["modelTurn"]["parts"][0]["text"] == "At your service."


async def test_it_can_be_run_without_anything(nursery):
    with trio.move_on_after(0.05) as scope:
        await run(port=0, brain=Echo())
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("brain = 3", "has no brain"),
        ("raise ValueError('oops')", "raised ValueError: oops"),
        ("class Brain:\n    def __init__(self): raise TypeError('no')", "raised TypeError"),
    ],
)
def test_a_file_without_a_brain_says_so(tmp_path, code, message):
    path = tmp_path / "brain.py"
    path.write_text(code, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_brain(str(path))


def test_a_file_may_have_a_class_instead_of_a_brain(tmp_path):
    path = tmp_path / "brain.py"
    path.write_text("class Brain:\n    def respond(self, conversation, cue): return []\n", encoding="utf-8")
    assert type(load_brain(str(path))).__name__ == "Brain"
    with pytest.raises(ConfigError, match="no Python file"):
        load_brain(str(tmp_path / "brain.txt"))
    with pytest.raises(ConfigError, match="FileNotFoundError"):
        load_brain(str(tmp_path / "none.py"))
