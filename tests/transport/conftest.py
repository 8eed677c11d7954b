"""Real servers on loopback: WebSocket, TLS, raw TCP and a CONNECT proxy."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import attrs
import pytest
import trio
import trio_websocket
import trustme

from livebridge.transport import Transport, dial

from ._peers import accept_upgrade

HOST = "127.0.0.1"


@attrs.define
class World:
    """Everything a test needs to talk to, in one nursery that ends with the test."""

    nursery: trio.Nursery
    transports: list[Transport] = attrs.field(factory=list)

    async def websocket(
        self, handler: Callable[..., Awaitable[None]], *, ssl_context: ssl.SSLContext | None = None, **options
    ) -> str:
        """Serve WebSocket connections with trio-websocket; the handler gets the accepted connection."""

        async def accept(request: trio_websocket.WebSocketRequest) -> None:
            with suppress(trio_websocket.ConnectionClosed):
                await handler(await request.accept())

        return await self.websocket_requests(accept, ssl_context=ssl_context, **options)

    async def websocket_requests(self, handler, *, ssl_context=None, **options) -> str:
        """Serve WebSocket upgrade requests; the handler accepts or rejects."""
        options.setdefault("max_message_size", 2**26)
        server = await self.nursery.start(
            functools.partial(
                trio_websocket.serve_websocket, handler, HOST, 0, ssl_context, disconnect_timeout=1, **options
            )
        )
        return f"{'wss' if ssl_context else 'ws'}://{HOST}:{server.port}/live"

    async def raw(self, handler: Callable[[trio.SocketStream], Awaitable[None]]) -> int:
        """Serve plain TCP; returns the port."""

        async def quiet(stream: trio.SocketStream) -> None:
            try:
                async with stream:
                    await handler(stream)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass

        listeners = await self.nursery.start(functools.partial(trio.serve_tcp, quiet, 0, host=HOST))
        return listeners[0].socket.getsockname()[1]

    async def answering(self, answer: bytes) -> str:
        """Serve one fixed answer to every request head, then end the connection; returns a URL."""

        async def handler(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer)

        return f"ws://{HOST}:{await self.raw(handler)}/live"

    async def dial(self, url: str, *, headers=None, proxy=None, **options) -> Transport:
        transport = await dial(self.nursery, url, headers=headers or {}, proxy=proxy, **options)
        self.transports.append(transport)
        return transport


async def read_head(stream: trio.abc.ReceiveStream) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = await stream.receive_some(65536)
        if not data:
            break
        head += data
    return head


async def watchdog():
    """Nothing here takes so long: a test that hangs is named, not waited for."""
    await trio.sleep(20)
    raise AssertionError("the test hangs")


@pytest.fixture
async def world():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watchdog)
        made = World(nursery)
        yield made
        for transport in made.transports:
            transport.abort()
        nursery.cancel_scope.cancel()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority):
    """A server's TLS context for these names."""

    def make(*names: str, **options) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, **options).configure_cert(context)
        return context

    return make


@pytest.fixture
def client_tls(authority) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def request_head():
    return read_head


@pytest.fixture
def upgraded(world, request_head):
    """A raw server that upgrades by hand: the handler gets the TCP stream after the handshake."""

    async def serve(handler, *, together: bytes = b"") -> str:
        async def accept(stream: trio.SocketStream) -> None:
            head = await request_head(stream)
            server = accept_upgrade(head)
            await stream.send_all(server + together)
            await handler(stream)

        return f"ws://127.0.0.1:{await world.raw(accept)}/live"

    return serve
