"""The WebSocket side of one stream, on wsproto: frames in, frames out, and every way to misbehave."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

import trio
import wsproto
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    TextMessage,
)

from livebridge.simulator._gate import HttpRequest
from livebridge.simulator._http import RECEIVE_BYTES
from livebridge.simulator._sockets import HANGUP_POLL_SECONDS, end, has_hung_up

CLOSE_SECONDS: Final = 2.0
"""How long the peer may take to answer a close frame."""

FRAGMENT_BYTES: Final = 997
"""A prime, so that fragments end in the middle of everything."""


class GoneError(Exception):
    """The connection is gone; nothing can be sent any more."""


class FrameStream:
    """A WebSocket on a stream, on the server's side.

    Attributes:
        closed: Code and reason of the close frame the client sent first, ``None`` if it sent none.
        pongs: Whether pings are answered.

    Args:
        stream: TCP or TLS.
        request: The HTTP request that asked for the upgrade.
    """

    def __init__(self, stream: trio.abc.Stream, request: HttpRequest) -> None:
        self.closed: tuple[int, str] | None = None
        self.pongs = True
        self._stream = stream
        self._request = request
        self._protocol = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        self._lock = trio.Lock()
        self._writing_allowed = _opened()
        self._reading_allowed = _opened()
        self._done = trio.Event()
        self._closing = False

    def stall(self, *, reading: bool, writing: bool) -> None:
        """Stop reading, or writing, or both, until `resume`."""
        if reading:
            self._reading_allowed = trio.Event()
        if writing:
            self._writing_allowed = trio.Event()

    def resume(self) -> None:
        """Read and write again."""
        self._reading_allowed.set()
        self._writing_allowed.set()

    async def accept(self, beyond: bytes) -> None:
        """Answer the upgrade with 101.

        Args:
            beyond: What the client has sent after its request already.

        Raises:
            GoneError: The client is gone, or its upgrade request is no valid one.
        """
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self._request.headers.items()]
        try:
            self._protocol.initiate_upgrade_connection(headers, self._request.target)
            await self.write(self._protocol.send(AcceptConnection()))
        except wsproto.utilities.RemoteProtocolError as error:
            raise GoneError(str(error)) from error
        # what the handshake leaves in the queue is its own request
        list(self._protocol.events())
        self._protocol.receive_data(beyond)

    async def messages(self) -> AsyncGenerator[bytes | str, None]:
        """The client's messages until it closes, goes away or breaks the protocol."""
        parts: list[bytes | str] = []
        try:
            while True:
                for event in self._protocol.events():
                    if isinstance(event, BytesMessage | TextMessage):
                        parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
                        if event.message_finished:
                            yield _joined(parts)
                            parts = []
                    else:
                        await self._control(event)
                await self._receive()
        except (GoneError, trio.BrokenResourceError, trio.ClosedResourceError):
            self._done.set()
            # whoever waits in write() for the end of a stall must learn that nobody listens any more
            self._writing_allowed.set()

    async def send(self, payload: bytes, *, text: bool = False, fragmented: bool = False) -> None:
        """Send one message.

        Raises:
            GoneError: The connection is gone.
        """
        if text:
            await self.write(self._protocol_bytes(TextMessage(data=payload.decode())))
            return
        step = FRAGMENT_BYTES if fragmented else max(1, len(payload))
        frames = [
            BytesMessage(data=payload[start : start + step], message_finished=start + step >= len(payload))
            for start in range(0, max(1, len(payload)), step)
        ]
        await self.write(b"".join(map(self._protocol_bytes, frames)))

    async def write(self, data: bytes) -> None:
        """Send bytes as they are, frame or not.

        Raises:
            GoneError: The connection is gone.
        """
        async with self._lock:
            await self._until_allowed(self._writing_allowed)
            try:
                await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise GoneError("the client is gone") from error

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame, give the client a little time to answer it, close the stream.

        Someone must be reading `messages` meanwhile.
        """
        self._closing = True
        with trio.move_on_after(CLOSE_SECONDS), suppress(GoneError):
            await self.write(self._protocol_bytes(CloseConnection(code=code, reason=reason or None)))
            await self._done.wait()
        await self.end()

    async def end(self) -> None:
        """Close the stream without a close frame."""
        await end(self._stream, reset=False)

    async def reset(self) -> None:
        """Reset the TCP connection (RST instead of FIN)."""
        await end(self._stream, reset=True)

    def _protocol_bytes(self, event: wsproto.events.Event) -> bytes:
        try:
            return self._protocol.send(event)
        except wsproto.utilities.LocalProtocolError as error:
            raise GoneError(str(error)) from error

    async def _receive(self) -> None:
        data = bytes(await self._stream.receive_some(RECEIVE_BYTES))
        # a stall that began while this was waiting holds back what has come
        await self._until_allowed(self._reading_allowed)
        if not data:
            raise GoneError("the client has closed the stream")
        self._protocol.receive_data(data)

    async def _until_allowed(self, allowed: trio.Event) -> None:
        """Wait for the end of a stall, or for the client to hang up: a stall does not keep a dead client alive."""
        while not allowed.is_set():
            with trio.move_on_after(HANGUP_POLL_SECONDS):
                await allowed.wait()
            if has_hung_up(self._stream):
                raise GoneError("the client has hung up during a stall")

    async def _control(self, event: wsproto.events.Event) -> None:
        if isinstance(event, Ping) and self.pongs:
            await self.write(self._protocol_bytes(Pong(payload=event.payload)))
        elif isinstance(event, CloseConnection):
            # wsproto reports a violation of the protocol as a close, too, but stays open
            if self._protocol.state is wsproto.connection.ConnectionState.REMOTE_CLOSING:
                self.closed = (event.code, event.reason or "")
            if not self._closing:
                await self.write(self._protocol_bytes(event.response()))
            raise GoneError("the client has closed, or broken the protocol")


def _opened() -> trio.Event:
    event = trio.Event()
    event.set()
    return event


def _joined(parts: list[bytes | str]) -> bytes | str:
    if isinstance(parts[0], str):
        return "".join(part for part in parts if isinstance(part, str))
    return b"".join(part for part in parts if isinstance(part, bytes))
