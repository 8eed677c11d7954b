"""Listens to realtime input: automatic or manual activity detection, and what belongs to a turn."""

import re
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._detector import (
    PREFIX_SECONDS,
    SILENCE_SECONDS,
    START_RMS,
    Detector,
    Sensitivity,
    SpeechEnd,
    SpeechStart,
)
from livebridge.simulator._refusals import BAD_AUDIO, PRECONDITION_FAILED, RefusedError

DEFAULT_RATE_HZ: Final = 16_000
LOWEST_RATE_HZ: Final = 8_000
_RATE: Final = re.compile(r"rate=(\d+)")

_ALL_VIDEO: Final = (
    wire.TurnCoverage.TURN_INCLUDES_ALL_INPUT,
    wire.TurnCoverage.TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO,
)


@attrs.frozen(kw_only=True)
class Utterance:
    """One finished activity of the user.

    Attributes:
        speech: The sound of the activity.
        seconds: Seconds of sound that belong to the turn, by the turn coverage.
        images: Video frames that belong to it.
        offset: Where it ended, in seconds of audio received.
    """

    speech: SpeechEnd
    seconds: float
    images: int


Activity = SpeechStart | Utterance


def rate_of(mime_type: str | None) -> int:
    """The sample rate a type such as ``audio/pcm;rate=16000`` names; 16 kHz if it names none.

    Raises:
        RefusedError: It is no PCM, or its rate is too low.
    """
    kind = (mime_type or "audio/pcm").lower()
    found = _RATE.search(kind)
    rate = DEFAULT_RATE_HZ if found is None else int(found[1])
    if not kind.startswith("audio/pcm") or rate < LOWEST_RATE_HZ:
        raise RefusedError(BAD_AUDIO)
    return rate


def sensitivity_of(config: wire.AutomaticActivityDetection) -> Sensitivity:
    """The detector's thresholds for what a setup asks for; what it leaves out is HIGH."""
    start = (
        "LOW" if config.start_of_speech_sensitivity == wire.StartSensitivity.START_SENSITIVITY_LOW else "HIGH"
    )
    end = "LOW" if config.end_of_speech_sensitivity == wire.EndSensitivity.END_SENSITIVITY_LOW else "HIGH"
    prefix = config.prefix_padding_ms
    silence = config.silence_duration_ms
    return Sensitivity(
        threshold=START_RMS[start],
        prefix_seconds=PREFIX_SECONDS if prefix is None else prefix / 1000,
        silence_seconds=SILENCE_SECONDS[end] if silence is None else silence / 1000,
    )


class Listener:
    """One connection's ear.

    Args:
        config: ``realtimeInputConfig`` of the setup.
    """

    def __init__(self, config: wire.RealtimeInputConfig) -> None:
        detection = config.automatic_activity_detection or wire.AutomaticActivityDetection()
        self.manual = bool(detection.disabled)
        self._coverage = config.turn_coverage
        self._sensitivity = sensitivity_of(detection)
        self._detector = Detector(self._sensitivity, rate=DEFAULT_RATE_HZ)
        self._started = False
        self._activity = bytearray()
        self._activity_rate = DEFAULT_RATE_HZ
        self._offset = 0.0
        self._seconds = 0.0
        self._images = 0
        self._activity_images = 0

    @property
    def open(self) -> bool:
        """Whether the user is in the middle of an activity."""
        return self._started if self.manual else self._detector.speaking

    @property
    def so_far(self) -> SpeechEnd | None:
        """The open activity as if it ended now, ``None`` if there is none."""
        if not self.manual:
            return self._detector.so_far
        if not self._started:
            return None
        return SpeechEnd(offset=self._offset, pcm=bytes(self._activity), rate=self._activity_rate)

    def audio(self, pcm: bytes, *, rate: int) -> list[Activity]:
        """Take a chunk of sound.

        Raises:
            RefusedError: It is no 16-bit PCM.
        """
        if len(pcm) % 2:
            raise RefusedError(BAD_AUDIO)
        seconds = len(pcm) / 2 / rate
        self._offset += seconds
        self._seconds += seconds
        if self.manual:
            if self._started:
                self._activity += pcm
                self._activity_rate = rate
            return []
        if rate != self._detector.rate:
            self._detector = Detector(self._sensitivity, rate=rate)
        return [self._heard(event) for event in self._detector.feed(pcm)]

    def image(self) -> None:
        """Count a video frame."""
        self._images += 1
        self._activity_images += self.open

    def start(self) -> SpeechStart:
        """The client says that the user begins.

        Raises:
            RefusedError: Activity detection is automatic, or an activity is open.
        """
        if not self.manual or self._started:
            raise RefusedError(PRECONDITION_FAILED)
        self._started = True
        return SpeechStart(offset=self._offset)

    def end(self) -> Utterance:
        """The client says that the user is done.

        Raises:
            RefusedError: Activity detection is automatic, or no activity is open.
        """
        if not self._started:
            raise RefusedError(PRECONDITION_FAILED)
        self._started = False
        speech = SpeechEnd(offset=self._offset, pcm=bytes(self._activity), rate=self._activity_rate)
        self._activity.clear()
        return self._utterance(speech)

    def stream_end(self) -> list[Activity]:
        """The microphone is closed: whatever was being said is said.

        Raises:
            RefusedError: Activity detection is manual.
        """
        if self.manual:
            raise RefusedError(PRECONDITION_FAILED)
        return [self._heard(event) for event in self._detector.flush()]

    def _heard(self, event: SpeechStart | SpeechEnd) -> Activity:
        return self._utterance(event) if isinstance(event, SpeechEnd) else event

    def _utterance(self, speech: SpeechEnd) -> Utterance:
        all_input = self._coverage == wire.TurnCoverage.TURN_INCLUDES_ALL_INPUT
        utterance = Utterance(
            speech=speech,
            seconds=self._seconds if all_input else speech.seconds,
            images=self._images if self._coverage in _ALL_VIDEO else self._activity_images,
        )
        self._seconds = 0.0
        self._images = self._activity_images = 0
        return utterance
