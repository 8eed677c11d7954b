"""How many restarts in how many seconds are too many. It takes the time; it never reads a clock."""

from __future__ import annotations

import math
from collections import deque

from livebridge.errors import ConfigError


class RestartWindow:
    """The sliding window of a supervisor's restarts, as OTP counts them.

    Every decision to restart is an entry. An entry is within the window while its age is at most ``max_seconds``,
    inclusively. More than ``max_restarts`` entries within the window are too many.

    Args:
        max_restarts: How many restarts are allowed within the window; ``None`` allows any number.
        max_seconds: Length of the window.

    Raises:
        ConfigError: A limit is negative or no number.
    """

    __slots__ = ("_times", "max_restarts", "max_seconds")

    def __init__(self, *, max_restarts: int | None, max_seconds: float) -> None:
        if max_restarts is not None and max_restarts < 0:
            raise ConfigError(f"max_restarts must be at least 0, or None for no limit; got {max_restarts}")
        if not max_seconds > 0 or math.isinf(max_seconds):
            raise ConfigError(f"max_seconds must be a positive number of seconds; got {max_seconds}")
        self.max_restarts: int | None = max_restarts
        self.max_seconds: float = max_seconds
        self._times: deque[float] = deque()

    @property
    def history(self) -> tuple[float, ...]:
        """The entries within the window, oldest first."""
        return tuple(self._times)

    def record(self, now: float) -> bool:
        """Count a restart at ``now`` and say whether it is allowed."""
        times = self._times
        times.append(now)
        while times[0] < now - self.max_seconds:
            times.popleft()
        return self.max_restarts is None or len(times) <= self.max_restarts
