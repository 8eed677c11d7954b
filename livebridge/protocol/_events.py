"""What one server message means: the callbacks it leads to, in order, with their arguments.

The order inside one message (a message may carry several things at once, and every one of them counts)::

    message → interrupted → interim, input, output transcription → text, thought, audio in part order
            → generation complete → tool call → cancellation → voice activity → session resumption
            → usage → turn complete → unrecognized members

``interrupted`` comes first because whatever follows it in the same message belongs to what comes *after*
the interruption: a player that flushed afterwards would throw away the new speech.

This is the hot path (25 audio messages a second for each of hundreds of sessions): nothing is built that
nobody wants. `go_away`, `ready`, `status` and their like need a clock or a connection; the session makes
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import LivebridgeError
from livebridge.protocol._mime import audio_rate
from livebridge.protocol._shapes import (
    AudioDelta,
    CloseInfo,
    Direction,
    GoAwayInfo,
    Interrupted,
    ReadyInfo,
    ReconnectingInfo,
    ResumedInfo,
    ResumptionUpdate,
    SessionLostInfo,
    StallInfo,
    Status,
    TextDelta,
    Transcript,
    Turn,
    Unrecognized,
)
from livebridge.protocol._turns import ends_turn
from livebridge.protocol._usage import Usage


@attrs.frozen
class Callback:
    """One callback a user may give.

    Attributes:
        name: ``on_…``.
        kind: The class of its one argument.
        invoked: When it is invoked, as the rest of a sentence that begins with "Invoked".
    """

    name: str
    kind: type[object]
    invoked: str

    @property
    def argument(self) -> str:
        """The name of the argument's class."""
        return self.kind.__name__


class Marker(Enum):
    """Stands for an argument that somebody else has."""

    TURN = "the Turn that TurnCollector.feed returned for this very message"


_TABLE: Final = (
    Callback("on_message", wire.ServerMessage, "for every server message, before all that follows from it."),
    Callback("on_error", LivebridgeError, "when something went wrong; the session goes on where it can."),
    Callback("on_close", CloseInfo, "once, as the last callback of a session."),
    Callback("on_tool_call", wire.ToolCall, "when the model asks for functions; may return the responses."),
    Callback("on_tool_call_cancellation", list, "with the ids of calls the model takes back."),
    Callback("on_transcription", Transcript, "for each piece of transcript, the user's and the model's."),
    Callback("on_voice_activity", wire.VoiceActivity, "when the server hears speech begin or end."),
    Callback("on_session_resumption", ResumptionUpdate, "when there is a new handle to resume with."),
    Callback("on_go_away", GoAwayInfo, "when the server announces that it will hang up."),
    Callback("on_ready", ReadyInfo, "when the session can be talked to, after each connect."),
    Callback("on_status", Status, "when the session's status changes."),
    Callback("on_reconnecting", ReconnectingInfo, "before another connection is tried."),
    Callback("on_resumed", ResumedInfo, "when a new connection continues the conversation."),
    Callback("on_session_lost", SessionLostInfo, "when the conversation could not be resumed."),
    Callback("on_audio", AudioDelta, "for each piece of the model's speech."),
    Callback("on_text", TextDelta, "for each piece of the model's text."),
    Callback("on_thought", TextDelta, "for each piece of the model's thoughts."),
    Callback("on_interrupted", Interrupted, "when the model was cut off: flush what is not played yet."),
    Callback(
        "on_interrupt_now", Interrupted, "at once when the model is cut off, before what is still queued."
    ),
    Callback("on_generation_complete", wire.ServerContent, "when the model has generated all of its turn."),
    Callback("on_turn_complete", Turn, "when a turn is over, with all of it."),
    Callback("on_usage", Usage, "when the server reports token counts."),
    Callback("on_unrecognized", Unrecognized, "for what the server sent and this version does not know."),
    Callback("on_stall", StallInfo, "when something that should have happened did not."),
)

CALLBACKS: Final[Mapping[str, Callback]] = {callback.name: callback for callback in _TABLE}
"""Every callback by name, in the order in which the manual lists them."""

CALLBACK_NAMES: Final = frozenset(CALLBACKS)

Event = tuple[str, object]
"""The name of a callback and its argument."""

_Place = tuple[int, int]
"""The connection and the turn of a message."""

_VAD_SIGNALS: Final[Mapping[str, wire.VoiceActivityType]] = {
    wire.VadSignalType.VAD_SIGNAL_TYPE_SOS: wire.VoiceActivityType.ACTIVITY_START,
    wire.VadSignalType.VAD_SIGNAL_TYPE_EOS: wire.VoiceActivityType.ACTIVITY_END,
}


