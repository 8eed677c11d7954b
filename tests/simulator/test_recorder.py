import json
import socket
import ssl
import struct

import pytest
import trio
import trio_websocket
import trustme

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.simulator import TEST_API_KEY, Echo, Fault, Faults, Recorder, RefuseUpgrade, Rules, Script
from livebridge.simulator._http import HttpError, read_request


@pytest.fixture
def log(tmp_path):
    return tmp_path / "session.jsonl"


def lines(log):
    head, *rest = (json.loads(line) for line in log.read_text().splitlines())
    assert head == {"log": "livebridge", "version": 1}
    return rest


def talk(log, connection=1):
    """Who sent what, by the names of the members."""
    return [
        (line["from"], next(iter(line["message"])))
        for line in lines(log)
        if line["event"] == "message" and line["connection"] == connection
    ]


async def test_both_sides_are_logged_with_times_and_without_credentials(serve, connect, log):
    async with serve(brain=Echo()) as simulator, Recorder(log, upstream=simulator.url).serve() as recorder:
        client = await connect(recorder)
        await client.setup(sessionResumption={})
        await client.say(f"my key is {TEST_API_KEY}")
        await client.until("sessionResumptionUpdate")
        await client.until("turnComplete")
        await client.socket.aclose(1000, "bye")
        await simulator.wait_for(lambda s: not s.connections)
        assert simulator.conversations[0].heard.user_texts == [f"my key is {TEST_API_KEY}"]
        assert recorder.connections == 1
    assert TEST_API_KEY not in log.read_text()
    written = lines(log)
    assert written[0]["event"] == "opened"
    assert written[0]["path"].startswith("/ws/google.ai.generativelanguage")
    assert talk(log)[:3] == [("client", "setup"), ("server", "setupComplete"), ("client", "clientContent")]
    assert {line.get("opcode") for line in written if line.get("from") == "server"} >= {"binary"}
    assert [line["at"] for line in written] == sorted(line["at"] for line in written)
    closed = written[-1]
    assert (closed["event"], closed["from"], closed["code"], closed["reason"]) == (
        "closed",
        "client",
        1000,
        "bye",
    )
    assert recorder.messages == len(written) - 2


async def test_a_close_of_the_server_reaches_the_client_and_the_log(serve, connect, log):
    told = []
    async with (
        serve() as simulator,
        Recorder(log, upstream=simulator.url, report=lambda *what: told.append(what)).serve() as recorder,
    ):
        client = await connect(recorder)
        await client.setup()
        simulator.connections[0].close(1011, "Internal error encountered.")
        assert await client.until_close() == (1011, "Internal error encountered.")
    assert lines(log)[-1]["code"] == 1011
    assert lines(log)[-1]["from"] == "server"
    assert told[-1] == (1, "closed by the server with 1011")


@pytest.mark.parametrize("how", ["drop", "end"])
async def test_an_end_without_a_close_frame_is_passed_on_and_logged_as_such(serve, connect, log, how):
    async with serve() as simulator, Recorder(log, upstream=simulator.url).serve() as recorder:
        client = await connect(recorder)
        await client.setup()
        getattr(simulator.connections[0], how)()
        assert (await client.until_close())[0] == 1006
    closed = lines(log)[-1]
    assert (closed["event"], closed["from"]) == ("closed", "server")
    assert "code" not in closed


async def test_a_client_that_vanishes_vanishes_for_the_server_at_once(serve, log, gemini_path):
    async with serve() as simulator, Recorder(log, upstream=simulator.url).serve() as recorder:
        stream = await trio.open_tcp_stream(recorder.host, recorder.port)
        head = (
            f"GET {gemini_path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
            f"sec-websocket-extensions: permessage-deflate\r\nx-goog-api-key: {TEST_API_KEY}\r\n\r\n"
        )
        await stream.send_all(head.encode())
        answer = bytes(await stream.receive_some())
        await simulator.wait_for(lambda s: s.connections)
        assert "sec-websocket-extensions" not in simulator.connections[0].request.headers
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await trio.aclose_forcefully(stream)
        with trio.fail_after(1):
            await simulator.wait_for(lambda s: not s.connections)
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"permessage-deflate" not in answer
    closed = lines(log)[-1]
    assert (closed["event"], closed["from"], "code" in closed) == ("closed", "client", False)


async def test_a_refusal_is_passed_on_with_its_header(serve, refused, log):
    plan = Faults(Fault(what=RefuseUpgrade(status=429, retry_after=7)))
    async with serve(faults=plan) as simulator, Recorder(log, upstream=simulator.url).serve() as recorder:
        refusal = await refused(recorder)
    assert refusal.status_code == 429
    assert b"RESOURCE_EXHAUSTED" in refusal.body
    assert lines(log)[-1]["status"] == 429
    assert lines(log)[-1]["retry_after"] == "7"


