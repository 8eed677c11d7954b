"""How long to wait before the next dial, and when to stop dialling.

Pure: the caller says what time it is and brings the random number. Three accounts are kept:

* *attempts*, for the back-off: back to zero only after a *stable* connection, never after a mere handshake;
  otherwise a server that accepts and closes at once (a wrong key does this) would be dialled for ever.
* *the outage*, for the budget: it begins with the end of a stable connection, and stands still while there is
  a connection, however short that may live. What a session lived through connected is no outage.
* *repetitions*, for the table of failures: how often in a row each row has spoken. Words in a row are ended by
  progress: a completed turn, a new handle, or a long life. A handle that comes at once with the setup, as
  after every resume, is no progress, or a conversation that breaks each connection would be resumed for ever.
"""

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from livebridge.protocol._failures import Classified, classify
from livebridge.protocol._verdicts import Failure, Rule, Verdict

FIRST_RETRY: Final = 0.25
"""Seconds within which the first retry after a stable connection happens: a drop is ordinary, be quick; but
not at once for every session that lost the same proxy."""


RESUME_AGAIN_AFTER: Final = 1.0
"""Seconds at least between two tries with one handle, and between a close that was not answered and the first
try. The server refuses a resume while it holds the earlier connection open (1011), and a handle that is refused
twice is given up: no try must come too soon."""

PROVEN_AFTER: Final = 300.0
"""Seconds of a connection's life after which its end says nothing about the conversation: servers and proxies
end connections at some age (10 minutes, 58 minutes), and an idle session has no other progress to show."""


@attrs.frozen(kw_only=True)
class ReconnectPolicy:
    """When and how often a lost connection is dialled again.

    Attributes:
        max_attempts: Failed attempts in a row before the session fails; ``None``: no bound. Off by default:
            an outage is measured in minutes, not in attempts.
        max_outage: Seconds without a connection, since the last stable one, before the session fails; seconds
            with a connection are not counted. ``None``: no bound.
        initial: Upper bound of the first back-off, seconds.
        factor: Growth per attempt.
        max_delay: Upper bound of every back-off, seconds. (A row of the table can ask for a longer wait, and
            so can the server.)
        stable_after: Seconds of a connection's life, with a sign of life from the server besides
            ``setupComplete``, after which it counts as stable: the outage begins anew with its end. The count
            of attempts returns to zero if that sign was a message, or after five minutes.
        rapid_drop: A connection that lived shorter (seconds) was cut off rapidly; some rows of the table ask.
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
        renew: Get new credentials for the next dial.
        attempt: Which failure in a row this was, from 1.
        hint: For people.
    """

    verdict: Verdict
    delay: float = 0.0
    exhausted: bool = False
    renew: bool = False
    attempt: int = 1
    hint: str | None = None


@attrs.frozen
class _Row:
    """What counts as "the same again": two rows that differ in nothing of this are one."""

    phase: str
    code: int | None
    status: int | None
    text: str | None
    had_handle: bool | None
    lasting: bool
    held: bool


