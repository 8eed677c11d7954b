"""TLS and sockets below the WebSocket, against trio's own."""

from __future__ import annotations

import ssl

import pytest
import trio
import trio.testing
import trustme

from livebridge.transport._socket import DirectSocket, direct
from livebridge.transport._tls import TlsStream

AUTHORITY = trustme.CA()
SERVER = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
AUTHORITY.issue_cert("live.test").configure_cert(SERVER)
CLIENT = ssl.create_default_context()
AUTHORITY.configure_trust(CLIENT)


@pytest.fixture
async def pair(nursery):
    """Both ends of an encrypted stream, and the bare stream of the server."""
    near, far = trio.testing.memory_stream_pair()
    client = TlsStream(near, CLIENT, server_hostname="live.test")
    server = trio.SSLStream(far, SERVER, server_side=True)
    nursery.start_soon(server.do_handshake)
    await client.do_handshake()
    return client, server, far


async def test_bytes_arrive_in_both_directions(pair, nursery):
    client, server, _ = pair
    nursery.start_soon(client.send_all, b"question")
    assert await server.receive_some() == b"question"
    nursery.start_soon(server.send_all, b"answer")
    assert await client.receive_some() == b"answer"


async def test_all_records_that_are_there_come_at_once(pair):
    client, server, _ = pair
    for _ in range(3):
        await server.send_all(b"x" * 5_000)
    await trio.testing.wait_all_tasks_blocked()
    assert await client.receive_some() == b"x" * 15_000


async def test_a_goodbye_of_tls_is_an_end(pair, nursery):
    client, server, _ = pair
    await server.send_all(b"last")
    nursery.start_soon(server.aclose)
    await trio.testing.wait_all_tasks_blocked()
    assert await client.receive_some() == b"last"
    assert await client.receive_some() == b""
    assert await client.receive_some() == b""


async def test_an_end_without_goodbye_is_an_end_too(pair):
    client, _, bare = pair
    await bare.aclose()
    assert await client.receive_some() == b""


async def test_what_is_no_tls_breaks_the_stream(pair):
    client, _, bare = pair
    await bare.send_all(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(trio.BrokenResourceError) as caught:
        await client.receive_some()
    assert isinstance(caught.value.__cause__, ssl.SSLError)


async def test_what_came_before_nonsense_is_not_lost(pair):
    client, server, bare = pair
    await server.send_all(b"sense")
    await bare.send_all(b"nonsense, nonsense, nonsense")
    await trio.testing.wait_all_tasks_blocked()
    assert await client.receive_some() == b"sense"
    with pytest.raises(trio.BrokenResourceError):
        await client.receive_some()


async def test_writes_of_two_tasks_do_not_mix(pair, nursery):
    client, server, _ = pair
    for letter in b"ab":
        nursery.start_soon(client.send_all, bytes([letter]) * 40_000)
    got = b""
    while len(got) < 80_000:
        got += await server.receive_some()
    assert got in (b"a" * 40_000 + b"b" * 40_000, b"b" * 40_000 + b"a" * 40_000)


async def test_a_write_before_the_handshake_is_refused():
    near, _ = trio.testing.memory_stream_pair()
    client = TlsStream(near, CLIENT, server_hostname="live.test")
    with pytest.raises(trio.BrokenResourceError):
        await client.send_all(b"too early")


async def test_a_peer_that_hangs_up_during_the_handshake_is_told_from_one_that_speaks_nonsense(nursery):
    near, far = trio.testing.memory_stream_pair()
    await far.send_eof()
    with pytest.raises(trio.BrokenResourceError, match="hung up"):
        await TlsStream(near, CLIENT, server_hostname="live.test").do_handshake()
    near, far = trio.testing.memory_stream_pair()
    await far.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(trio.BrokenResourceError, match="handshake failed") as caught:
        await TlsStream(near, CLIENT, server_hostname="live.test").do_handshake()
    assert isinstance(caught.value.__cause__, ssl.SSLError)


async def test_closing_closes_the_stream_below(pair):
    client, _, bare = pair
    await client.wait_send_all_might_not_block()
    await client.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await bare.send_all(b"anybody there?")


async def test_a_direct_socket_waits_only_when_the_socket_takes_no_more(nursery):
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    near = direct(await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1]))
    far = await listener.accept()
    await near.wait_send_all_might_not_block()
    nursery.start_soon(near.send_all, bytes(20_000_000))
    left = 20_000_000
    while left:
        left -= len(await far.receive_some())
    await far.send_all(b"all of it")
    assert await near.receive_some(3) == b"all"
    await far.aclose()
    assert await near.receive_some() == b" of it"
    assert await near.receive_some() == b""
    await near.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await near.receive_some()
    await listener.aclose()


async def test_a_reset_breaks_a_direct_socket():
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    near = DirectSocket(await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1]))
    far = await listener.accept()
    far.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    await far.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await near.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await near.send_all(b"anybody there?")
    await near.aclose()
    await listener.aclose()
