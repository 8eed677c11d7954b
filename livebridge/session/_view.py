"""What a session shows of itself, and how its public half finds its private one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import trio

from livebridge import wire
from livebridge.errors import ActorError, CallSelfError, NotConnectedError
from livebridge.otp import Ref
from livebridge.protocol import CloseInfo, Phase, Status, Usage
from livebridge.session._callbacks import CallbackRunner
from livebridge.session._manager import ConnectionManager
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState
from livebridge.session._statistics import Statistics, statistics_of
from livebridge.session._stream import MessageStream
from livebridge.session._surroundings import check_in_trio
from livebridge.session._tools import ToolRunner


class _Actor(Protocol):
    """What the verbs need of the actor behind them."""

    @property
    def ref(self) -> Ref: ...
    @property
    def state(self) -> SessionState: ...
    @property
    def manager(self) -> ConnectionManager | None: ...
    @property
    def outgoing(self) -> Outgoing: ...
    @property
    def tools(self) -> ToolRunner: ...
    @property
    def stream(self) -> MessageStream: ...
    @property
    def runner(self) -> CallbackRunner: ...
    def bound_close(self) -> None: ...
    @property
    def loop_task(self) -> trio.lowlevel.Task | None: ...


class View:
    """What a session shows: plain attributes, never a message and never a wait."""

    def __init__(self) -> None:
        self._of: _Actor | None = None

    def _bind(self, actor: _Actor) -> None:
        self._of = actor

    @property
    def _actor(self) -> _Actor:
        if self._of is None:
            raise NotConnectedError("the session has not been started")
        return self._of

    @property
    def _state(self) -> SessionState:
        return self._actor.state

    @property
    def status(self) -> Status:
        """One of the five words: ``disconnected``, ``connecting``, ``setup_pending``, ``ready``, ``closing``."""
        return self._state.phase.status

    @property
    def phase(self) -> Phase:
        """The exact state of the connection manager."""
        return self._state.phase

    @property
    def turn_number(self) -> int:
        """Number of the turn that the model is in, or will be in next; rises at once at an interruption."""
        return self._state.speech.numbers.current

    @property
    def closed(self) -> bool:
        """Whether the session has ended, whoever ended it."""
        return self._of is not None and (self._state.closed or not self._actor.ref.alive)

    @property
    def _under_way(self) -> bool:
        """Whether the session was started and has not ended."""
        try:
            return self._of is not None and self._of.ref.alive
        except ActorError:
            return False

    @property
    def session_id(self) -> str | None:
        """The server's name for the current connection's session (Vertex; the Gemini API gives none)."""
        return self._state.session_id

    @property
    def telemetry_id(self) -> str:
        """What events of `livebridge.telemetry` call this session: a UUID of its own."""
        return self._state.telemetry_id

    @property
    def handle(self) -> str | None:
        """The last resumption handle that was good. A secret; valid about two hours after the end."""
        handle = self._state.handles.current
        return None if handle is None else handle.value

    @property
    def resumable(self) -> bool:
        """Whether the server's last word was that the session can be resumed as it is now."""
        return self._state.handles.resumable

    @property
    def epoch(self) -> int:
        """Number of the current connection, from 1; 0 before the first."""
        return self._state.epoch

    @property
    def usage(self) -> Usage:
        """Token counts of the whole session so far, by modality."""
        return self._state.turns.total_usage

    @property
    def pending_tool_calls(self) -> Mapping[str, wire.FunctionCall]:
        """Calls that the model waits for, by id."""
        return self._state.ledger.pending

    @property
    def go_away_deadline(self) -> float | None:
        """When the server will hang up, on trio's clock; ``None`` if it has not said so."""
        return self._state.go_away_deadline

    @property
    def close_info(self) -> CloseInfo | None:
        """How the last connection (in the end: the session) was closed."""
        return self._state.close_info

    @property
    def ref(self) -> Ref:
        """The actor's address."""
        return self._actor.ref

    def statistics(self) -> Statistics:
        """Figures of the session's life so far."""
        return statistics_of(self._state)

    def _in_dispatcher(self) -> bool:
        check_in_trio()
        return trio.lowlevel.current_task() is self._actor.loop_task

    def _refuse_in_dispatcher(self, verb: str) -> None:
        if self._in_dispatcher():
            raise CallSelfError(
                f"{verb}() inside a callback would wait for what only comes after the callback; "
                "use on_turn_complete and its like, or start a task"
            )
