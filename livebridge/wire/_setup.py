"""The first message of a session and everything that can only be decided there."""

from collections.abc import Mapping, Sequence

import attrs

from livebridge.wire._base import Int64, Message, concealed, payload_size
from livebridge.wire._config_enums import (
    ActivityHandling,
    EndSensitivity,
    HarmBlockMethod,
    HarmBlockThreshold,
    HarmCategory,
    StartSensitivity,
    TurnCoverage,
)
from livebridge.wire._content import Content
from livebridge.wire._generation import AudioTranscriptionConfig, GenerationConfig
from livebridge.wire._tools import Tool


@attrs.frozen(kw_only=True, repr=False)
class AutomaticActivityDetection(Message):
    """How the server notices by itself that the user speaks.

    Attributes:
        disabled: If true, the client says so with `ActivityStart` and `ActivityEnd`.
        prefix_padding_ms: How long speech must last before it counts, in milliseconds.
        silence_duration_ms: How long silence must last before speech has ended, in milliseconds.
    """

    disabled: bool | None = None
    start_of_speech_sensitivity: StartSensitivity | str | None = None
    end_of_speech_sensitivity: EndSensitivity | str | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class CustomizedAvatar(Message):
    """An avatar that looks like an image (9:16, at least 704 by 1280 pixels)."""

    image_mime_type: str | None = None
    image_data: bytes | None = attrs.field(default=None, repr=payload_size)


@attrs.frozen(kw_only=True, repr=False)
class AvatarConfig(Message):
    """The avatar that speaks the answers.

    Attributes:
        audio_bitrate_bps: Bits per second.
        video_bitrate_bps: Bits per second.
    """

    avatar_name: str | None = None
    customized_avatar: CustomizedAvatar | None = None
    audio_bitrate_bps: int | None = None
    video_bitrate_bps: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class SlidingWindow(Message):
    """Forget the oldest turns when the context is full; an empty one takes the server's default.

    Attributes:
        target_tokens: How many tokens are kept; half of the trigger if not given.
    """

    target_tokens: Int64 | None = None


@attrs.frozen(kw_only=True, repr=False)
class ContextWindowCompressionConfig(Message):
    """What happens when the context fills up; without it a session ends there.

    Attributes:
        trigger_tokens: From how many tokens on; four fifths of the context window if not given.
    """

    trigger_tokens: Int64 | None = None
    sliding_window: SlidingWindow | None = None


@attrs.frozen(kw_only=True, repr=False)
class HistoryConfig(Message):
    """How a session starts with a history.

    Attributes:
        initial_history_in_client_content: If true, the first `ClientContent` up to ``turn_complete`` is
            history and triggers no answer.
    """

    initial_history_in_client_content: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class SessionResumptionConfig(Message):
    """Send handles with which the session can be resumed; an empty one starts doing so.

    Attributes:
        handle: Of the session to resume; a new one begins without it. It stays out of every ``repr``.
        transparent: Whether updates tell the last message that is part of the handle. Vertex only.
    """

    handle: str | None = attrs.field(default=None, repr=concealed)
    transparent: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class ProactivityConfig(Message):
    """Whether the model may speak up, or stay silent, by its own judgement.

    Attributes:
        proactive_video: Requires ``proactive_audio``.
    """

    proactive_audio: bool | None = None
    proactive_video: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class SafetySetting(Message):
    """From which level on one kind of harmful content is blocked.

    Attributes:
        method: Vertex only.
    """

    category: HarmCategory | str | None = None
    method: HarmBlockMethod | str | None = None
    threshold: HarmBlockThreshold | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class RealtimeInputConfig(Message):
    """How realtime input becomes turns."""

    automatic_activity_detection: AutomaticActivityDetection | None = None
    activity_handling: ActivityHandling | str | None = None
    turn_coverage: TurnCoverage | str | None = None
    interim_transcript_timestamp_enabled: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class Setup(Message):
    """The first message of a connection, sent once.

    The client waits for `SetupComplete` before it sends anything else. A setup that the server does not
    like is answered with a close code and a reason, not with a message.

    Attributes:
        model: Full resource name, for example ``models/…``.
        tools: An empty sequence is no tool.
        input_audio_transcription: Present, even empty: the user's speech is transcribed.
        output_audio_transcription: Present, even empty: the model's speech is transcribed.
        explicit_vad_signal: Whether to send `VoiceActivityDetectionSignal`. Vertex only.
        labels: Keys of up to 63 characters from ``a-z0-9_-``, beginning with a letter.
    """

    model: str | None = None
    generation_config: GenerationConfig | None = None
    system_instruction: Content | None = None
    tools: Sequence[Tool] | None = None
    session_resumption: SessionResumptionConfig | None = None
    context_window_compression: ContextWindowCompressionConfig | None = None
    input_audio_transcription: AudioTranscriptionConfig | None = None
    output_audio_transcription: AudioTranscriptionConfig | None = None
    proactivity: ProactivityConfig | None = None
    explicit_vad_signal: bool | None = None
    history_config: HistoryConfig | None = None
    avatar_config: AvatarConfig | None = None
    safety_settings: Sequence[SafetySetting] | None = None
    labels: Mapping[str, str] | None = None
    realtime_input_config: RealtimeInputConfig | None = None
