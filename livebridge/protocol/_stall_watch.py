"""The stall watch itself: reads both sides of the conversation and keeps the clock of `livebridge.protocol._stall`.

False alarms are worse than late ones: where it is not certain that the model owes an answer, the clock starts
later or not at all. A user who repeats the question of a silent model puts the clock back twice and no more,
otherwise the impatient would never get a step taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.protocol._entries import Entry, Kind
from livebridge.protocol._stall import RUNNING, SPEAKING, TABLE, Sign, StallPolicy, StallStep, Standing
from livebridge.protocol._turns import ends_turn

STRAGGLERS: Final = 5.0
"""Seconds after ``interrupted`` in which output may still be of the interrupted turn."""

LATE_TRANSCRIPT: Final = 3.0
"""Seconds after a turn in which a transcript may still be of the words that it has answered: the Live API gives no
order between the two."""

ONE_BREATH: Final = 10.0
"""Seconds between two pieces of a transcript that may be one utterance: some come sentence by sentence."""

MAX_PUT_OFF: Final = 2
"""How often a question asked once more puts the clock back."""

MAX_ASKED: Final = 32
"""Unanswered messages remembered, to be asked again."""

_ASKING: Final = {
    Sign.ASKED: "answer",
    Sign.RETURNED: "tool",
    Sign.ENDED: "speech",
    Sign.RELEASED: "interrupted",
    Sign.PAUSED: "speech",
    Sign.HEARD: "speech",
    Sign.INTERRUPTED: "interrupted",
}
"""Signs after which the model owes an answer, and what kind."""

_MODEL: Final = frozenset({Sign.OUTPUT, Sign.GENERATED, Sign.COMPLETE})


@attrs.define
class StallWatch:
    """Where one session stands on the ladder. All times are on the caller's clock, in seconds.

    Args:
        policy: The ladder; ``None``: no step is ever due, the account is kept all the same.
        manual: The user's activity is told by the client (automatic detection is off).

    Attributes:
        standing: A row of the table.
        kind: What is awaited: the answer to a message (``answer``), to ``speech``, to a ``tool``'s result,
            after the model was ``interrupted``, after a ``resume``; ``None``: nothing.
        since: When that began.
        asked: The messages of the user that no turn has answered, as far as they are not speech.
        spoken: Words of the user that no turn has answered, and that were spoken over an earlier connection.
        resumed: The connection resumed a conversation.
        spoke: The model has given a sign on this connection.
        nudge: The last message that only said once more that the user has finished.
        asked_here: Something that awaits an answer happened on this connection.
    """

    policy: StallPolicy | None
    manual: bool = False
    standing: Standing = Standing.IDLE
    kind: str | None = None
    since: float = 0.0
    asked: list[Entry] = attrs.field(factory=list)
    spoken: str = ""
    resumed: bool = False
    spoke: bool = False
    nudge: Entry | None = None
    asked_here: bool = False
    _answering: int = 0
    _step: int = 0
    _base: float = 0.0
    _put_off: int = 0
    _waited: float = 0.0
    _unsure: bool = False
    _active_since: int | None = None
    _cut_at: float = 0.0
    _heard_at: float = -1e9
    _quiet_since: float = -1e9

    @property
    def is_waiting(self) -> bool:
        """Whether the model owes an answer and the user is not speaking."""
        return self.standing in RUNNING

    @property
    def is_mute(self) -> bool:
        """Whether the connection resumed a conversation and the model has said nothing on it."""
        return self.resumed and not self.spoke

    @property
    def in_old_turn(self) -> bool:
        """Whether a turn from before the question has not ended."""
        return self.standing in (Standing.OWING, Standing.CUT)

    @property
    def due_at(self) -> float | None:
        """When the next step is due; ``None`` if there is none."""
        policy = self.policy
        if policy is None or self.standing not in RUNNING or self._step >= len(policy.steps):
            return None
        unsure = self._step == 0 and (self._unsure or self.standing is Standing.OWING)
        return self._base + (max(policy.after, policy.unsure_after) if unsure else policy.after)

    def climb(self, now: float, *, can_ask: bool = True, can_resume: bool = True) -> StallStep | None:
        """The step that is due now, if one is.

        Args:
            now: The time.
            can_ask: The question could be asked again on another connection. If not, and this one was never
                asked either, then another one would be no better. Nor is a conversation given up for an
                interruption after which nobody knows what the user wants, or after a tool has run.
            can_resume: There is a handle; without one to rotate would be to lose the conversation. A handle that
                has led to a mute connection is not tried again if there is a step after it.
        """
        due = self.due_at
        if due is None or now < due:
            return None
        assert self.policy is not None
        steps = self.policy.steps
        while self._step < len(steps):
            step = steps[self._step]
            self._step += 1
            poisoned = self.is_mute and "fresh" in steps[self._step :]
            if step == "rotate" and (poisoned or not can_resume):
                continue
            if step in ("rotate", "fresh") and not can_ask and not self.asked_here:
                continue
            if step == "fresh" and not can_ask and self.kind in ("interrupted", "tool"):
                continue
            self._base = now
            self._put_off = 0
            return step
        return None

    def sent(self, message: wire.ClientMessage, entry: Entry, now: float) -> None:
        """A message of the user was accepted."""
        given = message.realtime_input
        content = message.client_content
        if given is not None and given.activity_start is not None:
            self.began(now, entry.seq)
        elif given is not None and given.activity_end is not None:
            self.ended(now, entry.seq)
        elif (given is not None and given.text is not None) or (
            content is not None and content.turn_complete is True
        ):
            self.ask(now, entry=entry)

    def ask(self, now: float, *, entry: Entry | None = None, kind: str = "answer", here: bool = True) -> None:
        """A turn is asked for.

        Args:
            now: The time.
            entry: The message that asks.
            kind: What for.
            here: On this connection; otherwise on one before it.
        """
        if entry is not None and entry.kind is Kind.CONTENT:
            self.asked = [*self.asked[1 - MAX_ASKED :], entry]
            self._answering = min(self._answering, len(self.asked) - 1)
        asked_here = self.asked_here or here
        self._follow(Sign.ASKED, now, kind=kind)
        self.asked_here = asked_here

    def asked_again(self, now: float) -> None:
        """What is unanswered goes out once more, over a new connection; the ladder is climbed on from here."""
        if self.standing in RUNNING:
            self.asked_here = True
        else:
            self.ask(now, kind="resume")

    def returned(self, now: float) -> None:
        """The answer to a call was accepted for which the model has stood still.

        What has led to the call is not asked again: the tool would run twice.
        """
        del self.asked[: self._answering]
        self._answering = 0
        self._follow(Sign.RETURNED, now)

    def began(self, now: float, seq: int) -> None:
        """The user begins an activity with the message of this number."""
        self._active_since = seq
        self._follow(Sign.BEGAN, now)

    def ended(self, now: float, seq: int) -> None:
        """The user ends the activity with the message of this number; without an activity it means nothing."""
        began, self._active_since = self._active_since, None
        if began is not None:
            nothing_sent = self.kind is None and seq == began + 1
            self._follow(Sign.RELEASED if nothing_sent else Sign.ENDED, now)

    def read(self, message: wire.ServerMessage, now: float, *, sounding: bool = False) -> None:
        """A message of the server was read.

        Args:
            message: The message.
            now: The time.
            sounding: Sound of the user is being sent.
        """
        if self.standing is Standing.ANSWERING and _is_more_of_a_turn(message):
            return
        activity, signal = message.voice_activity, message.voice_activity_detection_signal
        if activity is not None or signal is not None:
            kind = None if activity is None else activity.type
            vad = None if signal is None else signal.vad_signal_type
            if kind == wire.VoiceActivityType.ACTIVITY_START or vad == wire.VadSignalType.VAD_SIGNAL_TYPE_SOS:
                self._follow(Sign.BEGAN, now)
            elif kind == wire.VoiceActivityType.ACTIVITY_END or vad == wire.VadSignalType.VAD_SIGNAL_TYPE_EOS:
                self._paused(now)
        if message.server_content is not None:
            self._content(message.server_content, now, sounding=sounding)
        if message.tool_call is not None:
            self._output(now, certain=True)

    def _content(self, content: wire.ServerContent, now: float, *, sounding: bool) -> None:
        if content.input_transcription is not None or content.interim_input_transcription is not None:
            self._heard(now)
        if content.model_turn is not None or content.output_transcription is not None:
            self._output(now)
        if content.interrupted:
            self._cut_at = now
            self._follow(Sign.INTERRUPTED, now)
            self._unsure = sounding and not self.manual
        elif content.generation_complete:
            self._follow(Sign.GENERATED, now)
        over = ends_turn(content)
        if over or content.turn_complete:
            self._complete(now, over=over)

    def _output(self, now: float, *, certain: bool = False) -> None:
        """Something of a turn: after an interruption it counts once the old turn can have no more to say."""
        late = self.standing in (Standing.CUT, Standing.BARGED) and now - self._cut_at > STRAGGLERS
        self._follow(Sign.GENERATED if late or certain else Sign.OUTPUT, now)

    def _complete(self, now: float, *, over: bool) -> None:
        """The end of a turn, or of one of several in which a model thinks aloud (not ``over``)."""
        before = self.standing
        self._quiet_since = now
        if over and before in (Standing.IDLE, Standing.WAITING):
            self.asked.clear()
        elif over:
            del self.asked[: self._answering]
        if over or before is not Standing.WAITING:
            self._answering = 0 if over else self._answering
            self._follow(Sign.COMPLETE, now)
        else:
            self.pause(now)
            self._unsure = True

    def _heard(self, now: float) -> None:
        """Words of the user were recognised; those of a turn that has just ended come late at times."""
        same_breath = now - self._heard_at < ONE_BREATH
        self._heard_at = now
        if self.standing in RUNNING:
            if same_breath:
                self.pause(now)
            else:
                self._follow(Sign.HEARD, now)
            self._unsure = False
        elif not self.manual and now - self._quiet_since >= LATE_TRANSCRIPT:
            self._follow(Sign.HEARD, now)

    def _paused(self, now: float) -> None:
        if self._active_since is None:
            self._follow(Sign.PAUSED, now)

    def replaced(self, now: float, *, is_open: bool) -> None:
        """The connection is gone.

        Args:
            now: The time.
            is_open: What was asked is unanswered.
        """
        if not is_open:
            self.asked.clear()
            self.spoken = ""
        self._answering = 0
        self._follow(Sign.REPLACED, now)
        self.asked_here = False
        if self.standing is Standing.LISTENING and self._active_since is None:
            self._follow(Sign.PAUSED, now, kind="resume")
            self.asked_here = False
            self._unsure = True

    def connected(self, now: float, *, resumed: bool) -> None:
        """Another connection is ready; the time without one does not count."""
        self.resumed = resumed
        self.spoke = False
        self.pause(now)

    def rest(self) -> None:
        """Nothing is awaited any more: the question went with its connection, and nobody knows its words."""
        if self.standing in RUNNING:
            self.standing = Standing.IDLE
            self.kind = None
            self.spoken = ""

    def forget(self, given_up: Sequence[Entry]) -> None:
        """Messages were given up before they were written: nobody waits for an answer to them."""
        self.asked = [entry for entry in self.asked if entry not in given_up]
        if self.kind == "answer" and not self.asked:
            self.rest()

    def pause(self, now: float) -> None:
        """The time up to now does not count."""
        self._base = max(self._base, now)

    def _follow(self, sign: Sign, now: float, *, kind: str | None = None) -> None:
        """Take a step in the table and set the clock accordingly."""
        before = self.standing
        after = self.standing = TABLE[before].get(sign, before)
        if sign in _MODEL:
            self.spoke = True
            if sign is not Sign.COMPLETE and before is not after:
                self._answering = len(self.asked)
                self.spoken = ""
        if sign in _ASKING and after in RUNNING:
            self._await(kind or _ASKING[sign], now, spoken=before in SPEAKING)
        elif after in RUNNING:
            self._base = now
            self._put_off = 0
        elif after not in SPEAKING or (sign in _MODEL and before is Standing.LISTENING):
            self.kind = None
        elif before in RUNNING:
            self._waited = now - self._base

    def _await(self, kind: str, now: float, *, spoken: bool) -> None:
        """An answer is awaited; asked once more, it is awaited for a while longer."""
        self.asked_here = True
        exhausted = self.policy is not None and self._step >= len(self.policy.steps)
        self._unsure = False
        if self.kind is None or exhausted:
            self.kind, self.since = kind, now
            self._base, self._step, self._put_off = now, 0, 0
        elif self._put_off < MAX_PUT_OFF:
            self._base = now
            self._put_off += 1
        elif spoken and self.policy is not None:
            self._base = now - min(self._waited, 0.75 * self.policy.after)


def _is_more_of_a_turn(message: wire.ServerMessage) -> bool:
    """Whether a message can only be one of the many pieces of an answer."""
    content = message.server_content
    return (
        content is not None
        and content.model_turn is not None
        and not content.turn_complete
        and not content.interrupted
        and content.interaction_status is None
        and message.voice_activity is None
        and message.voice_activity_detection_signal is None
    )
