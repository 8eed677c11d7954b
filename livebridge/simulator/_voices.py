"""Voices: text to 24 kHz sound. The tone voice can be read back, which is how tests prove that no chunk was lost."""

import zlib
from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

import attrs

from livebridge.errors import DecodeError
from livebridge.simulator._tones import (
    BLOCK_SECONDS,
    DECODER_BLOCK_SAMPLES,
    END_HZ,
    MARKER_SHARE,
    SEQUENCE_MODULO,
    START_HZ,
    Heard,
    at_decoder_rate,
    byte_tones,
    hear,
    marker_share,
    tone_block,
)

CHECKSUM_BYTES: Final = 4
COARSE_SAMPLES: Final = 40
FINE_SAMPLES: Final = 8
MODEL_RATE_HZ: Final = 24_000
"""The Live API speaks at this rate on both backends."""


@runtime_checkable
class Voice(Protocol):
    """Turns text into sound.

    Attributes:
        rate: Samples per second.
    """

    @property
    def rate(self) -> int:
        """Samples per second."""
        ...

    def speak(self, text: str) -> bytes:
        """The sound of the text as s16le mono PCM."""
        ...


class ToneError(DecodeError):
    """A sound is not what the tone voice made: something is missing, doubled, out of order or damaged."""


@attrs.frozen(kw_only=True)
class Reading:
    """What the decoder found in one utterance of the tone voice.

    Attributes:
        text: What could be read.
        complete: Whether the utterance ends and its checksum fits. An interrupted one is not complete.
        lost: Blocks that are missing, counted modulo 16 at each gap.
        doubled: Blocks heard twice in a row.
        damaged: Blocks that could not be read.
    """

    text: str
    complete: bool
    lost: int = 0
    doubled: int = 0
    damaged: int = 0

    @property
    def intact(self) -> bool:
        """Whether every block that was heard came once and in order, even if the end is missing."""
        return not (self.lost or self.doubled or self.damaged)


@attrs.frozen(kw_only=True)
class ToneVoice:
    """A voice of soft sine chords that carries its text in the sound.

    Every byte of the UTF-8 text is one 40 ms block with a sequence number; a start chord opens the utterance, a
    checksum and an end chord close it. The sound survives resampling to any rate from 8 kHz on.

    ::

        pcm = ToneVoice(rate=16000).speak("my name is Alice")
        ToneVoice.decode(pcm, rate=16000)        # "my name is Alice", or ToneError

    Args:
        rate: Samples per second; a multiple of 25.
        volume: Peak of each of the at most three tones of a chord, as a share of full scale.
    """

    rate: int = MODEL_RATE_HZ
    volume: float = 0.06

    def speak(self, text: str) -> bytes:
        """The sound of the text as s16le mono PCM: 25 bytes of text a second, and 240 ms for the frame."""
        payload = text.encode()
        payload += zlib.crc32(payload).to_bytes(CHECKSUM_BYTES, "big")
        blocks = [tone_block(START_HZ, self.rate, self.volume)]
        blocks += [
            tone_block(byte_tones(value, index), self.rate, self.volume)
            for index, value in enumerate(payload)
        ]
        blocks.append(tone_block(END_HZ, self.rate, self.volume))
        return b"".join(blocks)

    def seconds(self, text: str) -> float:
        """How long the sound of the text is."""
        return (len(text.encode()) + CHECKSUM_BYTES + 2) * BLOCK_SECONDS

    @staticmethod
    def readings(pcm: bytes, *, rate: int = MODEL_RATE_HZ) -> list[Reading]:
        """Everything the tone voice said in a sound, one reading per utterance; silence and noise are skipped.

        Args:
            pcm: s16le mono PCM.
            rate: Samples per second, 8000 or more.
        """
        return _Reader(at_decoder_rate(pcm, rate)).read()

    @staticmethod
    def decode(pcm: bytes, *, rate: int = MODEL_RATE_HZ) -> str:
        """The text of a sound, which must be whole.

        Args:
            pcm: s16le mono PCM: any number of utterances, with silence before, between and after them.
            rate: Samples per second, 8000 or more.

        Raises:
            ToneError: The sound has no utterance, or one of them is incomplete, or has blocks that are lost,
                doubled, out of order or unreadable.
        """
        readings = ToneVoice.readings(pcm, rate=rate)
        if not readings:
            raise ToneError("expected at least one utterance of the tone voice, found none")
        for number, reading in enumerate(readings, start=1):
            if not (reading.complete and reading.intact):
                raise ToneError(
                    f"utterance {number} of {len(readings)} is not whole: {reading.lost} blocks lost, "
                    f"{reading.doubled} doubled, {reading.damaged} damaged, "
                    f"end {'found' if reading.complete else 'missing or checksum wrong'}; read {reading.text!r}"
                )
        return "".join(reading.text for reading in readings)


