"""The values that callbacks receive: frozen, small, and free of anything the wire calls by another name.

``ServerMessage``, ``ToolCall``, ``FunctionCall`` and ``VoiceActivity`` are the wire's own classes (see
`livebridge.wire`); everything here is what the wire does not say in one piece. Durations are seconds.
Resumption handles are bearer secrets: they are readable attributes and never part of a ``repr``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal

import attrs

from livebridge import wire
from livebridge.errors import InitiatedBy, LivebridgeError
from livebridge.protocol._mime import OUTPUT_RATE_HZ
from livebridge.protocol._usage import Usage

__all__ = [
    "AudioDelta",
    "CloseInfo",
    "Direction",
    "GoAwayInfo",
    "Interrupted",
    "Phase",
    "ReadyInfo",
    "ReconnectingInfo",
    "ResumedInfo",
    "ResumptionUpdate",
    "SessionLostInfo",
    "StallInfo",
    "Status",
    "TextDelta",
    "Transcript",
    "Turn",
    "Unrecognized",
    "Usage",
]

ReadyKind = Literal["new", "resumed", "fresh_after_loss"]
"""How a session became ready: for the first time, with its memory, or without it."""

Continuity = Literal["resumed", "reseeded", "lost"]
"""What the model still knows: everything up to the handle, what was told again, or nothing."""


def _size(data: bytes) -> str:
    return f"<{len(data)} bytes>"


class Direction(StrEnum):
    """Whose words a transcript holds."""

    INPUT = "input"
    OUTPUT = "output"


class Status(StrEnum):
    """The session in five words; `Phase` is the exact state."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    SETUP_PENDING = "setup_pending"
    READY = "ready"
    CLOSING = "closing"


class Phase(StrEnum):
    """The exact state of a session's connection."""

    IDLE = "idle"
    DIALING = "dialing"
    SETUP = "setup"
    READY = "ready"
    GOAWAY = "goaway"
    ROTATING = "rotating"
    BACKOFF = "backoff"
    CIRCUIT_OPEN = "circuit_open"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"

    @property
    def status(self) -> Status:
        """The word of the five that covers this phase."""
        return _STATUS[self]


_STATUS: Final = {
    Phase.IDLE: Status.DISCONNECTED,
    Phase.DIALING: Status.CONNECTING,
    Phase.SETUP: Status.SETUP_PENDING,
    Phase.READY: Status.READY,
    Phase.GOAWAY: Status.READY,
    Phase.ROTATING: Status.CONNECTING,
    Phase.BACKOFF: Status.DISCONNECTED,
    Phase.CIRCUIT_OPEN: Status.DISCONNECTED,
    Phase.CLOSING: Status.CLOSING,
    Phase.CLOSED: Status.DISCONNECTED,
    Phase.FAILED: Status.DISCONNECTED,
}


@attrs.frozen(kw_only=True)
class Transcript:
    """A piece of what was said, as text.

    Attributes:
        direction: ``input`` (the user) or ``output`` (the model).
        text: The new piece; pieces of one direction are joined without a space. Empty when this
            only marks an end.
        finished: This utterance is over: the server says so, or (with an empty text) the turn ended, the
            model was interrupted, or no further piece came for 3 s. Each utterance is finished once.
        language_code: BCP-47 code of the language, where recognised.
        speaker_label: Who spoke, where speakers are told apart.
        words: Words with their times, where asked for.
        start_offset: Seconds from the start of the audio.
        end_offset: Seconds from the start of the audio.
        interim: A guess while the user is still speaking. It *replaces* the guess before it and is not part
            of a turn's transcript.
        epoch: The connection it came over (1, 2, 3 …).
        turn: Number of the model's turn in which it came (see `AudioDelta`).
    """

    direction: Direction
    text: str = ""
    finished: bool = False
    language_code: str | None = None
    speaker_label: str | None = None
    words: Sequence[wire.WordInfo] | None = None
    start_offset: float | None = None
    end_offset: float | None = None
    interim: bool = False
    epoch: int = 0
    turn: int = 0


@attrs.frozen(kw_only=True)
class TextDelta:
    """A piece of the model's text, or of its thoughts.

    Attributes:
        text: The new piece.
        epoch: The connection it came over.
        turn: Number of the model's turn (see `AudioDelta`).
    """

    text: str
    epoch: int = 0
    turn: int = 0


@attrs.frozen(kw_only=True)
class AudioDelta:
    """A piece of the model's speech.

    Attributes:
        data: Raw samples, signed 16 bit, little-endian, mono.
        rate: Samples per second.
        mime_type: As the server gave it.
        epoch: The connection it came over.
        turn: Number of the model's turn, counted over the whole session. It rises when a turn ends, and at once
            when the model is interrupted; sound of a turn up to `Interrupted.turn` must not be played any more.
    """

    data: bytes = attrs.field(repr=_size)
    rate: int = OUTPUT_RATE_HZ
    mime_type: str | None = None
    epoch: int = 0
    turn: int = 0


@attrs.frozen(kw_only=True)
class ResumptionUpdate:
    """A new handle with which this conversation can be resumed.

    Attributes:
        handle: The handle. A secret: whoever has it can continue the conversation.
        resumable: Always true here; updates without a usable handle reach ``on_message`` only.
        last_consumed_client_message_index: How far the server has read, in transparent mode.
    """

    handle: str = attrs.field(repr=False)
    resumable: bool = True
    last_consumed_client_message_index: int | None = None


