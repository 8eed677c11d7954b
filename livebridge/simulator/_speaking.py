"""Turns what a brain says into messages of the sizes the Live API sends, lazily, so that it can be interrupted."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

import attrs

from livebridge import wire
from livebridge.simulator._brains import Action, Call, HangUp, Say, Send, Stall, Think, Wait
from livebridge.simulator._refusals import Hangup
from livebridge.simulator._voices import Voice

TEXT_PIECE_SECONDS: Final = 0.05
"""How long the model takes for a piece of text when it answers in text."""

WORDS_PER_PIECE: Final = 3
_WORD: Final = re.compile(r"\s*\S+\s*$|\s*\S+")


@attrs.frozen(kw_only=True)
class Emit:
    """Send a message. It carries ``seconds`` of sound, or took so long to think of, and ``text`` of the answer."""

    message: wire.ServerMessage | None = None
    seconds: float = 0.0
    audio: bool = False
    text: str = ""
    thought: str = ""


@attrs.frozen
class Ask:
    """Call these functions."""

    calls: tuple[Call, ...]


@attrs.frozen
class Pause:
    """Wait for ``seconds``, or for ever."""

    seconds: float | None


@attrs.frozen
class End:
    """Hang up."""

    hangup: Hangup


Step = Emit | Ask | Pause | End


@attrs.frozen(kw_only=True)
class Speaker:
    """How one connection's answers sound.

    Attributes:
        voice: Text to sound.
        audio: Whether the session answers in sound.
        vertex: Vertex AI names the role and leaves the rate out of the sound's type.
        transcribe: Whether the model's words are sent beside its sound.
        thoughts: Whether thoughts are sent.
        chunk_bytes: How much sound a message carries.
    """

    voice: Voice
    audio: bool
    vertex: bool
    transcribe: bool
    thoughts: bool
    chunk_bytes: int

    def steps(self, actions: Iterable[Action]) -> Iterator[Step]:
        """The steps of an answer; a brain's neighbouring calls become one `Ask`."""
        calls: list[Call] = []
        for action in actions:
            if isinstance(action, Call):
                calls.append(action)
                continue
            if calls:
                yield Ask(tuple(calls))
                calls = []
            yield from self._step(action)
        if calls:
            yield Ask(tuple(calls))

    def _step(self, action: Say | Think | Wait | Stall | Send | HangUp) -> Iterator[Step]:
        match action:
            case Say():
                yield from self._sound(action.text) if self.audio else self._text(action.text)
            case Think():
                part = wire.Part(text=action.text, thought=True)
                message = self._model_turn(part) if self.thoughts else None
                yield Emit(message=message, seconds=TEXT_PIECE_SECONDS, thought=action.text)
            case Wait():
                yield Pause(action.seconds)
            case Stall():
                yield Pause(None)
            case Send():
                yield Emit(message=action.message)
            case HangUp():
                yield End(action.hangup)
            case _:
                assert_never(action)

    def _model_turn(self, part: wire.Part) -> wire.ServerMessage:
        turn = wire.Content(parts=[part], role="model" if self.vertex else None)
        return wire.ServerMessage(server_content=wire.ServerContent(model_turn=turn))

    def _text(self, text: str) -> Iterator[Step]:
        for piece in pieces(text):
            yield Emit(
                message=self._model_turn(wire.Part(text=piece)), seconds=TEXT_PIECE_SECONDS, text=piece
            )

    def _sound(self, text: str) -> Iterator[Step]:
        pcm = self.voice.speak(text)
        rate = self.voice.rate
        mime_type = "audio/pcm" if self.vertex else f"audio/pcm;rate={rate}"
        words = pieces(text)
        starts = range(0, len(pcm), self.chunk_bytes)
        said = 0
        for number, start in enumerate(starts):
            chunk = pcm[start : start + self.chunk_bytes]
            blob = wire.Blob(data=chunk, mime_type=mime_type)
            yield Emit(
                message=self._model_turn(wire.Part(inline_data=blob)),
                seconds=len(chunk) / 2 / rate,
                audio=True,
            )
            due = len(words) * (number + 1) // len(starts)
            yield from self._words(words[said:due])
            said = due

    def _words(self, words: Sequence[str]) -> Iterator[Step]:
        for piece in words:
            message = None
            if self.transcribe:
                content = wire.ServerContent(output_transcription=wire.Transcription(text=piece))
                message = wire.ServerMessage(server_content=content)
            yield Emit(message=message, text=piece)


def pieces(text: str) -> list[str]:
    """A text in pieces of a few words; joined they are the text."""
    words: list[str] = _WORD.findall(text)
    return ["".join(words[at : at + WORDS_PER_PIECE]) for at in range(0, len(words), WORDS_PER_PIECE)]
