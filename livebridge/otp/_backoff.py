"""How long a crashed child stays down. It takes the randomness; it never waits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal

from attrs import frozen

from livebridge.errors import ConfigError
from livebridge.otp._words import check_word

Jitter = Literal["full", "equal", "none"]
"""How a delay is drawn below its cap: from 0, from the half, or not at all."""

JITTERS: Final[dict[Jitter, Callable[[float, float], float]]] = {
    "full": lambda cap, rand: cap * rand,
    "equal": lambda cap, rand: cap / 2 + cap / 2 * rand,
    "none": lambda cap, _rand: cap,
}


@frozen(kw_only=True)
class Backoff:
    """Delays between the restarts of a child that crashes again and again.

    The *n*-th consecutive restart (from 0) waits at most ``min(max, initial * factor ** n)`` seconds. OTP has no
    such thing; a supervisor without it restarts at once. A restart counts towards the restart intensity when it is
    decided, before the delay.

    Attributes:
        initial: The first cap, in seconds.
        factor: How much each cap is larger than the one before.
        max: The largest cap, in seconds.
        jitter: ``full`` draws from 0 to the cap, ``equal`` from half of it, ``none`` takes the cap.
        reset_after: A child that has lived this many seconds starts again with ``initial``.
    """

    initial: float = 1.0
    factor: float = 2.0
    max: float = 60.0
    jitter: Jitter = "full"
    reset_after: float = 60.0

    def __attrs_post_init__(self) -> None:
        for name in ("initial", "max", "reset_after"):
            value: float = getattr(self, name)
            if not value >= 0 or math.isinf(value):
                raise ConfigError(f"Backoff.{name} must be seconds, at least 0; got {value}")
        if not self.factor >= 1 or math.isinf(self.factor):
            raise ConfigError(f"Backoff.factor must be at least 1; got {self.factor}")
        check_word("Backoff.jitter", self.jitter, JITTERS)

    def cap(self, attempt: int) -> float:
        """Return the upper bound of the delay before consecutive restart ``attempt`` (0, 1, …)."""
        try:
            return min(self.max, self.initial * self.factor**attempt)
        except OverflowError:
            return self.max

    def delay(self, attempt: int, rand: float) -> float:
        """Return the delay in seconds, given a random number from 0 to 1."""
        return JITTERS[self.jitter](self.cap(attempt), rand)

    def attempt_after(self, attempt: int, lived: float) -> int:
        """Return which consecutive restart comes next for a child that had ``attempt`` and lived so long."""
        return 0 if lived >= self.reset_after else attempt

    def outlasts(self, *, max_restarts: int, max_seconds: float) -> bool:
        """Whether the delays are so long that ``max_restarts`` can never be exceeded within ``max_seconds``."""
        return sum(self.cap(attempt) for attempt in range(max_restarts)) > max_seconds
