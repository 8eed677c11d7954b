"""What became of the conversation between two connections, and the honest word about it.

`Continuity` keeps the account from the end of one connection to the readiness of the next (which may take
several dials) and then tells the user, in this order: ``on_session_lost`` (once, if the model has forgotten
the conversation), ``on_resumed``, ``on_ready``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import LivebridgeError
from livebridge.protocol import Continuity as Continuation
from livebridge.protocol import (
    Entry,
    Kind,
    ReadyInfo,
    ResumedInfo,
    SessionLostInfo,
    Snapshot,
    client_content,
    realtime_input,
)
from livebridge.session import _reporting as reporting
from livebridge.session._state import SessionState
from livebridge.telemetry import BUS

MAX_SEEDS: Final = 2
"""Fresh sessions that are told the history and end before the model has said a word, until one goes without."""


@contextmanager
def insisting(state: SessionState, seq: int) -> Iterator[None]:
    """For the length of a block, whoever sent the message of this number waits for its answer."""
    entries = [entry for entry in state.outbox.unsettled() if entry.seq == seq]
    for entry in entries:
        entry.insists = True
    try:
        yield
    finally:
        for entry in entries:
            entry.insists = False


@attrs.define
class Gap:
    """The time between two connections.

    Attributes:
        began: When the old one ended, on trio's clock.
        replayed: Messages that are written again.
        uncertain: Messages of which nobody knows whether the server read them.
        doubtful: Further ones, as they stand in the outbox's account; they may be asked again.
        awaited: Those of them that are unanswered, with somebody waiting for the whole answer.
        lossy: Something may be missing.
        unheard: Seconds of sound that were written after the last handle.
        dropped: Seconds of sound that had been given up when it began.
        lost_reason: Why the conversation could not be resumed, if so.
        lost_error: What the server answered.
    """

    began: float
    replayed: int = 0
    uncertain: tuple[object, ...] = ()
    doubtful: tuple[Entry, ...] = ()
    awaited: tuple[Entry, ...] = ()
    lossy: bool = False
    unheard: float = 0.0
    dropped: float = 0.0
    lost_reason: str | None = None
    lost_error: LivebridgeError | None = None


@attrs.define(eq=False)
class Continuity:
    """The account of one session.

    Attributes:
        state: The session's.
        stalled: The connection is being replaced because the model is silent: what it was asked is asked again.
    """

    state: SessionState
    stalled: bool = False
    _gap: Gap | None = None
    _reason: str | None = None
    _seeds: int = 0

    @property
    def can_ask_again(self) -> bool:
        """Whether the words are known that the model has not answered."""
        watch = self.state.stall
        return bool(watch.asked or (watch.kind != "tool" and (watch.spoken or self.state.turns.heard)))

    def connection_lost(self) -> None:
        """A connection that was ready is gone: what is written again, and what is uncertain now?"""
        state = self.state
        lossy = not state.handles.resumable
        state.handles.dropped(state.now)
        state.speech.numbers.restart()
        if self._gap is None:
            dropped = state.outbox.dropped_media_seconds
            self._gap = Gap(began=state.now, lost_reason=self._reason, dropped=dropped)
        self._reason = None
        gap = self._gap
        lost = state.outbox.connection_lost()
        gap.unheard += 0.0 if state.outbox.transparent else state.floor.unheard
        nudge = state.stall.nudge
        if nudge in lost.replayed:
            state.outbox.withdraw(nudge)
        settled = Kind.SIGNAL if state.floor.rested else None
        doubtful = tuple(
            entry for entry in lost.uncertain if entry is not nudge and entry.kind is not settled
        )
        gap.replayed += sum(entry is not nudge for entry in lost.replayed)
        gap.doubtful += doubtful
        if not state.ledger.pending:
            asked = state.stall.asked
            gap.awaited += tuple(entry for entry in doubtful if entry.insists and entry in asked)
        self._break_turn(awaited=bool(gap.awaited))
        gap.lossy = gap.lossy or lossy or bool(lost.dropped) or bool(doubtful) or state.outbox.lossy
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
            if not replayable or not state.outbox.has_room(len(kept.payload), kept.kind):
                gap.uncertain += (wire.decode_client(kept.payload),)
                gap.lossy = True
            else:
                entry = state.outbox.accept(kept.kind, kept.payload, now=state.now)
                state.expect(entry, wire.decode_client(kept.payload))
                gap.replayed += kept.written

    def forget(self, reason: str, error: LivebridgeError | None) -> None:
        """The conversation cannot be resumed: the next setup carries no handle. What waits is written even so."""
        state = self.state
        state.handles.forget()
        gap = self._gap
        if gap is not None and gap.lost_reason is None:
            gap.lost_reason = reason
            gap.lost_error = error

    def give_up(self, reason: str) -> None:
        """Give the handle up while the connection is still there; the gap to come will tell why."""
        self.state.handles.give_up(self.state.epoch)
        self._reason = reason

    def handle_for_setup(self) -> str | None:
        """The handle of the next setup; one that is too old is given up here."""
        state = self.state
        handle = state.handles.usable(state.now)
        if handle is None and state.handles.current is not None:
            self.forget("expired", None)
        return None if handle is None else handle.value

    def seed(self, handle: str | None) -> tuple[wire.Content, ...]:
        """What a fresh session in place of a lost one is told of the conversation.

        Nothing, where the application announced a history of its own, where the backend is not known to take
        an announced one, and after two seeded sessions that ended without a word.
        """
        state = self.state
        if handle is not None or self._gap is None or self._seeds >= MAX_SEEDS:
            return ()
        if state.options.config.history_config is not None:
            return ()
        if state.capabilities.seeds_history and state.auth.backend == "vertex":
            return ()
        contents = state.history.contents()
        self._seeds += bool(contents)
        return contents

    def ready(self, continuity: Continuation) -> None:
        """A connection is ready: count the gap and tell the user."""
        state = self.state
        resumed = continuity == "resumed"
        gap, self._gap = self._gap, None
        state.stall.connected(state.now, resumed=resumed)
        if gap is not None:
            self._ask_again(gap, continuity)
            self._tell_gap(gap, continuity)
        self.stalled = False
        lost = not resumed and (gap is not None or state.options.resume_handle is not None)
        state.ready_kind = "resumed" if resumed else "fresh_after_loss" if lost else "new"
        if BUS.active:
            reporting.ready(state, state.ready_kind, None if gap is None else state.now - gap.began)
        info = ReadyInfo(kind=state.ready_kind, epoch=state.epoch, session_id=state.session_id)
        state.notify("on_ready", info)
        state.ever_connected = True

    def _break_turn(self, *, awaited: bool) -> None:
        """The turn in progress ends with its connection; what nobody has answered (to the end) stays open."""
        state = self.state
        watch = state.stall
        if watch.spoke:
            self._seeds = 0
        is_open = watch.is_waiting or awaited
        asked = watch.asked
        broken = state.turns.abandon(epoch=state.epoch)
        answered = broken is not None and bool(broken.text or broken.audio)
        if broken is not None and answered and (watch.in_old_turn or not is_open):
            state.history.completed(broken, open_from=asked[0].seq if is_open and asked else None)
        elif broken is not None:
            state.history.user_said(broken.input_transcript)
            if is_open and watch.kind != "tool":
                watch.spoken = f"{watch.spoken} {broken.input_transcript}".strip()
        watch.replaced(state.now, is_open=is_open)

    def _ask_again(self, gap: Gap, continuity: Continuation) -> None:
        """See that the model gets what it has not answered, once, and nothing that the seed has told it."""
        state = self.state
        watch = state.stall
        waiting = list(state.outbox.unsettled())
        if continuity == "reseeded":
            told = set(state.history.told) - {entry.seq for entry in watch.asked}
            for entry in waiting:
                if entry.state == "written" and entry.seq in told:
                    state.outbox.withdraw(entry)
                    gap.replayed -= 1
        given_up = [each for each in watch.asked if each.state == "dropped" and each.written_at == -math.inf]
        if given_up:
            watch.forget(given_up)
        again = self.stalled or (continuity != "resumed" and state.history.turns > 0)
        if again and watch.is_waiting:
            self._requeue([entry for entry in watch.asked if entry not in waiting], gap)
            self._repeat()
        self._insist(gap)
        if self.stalled and not watch.asked:
            watch.rest()
        elif any(entry.reply == "turn" for entry in state.outbox.unsettled()):
            watch.asked_again(state.now)
            state.alert.set()

    def _insist(self, gap: Gap) -> None:
        """Whoever waits for the answer to a message gets it asked once more; not where a tool worked on it."""
        state = self.state
        again = [entry for entry in gap.awaited if entry.insists and entry in gap.doubtful]
        for entry in again:
            entry.insists = False
            if entry not in state.stall.asked:
                state.stall.asked.append(entry)
        self._requeue(again, gap)

    def _requeue(self, entries: Sequence[Entry], gap: Gap) -> None:
        for entry in reversed(entries):
            self.state.outbox.requeue(entry)
        gap.doubtful = tuple(entry for entry in gap.doubtful if entry not in entries)
        gap.replayed += len(entries)

    def _repeat(self) -> None:
        """What the user said is lost as sound, and asked again as text."""
        state = self.state
        spoken, state.stall.spoken = state.stall.spoken, ""
        if not spoken:
            return
        realtime = state.capabilities.text_input == "realtime_input"
        message = realtime_input(text=spoken) if realtime else client_content(spoken)
        entry = state.outbox.accept(Kind.CONTENT, wire.encode_client(message), now=state.now, beyond=True)
        entry.reply = "turn"
        state.stall.asked.append(entry)

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
            uncertain=gap.uncertain + tuple(wire.decode_client(entry.payload) for entry in gap.doubtful),
            gap=seconds,
            lost_audio_seconds=silenced,
        )
        state.notify("on_resumed", info)
