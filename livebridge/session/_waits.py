"""The waits before a dial: the back-off, and a circuit that is open for everybody."""

from __future__ import annotations

import attrs
import trio

from livebridge.protocol import Event, Phase
from livebridge.session._recovery import Recovery
from livebridge.session._state import SessionState


@attrs.define(eq=False)
class Waits:
    """Where a session stands still until it may dial again.

    Args:
        state: The session's.
        recovery: Knows the circuit.
    """

    state: SessionState
    recovery: Recovery
    _back_off: trio.CancelScope | None = None
    _circuit: trio.CancelScope | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the session stands still here."""
        return self._back_off is not None or self._circuit is not None

    async def back_off(self, seconds: float) -> None:
        """Wait for the next try; `cut_short` ends it."""
        with trio.CancelScope() as self._back_off:
            if not self.state.closing:
                await trio.sleep(seconds)
        self._back_off = None

    async def admission(self) -> None:
        """Wait until the endpoint's circuit lets this session dial; a session that closes waits for nothing."""
        state = self.state
        with trio.CancelScope() as self._circuit:
            while not state.closing and (wait := self.recovery.admit()) > 0:
                if state.phase is not Phase.CIRCUIT_OPEN:
                    state.move(Event.CIRCUIT_OPEN)
                await trio.sleep(wait)
        self._circuit = None

    def cut_short(self) -> None:
        """Try again now; the circuit is not ours to close."""
        if self._back_off is not None:
            self._back_off.cancel()

    def cancel(self) -> None:
        """The session closes."""
        for scope in (self._back_off, self._circuit):
            if scope is not None:
                scope.cancel()
