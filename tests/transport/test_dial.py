"""Opening a connection: every way it can fail is a ConnectError that says what to do."""

from __future__ import annotations

import functools
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trio
import trio_websocket
import wsproto

from livebridge.errors import ConnectError
from livebridge.transport import dial
from livebridge.transport._dial import default_context

from ._peers import SECRET, echo, refused


async def test_the_request_carries_path_query_host_and_headers(world):
    seen = []

    async def handler(request):
        seen.append((request.path, dict(request.headers)))
        ws = await request.accept()
        await ws.aclose()

    url = await world.websocket_requests(handler)
    await world.dial(url + "?a=b%20c", headers={"X-Goog-Api-Key": "k", "Upgrade": "nonsense"})
    path, headers = seen[0]
    assert path == "/live?a=b%20c"
    assert headers[b"x-goog-api-key"] == b"k"
    assert headers[b"upgrade"] == b"websocket"
    assert b"sec-websocket-extensions" not in headers


async def test_a_host_header_of_the_caller_wins(world, request_head):
    heads = []

    async def handler(stream):
        heads.append(await request_head(stream))

    port = await world.raw(handler)
    await refused(world, f"ws://127.0.0.1:{port}/")
    async with trio.open_nursery() as nursery:
        with pytest.raises(ConnectError):
            await dial(nursery, f"ws://127.0.0.1:{port}/", headers={"Host": "other.example"}, proxy=None)
    assert f"Host: 127.0.0.1:{port}".encode() in heads[0]
    assert heads[1].count(b"ost:") == 1
    assert b"Host: other.example" in heads[1]


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (200, False), (301, False), (400, False), (401, False), (403, False), (404, False), (407, False),
        (408, True), (426, False), (429, True), (500, True), (502, True), (503, True), (504, True),
    ],
)  # fmt: skip
async def test_every_refused_upgrade_says_status_text_and_whether_to_retry(world, status, retryable):
    async def handler(request):
        await request.reject(status, body=b'{"error": {"message": "not today"}}')

    error = await refused(world, await world.websocket_requests(handler))
    assert (error.status, error.retryable, error.initiated_by) == (status, retryable, "server")
    assert "not today" in error.reason
    assert f"HTTP {status}" in str(error)


async def test_a_hint_tells_what_a_401_means(world):
    async def handler(request):
        await request.reject(401)

    error = await refused(world, await world.websocket_requests(handler))
    assert "credentials" in error.hint
    assert error.hint in str(error)


async def test_retry_after_is_read_as_seconds_and_as_a_date(world):
    later = datetime.now(UTC) + timedelta(seconds=100)
    values = [b"7", later.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()]

    async def handler(request):
        await request.reject(429, extra_headers=[(b"Retry-After", values.pop(0))])

    url = await world.websocket_requests(handler)
    assert (await refused(world, url)).retry_after == 7
    assert 90 < (await refused(world, url)).retry_after <= 100


async def test_a_server_that_quotes_the_secret_does_not_get_it_into_the_error(world):
    async def handler(request):
        await request.reject(400, body=f"bad key {SECRET}!".encode())

    error = await refused(world, await world.websocket_requests(handler))
    assert error.reason == "bad key ***!"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param(b"", "hung up", id="end of file"),
        pytest.param(b"HTTP/1.1 101 Swi", "hung up", id="end of file in the head"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP", id="not HTTP"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x0a", "", id="TLS alert"),
        pytest.param(
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: AAAA\r\n\r\n",
            "Accept does not match",
            id="wrong accept",
        ),
        pytest.param(b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "name websocket", id="h2c"),
        pytest.param(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", "say Upgrade", id="no connection header"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_upgrade_is_an_error_and_no_hang(world, answer, text):
    error = await refused(world, await world.answering(answer))
    assert text in str(error)
    assert error.status is None


async def test_an_extension_that_was_not_offered_is_refused(world, request_head):
    async def handler(stream):
        server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        server.receive_data(await request_head(stream))
        list(server.events())
        await stream.send_all(
            server.send(
                wsproto.events.AcceptConnection(
                    extra_headers=[(b"Sec-WebSocket-Extensions", b"permessage-deflate")]
                )
            )
        )

    error = await refused(world, f"ws://127.0.0.1:{await world.raw(handler)}/")
    assert "not offered" in str(error)


async def test_an_early_hint_before_the_upgrade_is_skipped(world, request_head):
    async def handler(stream):
        server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        server.receive_data(await request_head(stream))
        list(server.events())
        await stream.send_all(b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n")
        await stream.send_all(server.send(wsproto.events.AcceptConnection()))
        await stream.receive_some()

    transport = await world.dial(f"ws://127.0.0.1:{await world.raw(handler)}/")
    assert transport.close_info is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.0 503 Busy\r\n\r\nlater please", id="body until end of file"),
        pytest.param(
            b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nc\r\nlater please\r\n0\r\n\r\n",
            id="chunked",
        ),
        pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 500\r\n\r\nlater please", id="body cut short"),
        pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\nlater please", id="length given"),
    ],
)
async def test_the_text_of_a_refusal_is_read_however_it_ends(world, answer):
    error = await refused(world, await world.answering(answer))
    assert (error.status, error.reason, error.retryable) == (503, "later please", True)


async def test_an_endless_refusal_is_cut(world):
    error = await refused(world, await world.answering(b"HTTP/1.0 500 Oh\r\n\r\n" + b"x" * 100_000))
    assert error.reason == "x" * 2000


