"""Listens on a port for the time of a block; what a client does on its stream is a handler's business."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import trio

from livebridge.auth import VertexAi
from livebridge.simulator._settings import TEST_ACCESS_TOKEN

LOOPBACK: Final = "127.0.0.1"
PROJECT: Final = "simulated-project"
LOCATION: Final = "us-central1"

SessionOptions: TypeAlias = dict[str, Any]  # type: ignore[explicit-any]  # keywords of many types
"""Keyword arguments of `livebridge.Session.start`."""


@asynccontextmanager
async def listening(
    handle: Callable[[trio.SocketStream], Awaitable[None]], *, host: str, port: int
) -> AsyncIterator[int]:
    """Serve clients while a block runs; the connections that are left in the end are cancelled.

    Args:
        handle: Serves one client, and raises nothing.
        host: Where to listen.
        port: 0 for any free one.

    Yields:
        The port.

    Raises:
        OSError: The port is taken.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, handle, listeners)
        try:
            yield listeners[0].socket.getsockname()[1]
        except Exception as error:  # noqa: BLE001  # leaves the block below, without the nursery's wrapping
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


def secured(stream: trio.abc.Stream, context: ssl.SSLContext | None) -> trio.abc.Stream:
    """The server's side of TLS over a stream, or the stream as it is if there is no context."""
    return stream if context is None else trio.SSLStream(stream, context, server_side=True)


def vertex_options(url: str, token: str = TEST_ACCESS_TOKEN) -> SessionOptions:
    """The options that make a `livebridge.Session` talk to a server as if it were Vertex AI."""

    async def credentials() -> str:
        return token

    return {"base_url": url, "auth": VertexAi(project=PROJECT, location=LOCATION, credentials=credentials)}
