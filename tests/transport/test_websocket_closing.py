"""Closing, aborting and cancelling, whatever the peer does or fails to do."""

from __future__ import annotations

import functools
import socket
from contextlib import asynccontextmanager

import pytest
import trio
import trio_websocket
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection

from livebridge.errors import ConnectionLostError
from livebridge.transport import CloseInfo, dial

from ._peers import collect, drain, echo, frames


async def test_a_close_by_us_reaches_the_server_with_code_and_text(world):
    told = []

    async def handler(ws):
        try:
            await ws.get_message()
        except trio_websocket.ConnectionClosed as error:
            told.append((error.reason.code, error.reason.reason))

    transport = await world.dial(await world.websocket(handler))
    await transport.aclose(4001, "enough")
    assert transport.close_info == CloseInfo(code=4001, reason="enough", initiated_by="client")
    assert told == [(4001, "enough")]
    with pytest.raises(ConnectionLostError, match="this side with 4001: enough"):
        await transport.receive()
    with pytest.raises(ConnectionLostError):
        await transport.send([b"late"])
    with pytest.raises(ConnectionLostError):
        await transport.ping()


async def test_what_arrived_before_our_close_can_still_be_received(world, upgraded):
    async def handler(stream):
        await stream.send_all(frames(*[BytesMessage(data=bytes([index])) for index in range(10)]))
        while data := await stream.receive_some():
            if data[0] == 0x88:
                await stream.send_all(frames(BytesMessage(data=b"in flight"), CloseConnection(code=1000)))

    transport = await world.dial(await upgraded(handler), message_queue_size=2)
    await trio.testing.wait_all_tasks_blocked(0.01)
    await transport.aclose()
    found, error = await drain(transport)
    assert found == [*[bytes([index]) for index in range(10)], b"in flight"]
    assert (error.code, error.initiated_by) == (1000, "client")


async def test_closing_twice_and_from_several_tasks_is_fine(world):
    transport = await world.dial(await world.websocket(echo))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.aclose)
        nursery.start_soon(transport.aclose)
    await transport.aclose()
    transport.abort()
    assert transport.close_info == CloseInfo(code=1000, initiated_by="client")


async def test_a_server_that_never_answers_the_close_costs_the_timeout_and_no_more(world, upgraded):
    async def handler(stream):
        await trio.sleep_forever()

    transport = await world.dial(await upgraded(handler))
    started = trio.current_time()
    await transport.aclose(timeout=0.05)
    assert 0.04 < trio.current_time() - started < 1
    assert transport.close_info == CloseInfo(code=1000, initiated_by="client")


async def test_a_close_sends_its_frame_even_when_everything_is_cancelled(world):
    told = trio.Event()

    async def handler(ws):
        try:
            await ws.get_message()
        except trio_websocket.ConnectionClosed as error:
            if error.reason.code == 1000:
                told.set()

    url = await world.websocket(handler)
    async with trio.open_nursery() as nursery:
        transport = await dial(nursery, url, headers={}, proxy=None)
        nursery.cancel_scope.cancel()
        try:
            await transport.receive()
        finally:
            await transport.aclose()
    assert nursery.cancel_scope.cancelled_caught
    with trio.fail_after(5):
        await told.wait()
    assert transport.close_info == CloseInfo(code=1000, initiated_by="client")


async def test_nobody_waits_for_a_reader_that_was_cancelled_with_its_nursery(world):
    url = await world.websocket(echo)
    async with trio.open_nursery() as nursery:
        transport = await dial(nursery, url, headers={}, proxy=None)
        nursery.cancel_scope.cancel()
    with pytest.raises(ConnectionLostError):
        await transport.receive()
    await transport.aclose()


async def test_an_abort_is_immediate_and_wakes_everybody(world):
    transport = await world.dial(await world.websocket(echo))
    errors = []

    async def receiver():
        try:
            await transport.receive()
        except ConnectionLostError as error:
            errors.append(error.initiated_by)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receiver)
        await trio.testing.wait_all_tasks_blocked()
        transport.abort()
        transport.abort()
    assert errors == ["client"]
    assert transport.close_info == CloseInfo(code=None, initiated_by="client")
    await transport.aclose()


@pytest.mark.parametrize("count", range(6))
async def test_cancelling_receive_anywhere_loses_nothing(world, count):
    total = 40

    async def handler(ws):
        for index in range(total):
            await ws.send_message(f"{index}")
        await ws.get_message()

    transport = await world.dial(await world.websocket(handler))
    found = []
    while len(found) < total:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def cancel_later(scope=scope):
                    for _ in range(count):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()

                nursery.start_soon(cancel_later)
                found += await transport.receive()
    assert found == [f"{index}".encode() for index in range(total)]


async def stuck_server(stream):
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await trio.sleep_forever()


async def test_a_send_to_a_server_that_does_not_read_can_be_cancelled_and_the_connection_is_gone(
    world, upgraded
):
    transport = await world.dial(await upgraded(stuck_server))
    with trio.move_on_after(0.1) as scope:
        await transport.send([b"x" * 2**24])
    assert scope.cancelled_caught
    assert transport.close_info == CloseInfo(initiated_by="client")
    with pytest.raises(ConnectionLostError):
        await transport.send([b"more"])


