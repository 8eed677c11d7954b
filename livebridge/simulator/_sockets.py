"""The socket under a stream: whether its client is still there, and how to end it rudely."""

import select
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

HANGUP_POLL_SECONDS: Final = 0.05
"""How often a stalled connection looks whether its client is still there."""

UNSEEN_POLLS: Final = 10
"""In one of so many looks the table of connections is consulted, too."""

_FIN_WAIT_1: Final = "04"
"""Linux's name for a closed side whose goodbye has not been acknowledged."""


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


def has_hung_up_unseen(stream: trio.abc.Stream) -> bool:
    """Whether a client on this machine has closed its side, although that news has not come through.

    It does not come through when the client had sent more than fits into the buffer of a socket that nobody reads:
    the end of the stream waits behind it. Only Linux's table of connections knows; reading it takes a moment.
    """
    inner = socket_under(stream)
    if inner is None or inner.socket.fileno() < 0 or inner.socket.family != socket.AF_INET:
        return False
    with suppress(OSError):
        ours, theirs = inner.socket.getsockname(), inner.socket.getpeername()
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            _, local, remote, state, *_ = line.split()
            if (local, remote) == (_in_table(theirs), _in_table(ours)):
                return state == _FIN_WAIT_1
    return False


def _in_table(address: tuple[str, int]) -> str:
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"


async def wait_unless_hung_up(stream: trio.abc.Stream, allowed: trio.Event) -> bool:
    """Wait for the end of a stall, or for the client to hang up: a stall does not keep a dead client alive.

    Returns:
        Whether the stall has ended; ``False`` if the client has hung up.
    """
    polls = 0
    while not allowed.is_set():
        with trio.move_on_after(HANGUP_POLL_SECONDS):
            await allowed.wait()
        polls += 1
        if has_hung_up(stream) or (polls % UNSEEN_POLLS == 0 and has_hung_up_unseen(stream)):
            return False
    return True


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
