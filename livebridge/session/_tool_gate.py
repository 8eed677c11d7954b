"""Keeps the microphone from a model that stands still for a function call.

Some models close the session, or drop the call, when realtime sound arrives while a blocking call is open (see
``audio_during_call`` of `livebridge.protocol.capabilities`). The gate is closed from such a call until an answer
to it was accepted (that of ``tool_timeout``, at the latest), it was cancelled, or the connection was replaced.
Where a model that does not mind is spared sound all the same, the gate opens after ten seconds in any case. It
stops sound, pictures and ``activityStart``; everything else passes, ``activityEnd`` above all: an activity that was
begun is always ended. (The end of an activity whose beginning is behind the gate goes the way of the beginning.)

========  =====================================================================================
``send``  there is no gate
``hold``  sound waits, the last ``media_buffer`` seconds of it, and follows the answer
``drop``  sound is dropped; an ``activityStart`` waits, in case the activity lasts longer
``auto``  ``send`` for models that do not mind, ``hold`` for the others
========  =====================================================================================
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.protocol import Kind
from livebridge.session._frames import ACTIVITY_END, ACTIVITY_START
from livebridge.session._options import GateMode
from livebridge.session._state import SessionState

GATE_SECONDS: Final = 10.0
"""How long one call can keep the gate closed, where it does no harm that sound arrives during the call."""

_MEDIA: Final = frozenset({Kind.AUDIO, Kind.VIDEO})


@attrs.frozen
class Held:
    """A message behind the gate."""

    kind: Kind
    payload: bytes
    seconds: float


@attrs.define(eq=False)
class AudioGate:
    """Holds or drops media while a blocking call is open.

    Args:
        state: The session's.
        start: Starts a task in the session's scope.
        mode: What it does; ``auto`` is resolved by the model.
    """

    state: SessionState
    start: Callable[[Callable[[], Awaitable[None]]], None]
    mode: GateMode
    _patience: float = GATE_SECONDS
    _deadlines: dict[str, float] = attrs.field(factory=dict)
    _held: deque[Held] = attrs.field(factory=deque)
    _waiting: bool = False

    def __attrs_post_init__(self) -> None:
        bears_sound = self.state.capabilities.audio_during_call
        if self.mode == "auto":
            self.mode = "send" if bears_sound else "hold"
        if not bears_sound:
            self._patience = math.inf
        self.state.is_gated = self.is_closed
        self.state.is_blocked = self.is_blocked
        self.state.discard_held = self.discard

    def withholds(self, kind: Kind, payload: bytes, seconds: float) -> bool:
        """Whether a message is not to be sent now; it is then held or dropped already."""
        if self.mode == "send" or kind is Kind.CONTENT or kind is Kind.TOOL:
            return False
        if not self.is_closed():
            self.release()
            return False
        if kind is Kind.SIGNAL:
            return self._signal(Held(kind, payload, seconds))
        if self.mode == "drop":
            self._count_dropped(kind)
            return True
        return self._hold(Held(kind, payload, seconds))

    def is_closed(self) -> bool:
        """Whether media is withheld now."""
        if self.mode == "send":
            return False
        state = self.state
        pending = state.ledger.pending
        for key in [key for key in self._deadlines if key not in pending]:
            del self._deadlines[key]
        closed = False
        for key, call in pending.items():
            if state.ledger.epoch(key) == state.epoch and self.blocks(call.name):
                closed = state.now < self._deadlines.setdefault(key, state.now + self._patience) or closed
        return closed

    def is_blocked(self) -> bool:
        """Whether the model stands still for a call, whatever is done about media."""
        return any(self.blocks(call.name) for call in self.state.ledger.pending.values())

    def release(self) -> None:
        """Let through what was held, if the gate is open."""
        if not self._held or self.is_closed():
            return
        for held in self._held:
            beyond = held.kind not in _MEDIA
            now = self.state.now
            self.state.outbox.accept(held.kind, held.payload, now=now, seconds=held.seconds, beyond=beyond)
        self._held.clear()
        self._count_held()
        self.state.work.set()

    def discard(self) -> None:
        """Give up what is held, which the server would not bear; an activity that goes on begins afresh."""
        begun = [held for held in self._held if held.payload in (ACTIVITY_START, ACTIVITY_END)][-1:]
        goes_on = [held for held in begun if held.payload == ACTIVITY_START]
        for held in self._held:
            self._count_dropped(held.kind)
        self._held = deque(goes_on)
        self._count_held()

    def _signal(self, signal: Held) -> bool:
        """Decide about ``activityStart``, ``activityEnd`` and ``audioStreamEnd`` at a closed gate."""
        begun_behind = any(held.payload == ACTIVITY_START for held in self._held)
        if signal.payload == ACTIVITY_START:
            return self._hold(signal)
        if signal.payload != ACTIVITY_END:
            return bool(self._held) and self._hold(signal)
        if not begun_behind:
            self._drop_held()
            return False
        if self.mode == "hold":
            return self._hold(signal)
        self._drop_held()
        return True

    def _hold(self, held: Held) -> bool:
        self._held.append(held)
        self._trim()
        self._count_held()
        if not self._waiting and self._patience < math.inf:
            self._waiting = True
            self.start(self._open_in_time)
        return True

    def _trim(self) -> None:
        """Keep the last seconds of sound and the last picture."""
        seconds = 0.0
        pictures = 0
        kept: deque[Held] = deque()
        for held in reversed(self._held):
            seconds += held.seconds
            pictures += held.kind is Kind.VIDEO
            too_much = pictures > 1 if held.kind is Kind.VIDEO else seconds > self.state.options.media_buffer
            if held.kind in _MEDIA and too_much:
                self._count_dropped(held.kind)
            else:
                kept.appendleft(held)
        self._held = kept

    def _drop_held(self) -> None:
        """Throw away what belongs to an activity that is over."""
        for held in self._held:
            self._count_dropped(held.kind)
        self._held.clear()
        self._count_held()

    async def _open_in_time(self) -> None:
        """Nothing else may come that would open the gate."""
        while self._held:
            await trio.sleep_until(max(self._deadlines.values(), default=self.state.now))
            self.release()
        self._waiting = False

    def blocks(self, name: str | None) -> bool:
        """Whether the model stands still until a function of this name has answered."""
        behavior = self.state.capabilities.tool_behavior
        if behavior != "optional":
            return behavior == "blocking"
        return name not in {
            declaration.name
            for tool in self.state.options.config.declared_tools
            for declaration in tool.function_declarations or ()
            if declaration.behavior == wire.Behavior.NON_BLOCKING
        }

    def _count_held(self) -> None:
        self.state.counters.gate_held = len(self._held)

    def _count_dropped(self, kind: Kind) -> None:
        if kind in _MEDIA:
            self.state.counters.gate_dropped += 1