async def test_a_refusal_whose_body_stalls_is_told_within_the_deadline(world, request_head):
    async def handler(stream):
        await request_head(stream)
        await stream.send_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nlater")
        await trio.sleep_forever()

    url = f"ws://127.0.0.1:{await world.raw(handler)}/"
    error = await refused(world, url, dial_timeout=5)
    assert (error.status, error.reason) == (503, "later")


async def test_a_refused_tcp_connection_is_worth_a_retry(world):
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    for listener in listeners:
        await listener.aclose()
    error = await refused(world, f"ws://127.0.0.1:{port}/")
    assert error.retryable
    assert "refused" in str(error)
    assert isinstance(error.__cause__, OSError)


class Resolver(trio.abc.HostnameResolver):
    def __init__(self, answer):
        self.answer = answer

    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002, PLR0917
        return await self.answer(host, port)

    async def getnameinfo(self, sockaddr, flags):
        raise NotImplementedError


async def test_an_unknown_host_is_worth_a_retry_because_the_network_may_be_down(world):
    async def answer(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    trio.socket.set_custom_hostname_resolver(Resolver(answer))
    error = await refused(world, "wss://example.org/")
    assert error.retryable
    assert "Name or service not known" in str(error)


async def test_all_addresses_of_a_name_may_fail(world):
    async def answer(host, port):
        found = []
        for address in ("127.0.0.2", "127.0.0.3"):
            found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1)))
        return found

    trio.socket.set_custom_hostname_resolver(Resolver(answer))
    error = await refused(world, "ws://example.org:1/")
    assert error.retryable
    assert "127.0.0.2" in str(error)
    assert "127.0.0.3" in str(error)


async def test_the_dial_timeout_bounds_the_name_lookup(world):
    async def answer(host, port):
        await trio.sleep_forever()

    trio.socket.set_custom_hostname_resolver(Resolver(answer))
    error = await refused(world, "ws://example.org/", dial_timeout=0.05)
    assert error.retryable
    assert "dial_timeout (0.05 s)" in str(error)
    assert "connecting to example.org:80" in str(error)


@pytest.mark.parametrize(
    ("scheme", "proxied", "stage"),
    [("ws", False, "upgrade"), ("wss", False, "TLS"), ("ws", True, "proxy"), ("wss", True, "proxy")],
)
async def test_the_dial_timeout_bounds_every_stage(world, scheme, proxied, stage):
    async def silent(stream):
        await trio.sleep_forever()

    port = await world.raw(silent)
    proxy = f"http://127.0.0.1:{port}" if proxied else None
    url = f"{scheme}://{'example.org' if proxied else f'127.0.0.1:{port}'}/"
    error = await refused(world, url, dial_timeout=0.05, proxy=proxy)
    assert error.retryable
    assert stage in str(error)


async def test_cancelling_a_dial_leaves_nothing_behind(world):
    ended = trio.Event()

    async def silent(stream):
        while await stream.receive_some():
            pass
        ended.set()

    port = await world.raw(silent)
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.05) as scope:
            await dial(nursery, f"ws://127.0.0.1:{port}/", headers={}, proxy=None)
        assert scope.cancelled_caught
        assert not nursery.child_tasks
    with trio.fail_after(5):
        await ended.wait()


@pytest.mark.parametrize(
    "url",
    [
        "http://host/",
        "host:80",
        "ws://",
        "ws:///path",
        "ws://host:99999/",
        "ws://[::1/",
        "",
        f"ftp://{SECRET}/",
    ],
)
async def test_what_is_no_websocket_url_is_refused_without_quoting_it(world, url):
    error = await refused(world, url)
    assert error.retryable is False


async def test_a_proxy_url_of_another_kind_is_refused(world):
    error = await refused(world, "ws://live.example/", proxy="socks5://127.0.0.1:1080")
    assert "proxy URL" in str(error)


@pytest.mark.parametrize(
    "headers", [{"x": "line\r\nbreak"}, {"bad name": "x"}, {"x": "\u4e2d"}, {"\u4e2d": "x"}]
)
async def test_a_header_that_http_cannot_carry_is_refused(world, headers):
    url = await world.websocket(echo)
    with pytest.raises(ConnectError, match="illegal characters") as caught:
        await world.dial(url, headers=headers)
    assert caught.value.retryable is False


async def test_a_host_name_that_dns_cannot_carry_is_refused(world):
    assert (await refused(world, "ws://a..b/")).phase == "dial"


async def test_an_ipv6_address_works(world):
    listeners = await trio.open_tcp_listeners(0, host="::1")
    seen = []

    async def handler(request):
        seen.append(request)
        await request.accept()
        await trio.sleep_forever()

    server = trio_websocket.WebSocketServer(handler, listeners)
    await world.nursery.start(functools.partial(server.run))
    port = listeners[0].socket.getsockname()[1]
    transport = await world.dial(f"ws://[::1]:{port}/")
    assert transport.close_info is None


async def test_thedefault_context_verifies_and_is_loaded_once():
    context = default_context("", "")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert default_context("", "") is context


async def test_nothing_secret_is_logged(world, caplog):
    caplog.set_level("DEBUG", logger="livebridge")
    url = await world.websocket(echo)
    transport = await world.dial(url + "?token=hidden", headers={"x-goog-api-key": SECRET})
    await transport.send([b"private words"])
    await transport.receive()
    await transport.aclose()
    assert "connected to 127.0.0.1" in caplog.text
    assert not any(word in caplog.text for word in (SECRET, "hidden", "private"))
