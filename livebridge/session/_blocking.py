"""Notices user code that holds the trio thread between two checkpoints, and names it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Generator
from time import perf_counter
from typing import Final

import attrs

from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")

SLOW_LOG_INTERVAL: Final = 10.0
"""Seconds between two warnings about slow callbacks and tools of a session."""


def warn_slow(state: SessionState, text: str, name: str, took: float) -> None:
    """Log that user code was slow, now and then."""
    if state.now - state.slow_warned_at >= SLOW_LOG_INTERVAL:
        state.slow_warned_at = state.now
        _log.warning(text, name, took)


@attrs.frozen(eq=False)
class Stepwise:
    """Awaits something of the user, and measures every step of it on its way from checkpoint to checkpoint.

    Nothing runs beside it: what is not awaited costs nothing.

    Args:
        inner: What is awaited.
        name: What it is called in the warning: ``callback on_text``.
        state: The session's; its option ``slow_callback`` says what is long.
    """

    inner: Awaitable[object]
    name: str
    state: SessionState

    def __await__(self) -> Generator[object, object, object]:
        """Await it."""
        steps = self.inner.__await__()
        if not isinstance(steps, Generator):
            return (yield from steps)  # type: ignore[unreachable]  # any iterator will do for Python
        step, argument = steps.send, None
        while True:
            began = perf_counter()
            try:
                trap = step(argument)
            except StopIteration as end:
                return end.value
            finally:
                self._measure(perf_counter() - began)
            try:
                argument, step = (yield trap), steps.send
            except BaseException as error:  # noqa: BLE001 - it belongs to what is awaited
                argument, step = error, steps.throw

    def _measure(self, took: float) -> None:
        if took > self.state.options.slow_callback:
            warn_slow(
                self.state,
                "%s held the trio thread for %.3f s between two checkpoints: nothing else ran;"
                " trio.to_thread.run_sync takes what blocks",
                self.name,
                took,
            )
