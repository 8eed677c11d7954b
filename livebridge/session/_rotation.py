"""When a rotation that is asked for may happen: at a moment at which nothing is lost, or at the deadline.

A good moment is one at which the server has said that the session can be resumed as it is, no tool is at work,
the model is not in a turn, nothing waits to be written, and the floor is free (see `Floor`). Without resumption
there is nothing to wait for but the end of what is being said.
"""

from __future__ import annotations

import math
from typing import Final

from livebridge.protocol import Phase
from livebridge.session._state import SessionState

PATIENCE: Final = 30.0
"""Seconds a rotation of our own (``max_connection_age``, `rotate()`) waits for a good moment."""

MARGIN: Final = 5.0
"""Seconds before the deadline of a GoAway at which the moment is taken as it is; a quarter if less is left."""


def is_good_moment(state: SessionState) -> bool:
    """Whether a pending rotation may happen now."""
    return (
        state.phase is Phase.GOAWAY
        and state.ledger.is_idle
        and not state.generating
        and state.outbox.is_idle
        and _is_kept(state)
        and state.now >= _free_at(state)
    )


def look_again_at(state: SessionState) -> float:
    """When a pending rotation may become possible by the passing of time alone; infinite: it will not."""
    if state.phase is not Phase.GOAWAY:
        return math.inf
    free_at = _free_at(state)
    return free_at if free_at > state.now else math.inf


def deadline(state: SessionState) -> float:
    """When a pending rotation happens whatever the moment is."""
    if state.phase is not Phase.GOAWAY or state.go_away_deadline is None:
        return math.inf
    if state.go_away_received is None:
        return state.go_away_deadline
    return state.go_away_deadline - min(MARGIN, (state.go_away_deadline - state.go_away_received) / 4)


def _is_kept(state: SessionState) -> bool:
    """Whether the next connection will know all of the conversation, or nothing of it in any case."""
    if state.options.config.session_resumption is None:
        return True
    return state.handles.resumable and not state.floor.stale and not state.outbox.has_uncovered_content


def _free_at(state: SessionState) -> float:
    since = state.go_away_received
    if since is None:
        since = math.inf if state.go_away_deadline is None else state.go_away_deadline - PATIENCE
    return state.floor.free_at(since)
