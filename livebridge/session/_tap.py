"""What happens to a frame before any user code sees it: synchronous, and nothing in it can fail.

The reader runs the tap on each frame right after it was read, so that handles, acknowledgements, GoAway
deadlines and tool cancellations take effect even while a callback keeps the dispatcher busy. The price is
that `Session.handle` may be newer than the message a callback is looking at.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from livebridge import wire
from livebridge.protocol import Event, Phase, Unrecognized, ends_turn
from livebridge.session import _reporting as reporting
from livebridge.session._state import Envelope, SessionState
from livebridge.telemetry import BUS

_log: Final = logging.getLogger("livebridge.session")

DEFAULT_TIME_LEFT: Final = 60.0
"""Seconds. A GoAway may come without ``timeLeft``; about a minute is what has been seen."""

SOUNDING: Final = 2.0
"""Seconds after a piece of sound from the microphone for which the user may be speaking."""
_SPEECH: Final[Mapping[str, bool]] = {
    wire.VoiceActivityType.ACTIVITY_START: True,
    wire.VoiceActivityType.ACTIVITY_END: False,
    wire.VadSignalType.VAD_SIGNAL_TYPE_SOS: True,
    wire.VadSignalType.VAD_SIGNAL_TYPE_EOS: False,
}
"""What the server says of the user's voice: speech begins, or ends."""


@attrs.define(eq=False)
class Tap:
    """Keeps the session's state abreast of what was read.

    Args:
        state: The session's.
        cancel_tools: Cancels the tasks of these call ids at once.
        consider_rotation: Called whenever a rotation may have become possible.
        prepare_rotation: Called when a GoAway came.
    """

    state: SessionState
    cancel_tools: Callable[[Iterable[str]], None]
    consider_rotation: Callable[[], None]
    prepare_rotation: Callable[[], None]

    def read(self, message: wire.ServerMessage | Unrecognized, *, size: int) -> Envelope:
        """Take note of a frame of `size` bytes and wrap it for the dispatcher."""
        state = self.state
        now = state.now
        counters = state.counters
        counters.messages_received += 1
        counters.bytes_received += size
        if BUS.active:
            reporting.received(state, message, size)
        if isinstance(message, Unrecognized):
            counters.unrecognized += 1
            return Envelope(message, state.epoch, now)
        deadline: float | None = None
        keys: tuple[str, ...] = ()
        turn = state.speech.numbers.feed(message)
        if message.server_content is not None:
            self._content(message.server_content, now)
            if message.server_content.interrupted:
                self._cut_off(turn - 1)
        state.stall.read(message, now, sounding=now - state.sounded_at < SOUNDING)
        if state.stall.is_waiting:
            state.alert.set()
        self._speech(message, now)
        if message.session_resumption_update is not None:
            self._update(message.session_resumption_update, now)
        if message.tool_call is not None:
            calls = message.tool_call.function_calls or ()
            keys = tuple(state.ledger.announce(calls, epoch=state.epoch))
        if message.tool_call_cancellation is not None:
            self.cancel_tools(message.tool_call_cancellation.ids or ())
        if message.go_away is not None:
            deadline = self._go_away(message.go_away, now)
        return Envelope(message, state.epoch, now, deadline, keys, turn)

    def _content(self, content: wire.ServerContent, now: float) -> None:
        state = self.state
        floor = state.floor
        if content.turn_complete:
            state.ledger.turn_completed()
        heard = content.input_transcription or content.interim_input_transcription
        if heard is not None and heard.text:
            floor.understood(now)
        if content.interrupted:
            floor.interrupted(now)
        if content.model_turn is not None or content.output_transcription is not None:
            floor.model_spoke()
            state.generating = True
        if ends_turn(content):
            state.generating = False
            state.outbox.turn_completed(whole=floor.turn_ended(now))
        elif content.turn_complete or content.interaction_status == wire.InteractionStatus.IN_PROGRESS:
            state.generating = True
        self._look_again()

    def _speech(self, message: wire.ServerMessage, now: float) -> None:
        activity, signal = message.voice_activity, message.voice_activity_detection_signal
        if activity is None and signal is None:
            return
        kind = activity.type if activity is not None else signal.vad_signal_type if signal else None
        begins = _SPEECH.get(kind or "")
        if begins is not None:
            self.state.floor.speech(now, begins=begins)
            self._look_again()

    def _look_again(self) -> None:
        """A pending rotation may have become possible, or will be at another time."""
        if self.state.phase is Phase.GOAWAY:
            self.consider_rotation()

    def _cut_off(self, turn: int) -> None:
        for error in self.state.speech.interrupted(turn, epoch=self.state.epoch):
            self.state.counters.callback_errors += 1
            self.state.notify("on_error", error)

    def _update(self, update: wire.SessionResumptionUpdate, now: float) -> None:
        state = self.state
        replaced = state.handles.observe(
            update.new_handle, resumable=bool(update.resumable), now=now, epoch=state.epoch
        )
        if replaced:
            state.floor.covered()
            index = update.last_consumed_client_message_index
            if not state.outbox.covered(index, now=now):
                _log.warning("the server says that it consumed message %s, which was never sent", index)
            state.room.set()
            state.dirty.set()
            self.consider_rotation()

    def _go_away(self, go_away: wire.GoAway, now: float) -> float:
        state = self.state
        time_left = DEFAULT_TIME_LEFT if go_away.time_left is None else max(0.0, go_away.time_left)
        state.go_away_received = now
        state.go_away_deadline = now + time_left
        if state.is_ready:
            state.move(Event.GO_AWAY)
        self.prepare_rotation()
        self.consider_rotation()
        return state.go_away_deadline
