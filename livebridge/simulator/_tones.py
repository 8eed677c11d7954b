"""The alphabet of the tone voice: which tones stand for which byte, and how to tell them apart again.

A *block* is 40 ms of sound and carries one byte and its sequence number modulo 16: one tone out of sixteen for
each of the high nibble, the low nibble and the number. All frequencies are multiples of 25 Hz, so that every tone
makes a whole number of turns in a block: neighbouring tones are orthogonal, and blocks join without a click.

The decoder works at 8000 samples a second whatever the rate of the sound, because no tone lies above 3200 Hz.
"""

import math
import operator
from array import array
from collections.abc import Sequence
from functools import cache
from typing import Final

import attrs

BLOCK_SECONDS: Final = 0.04
"""One block lasts as long as the audio chunks the Live API sends."""

DECODER_RATE_HZ: Final = 8000
DECODER_BLOCK_SAMPLES: Final = int(DECODER_RATE_HZ * BLOCK_SECONDS)

LOW_NIBBLE_HZ: Final = tuple(range(400, 1200, 50))
HIGH_NIBBLE_HZ: Final = tuple(range(1200, 2000, 50))
SEQUENCE_HZ: Final = tuple(range(2000, 2800, 50))
START_HZ: Final = (2850, 3050)
END_HZ: Final = (2950, 3150)

SEQUENCE_MODULO: Final = 16
FULL_SCALE: Final = 32767

SURE: Final = 2.0
"""A tone is heard if it is this many times as loud as the second loudest of its band."""

MARKER_SHARE: Final = 0.6
"""A block is a marker if its two tones carry this share of the block's energy."""

QUIET_RMS: Final = 30.0
"""Below this root mean square (of 32767) there is nothing to decode."""


@attrs.frozen
class Heard:
    """One block as it was heard.

    Attributes:
        kind: ``start``, ``end``, ``byte``, ``noise`` (sound that is no block) or ``quiet``.
        value: The byte, 0 where there is none.
        sequence: Its number modulo 16, 0 where there is none.
    """

    kind: str
    value: int = 0
    sequence: int = 0


@cache
def tone_block(frequencies: tuple[int, ...], rate: int, volume: float) -> bytes:
    """One block of the given tones together, as s16le PCM.

    Args:
        frequencies: The tones, in hertz.
        rate: Samples per second.
        volume: Peak of each tone as a share of full scale.
    """
    count = round(rate * BLOCK_SECONDS)
    step = 2 * math.pi / rate
    peak = volume * FULL_SCALE
    samples = array(
        "h", (round(peak * sum(math.sin(step * hertz * n) for hertz in frequencies)) for n in range(count))
    )
    return samples.tobytes()


def byte_tones(value: int, sequence: int) -> tuple[int, int, int]:
    """The three tones of a byte and its number."""
    return (
        LOW_NIBBLE_HZ[value & 0xF],
        HIGH_NIBBLE_HZ[value >> 4],
        SEQUENCE_HZ[sequence % SEQUENCE_MODULO],
    )


@cache
def _waves(hertz: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    step = 2 * math.pi * hertz / DECODER_RATE_HZ
    cosine = tuple(math.cos(step * n) for n in range(DECODER_BLOCK_SAMPLES))
    sine = tuple(math.sin(step * n) for n in range(DECODER_BLOCK_SAMPLES))
    return cosine, sine


def energy(samples: Sequence[float], hertz: int) -> float:
    """The energy of one tone in a block of `DECODER_BLOCK_SAMPLES` samples at the decoder's rate."""
    cosine, sine = _waves(hertz)
    along: float = sum(map(operator.mul, samples, cosine))
    across: float = sum(map(operator.mul, samples, sine))
    return (along * along + across * across) * 2 / DECODER_BLOCK_SAMPLES


def total_energy(samples: Sequence[float]) -> float:
    """The energy of everything in the block; the tones of a clean block sum up to it."""
    return math.fsum(map(operator.mul, samples, samples))


def marker_share(samples: Sequence[float], marker: tuple[int, int]) -> float:
    """Which share of the block's energy the two tones of a marker carry."""
    total = total_energy(samples)
    if total < QUIET_RMS * QUIET_RMS * DECODER_BLOCK_SAMPLES:
        return 0.0
    return sum(energy(samples, hertz) for hertz in marker) / total


def _loudest(samples: Sequence[float], band: tuple[int, ...]) -> tuple[int, bool]:
    loudness = [energy(samples, hertz) for hertz in band]
    order = sorted(range(len(band)), key=loudness.__getitem__, reverse=True)
    return order[0], loudness[order[0]] > SURE * loudness[order[1]]


def hear(samples: Sequence[float]) -> Heard:
    """Say what one block of `DECODER_BLOCK_SAMPLES` samples at the decoder's rate carries."""
    if total_energy(samples) < QUIET_RMS * QUIET_RMS * DECODER_BLOCK_SAMPLES:
        return Heard("quiet")
    if marker_share(samples, START_HZ) > MARKER_SHARE:
        return Heard("start")
    if marker_share(samples, END_HZ) > MARKER_SHARE:
        return Heard("end")
    low, low_is_sure = _loudest(samples, LOW_NIBBLE_HZ)
    high, high_is_sure = _loudest(samples, HIGH_NIBBLE_HZ)
    sequence, sequence_is_sure = _loudest(samples, SEQUENCE_HZ)
    if not (low_is_sure and high_is_sure and sequence_is_sure):
        return Heard("noise")
    return Heard("byte", value=high << 4 | low, sequence=sequence)


def at_decoder_rate(pcm: bytes, rate: int) -> list[float]:
    """Mono s16le PCM of any rate from 8000 on as samples at the decoder's rate."""
    samples = array("h", pcm[: len(pcm) - len(pcm) % 2])
    if rate % DECODER_RATE_HZ == 0:
        return list(map(float, samples[:: rate // DECODER_RATE_HZ]))
    count = len(samples) * DECODER_RATE_HZ // rate
    resampled: list[float] = []
    for index in range(count):
        left, remainder = divmod(index * rate, DECODER_RATE_HZ)
        right = min(left + 1, len(samples) - 1)
        resampled.append(samples[left] + (samples[right] - samples[left]) * remainder / DECODER_RATE_HZ)
    return resampled
