"""What tests do at either end of a connection."""

from __future__ import annotations

import pytest
import trio
import wsproto
from wsproto.connection import Connection, ConnectionType

from livebridge.errors import ConnectError, ConnectionLostError
from livebridge.transport import dial

SECRET = "AIza-very-secret-key"


async def refused(world, url, **options) -> ConnectError:
    """Dial, and prove that a failure leaves no task behind."""
    options.setdefault("proxy", None)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            with pytest.raises(ConnectError) as caught:
                await dial(nursery, url, headers={"x-goog-api-key": SECRET}, **options)
            assert not nursery.child_tasks
    error = caught.value
    assert error.phase == "dial"
    assert SECRET not in str(error) + repr(error) + str(error.reason)
    return error


async def collect(transport, count):
    found = []
    while len(found) < count:
        found += await transport.receive()
    return found


async def drain(transport):
    """Everything until the end, and the error that tells of it."""
    found = []
    while True:
        try:
            found += await transport.receive()
        except ConnectionLostError as error:
            return found, error


async def echo(ws):
    while True:
        await ws.send_message(await ws.get_message())


def accept_upgrade(head: bytes) -> bytes:
    server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    server.receive_data(head)
    list(server.events())
    return server.send(wsproto.events.AcceptConnection())


def frames(*events) -> bytes:
    connection = Connection(ConnectionType.SERVER)
    return b"".join(bytes(connection.send(event)) for event in events)
