"""The circuit breaker: when many sessions fail to reach one place, stop hammering it, then let one probe.

::

    closed     --5 sessions fail in a row within 60 s-->  open
    open       --30 s (then 60 s)-->                      half-open
    half-open  --the probe succeeds-->                    closed
    half-open  --the probe fails-->                       open

One breaker is shared by all sessions that dial the same endpoint with the same credentials; a success of any of
them closes it. It is there against the storm of many. A few sessions are slowed by their own back-off and need
no breaker: it would only blind them for long after the network has come back, which is also why it never stays
open for more than a minute by default.
"""

from __future__ import annotations

from enum import StrEnum

import attrs


class CircuitState(StrEnum):
    """Whether dials are allowed."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@attrs.frozen(kw_only=True)
class CircuitPolicy:
    """When the circuit opens and for how long.

    Attributes:
        failures: Sessions that fail in a row, with no success of any in between, before it opens.
        window: Seconds within which they must happen.
        open_for: Seconds it stays open the first time.
        max_open: Upper bound of its doubling, seconds.
    """

    failures: int = 5
    window: float = 60.0
    open_for: float = 30.0
    max_open: float = 60.0


@attrs.define
class CircuitBreaker:
    """The shared state; the caller says what time it is."""

    policy: CircuitPolicy = attrs.field(factory=CircuitPolicy)
    state: CircuitState = CircuitState.CLOSED
    _failures: dict[object, float] = attrs.field(factory=dict)
    _open_until: float = 0.0
    _open_for: float = 0.0
    _probe: object | None = None

    def admit(self, who: object, *, now: float) -> float:
        """Ask to dial.

        Args:
            who: The one that asks; remembered while it probes.
            now: Seconds on the callers' common clock.

        Returns:
            0.0: dial. More: ask again after so many seconds.
        """
        if self.state is CircuitState.CLOSED:
            return 0.0
        if self.state is CircuitState.OPEN:
            if now < self._open_until:
                return self._open_until - now
            self.state = CircuitState.HALF_OPEN
            self._probe = None
        if self._probe is None or self._probe is who:
            self._probe = who
            return 0.0
        return self.policy.open_for / 10

    def succeeded(self) -> None:
        """A setup was completed."""
        self.state = CircuitState.CLOSED
        self._failures.clear()
        self._open_for = 0.0
        self._probe = None

    def failed(self, who: object, *, now: float) -> None:
        """A dial or a setup failed.

        Args:
            who: The one that dialled; remembered, so let it be something small.
            now: Seconds on the callers' common clock.
        """
        if self.state is CircuitState.HALF_OPEN:
            if self._probe is who:
                self._open(now)
            return
        self._failures[who] = now
        window = self.policy.window
        self._failures = {each: at for each, at in self._failures.items() if now - at <= window}
        if self.state is CircuitState.CLOSED and len(self._failures) >= self.policy.failures:
            self._open(now)

    def is_at_rest(self, *, now: float) -> bool:
        """Whether a new breaker would do as well: there is nothing that it remembers.

        Args:
            now: Seconds on the callers' common clock.
        """
        if self.state is CircuitState.CLOSED:
            return all(now - at > self.policy.window for at in self._failures.values())
        return now - self._open_until > self.policy.window

    def withdrew(self, who: object) -> None:
        """The one that probed went away without an answer."""
        if self._probe is who:
            self._probe = None

    def _open(self, now: float) -> None:
        policy = self.policy
        self._open_for = min(policy.max_open, self._open_for * 2 or policy.open_for)
        self._open_until = now + self._open_for
        self.state = CircuitState.OPEN
        self._failures.clear()
        self._probe = None
