"""What the server says: setup complete, content, tool calls, counts, and news about the connection."""

from collections.abc import Sequence

import attrs

from livebridge.wire._base import Duration, Int64, Message, concealed
from livebridge.wire._content import Content, FunctionCall, Part, Transcription
from livebridge.wire._content_enums import (
    InteractionStatus,
    MediaModality,
    ServiceTier,
    TrafficType,
    TurnCompleteReason,
    VadSignalType,
    VoiceActivityType,
)
from livebridge.wire._generation import VoiceConsentSignature
from livebridge.wire._grounding import GroundingMetadata, UrlContextMetadata


@attrs.frozen(kw_only=True, repr=False)
class ServerContent(Message):
    """What the model says, and what is known about it. Any of the members may come together.

    Attributes:
        turn_complete: The turn is over. It comes late: once the audio would have been played.
        generation_complete: All of the answer has been generated; an interrupted turn has none.
        interrupted: The user cut in: throw away what has not been played.
        interim_input_transcription: What was heard so far; it may still change.
        waiting_for_input: The model waits for the user to go on.
    """

    model_turn: Content | None = None
    turn_complete: bool | None = None
    interrupted: bool | None = None
    grounding_metadata: GroundingMetadata | None = None
    generation_complete: bool | None = None
    input_transcription: Transcription | None = None
    output_transcription: Transcription | None = None
    url_context_metadata: UrlContextMetadata | None = None
    turn_complete_reason: TurnCompleteReason | str | None = None
    waiting_for_input: bool | None = None
    interim_input_transcription: Transcription | None = None
    interaction_status: InteractionStatus | str | None = None

    @property
    def text(self) -> str | None:
        """The text of this message that is no thought, joined; ``None`` if there is none."""
        return _joined_text(self._parts, thought=False)

    @property
    def thoughts(self) -> str | None:
        """The thoughts in this message, joined; ``None`` if there are none."""
        return _joined_text(self._parts, thought=True)

    @property
    def audio(self) -> bytes | None:
        """The audio in this message, joined; ``None`` if there is none."""
        chunks = [
            blob.data
            for part in self._parts
            if (blob := part.inline_data) is not None
            and blob.data is not None
            and (blob.mime_type or "").startswith("audio/")
        ]
        return b"".join(chunks) if chunks else None

    @property
    def _parts(self) -> Sequence[Part]:
        turn = self.model_turn
        return () if turn is None or turn.parts is None else turn.parts


def _joined_text(parts: Sequence[Part], *, thought: bool) -> str | None:
    texts = [part.text for part in parts if part.text is not None and bool(part.thought) is thought]
    return "".join(texts) if texts else None


@attrs.frozen(kw_only=True, repr=False)
class GoAway(Message):
    """The server is going to hang up.

    Attributes:
        time_left: Seconds until it does.
    """

    time_left: Duration | None = None


@attrs.frozen(kw_only=True, repr=False)
class SetupComplete(Message):
    """The session is there.

    Attributes:
        session_id: Vertex only.
        voice_consent_signature: Answers a ``ReplicatedVoiceConfig.consent_audio``.
    """

    session_id: str | None = None
    voice_consent_signature: VoiceConsentSignature | None = None


@attrs.frozen(kw_only=True, repr=False)
class ToolCall(Message):
    """The model asks for functions to be called; each call is to be answered."""

    function_calls: Sequence[FunctionCall] | None = None


