"""A transport without a network: two queues in memory, for tests and simulations."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from typing import Literal

import attrs
import trio

from livebridge.errors import ConnectError
from livebridge.transport._transport import (
    CLOSE_TIMEOUT_SECONDS,
    DIAL_TIMEOUT_SECONDS,
    MAX_MESSAGE_BYTES,
    MESSAGE_QUEUE_SIZE,
    RECEIVE_BUFFER_BYTES,
    CloseInfo,
    ProxySetting,
    Transport,
)


class _Pipe:
    """What both ends share; every change wakes whoever waits, who then looks again."""

    def __init__(self) -> None:
        self.to_client: deque[bytes] = deque()
        self.to_server: deque[bytes] = deque()
        self.info: CloseInfo | None = None
        self.last_heard: float = trio.current_time()
        self.pings = 0
        self.answers_pings = True
        self.reads = True
        self.answers_close = True
        self._changed = trio.lowlevel.ParkingLot()

    async def change(self) -> None:
        await self._changed.park()

    def changed(self) -> None:
        self._changed.unpark_all()

    def end(self, info: CloseInfo) -> None:
        if self.info is None:
            self.info = info
        self.changed()

    def raise_if_ended(self) -> None:
        if self.info is not None:
            raise self.info.to_error()


class MemoryTransport:
    """The client's end of a connection in memory; a `Transport` with latency zero.

    Make one with `memory_transport_pair` or let a `MemoryNetwork` make it.
    """

    def __init__(self, pipe: _Pipe) -> None:
        self._pipe = pipe

    async def receive(self) -> Sequence[bytes]:
        """Take every message that is ready (see `Transport.receive`)."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._pipe.to_client:
            self._pipe.raise_if_ended()
            await self._pipe.change()
        messages = tuple(self._pipe.to_client)
        self._pipe.to_client.clear()
        self._pipe.changed()
        return messages

    async def send(self, frames: Sequence[bytes]) -> None:
        """Hand the frames over; waits while the server does not read (see `Transport.send`)."""
        await trio.lowlevel.checkpoint()
        while not self._pipe.reads and self._pipe.info is None:
            await self._pipe.change()
        self._pipe.raise_if_ended()
        self._pipe.to_server.extend(frames)
        self._pipe.changed()

    async def ping(self) -> None:
        """Count a ping, answered at once unless the server was told not to (see `Transport.ping`)."""
        await trio.lowlevel.checkpoint()
        self._pipe.raise_if_ended()
        self._pipe.pings += 1
        if self._pipe.answers_pings:
            self._pipe.last_heard = trio.current_time()
        self._pipe.changed()

    async def aclose(
        self, code: int = 1000, reason: str = "", *, timeout: float = CLOSE_TIMEOUT_SECONDS
    ) -> None:
        """Close (see `Transport.aclose`); takes the whole timeout if the server does not answer closes."""
        with trio.move_on_after(timeout, shield=True):
            await trio.lowlevel.checkpoint()
            while self._pipe.info is None and not self._pipe.answers_close:
                await self._pipe.change()
        self._pipe.end(CloseInfo(code=code, reason=reason, initiated_by="client"))

    def abort(self) -> None:
        """Drop the connection now (see `Transport.abort`)."""
        self._pipe.end(CloseInfo(initiated_by="client"))

    @property
    def last_heard(self) -> float:
        """When the server last sent anything or answered a ping (`trio.current_time`)."""
        return self._pipe.last_heard

    @property
    def close_info(self) -> CloseInfo | None:
        """How the connection ended, ``None`` while it has not."""
        return self._pipe.info


