import socket
from pathlib import Path

import pytest
import trio
import trio.testing

from livebridge.simulator import Echo, Fault, Faults, Freeze
from livebridge.simulator._sockets import has_hung_up, has_hung_up_unseen

linux_only = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the system has no such table")


async def flood(client):
    """Write until nobody takes it, and hang up in the middle of it."""
    with trio.move_on_after(0.2):
        while True:
            await client.say("x" * 4000)
    await trio.aclose_forcefully(client.socket._stream)


@linux_only
@pytest.mark.parametrize("stall", [{}, {"reading": False}, {"writing": False}])
async def test_a_client_that_hangs_up_behind_more_than_buffers_hold_is_missed(serve, connect, stall):
    async with serve(brain=Echo()) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        connection.stall(**stall)
        await flood(client)
        with trio.fail_after(5):
            await connection.ended.wait()
        assert not simulator.conversations[0].connected


@linux_only
@pytest.mark.parametrize("when", [{"message": "modelTurn", "byte": 3}, {"received_byte": 2000}])
async def test_a_client_that_hangs_up_on_a_stream_frozen_at_a_byte_is_missed(serve, connect, when):
    async with serve(brain=Echo(), faults=Faults(Fault(what=Freeze(), **when))) as simulator:
        client = await connect(simulator)
        await client.setup()
        (connection,) = simulator.connections
        await flood(client)
        with trio.fail_after(5):
            await connection.ended.wait()
        assert not simulator.conversations[0].connected


@linux_only
async def test_a_client_is_there_until_it_hangs_up():
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    client = await trio.open_tcp_stream(*listener.socket.getsockname())
    server = await listener.accept()
    with trio.move_on_after(0.1):
        while True:
            await client.send_all(bytes(65_536))
    assert not has_hung_up(server)
    assert not has_hung_up_unseen(server)
    client.socket.close()
    assert has_hung_up_unseen(server)
    await server.aclose()
    assert has_hung_up(server)
    assert not has_hung_up_unseen(server)
    await listener.aclose()


async def test_of_a_stream_that_is_no_socket_or_has_no_other_side_nothing_is_known():
    one, _ = trio.testing.memory_stream_pair()
    assert not has_hung_up_unseen(one)
    alone = trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket()))
    assert not has_hung_up_unseen(alone)
    await alone.aclose()