def message_events(
    message: wire.ServerMessage, wanted: frozenset[str], *, epoch: int = 0, turn: int = 0
) -> list[Event]:
    """What a server message leads to.

    Args:
        message: The message.
        wanted: Names of the callbacks that exist; nothing is built for others.
        epoch: The connection it came over; it is put into what is built.
        turn: The turn it belongs to; likewise.

    Returns:
        Callback names and arguments in the order in which they must be invoked. The argument of
        ``on_turn_complete`` is `Marker.TURN`; ``on_interrupt_now``, ``on_go_away`` and ``on_ready`` are never among
        them.
    """
    events: list[Event] = []
    if "on_message" in wanted:
        events.append(("on_message", message))
    content = message.server_content
    if content is not None:
        _content_events(content, wanted, (epoch, turn), events)
    if message.tool_call is not None and "on_tool_call" in wanted:
        events.append(("on_tool_call", message.tool_call))
    cancellation = message.tool_call_cancellation
    if cancellation is not None and "on_tool_call_cancellation" in wanted:
        events.append(("on_tool_call_cancellation", list(cancellation.ids or ())))
    if "on_voice_activity" in wanted:
        _voice_activity(message, events)
    if message.session_resumption_update is not None and "on_session_resumption" in wanted:
        _resumption(message.session_resumption_update, events)
    if message.usage_metadata is not None and "on_usage" in wanted:
        events.append(("on_usage", Usage.from_wire(message.usage_metadata)))
    if "on_turn_complete" in wanted and ends_turn(content):
        events.append(("on_turn_complete", Marker.TURN))
    if message.unknown and "on_unrecognized" in wanted:
        events.append(("on_unrecognized", Unrecognized(raw=message.unknown)))
    return events


def _content_events(
    content: wire.ServerContent, wanted: frozenset[str], at: _Place, events: list[Event]
) -> None:
    epoch, turn = at
    if content.interrupted and "on_interrupted" in wanted:
        events.append(("on_interrupted", Interrupted(epoch=epoch, turn=turn - 1)))
    if "on_transcription" in wanted:
        _transcripts(content, at, events)
    model_turn = content.model_turn
    if model_turn is not None and model_turn.parts:
        for part in model_turn.parts:
            _part(part, wanted, at, events)
    if content.generation_complete and "on_generation_complete" in wanted:
        events.append(("on_generation_complete", content))


def _part(part: wire.Part, wanted: frozenset[str], at: _Place, events: list[Event]) -> None:
    epoch, turn = at
    if part.text:
        name = "on_thought" if part.thought else "on_text"
        if name in wanted:
            events.append((name, TextDelta(text=part.text, epoch=epoch, turn=turn)))
    blob = part.inline_data
    if blob is not None and blob.data and "on_audio" in wanted:
        rate = audio_rate(blob.mime_type)
        if rate is not None:
            delta = AudioDelta(data=blob.data, rate=rate, mime_type=blob.mime_type, epoch=epoch, turn=turn)
            events.append(("on_audio", delta))


def _transcripts(content: wire.ServerContent, at: _Place, events: list[Event]) -> None:
    heard = content.interim_input_transcription
    if heard is not None:
        events.append(("on_transcription", _transcript(heard, Direction.INPUT, at, interim=True)))
    heard = content.input_transcription
    if heard is not None:
        events.append(("on_transcription", _transcript(heard, Direction.INPUT, at)))
    said = content.output_transcription
    if said is not None:
        events.append(("on_transcription", _transcript(said, Direction.OUTPUT, at)))


def _transcript(
    piece: wire.Transcription, direction: Direction, at: _Place, *, interim: bool = False
) -> Transcript:
    return Transcript(
        direction=direction,
        text=piece.text or "",
        finished=bool(piece.finished),
        language_code=piece.language_code,
        speaker_label=piece.speaker_label,
        words=piece.words,
        start_offset=piece.start_offset,
        end_offset=piece.end_offset,
        interim=interim,
        epoch=at[0],
        turn=at[1],
    )


def _voice_activity(message: wire.ServerMessage, events: list[Event]) -> None:
    """Report voice activity; an explicit VAD signal says the same in other words, so once is enough."""
    activity = message.voice_activity
    signal = message.voice_activity_detection_signal
    if activity is None and signal is not None and signal.vad_signal_type is not None:
        kind = _VAD_SIGNALS.get(signal.vad_signal_type, signal.vad_signal_type)
        activity = wire.VoiceActivity(type=kind)
    if activity is not None:
        events.append(("on_voice_activity", activity))


def _resumption(update: wire.SessionResumptionUpdate, events: list[Event]) -> None:
    """Report a handle one can resume with: "resumable: false" comes with an empty one."""
    if update.resumable and update.new_handle:
        index = update.last_consumed_client_message_index
        value = ResumptionUpdate(handle=update.new_handle, last_consumed_client_message_index=index)
        events.append(("on_session_resumption", value))
