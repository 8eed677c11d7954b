"""Watches for a model that has fallen silent, and climbs the ladder of `livebridge.protocol.StallPolicy`."""

from __future__ import annotations

import logging
import math
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.protocol import Kind, StallInfo, StallStep, StallWatch
from livebridge.session._manager import ConnectionManager
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")


@attrs.define(eq=False)
class Watchdog:
    """The stall watch of one session, as a task.

    Args:
        state: The session's.
        watch: Where it stands.
        manager: Rotates and starts afresh.
        outgoing: Takes the nudge.
    """

    state: SessionState
    watch: StallWatch
    manager: ConnectionManager
    outgoing: Outgoing

    async def run(self) -> None:
        """Wait for the next step that is due, and take it."""
        while True:
            due = self.watch.due_at
            with trio.move_on_at(math.inf if due is None else due):
                await self.state.alert.wait()
                continue
            now = self.state.now
            if not self.state.is_ready or not self.state.ledger.is_idle or self.state.closing:
                self.watch.pause(now)
                continue
            step = self.watch.climb(now)
            if step is not None:
                self._take(step, now)

    def _take(self, step: StallStep, now: float) -> None:
        state = self.state
        silent = now - self.watch.since
        kind = self.watch.kind or "answer"
        _log.warning("the model has been silent for %.0f s (%s); step: %s", silent, kind, step)
        info = StallInfo(kind=kind, silent_for=silent, action=step, epoch=state.epoch)
        state.notify("on_stall", info)
        match step:
            case "event":
                pass
            case "nudge":
                self.outgoing.accept_nowait(Kind.SIGNAL, wire.encode_client(self._nudge()))
            case "rotate":
                self.manager.reconnect()
            case "fresh":
                self.manager.start_afresh("stalled")

    def _nudge(self) -> wire.ClientMessage:
        """Say once more that the user has finished, in the words that this model takes."""
        if self.state.capabilities.text_input == "client_content":
            return wire.ClientMessage(client_content=wire.ClientContent(turn_complete=True))
        detection = self.state.options.config.realtime_input_config
        automatic = None if detection is None else detection.automatic_activity_detection
        if automatic is not None and automatic.disabled:
            end = wire.RealtimeInput(activity_end=wire.ActivityEnd())
        else:
            end = wire.RealtimeInput(audio_stream_end=True)
        return wire.ClientMessage(realtime_input=end)
