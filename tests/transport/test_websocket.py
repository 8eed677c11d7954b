"""An open connection over a real socket: what comes, and how its end is told."""

from __future__ import annotations

import socket
import struct

import pytest
import trio
import trio_websocket
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection

from livebridge.errors import ConnectionLostError
from livebridge.transport import CloseInfo

from ._peers import collect, drain, echo, frames


async def test_messages_go_both_ways_in_order(world):
    transport = await world.dial(await world.websocket(echo))
    sent = [f"message {index} äöü".encode() for index in range(50)]
    await transport.send(sent)
    assert await collect(transport, 50) == sent


async def test_text_and_binary_messages_both_arrive_as_bytes(world):
    async def handler(ws):
        await ws.send_message("grüße")
        await ws.send_message(b"\x00\xff")
        await ws.get_message()

    transport = await world.dial(await world.websocket(handler))
    assert await collect(transport, 2) == ["grüße".encode(), b"\x00\xff"]


async def test_several_frames_go_out_as_text_messages_in_one_write(world, upgraded):
    received = []

    async def handler(stream):
        received.append(await stream.receive_some(65536))

    transport = await world.dial(await upgraded(handler))
    await transport.send([b"one", b"two", b"three"])
    with pytest.raises(ConnectionLostError):
        await transport.receive()
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(received[0])
    assert [event.data for event in connection.events()] == ["one", "two", "three"]


async def test_everything_ready_is_handed_over_at_once(world, upgraded):
    burst = frames(*[BytesMessage(data=bytes([index])) for index in range(200)])

    async def handler(stream):
        await stream.send_all(burst)
        await stream.receive_some()

    transport = await world.dial(await upgraded(handler))
    messages = await transport.receive()
    assert len(messages) == 200


async def test_what_comes_in_the_same_packet_as_the_upgrade_is_not_lost(world, upgraded):
    async def handler(stream):
        await stream.receive_some()

    together = frames(BytesMessage(data=b"early"))
    transport = await world.dial(await upgraded(handler, together=together))
    assert list(await transport.receive()) == [b"early"]


async def test_messages_before_a_close_frame_are_delivered_before_its_error(world, upgraded):
    burst = frames(
        BytesMessage(data=b"1"), BytesMessage(data=b"2"), CloseConnection(code=1011, reason="Internal error")
    )
    echoes = []

    async def handler(stream):
        await stream.send_all(burst)
        echoes.append(await stream.receive_some())

    transport = await world.dial(await upgraded(handler))
    found, error = await drain(transport)
    assert found == [b"1", b"2"]
    assert (error.code, error.reason, error.initiated_by) == (1011, "Internal error", "server")
    assert transport.close_info == CloseInfo(code=1011, reason="Internal error", initiated_by="server")
    await transport.aclose()
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(echoes[0])
    assert [event.code for event in connection.events()] == [1011]


@pytest.mark.parametrize("code", [1000, 1001, 1007, 1008, 1011, 1012, 1013, 1014, 3000, 4999])
async def test_the_servers_close_code_and_text_arrive(world, upgraded, code):
    async def handler(stream):
        payload = struct.pack("!H", code) + b"because"
        await stream.send_all(bytes((0x88, len(payload))) + payload)
        await stream.receive_some()

    transport = await world.dial(await upgraded(handler))
    _, error = await drain(transport)
    assert (error.code, error.reason, error.initiated_by) == (code, "because", "server")
    assert str(code) in str(error)
    assert "because" in str(error)


async def test_a_close_frame_without_a_code_is_1005(world, upgraded):
    async def handler(stream):
        await stream.send_all(b"\x88\x00")
        await stream.receive_some()

    transport = await world.dial(await upgraded(handler))
    _, error = await drain(transport)
    assert (error.code, error.reason, error.initiated_by) == (1005, "", "server")


async def test_an_end_of_file_is_the_networks_doing(world, upgraded):
    async def handler(stream):
        await stream.send_all(frames(BytesMessage(data=b"last")))

    transport = await world.dial(await upgraded(handler))
    found, error = await drain(transport)
    assert found == [b"last"]
    assert (error.code, error.reason, error.initiated_by) == (None, "", "network")


async def test_a_reset_in_the_middle_of_a_frame_is_the_networks_doing(world, upgraded):
    async def handler(stream):
        await stream.send_all(
            frames(BytesMessage(data=b"whole")) + frames(BytesMessage(data=b"x" * 1000))[:500]
        )
        await stream.receive_some()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    transport = await world.dial(await upgraded(handler))
    assert list(await transport.receive()) == [b"whole"]
    await transport.send([b"go on"])
    found, error = await drain(transport)
    assert found == []
    assert (error.code, error.initiated_by) == (None, "network")
    assert isinstance(error.__cause__, trio.BrokenResourceError)


