"""How long to wait before the next dial, and when to stop dialling.

Pure: the caller says what time it is and brings the random number. The count of attempts returns to zero
only after a *stable* connection, never after a mere handshake; otherwise a server that accepts and closes at
once (a wrong key does this) would be dialled for ever.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from livebridge.protocol._failures import Failure, Rule, Verdict, classify

FIRST_RETRY: Final = 0.25
"""Seconds within which the first retry after a stable connection happens: a drop is ordinary, be quick; but
not at once for every session that lost the same proxy."""


RESUME_AGAIN_AFTER: Final = 1.0
"""Seconds at least between two tries with one handle. The server refuses a resume while it holds the earlier
connection open (1011), and a handle that is refused twice is given up: the second try must not come too soon."""


@attrs.frozen(kw_only=True)
class ReconnectPolicy:
    """When and how often a lost connection is dialled again.

    Attributes:
        max_attempts: Failed attempts in a row before the session fails; ``None``: no bound. Off by default:
            an outage is measured in minutes, not in attempts.
        max_outage: Seconds without a stable connection before the session fails; ``None``: no bound.
        initial: Upper bound of the first back-off, seconds.
        factor: Growth per attempt.
        max_delay: Upper bound of every back-off, seconds.
        stable_after: Seconds of a connection's life, with at least one message besides
            ``setupComplete``, after which the count of attempts returns to zero.
        rapid_drop: A connection that lived shorter (seconds) counts as a failed attempt with full back-off.
        rules: Rows put in front of the table of failures.
    """

    max_attempts: int | None = None
    max_outage: float | None = 300.0
    initial: float = 0.5
    factor: float = 2.0
    max_delay: float = 30.0
    stable_after: float = 10.0
    rapid_drop: float = 5.0
    rules: Sequence[Rule] = ()


@attrs.frozen(kw_only=True)
class Plan:
    """What to do after a failure.

    Attributes:
        verdict: As in the table, after the history was taken into account.
        delay: Seconds to wait before the next dial.
        exhausted: The policy gives up although a retry might help.
        hint: For people.
    """

    verdict: Verdict
    delay: float = 0.0
    exhausted: bool = False
    hint: str | None = None


@attrs.define
class Reconnector:
    """The history that decisions depend on."""

    policy: ReconnectPolicy = attrs.field(factory=ReconnectPolicy)
    attempts: int = 0
    _outage_since: float | None = None
    _previous: Verdict | None = None
    _rapid_aborts: int = 0

    def stable(self) -> None:
        """The connection has proved itself; the budget is restored."""
        self.attempts = 0
        self._outage_since = None
        self._previous = None
        self._rapid_aborts = 0

    def failed(self, failure: Failure, *, now: float, rand: float) -> Plan:
        """Decide what to do.

        Args:
            failure: What happened.
            now: Seconds on the session's clock.
            rand: Uniform in [0, 1).
        """
        if self._outage_since is None:
            self._outage_since = now
        classified = classify(failure, rules=self.policy.rules)
        verdict = self._escalate(classified.verdict, failure)
        self._previous = classified.verdict
        if verdict is Verdict.FATAL:
            return Plan(verdict=verdict, hint=classified.hint)
        first = failure.stable and self.attempts == 0
        self.attempts += 1
        if self._is_exhausted(now):
            return Plan(verdict=verdict, exhausted=True, hint=classified.hint)
        delay = FIRST_RETRY * rand if first else self._backoff(rand)
        if failure.phase == "setup" and failure.had_handle:
            delay = max(delay, RESUME_AGAIN_AFTER)
        if failure.retry_after is not None:
            delay = max(delay, failure.retry_after)
        return Plan(verdict=verdict, delay=delay, hint=classified.hint)

    def _escalate(self, verdict: Verdict, failure: Failure) -> Verdict:
        if verdict is Verdict.REFRESH_CREDENTIALS and self._previous is verdict:
            return Verdict.FATAL
        if verdict is Verdict.RETRY_WITHOUT_MEDIA and self._previous is verdict:
            return Verdict.FRESH if failure.had_handle else Verdict.FATAL
        if verdict is Verdict.RETRY and failure.code == _POLICY_VIOLATION:
            rapid = failure.uptime < self.policy.rapid_drop
            self._rapid_aborts = self._rapid_aborts + 1 if rapid else 0
            if self._rapid_aborts >= _MAX_RAPID_ABORTS:
                return Verdict.FATAL
        return verdict

    def _is_exhausted(self, now: float) -> bool:
        policy = self.policy
        if policy.max_attempts is not None and self.attempts > policy.max_attempts:
            return True
        outage = now - (self._outage_since if self._outage_since is not None else now)
        return policy.max_outage is not None and outage > policy.max_outage

    def _backoff(self, rand: float) -> float:
        policy = self.policy
        cap = policy.initial * policy.factor ** min(self.attempts - 1, 64)
        return rand * min(policy.max_delay, cap)


_POLICY_VIOLATION: Final = 1008
_MAX_RAPID_ABORTS: Final = 3
