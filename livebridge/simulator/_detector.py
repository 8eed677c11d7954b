"""Finds speech in PCM by its energy, as automatic activity detection does. Time is counted in samples."""

import math
import operator
from array import array
from typing import Final

import attrs

FRAME_SECONDS: Final = 0.02

START_RMS: Final = {"HIGH": 250.0, "LOW": 900.0}
"""Loudness (of 32767) that counts as speech: about -42 dBFS with high sensitivity, -31 dBFS with low."""

PREFIX_SECONDS: Final = 0.02
"""How long speech must last before its start is committed, if the setup does not say."""

SILENCE_SECONDS: Final = {"HIGH": 0.5, "LOW": 0.9}
"""How long silence must last before the end is committed, if the setup does not say: a hasty and a patient ear."""

PRE_ROLL_SECONDS: Final = 0.2
"""How much sound before the detected start belongs to the activity, so that a soft onset is not lost."""


@attrs.frozen(kw_only=True)
class Sensitivity:
    """How the detector decides.

    Attributes:
        threshold: Root mean square, of 32767, from which on a frame is speech.
        prefix_seconds: Speech must last this long before its start is committed.
        silence_seconds: Silence must last this long before the end is committed.
    """

    threshold: float = START_RMS["HIGH"]
    prefix_seconds: float = PREFIX_SECONDS
    silence_seconds: float = SILENCE_SECONDS["HIGH"]


@attrs.frozen(kw_only=True)
class SpeechStart:
    """Speech has begun. ``offset`` is where, in seconds of audio received since the connection began."""

    offset: float


@attrs.frozen(kw_only=True)
class SpeechEnd:
    """Speech is over.

    Attributes:
        offset: Where, in seconds of audio received since the connection began.
        pcm: The activity with a little sound before it.
        rate: Samples per second.
    """

    offset: float
    pcm: bytes = attrs.field(repr=lambda pcm: f"<{len(pcm)} bytes>")
    rate: int

    @property
    def seconds(self) -> float:
        """How long the activity is."""
        return len(self.pcm) / 2 / self.rate


def loudness(frame: bytes) -> float:
    """Root mean square of s16le PCM, 0 for nothing."""
    samples = array("h", frame)
    if not samples:
        return 0.0
    return math.sqrt(sum(map(operator.mul, samples, samples)) / len(samples))


class Detector:
    """Automatic activity detection over one stream of audio.

    ::

        silence ──speech for prefix_seconds──▶ speech ──silence for silence_seconds──▶ silence
                        SpeechStart                              SpeechEnd

    Args:
        sensitivity: The thresholds.
        rate: Samples per second.
    """

    def __init__(self, sensitivity: Sensitivity, *, rate: int) -> None:
        self._sensitivity = sensitivity
        self._rate = rate
        self._frame_bytes = 2 * round(rate * FRAME_SECONDS)
        self._pre_roll_bytes = 2 * round(rate * PRE_ROLL_SECONDS)
        self._partial = bytearray()
        self._activity = bytearray()
        self._frames = 0
        self._loud = 0
        self._quiet = 0
        self._speaking = False

    @property
    def speaking(self) -> bool:
        """Whether an activity is open."""
        return self._speaking

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self._rate

    @property
    def so_far(self) -> SpeechEnd | None:
        """The open activity as if it ended now, ``None`` if nobody speaks."""
        if not self._speaking:
            return None
        return SpeechEnd(offset=self._frames * FRAME_SECONDS, pcm=bytes(self._activity), rate=self._rate)

    def feed(self, pcm: bytes) -> list[SpeechStart | SpeechEnd]:
        """Take more audio, in chunks of any size; the result does not depend on how it was cut."""
        self._partial += pcm
        events: list[SpeechStart | SpeechEnd] = []
        while len(self._partial) >= self._frame_bytes:
            frame = bytes(self._partial[: self._frame_bytes])
            del self._partial[: self._frame_bytes]
            events += self._frame(frame)
        return events

    def flush(self) -> list[SpeechStart | SpeechEnd]:
        """The microphone is closed: an open activity ends here, anything else is forgotten."""
        self._activity += self._partial
        self._partial.clear()
        if self._speaking:
            return [self._end()]
        self._forget()
        return []

    def _frame(self, frame: bytes) -> list[SpeechStart | SpeechEnd]:
        self._frames += 1
        self._activity += frame
        loud = loudness(frame) >= self._sensitivity.threshold
        self._loud = self._loud + 1 if loud else 0
        self._quiet = 0 if loud else self._quiet + 1
        if self._speaking:
            if self._quiet * FRAME_SECONDS >= self._sensitivity.silence_seconds - FRAME_SECONDS / 2:
                return [self._end()]
            return []
        if loud and self._loud * FRAME_SECONDS >= self._sensitivity.prefix_seconds - FRAME_SECONDS / 2:
            self._speaking = True
            return [SpeechStart(offset=(self._frames - self._loud) * FRAME_SECONDS)]
        if not loud and len(self._activity) > self._pre_roll_bytes:
            del self._activity[: len(self._activity) - self._pre_roll_bytes]
        return []

    def _end(self) -> SpeechEnd:
        end = SpeechEnd(offset=self._frames * FRAME_SECONDS, pcm=bytes(self._activity), rate=self._rate)
        self._forget()
        return end

    def _forget(self) -> None:
        self._speaking = False
        self._loud = self._quiet = 0
        self._activity.clear()