async def test_a_send_cancelled_before_it_writes_leaves_the_connection_alone(world):
    transport = await world.dial(await world.websocket(echo))
    with trio.CancelScope() as scope:
        scope.cancel()
        await transport.send([b"never"])
    assert scope.cancelled_caught
    await transport.send([b"alive"])
    assert list(await transport.receive()) == [b"alive"]


@asynccontextmanager
async def stuck_send(transport):
    """Writes more than the server will ever read; the list gets the error that ends it."""
    errors = []

    async def send():
        try:
            await transport.send([b"x" * 2**24])
        except ConnectionLostError as error:
            errors.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked(0.05)
        yield errors


async def test_an_abort_frees_a_stuck_send(world, upgraded):
    transport = await world.dial(await upgraded(stuck_server))
    async with stuck_send(transport) as errors:
        transport.abort()
    assert [error.initiated_by for error in errors] == ["client"]


async def test_a_close_behind_a_stuck_send_is_bounded(world, upgraded):
    transport = await world.dial(await upgraded(stuck_server))
    async with stuck_send(transport) as errors:
        await transport.aclose(timeout=0.05)
    assert [error.code for error in errors] == [1000]


async def test_a_server_that_stopped_reading_is_still_heard_and_its_pings_cost_no_memory(world, upgraded):
    async def handler(stream):
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await stream.send_all(b"\x89\x00" * 1000 + frames(BytesMessage(data=b"still here")))
        await trio.sleep_forever()

    transport = await world.dial(await upgraded(handler))
    async with trio.open_nursery() as nursery:

        async def sender():
            with pytest.raises(ConnectionLostError):
                await transport.send([b"x" * 2**24])

        nursery.start_soon(sender)
        assert list(await transport.receive()) == [b"still here"]
        await transport.ping()
        await transport.ping()
        assert len(transport._due) <= 2
        transport.abort()


async def test_a_close_frame_is_heard_while_a_send_is_stuck_and_frees_it(world, upgraded):
    async def handler(stream):
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await trio.testing.wait_all_tasks_blocked(0.02)
        await stream.send_all(frames(CloseConnection(code=1001, reason="going away")))
        await trio.sleep_forever()

    transport = await world.dial(await upgraded(handler))
    with trio.fail_after(5), pytest.raises(ConnectionLostError) as caught:
        await transport.send([b"x" * 2**24])
    assert (caught.value.code, caught.value.initiated_by) == (1001, "server")


async def test_nothing_can_be_sent_while_we_are_closing(world, upgraded):
    async def handler(stream):
        await stream.send_all(b"\x89\x00")
        await trio.sleep_forever()

    transport = await world.dial(await upgraded(handler))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(functools.partial(transport.aclose, timeout=0.1))
        await trio.testing.wait_all_tasks_blocked(0.01)
        for refused in (functools.partial(transport.send, [b"late"]), transport.ping):
            with pytest.raises(ConnectionLostError) as caught:
                await refused()
            assert (caught.value.code, caught.value.initiated_by) == (1000, "client")


async def test_a_second_sender_waits_for_the_first(world, upgraded):
    release = trio.Event()
    received = bytearray()

    async def handler(stream):
        await release.wait()
        while data := await stream.receive_some():
            received.extend(data)

    transport = await world.dial(await upgraded(handler))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.send, [b"x" * 2**23])
        await trio.testing.wait_all_tasks_blocked(0.02)
        nursery.start_soon(transport.send, [b"second"])
        await trio.testing.wait_all_tasks_blocked(0.02)
        release.set()
    await transport.aclose(timeout=0.1)
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(bytes(received))
    text = "".join(event.data for event in connection.events() if hasattr(event, "data"))
    assert text == "x" * 2**23 + "second"


async def test_when_the_connection_breaks_a_waiting_second_sender_learns_of_it(world, upgraded):
    transport = await world.dial(await upgraded(stuck_server))
    errors = []

    async def sender(data):
        try:
            await transport.send([data])
        except ConnectionLostError as error:
            errors.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender, b"x" * 2**24)
        await trio.testing.wait_all_tasks_blocked(0.02)
        nursery.start_soon(sender, b"second")
        await trio.testing.wait_all_tasks_blocked(0.02)
        transport.abort()
    assert len(errors) == 2


async def test_a_connection_works_over_tls_and_aborts_there_too(world, server_tls, client_tls):
    url = await world.websocket(echo, ssl_context=server_tls("127.0.0.1"))
    transport = await world.dial(url, ssl_context=client_tls)
    await transport.send([b"secret"] * 3)
    assert await collect(transport, 3) == [b"secret"] * 3
    await transport.aclose()
    assert transport.close_info == CloseInfo(code=1000, initiated_by="client")
    other = await world.dial(url, ssl_context=client_tls)
    other.abort()
    with pytest.raises(ConnectionLostError):
        await other.receive()


async def test_no_task_and_no_socket_is_left_after_the_end(world):
    url = await world.websocket(echo)
    async with trio.open_nursery() as nursery:
        transport = await dial(nursery, url, headers={}, proxy=None)
        await transport.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert not nursery.child_tasks
    assert transport._socket.socket.fileno() == -1
