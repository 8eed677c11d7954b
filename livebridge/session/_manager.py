"""The connection manager: dials, sets up, rotates, backs off, gives up. It never runs user code.

One connection is open at a time: the nursery of a connection is closed before the next one is dialled, so a
late event of an old connection cannot exist. Its states are those of `livebridge.protocol` (see `Phase`).
"""

from __future__ import annotations

import logging
from typing import Final

import attrs
import trio

from livebridge.errors import (
    ConnectError,
    LivebridgeError,
    SetupError,
)
from livebridge.otp import Lane
from livebridge.protocol import (
    ENDED,
    CloseInfo,
    Event,
    LiveProtocol,
    Phase,
    ReconnectingInfo,
)
from livebridge.session import _reporting as reporting
from livebridge.session._continuity import Continuity
from livebridge.session._failure import broken
from livebridge.session._handshake import Early, Handshake
from livebridge.session._lease import Lease
from livebridge.session._link import End, Link
from livebridge.session._recovery import Again, GivenUp, Recovery
from livebridge.session._state import SessionState
from livebridge.session._tap import Tap
from livebridge.session._tools import ToolRunner
from livebridge.session._waits import Waits

_log: Final = logging.getLogger("livebridge.session")

CLOSE_FRAME_TIMEOUT: Final = 2.0
"""Seconds for the close handshake; a peer that does not answer is cut off."""

ABORT_TIMEOUT: Final = 1.0
"""The same when nobody waits for a polite end."""


