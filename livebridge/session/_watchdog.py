"""Watches for a model that has fallen silent, and climbs the ladder of `livebridge.protocol.StallPolicy`."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import NotConnectedError, OutboxFullError, SessionClosedError, SessionFailedError
from livebridge.protocol import Kind, StallInfo, StallStep, client_content, realtime_input
from livebridge.session._manager import ConnectionManager
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")


@attrs.define(eq=False)
class Watchdog:
    """The stall watch of one session, as a task.

    Args:
        state: The session's.
        manager: Rotates and starts afresh.
        outgoing: Takes the nudge.
    """

    state: SessionState
    manager: ConnectionManager
    outgoing: Outgoing

    async def run(self) -> None:
        """Wait for the next step that is due, and take it."""
        watch = self.state.stall
        while True:
            due = watch.due_at
            with trio.move_on_at(math.inf if due is None else due):
                await self.state.alert.wait()
                continue
            now = self.state.now
            if self._is_excused():
                watch.pause(now)
                continue
            if watch.asked and watch.asked[-1].state != "accepted":
                watch.pause(watch.asked[-1].written_at)
            silent, kind = now - watch.since, watch.kind or "answer"
            step = watch.climb(
                now,
                can_ask=self.manager.continuity.can_ask_again,
                can_resume=self.state.handles.usable(now) is not None,
            )
            if step is not None:
                self._take(step, kind, silent)

    def _is_excused(self) -> bool:
        """Whether silence says nothing now: the model has not got the question, or waits for a tool."""
        state = self.state
        return not state.is_ready or state.closing or state.is_blocked() or state.outbox.undelivered > 0

    def _take(self, step: StallStep, kind: str, silent: float) -> None:
        state = self.state
        nudge = self._nudge(kind) if step == "nudge" else None
        done = step != "nudge" or (nudge is not None and self._send(nudge))
        action = step if done else "none"
        _log.warning("the model has been silent for %.0f s (%s); step: %s", silent, kind, action)
        state.notify("on_stall", StallInfo(kind=kind, silent_for=silent, action=action, epoch=state.epoch))
        if step == "rotate":
            self.manager.continuity.stalled = True
            self.manager.reconnect()
        elif step == "fresh":
            self.manager.continuity.stalled = True
            self.manager.start_afresh("stalled")

    def _nudge(self, kind: str) -> wire.ClientMessage | None:
        """Say once more that the user has finished: in the way in which it was said, if this model takes that.

        ===================  ===================  =====================  ==================
        what is awaited      clientContent model  realtimeInput model,   the same,
                                                  automatic detection    manual detection
        ===================  ===================  =====================  ==================
        answer, resume       turnComplete         audioStreamEnd         nothing
        tool                 turnComplete         nothing                nothing
        speech, interrupted  audioStreamEnd, or activityEnd with manual detection
        ===================  ===================  =====================  ==================
        """
        manual = self.state.options.is_manual
        if kind in ("speech", "interrupted"):
            return realtime_input(activity_end=True) if manual else realtime_input(audio_stream_end=True)
        if self.state.capabilities.text_input == "client_content":
            return client_content(turn_complete=True)
        return None if manual or kind == "tool" else realtime_input(audio_stream_end=True)

    def _send(self, message: wire.ClientMessage) -> bool:
        """Send a nudge; where there is no room, or no session any more, there is none."""
        with suppress(OutboxFullError, NotConnectedError, SessionClosedError, SessionFailedError):
            self.state.stall.nudge = self.outgoing.accept_nowait(Kind.SIGNAL, wire.encode_client(message))
            return True
        return False
