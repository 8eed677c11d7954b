"""Who has the floor in a conversation: what a planned rotation must know of speech, pure and without a clock.

A handle stands for the conversation as it was when the server made it. Speech that came later is lost when the
session resumes from it, so a rotation waits until nobody speaks and nothing that was said stands unanswered.
Energy is not looked at. What tells that the user speaks, by how the session is configured:

======================  ===============================================  ====================================
detection               the user speaks                                  sound that keeps coming is silence
======================  ===============================================  ====================================
manual                  between ``activityStart`` and ``activityEnd``    outside of these, always
automatic, VAD signals  between ``ACTIVITY_START`` and ``ACTIVITY_END``  outside of these, always
automatic, transcripts  when words are transcribed, which comes late     if no words came for `LISTEN` seconds
automatic, neither      whenever there is sound, for all one knows       never known
======================  ===============================================  ====================================

The end of a turn is a good moment in any case: the user is listening then. So is a microphone that is closed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import attrs

from livebridge.protocol import Entry, Kind, LiveConfig
from livebridge.session._frames import SILENCE, STREAM_END

BOUNDARY: Final = 2.0
"""Seconds of sound after the end of a turn that count as the pause before somebody speaks: the handle that
stands for the turn comes a moment after it."""

LISTEN: Final = 10.0
"""Seconds without a transcribed word, while sound is sent, after which the sound is silence. Some models
transcribe an utterance only when it is over."""

UNANSWERED: Final = 15.0
"""Seconds after which a model will not answer any more (noise, or a remark that needed no answer)."""


@attrs.define
class Floor:
    """What has been said, and by whom, since the last turn and since the last handle.

    Attributes:
        manual: The user marks activities; nothing else is speech.
        signals: The server says at once when it hears speech begin and end.
        transcribes: The server says what it has understood.
        activity: An ``activityStart`` was accepted, and no ``activityEnd`` since.
        streaming: Sound was accepted since the last ``audioStreamEnd``.
        stale: The model has said something that the last handle does not stand for.
        unheard: Seconds of sound that the last handle does not stand for.
        rested: The connection is being replaced at a moment at which nothing stood unanswered.
    """

    manual: bool = False
    signals: bool = False
    transcribes: bool = False
    activity: bool = False
    streaming: bool = False
    stale: bool = False
    unheard: float = 0.0
    rested: bool = False
    _speaking: bool = False
    _barged_in: bool = False
    _asked_at: float = -math.inf
    _turn_ended_at: float = -math.inf
    _sound: float = 0.0

    @classmethod
    def of(cls, config: LiveConfig) -> Floor:
        """The floor of a session with this configuration; what the server tells is learnt from it, too."""
        detection = config.realtime_input_config
        automatic = None if detection is None else detection.automatic_activity_detection
        return cls(
            manual=automatic is not None and bool(automatic.disabled),
            signals=bool(config.explicit_vad_signal),
            transcribes=config.input_audio_transcription is not None,
        )

    def connected(self) -> None:
        """A new connection: its server has heard nothing yet. An open activity stays open."""
        self.stale = self.rested = self._speaking = self._barged_in = False
        self._asked_at = self._turn_ended_at = -math.inf
        self._sound = self.unheard = 0.0

    def wrote(self, entries: Iterable[Entry], now: float) -> None:
        """Entries reached the socket. After the end of the stream nothing is left to be heard but its sound."""
        for entry in entries:
            if entry.kind is Kind.AUDIO and entry.payload != SILENCE:
                self._sound += entry.seconds
                self.unheard += entry.seconds
            elif entry.payload == STREAM_END and self._sound:
                self._sound = 0.0
                self._asked_at = now

    def asked(self, now: float) -> None:
        """The user has finished saying something that should be answered."""
        self._asked_at = now

    def begin_activity(self) -> None:
        """An ``activityStart`` was accepted."""
        self.activity = True
        self._sound = 0.0

    def end_activity(self, now: float) -> None:
        """An ``activityEnd`` was accepted."""
        self.activity = False
        self._asked_at = now

    def speech(self, now: float, *, begins: bool) -> None:
        """The server hears speech begin or end."""
        self.signals = True
        self._speaking = begins
        if not begins:
            self._asked_at = now

    def understood(self, now: float) -> None:
        """The server has transcribed words of the user."""
        self.transcribes = True
        self._asked_at = now

    def interrupted(self, now: float) -> None:
        """The user speaks over the model; the end of that turn is not the answer."""
        self._barged_in = True
        self._asked_at = now

    def model_spoke(self) -> None:
        """The model has said something."""
        self.stale = True

    def turn_ended(self, now: float) -> bool:
        """The model has finished a turn.

        Returns:
            Whether it was whole: the user had not cut in.
        """
        whole = not self._barged_in
        if whole:
            self._asked_at = -math.inf
            self._turn_ended_at = now
            self._sound = 0.0
        self._barged_in = False
        return whole

    def covered(self) -> None:
        """A usable handle came: the model will remember everything up to here but speech in progress."""
        self.stale = False
        in_progress = self.activity or self._speaking or self._asked_at > -math.inf
        self.unheard = self._sound if in_progress else 0.0

    def free_at(self, since: float) -> float:
        """When the floor is free, if nothing happens until then; infinite: not before something happens.

        Args:
            since: When the rotation was asked for.
        """
        if self.activity or self._speaking:
            return math.inf
        answered = self._asked_at + UNANSWERED
        if self._knows_silence or not self._sound:
            return answered
        if self._turn_ended_at >= since and self._sound <= BOUNDARY:
            return answered
        return max(answered, since + LISTEN) if self.transcribes else math.inf

    def rotates(self) -> None:
        """The connection is replaced now, because the floor is free: sound that was no speech is no loss."""
        self.rested = True
        if self._knows_silence or self.transcribes:
            self.unheard = 0.0

    @property
    def _knows_silence(self) -> bool:
        return self.manual or self.signals
