"""Opening a connection through TLS and through proxies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import trio

from ._peers import echo, refused


async def test_a_good_certificate_is_accepted(world, server_tls, client_tls):
    url = await world.websocket(echo, ssl_context=server_tls("127.0.0.1"))
    transport = await world.dial(url, ssl_context=client_tls)
    assert transport.close_info is None


async def test_a_certificate_for_another_host_is_refused(world, server_tls, client_tls):
    url = await world.websocket(echo, ssl_context=server_tls("other.example"))
    error = await refused(world, url, ssl_context=client_tls)
    assert error.retryable is False
    assert "certificate" in str(error)


async def test_a_certificate_of_an_unknown_authority_is_refused_by_default(world, server_tls):
    url = await world.websocket(echo, ssl_context=server_tls("127.0.0.1"))
    error = await refused(world, url)
    assert error.retryable is False
    assert "ssl_context" in error.hint


async def test_an_expired_certificate_is_refused(world, server_tls, client_tls):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    url = await world.websocket(echo, ssl_context=server_tls("127.0.0.1", not_after=yesterday))
    error = await refused(world, url, ssl_context=client_tls)
    assert error.retryable is False
    assert "expired" in str(error)


async def test_a_server_without_tls_is_told_from_a_bad_certificate(world):
    url = (await world.websocket(echo)).replace("ws://", "wss://")
    error = await refused(world, url)
    assert "TLS" in str(error)


async def test_a_server_that_hangs_up_during_tls_is_worth_a_retry(world):
    async def handler(stream):
        await stream.receive_some()

    error = await refused(world, f"wss://127.0.0.1:{await world.raw(handler)}/")
    assert error.retryable


async def test_ssl_cert_file_names_the_authorities_to_trust(
    world, server_tls, authority, tmp_path, monkeypatch
):
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    url = await world.websocket(echo, ssl_context=server_tls("127.0.0.1"))
    transport = await world.dial(url)
    assert transport.close_info is None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    assert (await refused(world, url)).retryable is False


class Proxy:
    """A small CONNECT proxy that sends everything to one place."""

    def __init__(self, request_head, target_port, *, user=None):
        self.request_head, self.target_port, self.user = request_head, target_port, user
        self.asked = []

    async def serve(self, stream):
        head = await self.request_head(stream)
        line, *headers = head.decode().split("\r\n")
        self.asked.append(line)
        if self.user is not None and f"Proxy-Authorization: Basic {self.user}" not in headers:
            await stream.send_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 5\r\n\r\nlogin")
            return
        async with await trio.open_tcp_stream("127.0.0.1", self.target_port) as target:
            await stream.send_all(b"HTTP/1.1 200 Go on\r\n\r\n")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.copy, stream, target, nursery)
                nursery.start_soon(self.copy, target, stream, nursery)

    async def copy(self, source, sink, nursery):
        try:
            async for data in source:
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        nursery.cancel_scope.cancel()


def port_of(url: str) -> int:
    return urlsplit(url).port


@pytest.mark.parametrize("tls", [False, True])
async def test_a_connection_goes_through_an_http_proxy(world, request_head, server_tls, client_tls, tls):
    url = await world.websocket(echo, ssl_context=server_tls("live.example") if tls else None)
    proxy = Proxy(request_head, port_of(url))
    proxy_port = await world.raw(proxy.serve)
    target = f"{'wss' if tls else 'ws'}://live.example/live"
    transport = await world.dial(
        target, proxy=f"http://127.0.0.1:{proxy_port}", ssl_context=client_tls if tls else None
    )
    await transport.send([b"through"])
    assert list(await transport.receive()) == [b"through"]
    assert proxy.asked == [f"CONNECT live.example:{443 if tls else 80} HTTP/1.1"]


async def test_the_environments_proxy_is_used(world, request_head, monkeypatch):
    url = await world.websocket(echo)
    proxy = Proxy(request_head, port_of(url))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{await world.raw(proxy.serve)}")
    await world.dial("ws://live.example:8080/live", proxy="env")
    assert proxy.asked == ["CONNECT live.example:8080 HTTP/1.1"]


async def test_credentials_in_the_proxy_url_are_sent_to_the_proxy_and_shown_nowhere(
    world, request_head, caplog
):
    caplog.set_level("DEBUG")
    url = await world.websocket(echo)
    proxy = Proxy(request_head, port_of(url), user="bWU6cEBzcw==")
    port = await world.raw(proxy.serve)
    transport = await world.dial("ws://live.example/", proxy=f"http://me:p%40ss@127.0.0.1:{port}")
    assert transport.close_info is None
    error = await refused(world, "ws://live.example/", proxy=f"http://me:wrong@127.0.0.1:{port}")
    assert (error.status, error.retryable, error.reason) == (407, False, "login")
    assert "wrong" not in str(error)
    assert "proxy" in error.hint
    assert "p@ss" not in caplog.text
    assert "p%40ss" not in caplog.text


async def test_a_proxy_that_speaks_tls_itself(  # noqa: PLR0917
    world, request_head, server_tls, authority, tmp_path, monkeypatch
):
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    url = await world.websocket(echo, ssl_context=server_tls("live.example"))
    proxy = Proxy(request_head, port_of(url))
    context = server_tls("127.0.0.1")

    async def secured(stream):
        await proxy.serve(trio.SSLStream(stream, context, server_side=True, https_compatible=True))

    transport = await world.dial("wss://live.example/", proxy=f"https://127.0.0.1:{await world.raw(secured)}")
    await transport.send([b"twice wrapped"])
    assert list(await transport.receive()) == [b"twice wrapped"]


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (502, True), (504, True)])
async def test_a_proxy_that_refuses_says_its_status(world, status, retryable):
    proxy = await world.answering(f"HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno".encode())
    error = await refused(world, "wss://live.example/", proxy=proxy.replace("ws:", "http:"))
    assert (error.status, error.retryable) == (status, retryable)
    assert "the proxy" in str(error)