@attrs.frozen(kw_only=True)
class GoAwayInfo:
    """The server will hang up.

    Attributes:
        time_left: Seconds until then, as the server said; ``None`` when it did not say.
        deadline: The same as a time on trio's clock.
        handle: The handle the session will resume with; ``None`` when it has none.
        epoch: The connection that ends.
    """

    time_left: float | None
    deadline: float
    handle: str | None = attrs.field(default=None, repr=False)
    epoch: int = 0


@attrs.frozen(kw_only=True)
class Interrupted:
    """The model was interrupted: throw away audio that has not been played.

    Attributes:
        epoch: The connection it came over.
        turn: Number of the turn that was cut off.
    """

    epoch: int = 0
    turn: int = 0


@attrs.frozen(kw_only=True)
class Turn:
    """Everything the model did until it was done. A turn may be empty.

    Attributes:
        text: The model's text; where it wrote none, the transcript of what it said.
        thoughts: The model's thoughts, where they were asked for.
        audio: The speech of the turn (empty when the session does not keep audio).
        audio_rate: Samples per second of ``audio``.
        input_transcript: What the user said.
        output_transcript: What the model said.
        usage: Token counts, ``None`` when the server reported none.
        complete_reason: Why the turn ended, where the server says so.
        interrupted: The user (or a message) cut the model off.
        tool_calls: The calls the model made.
        grounding: Sources of the answer.
        url_context: What became of the URLs the model looked at.
        waiting_for_input: The model waits for the user to go on.
        generation_complete: The model had generated all it wanted to; false in an interrupted turn.
        truncated: The turn was longer than the session keeps; ``audio`` or texts hold its beginning.
        epoch: The connection on which it ended.
        turn: Its number, as in the pieces it is made of.
    """

    text: str = ""
    thoughts: str = ""
    audio: bytes = attrs.field(default=b"", repr=_size)
    audio_rate: int = OUTPUT_RATE_HZ
    input_transcript: str = ""
    output_transcript: str = ""
    usage: Usage | None = None
    complete_reason: wire.TurnCompleteReason | str | None = None
    interrupted: bool = False
    tool_calls: tuple[wire.FunctionCall, ...] = ()
    grounding: wire.GroundingMetadata | None = None
    url_context: wire.UrlContextMetadata | None = None
    waiting_for_input: bool = False
    generation_complete: bool = False
    truncated: bool = False
    epoch: int = 0
    turn: int = 0


@attrs.frozen(kw_only=True)
class CloseInfo:
    """How a session ended.

    Attributes:
        code: WebSocket close code; ``None`` when there was no connection.
        reason: The close reason text.
        initiated_by: ``client`` (you closed it), ``server`` or ``network``.
        error: What made it end, when it did not end on purpose.
    """

    code: int | None
    reason: str
    initiated_by: InitiatedBy
    error: LivebridgeError | None = None


@attrs.frozen(kw_only=True)
class ReadyInfo:
    """The session can be talked to.

    Attributes:
        kind: ``new`` (greet the user), ``resumed`` (do not), ``fresh_after_loss`` (the model has forgotten).
        epoch: The connection: 1 for the first.
        session_id: The server's name for the session; the Gemini API gives none.
    """

    kind: ReadyKind
    epoch: int
    session_id: str | None = None


@attrs.frozen(kw_only=True)
class ReconnectingInfo:
    """The connection is gone and another one will be tried.

    Attributes:
        attempt: Which try this will be; 0 for a planned rotation.
        delay: Seconds until it.
        error: What ended the connection or the try before; ``None`` for a planned rotation.
        resuming: A handle will be used.
        epoch: The connection that ended.
    """

    attempt: int
    delay: float
    error: LivebridgeError | None = None
    resuming: bool = False
    epoch: int = 0


@attrs.frozen(kw_only=True)
class ResumedInfo:
    """A new connection continues the conversation.

    Attributes:
        epoch: The new connection.
        continuity: What the model still knows.
        lossy: Something may be missing: the handle was older than the loss, or sound was lost.
        replayed: Messages sent again.
        uncertain: Messages of which nobody knows whether the server read them.
        gap: Seconds without a connection.
        lost_audio_seconds: Seconds of sound that this connection has not heard and will not hear: written after
            the last handle (not counted where it is known to be silence), or given up since. With transparent
            resumption what was written is written again, and only the latter counts.
    """

    epoch: int
    continuity: Continuity
    lossy: bool = False
    replayed: int = 0
    uncertain: tuple[object, ...] = attrs.field(default=(), repr=False)
    gap: float = 0.0
    lost_audio_seconds: float = 0.0


@attrs.frozen(kw_only=True)
class SessionLostInfo:
    """The conversation could not be resumed; the model has forgotten it.

    Attributes:
        reason: ``expired``, ``rejected``, ``no_handle``, ``poisoned`` …
        epoch: The last connection that knew it.
        error: What the server answered to the last try.
    """

    reason: str
    epoch: int = 0
    error: LivebridgeError | None = None


@attrs.frozen(kw_only=True)
class StallInfo:
    """Something that should have happened did not.

    Attributes:
        kind: What is missing: the ``answer`` to a message, to ``speech``, to a ``tool``'s result, anything after
            the model was ``interrupted``, or after a ``resume`` that left something open.
        silent_for: Seconds of waiting so far.
        action: What the session does about it: a `StallStep`; ``none``: the step could not be taken (there is
            no nudge for this model in this situation, or no room to send it).
        epoch: The connection on which it happened.
    """

    kind: str
    silent_for: float
    action: str = "none"
    epoch: int = 0


@attrs.frozen(kw_only=True)
class Unrecognized:
    """Something the server sent that this version does not know.

    Attributes:
        raw: The unknown members of the message, or the frame when it was no message at all.
        error: Why a frame could not be read.
    """

    raw: object = attrs.field(repr=False)
    error: LivebridgeError | None = None
