"""One connection of a session: its reader, its sender and its clocks, from ``setupComplete`` to the end.

::

    transport --forward, or receive--> reader --tap, put--> inbox (dispatcher)
    outbox    --take-----> sender --send------> transport
    clocks: `Pulse`, the deadlines of a rotation and of a close

None of these tasks runs user code. The reader reserves room in the inbox before it reads and does not yield
between reading and putting; what it has read is always dispatched. Where the transport can hand frames over
as they arrive, they are tapped and put right there, which saves a task switch each time; the reader's task
then takes over whenever the inbox is full. The sender writes under a shield bounded by ``write_timeout``: a
cancelled write would leave half a frame on the wire.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Literal

import attrs
import trio

from livebridge.errors import ConnectionFailureError, ConnectionLostError, NoProcessError
from livebridge.otp import Lane
from livebridge.protocol import Entry, Event, LiveProtocol, Phase
from livebridge.session import _reporting as reporting
from livebridge.session import _rotation as rotation
from livebridge.session._frames import ACTIVITY_END, ACTIVITY_START
from livebridge.session._pulse import Pulse
from livebridge.session._signal import Signal
from livebridge.session._state import SessionState
from livebridge.session._tap import Tap
from livebridge.telemetry import BUS
from livebridge.transport import Forwarding, Sink, Transport

ROTATION_QUIET: Final = 0.25
"""Seconds without a frame after which a connection that is being replaced counts as drained."""

ROTATION_DRAIN: Final = 1.0
"""Seconds at most for that."""

CLOSE_QUIET: Final = 0.02
"""The same for `close`: only what is already on its way is awaited, nobody waits for more answers."""

EndKind = Literal["failed", "rotate", "close", "abort"]


@attrs.frozen
class End:
    """Why a connection ended.

    Attributes:
        kind: ``failed``, ``rotate``, ``close`` or ``abort``.
        error: For ``failed``.
        uptime: Seconds since ``setupComplete``.
        heard: Frames besides ``setupComplete``.
    """

    kind: EndKind
    error: ConnectionFailureError | None = None
    uptime: float = 0.0
    heard: int = 0


@attrs.define(eq=False)
class Link:
    """One established connection.

    Args:
        state: The session's.
        transport: Upgraded; ``setup`` was answered.
        protocol: Its conversation so far.
        tap: What every frame goes through first.
    """

    state: SessionState
    transport: Transport
    protocol: LiveProtocol
    tap: Tap
    inbox: Lane
    ready_at: float = 0.0
    heard: int = 0
    _end: End | None = None
    _ended: trio.Event = attrs.field(factory=trio.Event)
    _noise: Signal = attrs.field(factory=Signal)
    _rotating: bool = False
    _sending: trio.CancelScope = attrs.field(factory=lambda: trio.CancelScope(shield=True))
    _draining: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _reading: bool = True
    _parked: list[bytes] = attrs.field(factory=list)
    _pulse: Pulse = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pulse = Pulse(self.state, self.transport, lambda: self._reading, self._lost)
        self.state.floor.connected()

    async def serve(self) -> End:
        """Run the connection until it ends, is to be replaced, or the session closes."""
        self.ready_at = trio.current_time()
        self._reopen_activity()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read)
            nursery.start_soon(self._send)
            nursery.start_soon(self._pulse.beat)
            nursery.start_soon(self._pulse.hum)
            nursery.start_soon(self._watch_clock)
            try:
                await self._ended.wait()
                end = self._end
                assert end is not None
                if end.kind in ("rotate", "close"):
                    await self._drain(ROTATION_QUIET if end.kind == "rotate" else CLOSE_QUIET)
            finally:
                self._break_write()
            nursery.cancel_scope.cancel()
        return attrs.evolve(end, uptime=trio.current_time() - self.ready_at, heard=self.heard)

    def finish(self, kind: EndKind, error: ConnectionFailureError | None = None) -> None:
        """End the connection; the first call decides why. An abort does not wait for what may still come."""
        if self._end is None:
            self._end = End(kind, error)
            self._ended.set()
        if kind == "abort":
            self._draining.cancel()

    def consider_rotation(self) -> None:
        """Rotate if a GoAway is pending and this is a good moment: resumable, no turn, no tools, no speech."""
        if not self._rotating and rotation.is_good_moment(self.state):
            self.state.floor.rotates()
            self.rotate()
        elif self.state.phase is Phase.GOAWAY:
            self.state.changed.set()

    def plan_rotation(self) -> None:
        """A rotation of our own: as if a GoAway had come that leaves half a minute."""
        state = self.state
        if state.phase is Phase.READY:
            state.go_away_deadline = state.now + rotation.PATIENCE
            state.move(Event.GO_AWAY)
            self.consider_rotation()

    def rotate(self) -> None:
        """Stop sending at a message boundary and end the connection in order."""
        self._rotating = True
        self.finish("rotate")

    def _reopen_activity(self) -> None:
        """Begin an activity anew that began on the connection before: what belongs to it waits to be written.

        With transparent resumption it has not ended: the server knows its beginning, or is told it once more.
        """
        outbox = self.state.outbox
        waiting = (entry.payload for entry in outbox.unsettled())
        first = next((each for each in waiting if each in (ACTIVITY_START, ACTIVITY_END)), None)
        is_open = first == ACTIVITY_END or (first is None and self.state.floor.activity)
        if is_open and not outbox.transparent:
            outbox.accept_ahead(ACTIVITY_START, now=self.state.now)

    async def _read(self) -> None:
        parked, inbox = self._parked, self.inbox
        self._forward_to(self._take)
        try:
            while True:
                if inbox.full:
                    self._reading = False
                    await inbox.wait_capacity()
                    self._reading = True
                if not parked:
                    parked.extend(reversed(await self.transport.receive()))
                while parked and not inbox.full:
                    self._put(parked.pop())
        except ConnectionLostError as error:
            self.finish("failed", error)
        except NoProcessError:
            self.finish("abort")
        finally:
            self._forward_to(None)
            with suppress(NoProcessError):
                while parked:
                    self._put(parked.pop())

    def _forward_to(self, sink: Sink | None) -> None:
        if isinstance(self.transport, Forwarding):
            self.transport.forward(sink)

    def _take(self, frames: Sequence[bytes]) -> bool:
        """Put frames straight from the transport, unless they have to wait for earlier ones or for room."""
        if self._parked or self.inbox.full:
            return False
        try:
            for frame in frames:
                self._put(frame)
        except NoProcessError:
            self.finish("abort")
        return True

    def _put(self, frame: bytes) -> None:
        """Decode, tap and queue a frame; no checkpoint in here."""
        size = len(frame)
        message = self.protocol.receive(frame)
        self.heard += 1
        self.inbox.put_nowait(self.tap.read(message, size=size), cost=size)
        self.state.gauge.look(self.inbox)
        self._noise.set()

    async def _send(self) -> None:
        """Write what was accepted, under one shield for all writes; it has a deadline during a write only."""
        state = self.state
        with self._sending as scope:
            while True:
                batch = [] if self._rotating else state.outbox.take()
                if not batch:
                    if state.closing and self._is_flushed():
                        self.finish("close")
                    self.consider_rotation()
                    await state.work.wait()
                    continue
                self.protocol.admit()
                payloads = [entry.payload for entry in batch]
                scope.deadline = trio.current_time() + state.options.write_timeout
                try:
                    await self.transport.send(payloads)
                except ConnectionLostError as error:
                    scope.deadline = math.inf
                    self.finish("failed", error)
                    return
                scope.deadline = math.inf
                self._count_written(batch, payloads)
        if self._is_writing:
            self._write_timed_out()

    def _count_written(self, batch: Sequence[Entry], payloads: Sequence[bytes]) -> None:
        state = self.state
        self._pulse.wrote_at = state.now
        state.outbox.written(now=state.now)
        state.floor.wrote(batch, state.now)
        state.dirty.set()
        if BUS.active:
            reporting.sent(state, payloads)
        state.counters.messages_sent += len(payloads)
        state.counters.bytes_sent += sum(map(len, payloads))
        state.room.set()

    @property
    def _is_writing(self) -> bool:
        return self._sending.deadline < math.inf

    def _is_flushed(self) -> bool:
        state = self.state
        if not state.drain:
            return True
        return state.outbox.is_idle and not (state.tools_running and state.now < state.grace_until)

    def _break_write(self) -> None:
        """End the sender; after half a frame the connection is of no more use."""
        if self._is_writing:
            self.transport.abort()
        self._sending.cancel()

    def _write_timed_out(self) -> None:
        seconds = self.state.options.write_timeout
        self.transport.abort()
        self.finish(
            "failed",
            ConnectionLostError(
                f"a write did not finish within {seconds:g} s; the connection was abandoned",
                phase="ready",
                initiated_by="client",
                retryable=True,
            ),
        )

    def _lost(self, error: ConnectionLostError) -> None:
        self.finish("failed", error)

    async def _watch_clock(self) -> None:
        """Rotate before a GoAway's deadline or at the age limit; close at the close deadline."""
        state = self.state
        while True:
            deadlines = [state.close_deadline if state.closing else math.inf]
            if state.closing and state.now < state.grace_until:
                deadlines.append(state.grace_until)
            rotate_at = rotation.deadline(state)
            deadlines += [rotate_at, rotation.look_again_at(state)]
            if state.options.max_connection_age is not None and state.phase is Phase.READY:
                deadlines.append(self.ready_at + state.options.max_connection_age)
            with trio.move_on_at(min(deadlines)):
                await state.changed.wait()
                continue
            now = trio.current_time()
            if state.closing and now >= state.close_deadline:
                self.finish("close")
                return
            if state.closing:
                state.work.set()
            elif now >= rotate_at:
                self.rotate()
                return
            elif state.phase is Phase.READY:
                self.plan_rotation()
            else:
                self.consider_rotation()

    async def _drain(self, quiet: float) -> None:
        """Read on until nothing comes any more: closing a WebSocket throws unread messages away."""
        with self._draining:
            self._draining.deadline = trio.current_time() + ROTATION_DRAIN
            while True:
                with trio.move_on_after(quiet) as silence:
                    await self._noise.wait()
                if silence.cancelled_caught:
                    return
