"""The only module that speaks WebSocket over a trio stream: one reader task, one writer at a time."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

import trio

from livebridge.transport._frames import (
    Close,
    FrameDecoder,
    Ping,
    Pong,
    Violation,
    encode_close,
    encode_ping,
    encode_pong,
    encode_texts,
)
from livebridge.transport._transport import CLOSE_TIMEOUT_SECONDS, CloseInfo, Sink

# The answer to the server's close frame is a courtesy: it must never hold up a reconnect.
_ECHO_SECONDS: Final = 0.5

# Any payload will do: every inbound frame counts as life, so pongs need not be told apart.
_PING_PAYLOAD: Final = b"livebridge"

_log = logging.getLogger("livebridge.transport")


class WebSocketTransport:
    """A `Transport` over an upgraded stream.

    ::

        socket ──► reader task ──► decoder ──► inbox ──► receive()
          ▲                          │ ping        (reading pauses while the inbox is full)
          │                          ▼
          └── one writer at a time ◄── due: pong, ping, close ◄── ping(), aclose()
                     ▲
                     └── send(): all frames in one write

    With `forward`, the reader hands messages over itself and wakes nobody who waits in ``receive()``.

    The reader never waits for a write: a pong is left to the task that is writing, or to a task of its own.

    Args:
        stream: The upgraded stream (TLS included).
        socket: The TCP stream at its bottom, closed directly by `abort`.
        nursery: Where short writer tasks for control frames run.
        max_message_size: Bytes of the longest message accepted.
        receive_buffer_size: Bytes asked for in one read.
        message_queue_size: Messages that may wait before reading pauses; what one read brings may exceed it.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        socket: trio.SocketStream,
        nursery: trio.Nursery,
        *,
        max_message_size: int,
        receive_buffer_size: int,
        message_queue_size: int,
    ) -> None:
        self._stream = stream
        self._socket = socket
        self._nursery = nursery
        self._decoder = FrameDecoder(max_message_size)
        # what may wait at all must be able to wait alone
        self._max_waiting_bytes = max_message_size
        self._receive_buffer_size = receive_buffer_size
        self._message_queue_size = message_queue_size
        self._inbox: deque[bytes] = deque()
        self._inbox_bytes = 0
        self._sink: Sink | None = None
        self._due: dict[str, bytes] = {}
        self._last_heard = trio.current_time()
        self._writing = False
        self._write_failed = False
        self._taken_over = False
        self._hung_up = False
        self._goodbye: CloseInfo | None = None
        self._close_info: CloseInfo | None = None
        self._cause: BaseException | None = None
        self._arrived = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._idle = trio.lowlevel.ParkingLot()
        self._ended = trio.Event()
        self._reader_left = trio.Event()
        self._reader_scope = trio.CancelScope()

    @property
    def last_heard(self) -> float:
        """When bytes last came from the peer (`trio.current_time`)."""
        return self._last_heard

    @property
    def close_info(self) -> CloseInfo | None:
        """How the connection ended, ``None`` while it has not."""
        return self._close_info

    async def receive(self) -> Sequence[bytes]:
        """Wait for messages and take every one that is ready (see `Transport.receive`)."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._inbox:
            self._raise_if_ended()
            await self._arrived.park()
        messages = tuple(self._inbox)
        self._inbox.clear()
        self._inbox_bytes = 0
        self._room.unpark_all()
        return messages

    def forward(self, sink: Sink | None) -> None:
        """Give messages to a function as they arrive (see `Forwarding.forward`)."""
        self._sink = sink

    async def send(self, frames: Sequence[bytes]) -> None:
        """Write the frames in one go (see `Transport.send`)."""
        await trio.lowlevel.checkpoint_if_cancelled()
        self._raise_if_closing()
        while self._writing:
            await self._idle.park()
            self._raise_if_closing()
        if not await self._write(encode_texts(frames)):
            self._raise_if_closing()

    async def ping(self) -> None:
        """Write a ping, or leave it to the task that is writing (see `Transport.ping`)."""
        await trio.lowlevel.checkpoint()
        self._raise_if_closing()
        self._write_soon("ping", encode_ping(_PING_PAYLOAD))

    async def aclose(
        self, code: int = 1000, reason: str = "", *, timeout: float = CLOSE_TIMEOUT_SECONDS
    ) -> None:
        """Say goodbye, take what still arrives, close (see `Transport.aclose`)."""
        with trio.move_on_after(timeout, shield=True):
            if self._close_info is None and self._goodbye is None:
                self._goodbye = CloseInfo(code=code, reason=reason, initiated_by="client")
                self._room.unpark_all()
                while self._writing:
                    await self._idle.park()
                await self._write(encode_close(code, reason))
            await self._reader_left.wait()
            if not self._hung_up and not self._taken_over:
                # The reader was cancelled with its nursery: what is left to read is read here.
                self._taken_over = True
                await self._pump_to_the_end()
        self.abort()
        await trio.lowlevel.cancel_shielded_checkpoint()

    def abort(self) -> None:
        """Drop the connection now (see `Transport.abort`)."""
        self._end(self._goodbye or CloseInfo(initiated_by="client"))
        self._reader_scope.cancel()
        self._hang_up()

    async def run(self, trailing: bytes = b"") -> None:
        """Read until the connection ends; the dialler starts this task, and it never raises.

        Args:
            trailing: What came together with the answer to the upgrade.
        """
        try:
            with self._reader_scope:
                self._take(trailing)
                await self._pump_to_the_end()
        finally:
            # Cancelled with its nursery? aclose() may still say goodbye, but nobody else must wait for us.
            self._reader_left.set()
            self._arrived.unpark_all()

    # Reading

    async def _pump_to_the_end(self) -> None:
        await self._pump()
        with trio.move_on_after(_ECHO_SECONDS, shield=True):
            await self._flush()
        self._hang_up()

    async def _pump(self) -> None:
        while self._close_info is None:
            if self._is_full():
                await self._room.park()
                continue
            try:
                data = await self._stream.receive_some(self._receive_buffer_size)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._break(error)
                return
            if not data:
                self._break(None)
                return
            self._last_heard = trio.current_time()
            self._take(data)

    def _is_full(self) -> bool:
        if self._goodbye is not None or self._write_failed:
            return False
        return len(self._inbox) >= self._message_queue_size or self._inbox_bytes > self._max_waiting_bytes

    def _take(self, data: bytes | bytearray) -> None:
        for item in self._decoder.feed(data):
            if isinstance(item, bytes):
                self._inbox.append(item)
                self._inbox_bytes += len(item)
            else:
                self._obey(item)
        if self._inbox:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._sink is not None and self._sink(tuple(self._inbox)):
            self._inbox.clear()
            self._inbox_bytes = 0
        else:
            self._arrived.unpark_all()

    def _obey(self, item: Ping | Pong | Close | Violation) -> None:
        match item:
            case Ping(payload):
                self._write_soon("pong", encode_pong(payload))
            case Pong():
                pass
            case Close(code, reason):
                self._due["close"] = encode_close(code)
                self._end(self._goodbye or CloseInfo(code=code, reason=reason, initiated_by="server"))
            case _:
                self._due["close"] = encode_close(item.code, item.reason)
                ours = CloseInfo(code=item.code, reason=item.reason, initiated_by="client")
                self._end(self._goodbye or ours)

    # Writing

    async def _write(self, data: bytes) -> bool:
        """Write, and then whatever else became due; say whether it went out."""
        self._writing = True
        try:
            while data:
                await self._stream.send_all(data)
                data = self._take_due()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            await self._after_failed_write(error)
            return False
        except BaseException:
            # Cancelled in the middle of a frame: nothing that follows could be understood.
            self.abort()
            raise
        finally:
            self._writing = False
            self._idle.unpark_all()
        return True

    async def _after_failed_write(self, error: BaseException) -> None:
        """Let the reader find out why: the close frame of a server that hung up may still be unread."""
        self._write_failed = True
        self._room.unpark_all()
        if self._close_info is None and self._goodbye is None:
            with trio.move_on_after(_ECHO_SECONDS):
                await self._ended.wait()
            self._break(error)
            self._hang_up()

    def _write_soon(self, kind: str, frame: bytes) -> None:
        # "an endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame"
        # (RFC 6455 §5.5.3): one of each kind is enough, so a flood of pings costs no memory.
        if self._goodbye is not None:
            return
        waiting = bool(self._due)
        self._due[kind] = frame
        if not self._writing and not waiting:
            self._nursery.start_soon(self._flush, name="livebridge.transport: control frame")

    async def _flush(self) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        while self._writing:
            await self._idle.park()
        await self._write(self._take_due())

    def _take_due(self) -> bytes:
        if self._goodbye is not None:
            self._due.clear()
        data = b"".join(self._due.values())
        self._due.clear()
        return data

    # The end

    def _raise_if_ended(self) -> None:
        if self._close_info is not None:
            raise self._close_info.to_error(self._cause)
        if self._reader_left.is_set() and self._goodbye is None:
            raise CloseInfo(initiated_by="client").to_error()

    def _raise_if_closing(self) -> None:
        self._raise_if_ended()
        if self._goodbye is not None:
            raise self._goodbye.to_error()

    def _break(self, cause: BaseException | None) -> None:
        if self._close_info is None:
            self._cause = cause
        self._end(self._goodbye or CloseInfo(initiated_by="network"))

    def _end(self, info: CloseInfo) -> None:
        if self._close_info is None:
            self._close_info = info
            self._ended.set()
            _log.debug("connection ended: code %s, by %s", info.code, info.initiated_by)
        self._arrived.unpark_all()
        self._room.unpark_all()

    def _hang_up(self) -> None:
        self._hung_up = True
        self._socket.socket.close()
        self._idle.unpark_all()