@attrs.define
class Reconnector:
    """The history that decisions depend on."""

    policy: ReconnectPolicy = attrs.field(factory=ReconnectPolicy)
    attempts: int = 0
    _outage_since: float | None = None
    _times: dict[_Row, int] = attrs.field(factory=dict)
    _held_since: float | None = None

    @property
    def held(self) -> bool:
        """Whether the server may still hold an earlier connection; see `Failure`."""
        return self._held_since is not None

    def connected(self) -> None:
        """A setup was completed: what had kept dials and setups from it is over."""
        self._held_since = None
        self._forget(lambda row: row.phase != "ready")

    def left(self, *, now: float) -> None:
        """We have left a connection, and the server has not said that it knows.

        Args:
            now: Seconds on the session's clock.
        """
        self._held_since = now

    def before_resume(self, *, now: float) -> float:
        """Seconds to wait before a setup that carries a handle, so that the server can notice an end.

        Args:
            now: Seconds on the session's clock.
        """
        return 0.0 if self._held_since is None else max(0.0, self._held_since + RESUME_AGAIN_AFTER - now)

    def ended(
        self, *, now: float, uptime: float, messages: int, alive: bool, progress: bool, fresh: bool
    ) -> bool:
        """A connection that was ready has ended, in order or not.

        Args:
            now: Seconds on the session's clock.
            uptime: Seconds since ``setupComplete``.
            messages: How many came besides that one.
            alive: Whether anything came at all, a pong for example.
            progress: Whether the conversation has got on since the connection before.
            fresh: Whether the connection had begun a new conversation.

        Returns:
            Whether the count of attempts was put back to zero.
        """
        alive = alive or messages > 0
        stable = alive and uptime >= self.policy.stable_after
        proven = alive and uptime >= max(PROVEN_AFTER, self.policy.stable_after)
        if stable or self._outage_since is None:
            self._outage_since = now
        else:
            self._outage_since += uptime
        if progress or proven:
            self._forget(lambda row: fresh or not row.lasting)
        restored = proven or (stable and messages > 0)
        if restored:
            self.attempts = 0
        return restored

    def failed(self, failure: Failure, *, now: float, rand: float) -> Plan:
        """Decide what to do. Of a connection that was ready, `ended` must have been told before.

        Args:
            failure: What happened.
            now: Seconds on the session's clock.
            rand: Uniform in [0, 1).
        """
        if self._outage_since is None:
            self._outage_since = now
        said = classify(failure, rules=self.policy.rules)
        verdict = self._repeated(said, failure)
        first = failure.stable and self.attempts == 0
        self.attempts += 1
        if verdict is Verdict.FATAL:
            return Plan(verdict=verdict, attempt=self.attempts, hint=said.hint)
        return Plan(
            verdict=verdict,
            delay=self._delay(failure, said.rule, first=first, rand=rand),
            exhausted=self._is_exhausted(now),
            renew=verdict is Verdict.REFRESH_CREDENTIALS or (said.rule.renew and verdict is Verdict.FRESH),
            attempt=self.attempts,
            hint=said.hint,
        )

    def _repeated(self, said: Classified, failure: Failure) -> Verdict:
        """The row's word, after how often it has spoken in a row."""
        if failure.phase == "dial" and failure.status is None:
            # There is no network: setups that were cut off before had no other reason.
            self._forget(lambda row: row.phase == "setup" and row.code in _NO_CLOSE_FRAME)
        row = _Row(
            failure.phase,
            failure.code,
            failure.status,
            said.rule.text,
            failure.had_handle if failure.phase == "setup" else None,
            said.rule.lasting,
            bool(said.rule.held),
        )
        if row.held:
            self._held_since = None
        times = self._times[row] = self._times.get(row, 0) + 1
        return said.rule.said(times)

    def _forget(self, whether: Callable[[_Row], bool]) -> None:
        self._times = {row: times for row, times in self._times.items() if not whether(row)}

    def _is_exhausted(self, now: float) -> bool:
        policy = self.policy
        if policy.max_attempts is not None and self.attempts > policy.max_attempts:
            return True
        outage = now - (now if self._outage_since is None else self._outage_since)
        return policy.max_outage is not None and outage > policy.max_outage

    def _delay(self, failure: Failure, rule: Rule, *, first: bool, rand: float) -> float:
        delay = FIRST_RETRY * rand if first else self._backoff(rand)
        if rule.wait:
            delay = max(delay, rule.wait * (1 + rand))
        if failure.phase == "setup" and failure.had_handle:
            delay = max(delay, RESUME_AGAIN_AFTER)
        return max(delay, failure.retry_after or 0.0)

    def _backoff(self, rand: float) -> float:
        policy = self.policy
        cap = policy.initial * policy.factor ** min(self.attempts - 1, 64)
        return rand * min(policy.max_delay, cap)


_NO_CLOSE_FRAME: Final = (None, 1006)