@attrs.frozen(kw_only=True, repr=False)
class ToolCallCancellation(Message):
    """The model takes calls back because the user cut in; do not answer these."""

    ids: Sequence[str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class ModalityTokenCount(Message):
    """How many tokens of one kind."""

    modality: MediaModality | str | None = None
    token_count: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class UsageMetadata(Message):
    """How many tokens were used.

    Attributes:
        response_token_count: Tokens of the answer. Vertex writes ``candidatesTokenCount``; both are read.
        response_tokens_details: The same by modality. Vertex writes ``candidatesTokensDetails``; both are
            read.
        traffic_type: Vertex only.
        service_tier: Gemini API only.
    """

    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    response_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: Sequence[ModalityTokenCount] | None = None
    cache_tokens_details: Sequence[ModalityTokenCount] | None = None
    response_tokens_details: Sequence[ModalityTokenCount] | None = None
    tool_use_prompt_tokens_details: Sequence[ModalityTokenCount] | None = None
    traffic_type: TrafficType | str | None = None
    service_tier: ServiceTier | str | None = None

    @property
    def output_token_count(self) -> int | None:
        """`response_token_count` under the name that both backends share in `livebridge.protocol.Usage`."""
        return self.response_token_count

    @property
    def candidates_token_count(self) -> int | None:
        """`response_token_count` under Vertex's name."""
        return self.response_token_count

    @property
    def output_tokens_details(self) -> Sequence[ModalityTokenCount] | None:
        """`response_tokens_details` under the name that both backends share in `livebridge.protocol.Usage`."""
        return self.response_tokens_details

    @property
    def candidates_tokens_details(self) -> Sequence[ModalityTokenCount] | None:
        """`response_tokens_details` under Vertex's name."""
        return self.response_tokens_details


@attrs.frozen(kw_only=True, repr=False)
class SessionResumptionUpdate(Message):
    """From here the session could be resumed, or not.

    Attributes:
        new_handle: To be given in ``Setup.session_resumption``. It stays out of every ``repr``.
        resumable: False while the model generates or waits for tools; there is no handle then.
        last_consumed_client_message_index: Which message of the client is the last that the handle covers;
            only with ``transparent``.
    """

    new_handle: str | None = attrs.field(default=None, repr=concealed)
    resumable: bool | None = None
    last_consumed_client_message_index: Int64 | None = None


@attrs.frozen(kw_only=True, repr=False)
class VoiceActivityDetectionSignal(Message):
    """The server heard speech begin or end; only with ``explicit_vad_signal``."""

    vad_signal_type: VadSignalType | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class VoiceActivity(Message):
    """The user began or stopped speaking.

    Attributes:
        audio_offset: When, in seconds from the start of the audio.
    """

    type: VoiceActivityType | str | None = None
    audio_offset: Duration | None = None


@attrs.frozen(kw_only=True, repr=False)
class ServerMessage(Message):
    """One message from the server.

    Members are independent: content, counts and a resumption update may come together. A message none of
    whose members is known is still a message, with everything in `unknown`.
    """

    setup_complete: SetupComplete | None = None
    server_content: ServerContent | None = None
    tool_call: ToolCall | None = None
    tool_call_cancellation: ToolCallCancellation | None = None
    usage_metadata: UsageMetadata | None = None
    go_away: GoAway | None = None
    session_resumption_update: SessionResumptionUpdate | None = None
    voice_activity_detection_signal: VoiceActivityDetectionSignal | None = None
    voice_activity: VoiceActivity | None = None

    @property
    def is_unrecognized(self) -> bool:
        """Whether the message has members and no member is one this version knows and can read."""
        return self.unknown is not None and all(
            getattr(self, field.name) is None for field in attrs.fields(type(self)) if field.name != "unknown"
        )

    @property
    def text(self) -> str | None:
        """`ServerContent.text`; ``None`` if there is none."""
        return None if self.server_content is None else self.server_content.text

    @property
    def thoughts(self) -> str | None:
        """`ServerContent.thoughts`; ``None`` if there are none."""
        return None if self.server_content is None else self.server_content.thoughts

    @property
    def audio(self) -> bytes | None:
        """`ServerContent.audio`; ``None`` if there is none."""
        return None if self.server_content is None else self.server_content.audio

    @property
    def tool_calls(self) -> tuple[FunctionCall, ...]:
        """The functions that the model asks to be called; empty if there are none."""
        calls = None if self.tool_call is None else self.tool_call.function_calls
        return () if calls is None else tuple(calls)
