"""The transport without a network behaves as the real one does, in no time."""

from __future__ import annotations

import pytest
import trio

from livebridge.errors import ConnectError, ConnectionLostError
from livebridge.transport import CloseInfo, MemoryNetwork, Transport, memory_transport_pair


async def test_it_is_a_transport():
    transport, _ = memory_transport_pair()
    assert isinstance(transport, Transport)


async def test_messages_go_both_ways_and_everything_ready_comes_at_once():
    transport, server = memory_transport_pair()
    await transport.send([b"a", b"b"])
    assert [await server.receive(), server.receive_nowait()] == [b"a", b"b"]
    with pytest.raises(trio.WouldBlock):
        server.receive_nowait()
    server.send([b"1"])
    server.send([b"2", b"3"])
    assert list(await transport.receive()) == [b"1", b"2", b"3"]


async def test_both_sides_wait_for_what_is_not_there_yet():
    transport, server = memory_transport_pair()
    found = []

    async def client():
        found.extend(await transport.receive())
        await transport.send([b"answer"])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client)
        await trio.testing.wait_all_tasks_blocked()
        server.send([b"question"])
        found.append(await server.receive())
    assert found == [b"question", b"answer"]


async def test_messages_before_a_close_are_delivered_before_its_error():
    transport, server = memory_transport_pair()
    server.send([b"last"])
    server.close(1011, "Internal error")
    server.send([b"too late"])
    assert list(await transport.receive()) == [b"last"]
    with pytest.raises(ConnectionLostError) as caught:
        await transport.receive()
    assert (caught.value.code, caught.value.reason, caught.value.initiated_by) == (
        1011,
        "Internal error",
        "server",
    )
    with pytest.raises(ConnectionLostError):
        await transport.send([b"x"])
    with pytest.raises(ConnectionLostError):
        await transport.ping()
    assert server.close_info == transport.close_info


async def test_a_drop_is_the_networks_doing():
    transport, server = memory_transport_pair()
    server.drop()
    with pytest.raises(ConnectionLostError):
        await transport.receive()
    assert transport.close_info == CloseInfo()


async def test_the_server_receives_what_was_sent_before_the_client_left():
    transport, server = memory_transport_pair()
    await transport.send([b"bye"])
    await transport.aclose(4000, "done")
    await transport.aclose()
    transport.abort()
    assert await server.receive() == b"bye"
    with pytest.raises(ConnectionLostError) as caught:
        await server.receive()
    assert (caught.value.code, caught.value.reason, caught.value.initiated_by) == (4000, "done", "client")


async def test_an_abort_has_no_code():
    transport, server = memory_transport_pair()
    transport.abort()
    assert server.close_info == CloseInfo(initiated_by="client")


async def test_a_server_that_does_not_answer_the_close_costs_the_timeout(autojump_clock):
    transport, server = memory_transport_pair()
    server.answers_close = False
    assert server.answers_close is False
    await transport.aclose(timeout=2)
    assert trio.current_time() == 2
    assert transport.close_info == CloseInfo(code=1000, initiated_by="client")


async def test_a_close_that_is_answered_late_ends_then(autojump_clock):
    transport, server = memory_transport_pair()
    server.answers_close = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.aclose)
        await trio.testing.wait_all_tasks_blocked()
        server.answers_close = True
    assert trio.current_time() == 0


async def test_a_server_that_does_not_read_makes_sends_wait(autojump_clock):
    transport, server = memory_transport_pair()
    server.pause_reading()
    with trio.move_on_after(1) as scope:
        await transport.send([b"stuck"])
    assert scope.cancelled_caught
    with pytest.raises(trio.WouldBlock):
        server.receive_nowait()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.send, [b"moving"])
        await trio.testing.wait_all_tasks_blocked()
        server.resume_reading()
    assert await server.receive() == b"moving"


async def test_pings_are_counted_and_show_as_life_unless_the_server_is_mute(mock_clock):
    transport, server = memory_transport_pair()
    mock_clock.jump(5)
    await transport.ping()
    assert (server.pings, transport.last_heard) == (1, 5)
    server.answers_pings = False
    assert server.answers_pings is False
    mock_clock.jump(5)
    await transport.ping()
    assert (server.pings, transport.last_heard) == (2, 5)
    server.send([b"x"])
    assert transport.last_heard == 10


async def test_cancelling_receive_loses_nothing():
    transport, server = memory_transport_pair()
    server.send([b"x"])
    with trio.CancelScope() as scope:
        scope.cancel()
        await transport.receive()
    assert scope.cancelled_caught
    assert list(await transport.receive()) == [b"x"]


async def test_a_network_connects_dials_with_accepts_and_counts_what_is_open(nursery):
    network = MemoryNetwork()
    accepted = []

    async def accept():
        accepted.append(await network.accept())

    async with trio.open_nursery() as inner:
        inner.start_soon(accept)
        await trio.testing.wait_all_tasks_blocked()
        first = await network.dial(nursery, "wss://one", headers={"a": "b"})
    second = await network.dial(nursery, "wss://two", headers={})
    assert (network.dials, network.open) == (2, 2)
    assert (accepted[0].url, accepted[0].headers) == ("wss://one", {"a": "b"})
    assert (await network.accept()).url == "wss://two"
    await first.aclose()
    assert network.open == 1
    second.abort()
    assert network.open == 0
    assert [server.url for server in network.servers] == ["wss://one", "wss://two"]


async def test_a_network_refuses_as_it_was_told(nursery):
    network = MemoryNetwork()
    network.refuse(ConnectError("busy", status=503, retryable=True))
    with pytest.raises(ConnectError, match="busy"):
        await network.dial(nursery, "wss://one", headers={})
    await network.dial(nursery, "wss://one", headers={})
    assert (network.dials, network.open) == (2, 1)