class MemoryServer:
    """The server's end of a connection in memory, driven by a test or a simulation.

    Attributes:
        url: What was dialled.
        headers: What the client sent with the dial.
    """

    def __init__(self, pipe: _Pipe, *, url: str = "", headers: Mapping[str, str] | None = None) -> None:
        self._pipe = pipe
        self.url = url
        self.headers: dict[str, str] = dict(headers or {})

    async def receive(self) -> bytes:
        """Wait for the client's next frame.

        Returns:
            One frame.

        Raises:
            ConnectionLostError: The connection has ended and every frame before its end was taken.
        """
        await trio.lowlevel.checkpoint()
        while not self._pipe.to_server:
            self._pipe.raise_if_ended()
            await self._pipe.change()
        return self._pipe.to_server.popleft()

    def receive_nowait(self) -> bytes:
        """Take the client's next frame if there is one.

        Raises:
            trio.WouldBlock: There is none.
        """
        if not self._pipe.to_server:
            raise trio.WouldBlock
        return self._pipe.to_server.popleft()

    def send(self, frames: Sequence[bytes]) -> None:
        """Send messages; after the end of the connection they vanish, as they would on a network."""
        if self._pipe.info is None:
            self._pipe.to_client.extend(frames)
            self._pipe.last_heard = trio.current_time()
            self._pipe.changed()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a close frame; what was sent before can still be received."""
        self._pipe.end(CloseInfo(code=code, reason=reason, initiated_by="server"))

    def drop(self) -> None:
        """Break the connection without a close frame."""
        self._pipe.end(CloseInfo(initiated_by="network"))

    def pause_reading(self) -> None:
        """Make the client's sends wait, as a server does that reads no more."""
        self._pipe.reads = False

    def resume_reading(self) -> None:
        """Let the client's sends through again."""
        self._pipe.reads = True
        self._pipe.changed()

    @property
    def answers_pings(self) -> bool:
        """Whether pings are answered (default) or met with silence."""
        return self._pipe.answers_pings

    @answers_pings.setter
    def answers_pings(self, value: bool) -> None:
        self._pipe.answers_pings = value

    @property
    def answers_close(self) -> bool:
        """Whether a close is answered (default) or the client has to wait for its timeout."""
        return self._pipe.answers_close

    @answers_close.setter
    def answers_close(self, value: bool) -> None:
        self._pipe.answers_close = value
        self._pipe.changed()

    @property
    def pings(self) -> int:
        """How many pings have come."""
        return self._pipe.pings

    @property
    def close_info(self) -> CloseInfo | None:
        """How the connection ended, ``None`` while it has not."""
        return self._pipe.info


def memory_transport_pair() -> tuple[MemoryTransport, MemoryServer]:
    """Connect two ends in memory; must be called inside ``trio.run``.

    Returns:
        The client's transport and the handle of its server.
    """
    pipe = _Pipe()
    return MemoryTransport(pipe), MemoryServer(pipe)


@attrs.define
class MemoryNetwork:
    """A place to dial in memory: give its `dial` to whatever wants a `Dial`, and `accept` on the other side.

    Attributes:
        dials: How often somebody dialled.
        servers: Every connection ever accepted, in order of dialling.
    """

    dials: int = 0
    servers: list[MemoryServer] = attrs.field(factory=list)
    _unaccepted: deque[MemoryServer] = attrs.field(factory=deque)
    _refusals: deque[ConnectError] = attrs.field(factory=deque)
    _dialled: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    async def dial(
        self,
        nursery: trio.Nursery,
        url: str,
        *,
        headers: Mapping[str, str],
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting | Literal["env"] = "env",
        dial_timeout: float = DIAL_TIMEOUT_SECONDS,
        max_message_size: int = MAX_MESSAGE_BYTES,
        receive_buffer_size: int = RECEIVE_BUFFER_BYTES,
        message_queue_size: int = MESSAGE_QUEUE_SIZE,
    ) -> Transport:
        """Connect at once, or fail as `refuse` prescribed (see `livebridge.transport.dial`).

        Raises:
            ConnectError: One was prescribed for this dial.
        """
        await trio.lowlevel.checkpoint()
        self.dials += 1
        if self._refusals:
            raise self._refusals.popleft()
        pipe = _Pipe()
        server = MemoryServer(pipe, url=url, headers=headers)
        self.servers.append(server)
        self._unaccepted.append(server)
        self._dialled.unpark_all()
        return MemoryTransport(pipe)

    async def accept(self) -> MemoryServer:
        """Wait for the next connection.

        Returns:
            Its server's end.
        """
        await trio.lowlevel.checkpoint()
        while not self._unaccepted:
            await self._dialled.park()
        return self._unaccepted.popleft()

    def refuse(self, *errors: ConnectError) -> None:
        """Make the next dials fail with these errors, one each."""
        self._refusals.extend(errors)

    @property
    def open(self) -> int:
        """How many connections are open now; zero when nothing leaked."""
        return sum(1 for server in self.servers if server.close_info is None)