async def test_a_failing_send_does_not_hide_why_the_server_closed(world, upgraded):
    closing = frames(BytesMessage(data=b"last"), CloseConnection(code=1008, reason="session not found"))

    async def handler(stream):
        await stream.send_all(closing)

    transport = await world.dial(await upgraded(handler), message_queue_size=1)

    async def send_on_and_on():
        for _ in range(1000):
            await transport.send([b"x" * 2**16])

    with pytest.raises(ConnectionLostError) as caught:
        await send_on_and_on()
    assert (caught.value.code, caught.value.initiated_by) == (1008, "server")
    assert list(await transport.receive()) == [b"last"]


@pytest.mark.parametrize("waits", [False, True])
async def test_a_send_into_a_dead_connection_fails_even_if_the_reader_hears_nothing(world, upgraded, waits):
    class DeadStream:
        async def send_all(self, data):
            raise trio.BrokenResourceError

        async def receive_some(self, size):
            await trio.sleep_forever()

    async def handler(stream):
        await trio.sleep_forever()

    transport = await world.dial(await upgraded(handler))
    transport._stream = DeadStream()
    await trio.testing.wait_all_tasks_blocked()
    if waits:
        transport._write_soon("pong", b"x")
        await trio.testing.wait_all_tasks_blocked(0.01)
    with trio.fail_after(5), pytest.raises(ConnectionLostError) as caught:
        await transport.send([b"x"])
    assert caught.value.initiated_by == "network"


async def test_an_oversize_message_closes_with_1009_and_keeps_what_came_before(world):
    closed = []

    async def handler(ws):
        await ws.send_message(b"small")
        await ws.send_message(b"x" * 2000)
        try:
            await ws.get_message()
        except trio_websocket.ConnectionClosed as error:
            closed.append(error.reason.code)

    transport = await world.dial(await world.websocket(handler), max_message_size=1000)
    found, error = await drain(transport)
    assert found == [b"small"]
    assert (error.code, error.initiated_by) == (1009, "client")
    assert "1000 bytes" in error.reason
    await transport.aclose()
    while not closed:
        await trio.testing.wait_all_tasks_blocked()
    assert closed == [1009]


async def test_a_message_of_sixteen_megabytes_is_accepted(world):
    async def handler(ws):
        await ws.send_message(b"x" * 2**24)
        await ws.get_message()

    transport = await world.dial(await world.websocket(handler))
    assert len((await transport.receive())[0]) == 2**24


async def test_a_violation_closes_with_1002_by_this_side(world, upgraded):
    async def handler(stream):
        await stream.send_all(b"\xff\x00")
        await stream.receive_some()

    transport = await world.dial(await upgraded(handler))
    _, error = await drain(transport)
    assert (error.code, error.initiated_by) == (1002, "client")


async def test_pings_are_answered_while_nobody_receives(world):
    answered = trio.Event()

    async def handler(ws):
        for _ in range(3):
            await ws.send_message("nobody reads this")
            await ws.ping()
        answered.set()
        await ws.get_message()

    transport = await world.dial(await world.websocket(handler))
    with trio.fail_after(5):
        await answered.wait()
    assert len(await collect(transport, 3)) == 3


async def test_reading_pauses_at_a_full_queue_and_goes_on_when_there_is_room(world, upgraded):
    pong = trio.Event()
    full = trio.Event()

    async def handler(stream):
        for index in range(5):
            await stream.send_all(frames(BytesMessage(data=bytes([index]))))
            await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(b"\x89\x00")
        with trio.move_on_after(0.05):
            await stream.receive_some()
            pong.set()
        full.set()
        await stream.receive_some()
        pong.set()

    transport = await world.dial(await upgraded(handler), message_queue_size=3)
    await full.wait()
    assert not pong.is_set()
    assert await collect(transport, 5) == [bytes([index]) for index in range(5)]
    with trio.fail_after(5):
        await pong.wait()


async def test_every_kind_of_inbound_frame_counts_as_life(world, upgraded):
    step, seen = trio.Event(), []
    sends = [frames(BytesMessage(data=b"m")), b"\x89\x00", b"\x8a\x00", frames(BytesMessage(data=b"abc"))[:3]]

    async def handler(stream):
        nonlocal step
        for data in sends:
            await step.wait()
            step = trio.Event()
            await stream.send_all(data)
        await trio.sleep_forever()

    transport = await world.dial(await upgraded(handler))
    for _ in sends:
        before = transport.last_heard
        seen.append(before)
        step.set()
        with trio.fail_after(5):
            while transport.last_heard == before:
                await trio.testing.wait_all_tasks_blocked(0.001)
    assert seen == sorted(set(seen))


async def test_a_ping_goes_out_and_its_pong_shows_as_life(world):
    transport = await world.dial(await world.websocket(echo))
    before = transport.last_heard
    await transport.ping()
    with trio.fail_after(5):
        while transport.last_heard == before:
            await trio.testing.wait_all_tasks_blocked(0.001)
    assert transport.last_heard > before
