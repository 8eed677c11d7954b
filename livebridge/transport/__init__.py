"""Frames over a WebSocket, on trio; it knows nothing of Gemini.

A *transport* carries whole messages in both directions and says, when it ends, how it ended::

    from livebridge.transport import dial

    async with trio.open_nursery() as nursery:
        transport = await dial(nursery, "wss://example.org/ws/live", headers={"x-api-key": key})
        try:
            await transport.send([b'{"hello": "world"}'])
            for message in await transport.receive():
                print(message)
        finally:
            await transport.aclose()

What happens between the socket and you::

    dial:    name lookup ─► TCP ─► proxy (CONNECT) ─► TLS ─► HTTP upgrade     one deadline for all of it
                                        │ any failure: ConnectError, nothing left open
                                        ▼
    open:    socket ─► reader task ─► frames ─► inbox ─► receive()
             socket ◄──── one writer at a time ◄──── send(), ping(), pongs
                                        │ ConnectionLostError(code, reason, initiated_by)
                                        ▼
    ended:   close_info

Guarantees:

* `dial` raises `ConnectError` and nothing else (cancellation apart). Certificates are verified.
* `Transport.receive` hands over every message that is ready, in order; messages that came before a close
  frame come before its error; cancelling it loses nothing.
* Pings are answered while nobody receives, until ``message_queue_size`` messages wait; then reading pauses
  and TCP makes the server wait.
* The reader never waits for a write, so a peer that has stopped reading cannot stop us from reading.
* `Transport.aclose` is shielded, bounded and never raises.
* Who ended the connection is told apart: ``server`` (its close frame came first), ``client`` (we closed, or
  refused an oversize or malformed message: 1009, 1002, 1007) or ``network`` (no goodbye, code ``None``).
* No URL, header or message is ever logged.

Not guaranteed: that a frame which `Transport.send` has written has arrived. Only the application can know.

`Transport` is a seam: `MemoryNetwork` fills it without a network, for tests that take no time at all; a
faster implementation may fill it too. When not to use this package: for a server, for subprotocols or
compression, or for binary messages to the peer; take a general WebSocket library.
"""

from livebridge.transport._dial import dial
from livebridge.transport._memory import MemoryNetwork, MemoryServer, MemoryTransport, memory_transport_pair
from livebridge.transport._route import default_ssl_context, proxy_for
from livebridge.transport._transport import (
    CLOSE_TIMEOUT_SECONDS,
    DIAL_TIMEOUT_SECONDS,
    MAX_MESSAGE_BYTES,
    MESSAGE_QUEUE_SIZE,
    RECEIVE_BUFFER_BYTES,
    CloseInfo,
    Dial,
    Forwarding,
    ProxySetting,
    Sink,
    Transport,
)

__all__ = [
    "CLOSE_TIMEOUT_SECONDS",
    "DIAL_TIMEOUT_SECONDS",
    "MAX_MESSAGE_BYTES",
    "MESSAGE_QUEUE_SIZE",
    "RECEIVE_BUFFER_BYTES",
    "CloseInfo",
    "Dial",
    "Forwarding",
    "MemoryNetwork",
    "MemoryServer",
    "MemoryTransport",
    "ProxySetting",
    "Sink",
    "Transport",
    "default_ssl_context",
    "dial",
    "memory_transport_pair",
    "proxy_for",
]
