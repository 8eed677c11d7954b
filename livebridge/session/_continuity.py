"""What became of the conversation between two connections, and the honest word about it.

`Continuity` keeps the account from the end of one connection to the readiness of the next (which may take
several dials) and then tells the user, in this order: ``on_session_lost`` (once, if the model has forgotten
the conversation), ``on_resumed``, ``on_ready``.
"""

from __future__ import annotations

import attrs

from livebridge import wire
from livebridge.errors import LivebridgeError
from livebridge.protocol import Continuity as Continuation
from livebridge.protocol import Kind, ReadyInfo, ResumedInfo, SessionLostInfo, Snapshot
from livebridge.session import _reporting as reporting
from livebridge.session._state import SessionState
from livebridge.telemetry import BUS


@attrs.define
class Gap:
    """The time between two connections.

    Attributes:
        began: When the old one ended, on trio's clock.
        replayed: Messages that are written again.
        uncertain: Messages of which nobody knows whether the server read them.
        lossy: Something may be missing.
        unheard: Seconds of sound that were written after the last handle.
        dropped: Seconds of sound that had been given up when it began.
        lost_reason: Why the conversation could not be resumed, if so.
        lost_error: What the server answered.
    """

    began: float
    replayed: int = 0
    uncertain: tuple[object, ...] = ()
    lossy: bool = False
    unheard: float = 0.0
    dropped: float = 0.0
    lost_reason: str | None = None
    lost_error: LivebridgeError | None = None


@attrs.define(eq=False)
class Continuity:
    """The account of one session."""

    state: SessionState
    _gap: Gap | None = None
    _reason: str | None = None

    def connection_lost(self) -> None:
        """A connection that was ready is gone: what is written again, and what is uncertain now?"""
        state = self.state
        lossy = not state.handles.resumable
        state.handles.dropped(state.now)
        state.turns.reset()
        state.speech.numbers.restart()
        if self._gap is None:
            dropped = state.outbox.dropped_media_seconds
            self._gap = Gap(began=state.now, lost_reason=self._reason, dropped=dropped)
        self._reason = None
        gap = self._gap
        lost = state.outbox.connection_lost()
        gap.unheard += 0.0 if state.outbox.transparent else state.floor.unheard
        gap.replayed += len(lost.replayed)
        settled = Kind.SIGNAL if state.floor.rested else None
        uncertain = [entry for entry in lost.uncertain if entry.kind is not settled]
        gap.uncertain += tuple(wire.decode_client(entry.payload) for entry in uncertain)
        gap.lossy = gap.lossy or lossy or bool(lost.dropped) or bool(uncertain) or state.outbox.lossy
        state.outbox.lossy = False
        state.room.set()

    def restored(self, snapshot: Snapshot, *, age: float) -> None:
        """An earlier incarnation left this; its messages are sent, replayed or reported as after a drop."""
        state = self.state
        gap = self._gap = Gap(began=state.now - age)
        if snapshot.is_poisoned:
            self.forget("poisoned", None)
        for kept in snapshot.messages:
            replayable = state.outbox.transparent or state.outbox.replay_uncertain or not kept.written
            if not replayable or not state.outbox.has_room(len(kept.payload)):
                gap.uncertain += (wire.decode_client(kept.payload),)
                gap.lossy = True
            else:
                state.outbox.accept(kept.kind, kept.payload, now=state.now)
                gap.replayed += kept.written

    def forget(self, reason: str, error: LivebridgeError | None) -> None:
        """The conversation cannot be resumed: the next setup carries no handle."""
        state = self.state
        state.handles.forget()
        state.outbox.fresh_session()
        gap = self._gap
        if gap is not None and gap.lost_reason is None:
            gap.lost_reason = reason
            gap.lost_error = error

    def give_up(self, reason: str) -> None:
        """Give the handle up while the connection is still there; the gap to come will tell why."""
        self.state.handles.forget()
        self._reason = reason

    def handle_for_setup(self) -> str | None:
        """The handle of the next setup; one that is too old is given up here."""
        state = self.state
        handle = state.handles.usable(state.now)
        if handle is None and state.handles.current is not None:
            self.forget("expired", None)
        return None if handle is None else handle.value

    def seed(self, handle: str | None) -> tuple[wire.Content, ...]:
        """What a fresh session in place of a lost one is told of the conversation."""
        if handle is not None or self._gap is None:
            return ()
        return self.state.history.contents()

    def ready(self, continuity: Continuation) -> None:
        """A connection is ready: count the gap and tell the user."""
        state = self.state
        resumed = continuity == "resumed"
        gap, self._gap = self._gap, None
        if gap is not None:
            self._tell_gap(gap, continuity)
        lost = not resumed and (gap is not None or state.options.resume_handle is not None)
        state.ready_kind = "resumed" if resumed else "fresh_after_loss" if lost else "new"
        if BUS.active:
            reporting.ready(state, state.ready_kind, None if gap is None else state.now - gap.began)
        info = ReadyInfo(kind=state.ready_kind, epoch=state.epoch, session_id=state.session_id)
        state.notify("on_ready", info)
        state.ever_connected = True

    def _tell_gap(self, gap: Gap, continuity: Continuation) -> None:
        state = self.state
        resumed = continuity == "resumed"
        seconds = state.now - gap.began
        counters = state.counters
        counters.reconnects += 1
        counters.last_gap = seconds
        counters.longest_gap = max(seconds, counters.longest_gap)
        if not resumed:
            lost = SessionLostInfo(
                reason=gap.lost_reason or "no_handle", epoch=state.epoch - 1, error=gap.lost_error
            )
            state.notify("on_session_lost", lost)
        silenced = gap.unheard + state.outbox.dropped_media_seconds - gap.dropped
        info = ResumedInfo(
            epoch=state.epoch,
            continuity=continuity,
            lossy=gap.lossy or not resumed or silenced > 0,
            replayed=gap.replayed,
            uncertain=gap.uncertain,
            gap=seconds,
            lost_audio_seconds=silenced,
        )
        state.notify("on_resumed", info)
