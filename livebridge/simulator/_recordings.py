"""Recognises speech: the tone voice by its tones, registered recordings by the shape of their loudness."""

import math
from typing import Final

import attrs

from livebridge.simulator._detector import loudness
from livebridge.simulator._voices import CHECKSUM_BYTES, ToneVoice

FRAME_SECONDS: Final = 0.05
SILENCE_RMS: Final = 150.0

SURE_LIKENESS: Final = 0.9
"""How alike two loudness curves must be, as the cosine of the angle between them, to be the same recording."""

SHORTEST_FRAMES: Final = 6
"""Less than 0.3 s of sound looks like anything."""


@attrs.frozen(kw_only=True)
class Recording:
    """A known sound.

    Attributes:
        text: What is said in it.
        envelope: Its loudness, one value per 50 ms, silence at both ends cut off.
    """

    text: str
    envelope: tuple[float, ...] = attrs.field(repr=False)


class Recordings:
    """The sounds a simulator knows by heart.

    A simulator cannot understand speech; it can only know a sound again, in whatever chunks and at whatever rate
    it comes. Unknown speech becomes ``(speech, 2.4 s)``.
    """

    def __init__(self) -> None:
        self._known: list[Recording] = []

    def add(self, pcm: bytes, text: str, *, rate: int) -> None:
        """Register a sound.

        Args:
            pcm: s16le mono PCM.
            text: What is said in it.
            rate: Samples per second.
        """
        self._known.append(Recording(text=text, envelope=envelope(pcm, rate=rate)))

    def recognise(self, pcm: bytes, *, rate: int) -> str:
        """What is said in a sound: tone speech, a recording, part of one, or how long it is."""
        toned = [reading.text for reading in ToneVoice.readings(pcm, rate=rate)]
        if any(toned):
            return " ".join(toned)
        heard = envelope(pcm, rate=rate)
        best = max(self._known, key=lambda known: _match(known.envelope, heard)[0], default=None)
        if best is not None:
            likeness, start = _match(best.envelope, heard)
            if likeness >= SURE_LIKENESS:
                return _words(best, start, len(heard))
        return f"(speech, {len(pcm) / 2 / rate:.1f} s)"

    def guess(self, pcm: bytes, *, rate: int) -> str:
        """What is being said in a sound that may go on: like `recognise`, and empty if nothing can be told yet."""
        readings = ToneVoice.readings(pcm, rate=rate)
        if not readings:
            return self.recognise(pcm, rate=rate)
        # the last bytes of an utterance without an end may be those of its checksum
        texts = [one.text if one.complete else one.text[:-CHECKSUM_BYTES] for one in readings]
        return " ".join(text for text in texts if text)


def envelope(pcm: bytes, *, rate: int) -> tuple[float, ...]:
    """The loudness of a sound, one value per 50 ms, silence at both ends cut off."""
    size = 2 * round(rate * FRAME_SECONDS)
    values = [loudness(pcm[start : start + size]) for start in range(0, len(pcm) - len(pcm) % 2, size)]
    loud = [index for index, value in enumerate(values) if value >= SILENCE_RMS]
    return tuple(values[loud[0] : loud[-1] + 1]) if loud else ()


def _match(known: tuple[float, ...], heard: tuple[float, ...]) -> tuple[float, int]:
    """How alike the sound is to the part of the recording it fits best, and where that part begins."""
    if len(heard) < SHORTEST_FRAMES or len(heard) > len(known) + 2:
        return 0.0, 0
    starts = range(max(1, len(known) - len(heard) + 1))
    return max((_cosine(known[start : start + len(heard)], heard), start) for start in starts)


def _cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=False))
    return product / (math.hypot(*one) * math.hypot(*other))


def _words(recording: Recording, start: int, length: int) -> str:
    """The words of the part, taking words to be spread evenly over the recording."""
    total = len(recording.envelope)
    words = recording.text.split()
    first = round(len(words) * start / total)
    last = round(len(words) * (start + length) / total)
    return " ".join(words[first:last])
