"""The message stream: the pull side of a session, one consumer, alive across connections."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import AlreadyReceivingError
from livebridge.session._state import SessionState

BUFFER: Final = 256
"""Messages between dispatcher and consumer. When it is full the dispatcher waits, then the reader, then TCP."""


@attrs.define(eq=False)
class MessageStream:
    """Hands server messages to one consumer, in wire order.

    Args:
        state: The session's.
        hold: Keep messages for a consumer that is yet to come (set when no callback consumes content).
    """

    state: SessionState
    hold: bool
    _held: deque[wire.ServerMessage] = attrs.field(factory=lambda: deque[wire.ServerMessage](maxlen=BUFFER))
    _send: trio.MemorySendChannel[wire.ServerMessage] | None = None
    _own: trio.MemoryReceiveChannel[wire.ServerMessage] | None = None
    _ended: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody reads."""
        return self._send is not None

    @property
    def is_manual(self) -> bool:
        """Whether whoever uses the session pulls messages (and so may answer tool calls by hand)."""
        return self.hold or self.is_open

    async def put(self, message: wire.ServerMessage) -> None:
        """Hand a message over; waits while the consumer is behind."""
        if self._send is not None:
            try:
                await self._send.send(message)
            except trio.BrokenResourceError:
                self._close_channel()
        elif self.hold:
            if len(self._held) == BUFFER:
                self.state.counters.stream_dropped += 1
            self._held.append(message)

    def end(self) -> None:
        """No more messages; what was handed over can still be read."""
        self._ended = True
        self._close_channel()

    @asynccontextmanager
    async def consume(self) -> AsyncIterator[trio.MemoryReceiveChannel[wire.ServerMessage]]:
        """The stream as a receive channel.

        Raises:
            AlreadyReceivingError: Somebody reads already.
        """
        channel = self._open()
        try:
            yield channel
        finally:
            channel.close()
            self._close_channel()

    async def receive(self) -> wire.ServerMessage | None:
        """One message; ``None`` after the session has ended.

        Raises:
            AlreadyReceivingError: Somebody else reads.
        """
        if self._own is None:
            if self._ended and not self._held:
                await trio.lowlevel.checkpoint()
                return None
            self._own = self._open()
        try:
            return await self._own.receive()
        except trio.EndOfChannel:
            return None
        except trio.BusyResourceError:  # pragma: no cover - memory channels allow several readers
            raise AlreadyReceivingError("receive() is waiting in another task already") from None

    def _open(self) -> trio.MemoryReceiveChannel[wire.ServerMessage]:
        if self._send is not None or self._own is not None:
            raise AlreadyReceivingError(
                "somebody reads this session's messages already; there can be one consumer of "
                "messages() and receive()"
            )
        send, receive = trio.open_memory_channel[wire.ServerMessage](BUFFER)
        while self._held:
            send.send_nowait(self._held.popleft())
        if self._ended:
            send.close()
        else:
            self._send = send
        return receive

    def _close_channel(self) -> None:
        if self._send is not None:
            self._send.close()
            self._send = None