@attrs.define(eq=False)
class ConnectionManager:
    """Keeps a session connected.

    Args:
        state: The session's.
        handshake: Opens connections.
        continuity: Keeps account of what happens between them.
        tools: Whose tasks cancellation frames reach through the tap.
        inbox: Where frames go.
        patient: Nobody waits for the first connect; it is given up like any other outage.
    """

    state: SessionState
    handshake: Handshake
    continuity: Continuity
    tools: ToolRunner
    inbox: Lane
    patient: bool = False
    link: Link | None = None
    finished: trio.Event = attrs.field(factory=trio.Event)
    _requested: trio.Event = attrs.field(factory=trio.Event)
    _attempt: trio.CancelScope | None = None
    _aborted: bool = False
    _returning: Lease | None = None
    _drain_redials: int = 1
    _spare: Lease | None = None
    _nursery: trio.Nursery | None = None
    _recovery: Recovery = attrs.field(init=False)
    _waits: Waits = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._recovery = Recovery(self.state, self.handshake, self.continuity, patient=self.patient)
        self._waits = Waits(self.state, self._recovery)

    def connect(self) -> None:
        """Begin; further calls change nothing."""
        self._requested.set()

    def close(self) -> None:
        """The session's closing flags were set: act upon them."""
        state = self.state
        if state.phase not in ENDED and state.phase is not Phase.CLOSING:
            state.move(Event.CLOSE)
        self._requested.set()
        state.changed.set()
        state.work.set()
        state.room.set()
        if self.link is not None and not state.drain:
            self.link.finish("close")
        if self._waits.is_waiting:
            self._waits.cancel()
        elif self.link is None and not self._may_still_deliver() and self._attempt is not None:
            self._attempt.cancel()

    def abort(self) -> None:
        """End now, without a drain."""
        self._aborted = True
        self.state.closing = True
        self.state.drain = False
        self._requested.set()
        if self._returning is not None:
            self._returning.hurry(ABORT_TIMEOUT)
        if self.link is not None:
            self.link.finish("abort")
        elif self._waits.is_waiting:
            self._waits.cancel()
        elif self._attempt is not None:
            self._attempt.cancel()

    def reconnect(self) -> None:
        """Replace the connection in order, now; where there is none, dial now."""
        if self.link is not None:
            self.link.rotate()
        self._waits.cut_short()

    def start_afresh(self, reason: str) -> None:
        """Replace the connection by one of a fresh session: the handle is given up."""
        self.continuity.give_up(reason)
        self.reconnect()

    def consider_rotation(self) -> None:
        """Something changed that a pending rotation may have waited for."""
        if self.link is not None:
            self.link.consider_rotation()

    async def run(self) -> None:
        """Connect and stay connected until the session closes or fails. What else goes wrong in here ends it."""
        error: LivebridgeError | None = None
        fatal = True
        try:
            with self.handshake.sharing():
                async with trio.open_nursery() as self._nursery:
                    error, fatal = await self._run()
                    self._nursery.cancel_scope.cancel()
        except Exception as fault:  # noqa: BLE001 - the session ends by it, and tells everybody
            error, fatal = broken(fault), False
        finally:
            self._finish(error, fatal=fatal)

    def prepare_rotation(self) -> None:
        """A GoAway came: with the ``warm`` handover, dial the next connection now and keep it silent."""
        wanted = self.state.options.handover == "warm" and self._spare is None and not self.state.closing
        if wanted and self._recovery.admit() == 0.0:
            self._spare = self._lease()

    def _lease(self) -> Lease:
        lease = Lease(self.handshake, refresh=self._recovery.refresh)
        assert self._nursery is not None
        self._nursery.start_soon(lease.run)
        return lease

    async def _run(self) -> tuple[LivebridgeError | None, bool]:
        """Returns what ended the session, if it was an error, and whether that is final."""
        try:
            await self._requested.wait()
            self._recovery.begin()
            error = await self._prepare()
            if error is not None:
                return error, True
            while await self._may_dial():
                end = await self._connection()
                if end.kind in ("close", "abort") or (end.kind == "rotate" and self._is_delivered()):
                    break
                if end.kind == "rotate":
                    self._rotated(end)
                    continue
                outcome = self._recover(end)
                if isinstance(outcome, GivenUp):
                    return outcome.error, outcome.fatal
                await self._back_off(outcome)
            return None, True
        finally:
            await self._give_spare_back()

    async def _prepare(self) -> LivebridgeError | None:
        """List the tools of MCP servers; a close does not wait for that."""
        with trio.CancelScope() as self._attempt:
            return await self.tools.prepare()
        return None

    async def _may_dial(self) -> bool:
        """Wait for the circuit, if it is open; ``False``: the session has ended meanwhile, or before."""
        if self._spare is None and not self._is_over():
            await self._waits.admission()
        if self.state.phase in (Phase.BACKOFF, Phase.CIRCUIT_OPEN):
            self._expire()
        return not self._is_over()

    def _is_delivered(self) -> bool:
        """Whether a rotation that met a close has nothing left to deliver over a new connection."""
        return self.state.closing and self.state.outbox.is_idle

    def _is_over(self) -> bool:
        return self._aborted or (self.state.closing and not self._may_still_deliver())

    def _may_still_deliver(self) -> bool:
        """Whether a closing session without a connection tries to get one to deliver what it accepted."""
        state = self.state
        return (
            state.closing
            and state.drain
            and state.ever_connected
            and not state.outbox.is_idle
            and self._drain_redials > 0
            and not self._aborted
            and state.now < state.close_deadline
        )

    async def _connection(self) -> End:
        """One connection, from dial to end. Whatever goes wrong is in the result."""
        with trio.CancelScope() as self._attempt:
            if self.state.closing:
                self._drain_redials -= 1
            self._move(Event.DIAL if self.state.phase is not Phase.ROTATING else None)
            spare, self._spare = self._spare, None
            epoch = self.state.epoch
            end = await self._talk(spare or self._lease())
            spoilt = spare is not None and end.kind == "failed" and self.state.epoch == epoch
            if spoilt and self._recovery.admit() == 0.0:
                self._move(Event.FAILED)
                self._move(Event.DIAL)
                end = await self._talk(self._lease())
            return end
        return End("abort" if self._aborted else "close")

    async def _give_back(self, lease: Lease) -> None:
        """Close a connection; `abort` may become impatient meanwhile."""
        self._returning = lease
        await lease.give_back(timeout=ABORT_TIMEOUT if self._aborted else CLOSE_FRAME_TIMEOUT)
        self._returning = None
        if not lease.released:
            self.state.reconnector.left(now=self.state.now)

    async def _give_spare_back(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            await spare.give_back(timeout=ABORT_TIMEOUT)

    async def _talk(self, lease: Lease) -> End:
        """Set a leased connection up and serve it; it is given back in any case."""
        state = self.state
        protocol = LiveProtocol()
        try:
            transport = await lease.transport()
            self._move(Event.UPGRADED)
            if state.handles.current is not None:
                await trio.sleep(state.reconnector.before_resume(now=state.now))
            handle = self.continuity.handle_for_setup()
            self._recovery.had_handle = handle is not None
            seed = self.continuity.seed(handle)
            early = await self.handshake.set_up(transport, protocol, handle=handle, seed=seed)
            self.link = Link(state, transport, protocol, self._tap(), self.inbox)
            self._established(protocol, early, seeded=bool(seed))
            return await self._serve(self.link)
        except (ConnectError, SetupError) as error:
            return End("failed", error)
        finally:
            self.link = None
            protocol.receive_eof()
            self._note_close(lease)
            await self._give_back(lease)
            reporting.disconnected(state, lease.close_info)

    async def _serve(self, link: Link) -> End:
        """Run a connection to its end, and note whether the server was there: a pong is no message."""
        ready_at = self.state.now
        end = await link.serve()
        self._recovery.alive = link.transport.last_heard > ready_at
        return end

    def _tap(self) -> Tap:
        return Tap(self.state, self.tools.cancel, self.consider_rotation, self.prepare_rotation)

    def _established(self, protocol: LiveProtocol, early: Early, *, seeded: bool) -> None:
        """Everything that makes a connection the session's; no checkpoint in here."""
        state = self.state
        state.epoch += 1
        state.session_id = protocol.setup_complete.session_id if protocol.setup_complete else None
        state.go_away_deadline = state.go_away_received = None
        state.generating = False
        state.handles.connected()
        resumed = self._recovery.had_handle
        self.tools.reconnected(resumed=resumed)
        state.outbox.start_connection(first_index=2 if seeded else 1)
        self._recovery.connected()
        self._move(Event.SET_UP)
        self.continuity.ready("resumed" if resumed else "reseeded" if seeded else "lost")
        tap = self._tap()
        for message, size in early:
            self.inbox.put_nowait(tap.read(message, size=size), cost=size)

    def _rotated(self, end: End) -> None:
        state = self.state
        state.counters.rotations += 1
        self._recovery.ended(end)
        self.continuity.connection_lost()
        self._move(Event.ROTATE)
        state.notify(
            "on_reconnecting",
            ReconnectingInfo(
                attempt=0, delay=0.0, resuming=state.handles.current is not None, epoch=state.epoch
            ),
        )

    def _recover(self, end: End) -> GivenUp | Again:
        """After a failure: what to do next."""
        assert end.error is not None
        if not isinstance(end.error, ConnectError | SetupError):
            self._recovery.ended(end)
        return self._recovery.failed(end.error, end)

    async def _back_off(self, again: Again) -> None:
        """Tell everybody, and wait for the next try."""
        state = self.state
        plan, error = again.plan, again.error
        self._move(Event.FAILED)
        info = ReconnectingInfo(
            attempt=plan.attempt,
            delay=plan.delay,
            error=error,
            resuming=state.handles.usable(state.now) is not None,
            epoch=state.epoch,
        )
        state.notify("on_reconnecting", info)
        reporting.retrying(state, plan, attempts=info.attempt, error=error)
        _log.info("connection lost (%s); attempt %d in %.2f s", error, info.attempt, plan.delay)
        await self._waits.back_off(plan.delay)

    def _expire(self) -> None:
        state = self.state
        max_age = state.options.content_max_age
        if max_age is not None and state.ever_connected:
            stale = state.outbox.expire(now=state.now, max_age=max_age)
            state.counters.expired += len(stale)
            if stale:
                state.report_expired(len(stale), max_age)
                state.room.set()

    def _move(self, event: Event | None) -> None:
        """Follow the table, unless the session is closing (then its phase stays that)."""
        if event is not None and self.state.phase is not Phase.CLOSING:
            self.state.move(event)

    def _note_close(self, lease: Lease) -> None:
        info = lease.close_info
        if info is not None:
            self.state.close_info = CloseInfo(
                code=info.code, reason=info.reason, initiated_by=info.initiated_by
            )

    def _finish(self, error: LivebridgeError | None, *, fatal: bool) -> None:
        """The end, whatever led to it; runs once, without a checkpoint."""
        state = self.state
        state.handles.dropped(state.now)
        if error is not None and not state.closing:
            state.failure = error
            state.close_info = CloseInfo(
                code=error.code,
                reason=error.reason if isinstance(error.reason, str) else "",
                initiated_by=error.initiated_by or "network",
                error=error,
            )
            state.move(Event.FATAL)
        elif state.phase not in ENDED:
            if state.closing:
                state.close_info = CloseInfo(code=1000, reason="", initiated_by="client", error=state.failure)
            state.move(Event.CLOSED)
        self._recovery.end()
        self.finished.set()
        state.room.set()
        state.turned.set()
        state.end(state.failure, fatal=fatal)
