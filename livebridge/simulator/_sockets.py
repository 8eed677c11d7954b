"""The socket under a stream: whether its client is still there, and how to end it rudely."""

import select
import socket
import struct
from typing import Final

import trio

HANGUP_POLL_SECONDS: Final = 0.05
"""How often a stalled connection looks whether its client is still there."""


def socket_under(stream: trio.abc.Stream) -> trio.SocketStream | None:
    """The socket that carries a stream, ``None`` for one in memory."""
    inner: object = stream
    while inner is not None:
        if isinstance(inner, trio.SocketStream):
            return inner
        inner = getattr(inner, "transport_stream", None)
    return None


def has_hung_up(stream: trio.abc.Stream) -> bool:
    """Whether a side of it is closed, told without reading what came before.

    Of a socket's other side only Linux knows; a stream in memory may have an attribute ``hung_up`` that says so.
    """
    told: object = getattr(stream, "hung_up", None)
    if told is not None:
        return bool(told)
    inner = socket_under(stream)
    hung_up = getattr(select, "POLLRDHUP", 0)
    if inner is None or not hung_up:
        return False
    if inner.socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(inner.socket.fileno(), hung_up)
    return bool(poll.poll(0))


async def end(stream: trio.abc.Stream, *, reset: bool) -> None:
    """Close a stream without a word of its protocol.

    Args:
        stream: TCP or TLS, or in memory.
        reset: Reset the TCP connection (RST instead of FIN).
    """
    inner = socket_under(stream)
    if reset and inner is not None and inner.socket.fileno() >= 0:
        inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with trio.CancelScope(shield=True):
        await trio.aclose_forcefully(stream if inner is None or not reset else inner)
