"""What becomes of a session whose connection has ended: the history is told, the table asked, the rest prepared."""

from __future__ import annotations

import random
from typing import Final

import attrs

from livebridge.errors import ConnectionFailureError, LivebridgeError
from livebridge.protocol import Failure, Plan, Verdict
from livebridge.session._continuity import Continuity
from livebridge.session._failure import Circumstances, as_failure, enrich, exhausted
from livebridge.session._handshake import Handshake
from livebridge.session._link import End
from livebridge.session._state import SessionState

INVALID_ARGUMENT: Final = 1007
"""The close code that buffered media may have caused, and would cause again."""


@attrs.frozen
class GivenUp:
    """There is no next try.

    Attributes:
        error: What ended the session.
        fatal: Whether starting it again cannot help either.
    """

    error: LivebridgeError
    fatal: bool


@attrs.frozen
class Again:
    """There is a next try.

    Attributes:
        plan: When, and how.
        error: Why it is needed.
    """

    plan: Plan
    error: LivebridgeError


@attrs.define(eq=False)
class Recovery:
    """Decides how a session goes on after a connection.

    Args:
        state: The session's.
        handshake: Whose endpoint and credentials are concerned.
        continuity: What is told if the conversation is lost.
        patient: The first connect is given up like any other outage, not after a few tries.
    """

    state: SessionState
    handshake: Handshake
    continuity: Continuity
    patient: bool = False
    refresh: bool = False
    had_handle: bool = False
    alive: bool = False
    _ready_at: float = 0.0
    _turns: int = 0
    _handle: str | None = None
    _restored: bool = False
    _dialler: object = attrs.field(factory=object)

    def begin(self) -> None:
        """The first dial is next."""
        self.patient = self.patient or self.state.handles.current is not None

    def connected(self) -> None:
        """A setup was completed."""
        self.refresh = False
        self.alive = False
        self._ready_at = self.state.now
        self.state.reconnector.connected()
        self.handshake.endpoint.breaker.succeeded()

    def ended(self, end: End) -> None:
        """A connection that was ready has ended, in order or not."""
        self._restored = self.state.reconnector.ended(
            now=self.state.now,
            uptime=end.uptime,
            messages=end.heard,
            alive=self.alive,
            progress=self._has_progressed(),
            fresh=not self.had_handle,
        )

    def failed(self, error: ConnectionFailureError, end: End) -> GivenUp | Again:
        """Find out whether there is a next try, and prepare it: handle, media, credentials."""
        state = self.state
        policy_exists = state.options.reconnect is not None
        failure = as_failure(error, self._circumstances(end))
        if failure.phase == "ready":
            if not state.handles.resumable and not self._accept_unresumable():
                return GivenUp(error, fatal=True)
            self.continuity.connection_lost()
        plan = state.reconnector.failed(failure, now=state.now, rand=random.random())  # noqa: S311 - jitter
        if _blames_the_endpoint(failure, plan):
            self.handshake.endpoint.breaker.failed(self._dialler, now=state.now)
        better = enrich(error, plan)
        self._apply(plan, better)
        if plan.verdict is Verdict.FATAL:
            return GivenUp(better, fatal=True)
        given_up = better if not policy_exists else self._given_up(plan, better)
        if given_up is not None:
            return GivenUp(given_up, fatal=not policy_exists)
        return Again(plan, better)

    def admit(self) -> float:
        """Ask the circuit breaker for the next dial.

        Returns:
            0.0: dial. More: ask again after so many seconds.
        """
        return self.handshake.endpoint.breaker.admit(self._dialler, now=self.state.now)

    def end(self) -> None:
        """The session is over: nobody waits for this one's probe."""
        self.handshake.endpoint.breaker.withdrew(self._dialler)

    def _circumstances(self, end: End) -> Circumstances:
        state = self.state
        ready = end.uptime > 0
        return Circumstances(
            had_handle=self.had_handle,
            uptime=end.uptime,
            stable=ready and self._restored,
            rapid=end.uptime < state.reconnector.policy.rapid_drop,
            go_away=state.go_away_received is not None,
            renewable=self.handshake.renewable,
            proven=state.ever_connected,
            held=state.reconnector.held,
        )

    def _has_progressed(self) -> bool:
        """Whether a turn was completed, or a new handle came that is not the one that each setup brings."""
        state = self.state
        turns, self._turns = self._turns, state.counters.turns
        known, handle = self._handle, state.handles.current
        self._handle = None if handle is None else handle.value
        late = self._ready_at + state.reconnector.policy.stable_after
        is_new = handle is not None and handle.value != known and handle.received_at >= late
        return is_new or turns != state.counters.turns

    def _accept_unresumable(self) -> bool:
        """Apply the ``unresumable`` option; ``False``: the session ends."""
        if self.state.options.unresumable == "fresh":
            self.state.handles.forget()
        return self.state.options.unresumable != "fail"

    def _apply(self, plan: Plan, error: LivebridgeError) -> None:
        state = self.state
        if plan.renew:
            self.refresh = True
        match plan.verdict:
            case Verdict.FRESH:
                if state.handles.current is not None:
                    self.continuity.forget("rejected", error)
                if error.code == INVALID_ARGUMENT:
                    state.drop_media()
            case Verdict.RETRY_WITHOUT_MEDIA:
                state.drop_media()
            case Verdict.REFRESH_CREDENTIALS | Verdict.RETRY | Verdict.FATAL:
                pass

    def _given_up(self, plan: Plan, error: LivebridgeError) -> LivebridgeError | None:
        """What ends the session now, if the number of tries, or the time for them, is used up.

        The first connect is given up after a few tries: somebody waits for it, and most often something is
        wrong for good. But a session that begins with a handle has a conversation to lose, and one that a
        supervisor has started comes up whenever the network does.
        """
        state = self.state
        if state.ever_connected:
            return exhausted(error, attempts=plan.attempt) if plan.exhausted else None
        tries = not self.patient and plan.attempt >= state.options.connect_attempts
        return error if tries or plan.exhausted else None


def _blames_the_endpoint(failure: Failure, plan: Plan) -> bool:
    """Whether a failure may be everybody's: not this session's handle, setup or credentials."""
    ours = failure.phase == "dial" and failure.initiated_by == "client"
    return failure.phase != "ready" and plan.verdict is Verdict.RETRY and not ours
