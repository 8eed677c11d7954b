"""Tells a silent connection from a dead one, and keeps one alive that others would take for dead.

Any inbound frame is a sign of life; without one a ping is sent, and without an answer to it the connection counts
as lost. Pings are invisible to the server's application, and some proxies do not count them either: against those
that reap connections without data, a moment of silence can be sent as sound (`Keepalive.silence_after`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import trio

from livebridge.errors import ConnectionLostError
from livebridge.protocol import Kind
from livebridge.session._frames import SILENCE
from livebridge.session._state import SessionState
from livebridge.transport import Transport


@attrs.define(eq=False)
class Pulse:
    """The keep-alive of one connection.

    Args:
        state: The session's.
        transport: The connection.
        is_reading: Whether the session reads; while it does not, silence is no sign.
        lost: Called when the connection counts as lost.
        wrote_at: When something was written the last time, on trio's clock.
    """

    state: SessionState
    transport: Transport
    is_reading: Callable[[], bool]
    lost: Callable[[ConnectionLostError], None]
    wrote_at: float = attrs.field(factory=trio.current_time)

    async def beat(self) -> None:
        """Ping after a silence; declare the connection lost after a longer one."""
        keepalive = self.state.options.keepalive
        if keepalive is None:
            return
        pinged_at = -math.inf
        alive_at = trio.current_time()
        while True:
            now = trio.current_time()
            if not self.is_reading():
                alive_at = now
            alive_at = max(alive_at, self.transport.last_heard)
            if now >= alive_at + keepalive.dead_after:
                self._declare_dead(keepalive.dead_after)
                return
            if now >= max(alive_at, pinged_at) + keepalive.ping_after:
                pinged_at = now
                with trio.move_on_after(self.state.options.write_timeout):
                    await self._ping()
            next_ping = max(alive_at, pinged_at) + keepalive.ping_after
            await trio.sleep_until(min(next_ping, alive_at + keepalive.dead_after))

    async def hum(self) -> None:
        """Send a moment of silence whenever nothing was written for ``silence_after`` seconds."""
        keepalive = self.state.options.keepalive
        seconds = None if keepalive is None else keepalive.silence_after
        if seconds is None:
            return
        while True:
            last = self.wrote_at
            await trio.sleep_until(last + seconds)
            if self.wrote_at > last:
                continue
            self.wrote_at = trio.current_time()
            if self._may_hum():
                self.state.outbox.accept(Kind.AUDIO, SILENCE, now=self.wrote_at)
                self.state.work.set()

    def _may_hum(self) -> bool:
        """Silence changes nothing only where a microphone is open already."""
        state = self.state
        floor = state.floor
        return (
            floor.streaming
            and not floor.manual
            and not state.muted
            and not state.closing
            and not state.is_gated()
            and state.outbox.is_idle
        )

    async def _ping(self) -> None:
        try:
            await self.transport.ping()
        except ConnectionLostError as error:
            self.lost(error)

    def _declare_dead(self, seconds: float) -> None:
        self.transport.abort()
        self.lost(
            ConnectionLostError(
                f"nothing was heard for {seconds:g} s, not even a pong; the connection counts as lost",
                phase="ready",
                initiated_by="network",
                retryable=True,
            )
        )