class _Reader:
    """Walks through samples block by block, finding each utterance by its start chord."""

    def __init__(self, samples: list[float]) -> None:
        # a block that starts a sample late still ends inside the padding
        self._samples = [*samples, *[0.0] * DECODER_BLOCK_SAMPLES]
        self._position = 0

    def read(self) -> list[Reading]:
        readings: list[Reading] = []
        while self._seek_start():
            readings.append(self._utterance())
        return readings

    def _block(self, position: int) -> Sequence[float]:
        return self._samples[position : position + DECODER_BLOCK_SAMPLES]

    def _seek_start(self) -> bool:
        last = len(self._samples) - DECODER_BLOCK_SAMPLES
        for position in range(self._position, last + 1, COARSE_SAMPLES):
            if marker_share(self._block(position), START_HZ) > MARKER_SHARE:
                self._position = self._sharpest(position, last) + DECODER_BLOCK_SAMPLES
                return True
        return False

    def _sharpest(self, position: int, last: int) -> int:
        """Where, near ``position``, the start chord fills its block best."""
        first = max(0, position - COARSE_SAMPLES)
        candidates = range(first, min(last, position + DECODER_BLOCK_SAMPLES) + 1, FINE_SAMPLES)
        coarse = max(candidates, key=self._start_energy)
        around = range(max(0, coarse - FINE_SAMPLES), min(last, coarse + FINE_SAMPLES) + 1)
        return max(around, key=self._start_energy)

    def _start_energy(self, position: int) -> float:
        block = self._block(position)
        share = marker_share(block, START_HZ)
        return share * sum(value * value for value in block)

    def _utterance(self) -> Reading:
        tally = _Tally()
        while self._position + DECODER_BLOCK_SAMPLES <= len(self._samples):
            heard = hear(self._block(self._position))
            if heard.kind in {"start", "quiet"}:
                break
            self._position += DECODER_BLOCK_SAMPLES
            if heard.kind == "end":
                return tally.reading(ended=True)
            tally.add(heard)
        return tally.reading(ended=False)


class _Tally:
    """Counts what is wrong with one utterance while its bytes come in."""

    def __init__(self) -> None:
        self._payload = bytearray()
        self._expected = 0
        self._lost = 0
        self._doubled = 0
        self._damaged = 0

    def add(self, heard: Heard) -> None:
        if heard.kind != "byte":
            self._damaged += 1
            self._expected = (self._expected + 1) % SEQUENCE_MODULO
            return
        gap = (heard.sequence - self._expected) % SEQUENCE_MODULO
        if gap == SEQUENCE_MODULO - 1:
            self._doubled += 1
            return
        self._lost += gap
        self._payload.append(heard.value)
        self._expected = (heard.sequence + 1) % SEQUENCE_MODULO

    def reading(self, *, ended: bool) -> Reading:
        payload = bytes(self._payload)
        complete = False
        if ended:
            body, checksum = payload[:-CHECKSUM_BYTES], payload[-CHECKSUM_BYTES:]
            complete = zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "big") == checksum
            payload = body
        return Reading(
            text=payload.decode("utf-8", errors="ignore"),
            complete=complete,
            lost=self._lost,
            doubled=self._doubled,
            damaged=self._damaged,
        )
