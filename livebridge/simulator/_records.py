"""What the server side remembers of a conversation: one frozen record per thing that happened."""

from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from livebridge import wire

Role = Literal["user", "model", "system", "tool"]
Source = Literal["content", "text", "speech", "tool", "model", "seed"]


def _size(data: bytes) -> str:
    return f"<{len(data)} bytes>"


def _number(items: Sequence[object]) -> str:
    return f"<{len(items)}>"


@attrs.frozen(kw_only=True)
class Turn:
    """One entry of the context the model sees.

    Attributes:
        role: Who said it.
        text: What was said; for speech, what was recognised.
        source: How it came: ``content`` (clientContent), ``seed`` (history), ``text`` or ``speech``
            (realtimeInput), ``tool`` (a result), ``model``.
        audio_seconds: Seconds of sound in it.
        images: Video frames and inline images in it.
        interrupted: Whether the user cut the model short.
        names: Functions the model called in it, or whose results it holds.
    """

    role: Role
    text: str
    source: Source
    audio_seconds: float = 0.0
    images: int = 0
    interrupted: bool = False
    names: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ContentHeard:
    """A ``clientContent`` message."""

    turns: tuple[wire.Content, ...]
    turn_complete: bool


@attrs.frozen(kw_only=True)
class TextHeard:
    """``realtimeInput.text``."""

    text: str


@attrs.frozen(kw_only=True)
class AudioHeard:
    """``realtimeInput.audio``: its size, its rate and, if the simulator keeps sound, the samples."""

    size: int
    rate: int
    pcm: bytes = attrs.field(repr=_size)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.size / 2 / self.rate


@attrs.frozen(kw_only=True)
class FrameHeard:
    """``realtimeInput.video``: one image, by its kind and size in bytes."""

    mime_type: str
    size: int


@attrs.frozen(kw_only=True)
class SignalHeard:
    """``activityStart``, ``activityEnd`` or ``audioStreamEnd``."""

    name: Literal["activity_start", "activity_end", "audio_stream_end"]


@attrs.frozen(kw_only=True)
class ResultHeard:
    """One function response.

    Attributes:
        id: The call it answers.
        name: The function.
        response: What it returned.
        scheduling: ``SILENT``, ``WHEN_IDLE``, ``INTERRUPT`` or ``None``.
        will_continue: Whether more answers to this call follow.
        accepted: Whether such a call was open; other answers are ignored.
    """

    id: str | None
    name: str | None
    response: Mapping[str, object]
    scheduling: str | None = None
    will_continue: bool = False
    accepted: bool = True


@attrs.frozen(kw_only=True)
class UpdateHeard:
    """A ``contextUpdate`` message."""

    update: wire.ContextUpdate


Input = ContentHeard | TextHeard | AudioHeard | FrameHeard | SignalHeard | ResultHeard | UpdateHeard
"""What a client sends."""


@attrs.frozen(kw_only=True)
class Heard:
    """What a client has said so far, as the server's state holds it.

    A resumption takes the state back to the moment of the handle, so after a resume this shows what the model
    really knows: nothing lost, nothing twice.

    Args:
        inputs: Everything the client sent, oldest first.
        history: The turns of both sides, oldest first.
    """

    inputs: Sequence[Input] = attrs.field(repr=_number)
    history: Sequence[Turn] = attrs.field(repr=_number)

    @property
    def turns(self) -> list[wire.Content]:
        """Every turn of every ``clientContent``, in order."""
        return [turn for record in self.inputs if isinstance(record, ContentHeard) for turn in record.turns]

    @property
    def contents(self) -> list[ContentHeard]:
        """Every ``clientContent`` message, in order."""
        return [record for record in self.inputs if isinstance(record, ContentHeard)]

    @property
    def user_texts(self) -> list[str]:
        """What the user said in whatever way, one text per turn; speech as it was recognised."""
        return [record.text for record in self.history if record.role == "user"]

    @property
    def realtime_texts(self) -> list[str]:
        """Every ``realtimeInput.text``, in order."""
        return [record.text for record in self.inputs if isinstance(record, TextHeard)]

    @property
    def tool_results(self) -> list[ResultHeard]:
        """Every function response, in order, the ignored ones included."""
        return [record for record in self.inputs if isinstance(record, ResultHeard)]

    @property
    def utterances(self) -> list[Turn]:
        """Every activity (speech) of the user, in order."""
        return [record for record in self.history if record.source == "speech"]

    @property
    def signals(self) -> list[str]:
        """``activity_start``, ``activity_end`` and ``audio_stream_end``, in order."""
        return [record.name for record in self.inputs if isinstance(record, SignalHeard)]

    @property
    def updates(self) -> list[wire.ContextUpdate]:
        """Every ``contextUpdate``, in order."""
        return [record.update for record in self.inputs if isinstance(record, UpdateHeard)]

    @property
    def audio_seconds(self) -> float:
        """Seconds of realtime audio received."""
        return sum(record.seconds for record in self.inputs if isinstance(record, AudioHeard))

    @property
    def pcm(self) -> bytes:
        """All realtime audio as it came, s16le; empty if the simulator does not keep sound."""
        return b"".join(record.pcm for record in self.inputs if isinstance(record, AudioHeard))

    @property
    def video_frames(self) -> int:
        """How many images came by ``realtimeInput.video``."""
        return sum(isinstance(record, FrameHeard) for record in self.inputs)
