"""What the model has said and the speaker has not played yet: bounded in seconds, emptied by an interruption.

The model speaks faster than real time, so most of an answer waits here while its beginning is heard. When
the user cuts in, what waits must not be played any more, and neither must pieces of the same turn that come
later; so every piece carries the number of its turn.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

from livebridge.errors import ConfigError
from livebridge.protocol._shapes import AudioDelta

MAX_SECONDS: Final = 300.0
"""Longer than any answer one listens to; about 14 MB at 24 kHz."""

_BYTES_PER_SAMPLE: Final = 2


@attrs.define
class PlayoutBuffer:
    """Sound of the model that waits to be played, oldest first.

    Args:
        max_seconds: How much may wait. What does not fit is given up, newest first, so that what is kept has
            no holes; it is counted.

    Attributes:
        seconds: Playing time of what waits.
        dropped_seconds: Playing time of what did not fit.
        flushed_seconds: Playing time of what an interruption threw away.

    Raises:
        ConfigError: `max_seconds` is not positive.
    """

    max_seconds: float = MAX_SECONDS
    seconds: float = 0.0
    dropped_seconds: float = 0.0
    flushed_seconds: float = 0.0
    _waiting: deque[AudioDelta] = attrs.field(factory=deque)
    _cut: int = 0
    _full_turn: int | None = None

    def __attrs_post_init__(self) -> None:
        if not self.max_seconds > 0:
            raise ConfigError(f"max_seconds must be positive, not {self.max_seconds!r}")

    def __len__(self) -> int:
        """How many pieces wait."""
        return len(self._waiting)

    def put(self, delta: AudioDelta) -> bool:
        """Add a piece.

        Returns:
            Whether it will be played; not if its turn was cut off, or if there is no room.
        """
        length = playing_time(delta)
        if delta.turn <= self._cut:
            self.flushed_seconds += length
            return False
        if delta.turn == self._full_turn or self.seconds + length > self.max_seconds:
            self._full_turn = delta.turn
            self.dropped_seconds += length
            return False
        self._waiting.append(delta)
        self.seconds += length
        return True

    def get(self) -> AudioDelta | None:
        """Take the oldest piece; ``None`` if nothing waits."""
        if not self._waiting:
            return None
        delta = self._waiting.popleft()
        self.seconds = self.seconds - playing_time(delta) if self._waiting else 0.0
        return delta

    def flush(self, turn: int) -> float:
        """Throw away what waits of this turn and of those before it, and what may still come of them.

        Returns:
            Seconds thrown away now.
        """
        self._cut = max(self._cut, turn)
        kept = [delta for delta in self._waiting if delta.turn > turn]
        flushed = sum(playing_time(delta) for delta in self._waiting if delta.turn <= turn)
        self._waiting = deque(kept)
        self.seconds = sum(map(playing_time, kept))
        self.flushed_seconds += flushed
        return flushed


def playing_time(delta: AudioDelta) -> float:
    """Seconds that a piece of 16-bit mono sound takes to play."""
    return len(delta.data) / _BYTES_PER_SAMPLE / delta.rate