async def ask(url, call):
    host, port = url.removeprefix("http://").split(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(call)
        return b"".join([bytes(part) async for part in stream])


async def test_http_calls_are_passed_on_and_not_logged(serve, log):
    async with serve() as simulator, Recorder(log, upstream=simulator.url).serve() as recorder:
        models = await ask(
            recorder.url,
            f"GET /v1beta/models HTTP/1.1\r\nhost: x\r\nx-goog-api-key: {TEST_API_KEY}\r\n\r\n".encode(),
        )
        token = await ask(
            recorder.url,
            b"POST /v1alpha/auth_tokens HTTP/1.1\r\nhost: x\r\nx-goog-api-key: %s\r\ncontent-length: 11\r\n\r\n"
            b'{"uses": 2}' % TEST_API_KEY.encode(),
        )
    assert b"gemini-live-2.5-flash" in models
    assert b"auth_tokens/" in token
    assert lines(log) == []


async def test_a_server_that_cannot_be_reached_is_told_to_the_client(refused, log, unused_port):
    told = []
    recorder = Recorder(
        log, upstream=f"http://127.0.0.1:{unused_port}", report=lambda *what: told.append(what)
    )
    async with recorder.serve():
        refusal = await refused(recorder)
    assert refusal.status_code == 502
    assert b"the recorder cannot reach 127.0.0.1" in refusal.body
    assert told[0][0] == 0


@pytest.fixture
async def unused_port():
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    return port


@pytest.mark.parametrize("mood", ["hangs up", "talks without end"])
async def test_a_server_that_speaks_no_http_is_no_problem_for_the_recorder(nursery, log, mood):
    async def serve_nothing(stream):
        async with stream:
            try:
                await read_request(stream)
                if mood != "hangs up":
                    await stream.send_all(b"x" * 100_000)
            except (HttpError, trio.BrokenResourceError):
                pass

    listeners = await nursery.start(trio.serve_tcp, serve_nothing, 0)
    port = listeners[0].socket.getsockname()[1]
    async with Recorder(log, upstream=f"http://127.0.0.1:{port}").serve() as recorder:
        assert await ask(recorder.url, b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\r\n") == b""
    assert [line["event"] for line in lines(log)] == ["opened"]


async def test_tls_is_spoken_on_both_sides_and_verified(serve, log, gemini_path):
    authority = trustme.CA()
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    async with serve(brain=Rules(), ssl_context=server_tls) as simulator:
        good = Recorder(log, upstream=simulator.url, upstream_tls=client_tls)
        async with good.serve(ssl_context=server_tls):
            assert good.url.startswith("https://")
            url = good.url.replace("https", "wss") + f"{gemini_path}?key={TEST_API_KEY}"
            async with trio_websocket.open_websocket_url(url, ssl_context=client_tls) as client:
                setup = {"setup": {"model": "models/gemini-live-2.5-flash-preview"}}
                await client.send_message(wire.dumps(setup))
                assert b"setupComplete" in await client.get_message()
                await client.aclose()
        async with Recorder(log.with_name("other"), upstream=simulator.url).serve() as distrustful:
            answer = await ask(distrustful.url, b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"502" in answer
    assert b"TLS failed" in answer
    assert TEST_API_KEY not in log.read_text()
    assert talk(log) == [("client", "setup"), ("server", "setupComplete")]


async def test_sound_and_handles_are_kept_or_not_as_it_is_told(serve, connect, log):
    for audio, handles in ((True, True), (False, False)):
        async with (
            serve(brain=Script(["Hi"]), seed=1) as simulator,
            Recorder(log, upstream=simulator.url, audio=audio, handles=handles).serve() as recorder,
        ):
            client = await connect(recorder)
            await client.setup("models/gemini-2.5-flash-native-audio-latest", sessionResumption={})
            await client.say("Hi")
            await client.until("turnComplete")
            (update,) = await client.until("sessionResumptionUpdate")
            handle = update["sessionResumptionUpdate"]["newHandle"]
        assert (handle in log.read_text()) is handles
        assert ('"data":"' in log.read_text()) is audio
        assert ("droppedBytes" in log.read_text()) is not audio


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://example.org", "https://", "https://x:y", "https://x?key=1"]
)
def test_an_upstream_that_is_no_base_url_is_refused(log, url):
    with pytest.raises(ConfigError):
        Recorder(log, upstream=url)


async def test_a_log_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot write the log"):
        async with Recorder(tmp_path / "no" / "log", upstream="http://127.0.0.1:1").serve():
            pass


async def test_an_upstream_may_have_a_path_before_the_path(serve, log, nursery):
    asked = []

    async def answer(stream):
        asked.append((await read_request(stream))[0])
        await stream.send_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        await stream.aclose()

    listeners = await nursery.start(trio.serve_tcp, answer, 0)
    port = listeners[0].socket.getsockname()[1]
    async with Recorder(log, upstream=f"http://localhost:{port}/gateway/").serve() as recorder:
        reply = await ask(recorder.url, b"GET /v1/models?x=1 HTTP/1.1\r\nhost: x\r\nx-mine: y\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 204")
    assert asked[0].target == "/gateway/v1/models?x=1"
    assert asked[0].headers["host"] == f"localhost:{port}"
    assert asked[0].headers["x-mine"] == "y"
