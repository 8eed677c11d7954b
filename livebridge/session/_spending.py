"""Watches what a session costs: tells the user when a budget is passed, and closes where that was asked for."""

from __future__ import annotations

import logging
from typing import Final, Protocol

from livebridge.protocol import Budget, BudgetWatch, Turn
from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")


class _Close(Protocol):
    def __call__(self, *, drain: bool, timeout: float | None) -> None: ...


class Spending:
    """The budget of one session.

    Args:
        state: The session's.
        close: Asks for the session's close.
    """

    def __init__(self, state: SessionState, close: _Close) -> None:
        self._state = state
        self._close = close
        budget = state.options.budget or Budget()
        self._watch = BudgetWatch(budget)
        self._closes = budget.action == "close"

    def look(self, turn: Turn | None) -> None:
        """A message was taken into account, and perhaps ended a turn."""
        state = self._state
        usage = state.turns.usage if turn is None else turn.usage
        for error in self._watch.look(total=state.turns.total_usage, turn=usage, ended=turn is not None):
            _log.warning("%s", error)
            state.notify("on_error", error)
        if self._closes and self._watch.exceeded and not state.turns.in_progress:
            self._close(drain=True, timeout=None)
