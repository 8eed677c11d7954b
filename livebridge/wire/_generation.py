"""How the model generates: modalities, sampling, speech, thinking, transcription."""

from collections.abc import Sequence
from typing import Any

import attrs

from livebridge.wire._base import Duration, Message, concealed, payload_size
from livebridge.wire._config_enums import (
    AspectRatio,
    AudioTranscriptionConfigMode,
    Delivery,
    FeatureSelectionPreference,
    ImageSize,
    MediaResolution,
    Modality,
    ThinkingLevel,
)
from livebridge.wire._tools import Schema


@attrs.frozen(kw_only=True, repr=False)
class AudioResponseFormat(Message):
    """How audio in an answer is encoded.

    Attributes:
        bit_rate: Bits per second.
        sample_rate: Samples per second.
    """

    bit_rate: int | None = None
    delivery: Delivery | str | None = None
    mime_type: str | None = None
    sample_rate: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class LanguageAuto(Message):
    """Detect the language; deprecated."""


@attrs.frozen(kw_only=True, repr=False)
class LanguageHints(Message):
    """Languages to expect, as BCP-47 codes; deprecated."""

    language_codes: Sequence[str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class AudioTranscriptionConfig(Message):
    """Write down what is said; an empty one switches transcription on.

    Attributes:
        language_codes: Languages to expect, BCP-47.
        language_auto: Deprecated.
        language_hints: Deprecated; `language_codes` instead.
        adaptation_phrases: Deprecated; `custom_vocabulary` instead.
        custom_vocabulary: Words that are likely to be said.
        word_timestamp: Whether each word is told with its time.
        diarization: Whether speakers are told apart.
    """

    language_codes: Sequence[str] | None = None
    language_auto: LanguageAuto | None = None
    language_hints: LanguageHints | None = None
    custom_vocabulary: Sequence[str] | None = None
    adaptation_phrases: Sequence[str] | None = None
    word_timestamp: bool | None = None
    diarization: bool | None = None
    mode: AudioTranscriptionConfigMode | str | None = None
    source_text: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ModelSelectionConfig(Message):
    """What to prefer when a model is selected. Vertex only."""

    feature_selection_preference: FeatureSelectionPreference | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GenerationConfigRoutingConfigAutoRoutingMode(Message):
    """Let the server choose the model. Vertex only.

    Attributes:
        model_routing_preference: ``UNKNOWN``, ``PRIORITIZE_QUALITY``, ``BALANCED`` or ``PRIORITIZE_COST``.
    """

    model_routing_preference: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GenerationConfigRoutingConfigManualRoutingMode(Message):
    """Name the model. Vertex only."""

    model_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GenerationConfigRoutingConfig(Message):
    """Which model requests go to. Vertex only."""

    auto_mode: GenerationConfigRoutingConfigAutoRoutingMode | None = None
    manual_mode: GenerationConfigRoutingConfigManualRoutingMode | None = None


@attrs.frozen(kw_only=True, repr=False)
class VoiceConsentSignature(Message):
    """The server's receipt for a consent to the use of a voice, which can replace that consent later.

    Attributes:
        signature: Opaque. It stays out of every ``repr``.
    """

    signature: str | None = attrs.field(default=None, repr=concealed)


@attrs.frozen(kw_only=True, repr=False)
class ReplicatedVoiceConfig(Message):
    """Speak with a voice like the one in a sample.

    Attributes:
        mime_type: ``audio/wav``: 24 kHz, 16-bit little-endian.
        voice_sample_audio: The voice.
        consent_audio: Its owner saying that they agree. Gemini API only.
        voice_consent_signature: Receipt for an earlier consent. Gemini API only.
    """

    mime_type: str | None = None
    voice_sample_audio: bytes | None = attrs.field(default=None, repr=payload_size)
    consent_audio: bytes | None = attrs.field(default=None, repr=payload_size)
    voice_consent_signature: VoiceConsentSignature | None = None


@attrs.frozen(kw_only=True, repr=False)
class PrebuiltVoiceConfig(Message):
    """Speak with one of the voices that come with the model, for example ``Kore``."""

    voice_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class VoiceConfig(Message):
    """Which voice to speak with: a prebuilt one, a replicated one, or one by its name."""

    replicated_voice_config: ReplicatedVoiceConfig | None = None
    prebuilt_voice_config: PrebuiltVoiceConfig | None = None
    voice: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class SpeakerVoiceConfig(Message):
    """The voice of one of several speakers."""

    speaker: str | None = None
    voice_config: VoiceConfig | None = None


@attrs.frozen(kw_only=True, repr=False)
class MultiSpeakerVoiceConfig(Message):
    """The voices of several speakers; live sessions do not take it."""

    speaker_voice_configs: Sequence[SpeakerVoiceConfig] | None = None


@attrs.frozen(kw_only=True, repr=False)
class SpeechConfig(Message):
    """How the model speaks.

    Attributes:
        language_code: BCP-47.
        multi_speaker_voice_config: Not for live sessions.
    """

    voice_config: VoiceConfig | None = None
    language_code: str | None = None
    multi_speaker_voice_config: MultiSpeakerVoiceConfig | None = None


@attrs.frozen(kw_only=True, repr=False)
class ThinkingConfig(Message):
    """How much the model thinks before it answers.

    Attributes:
        include_thoughts: Whether its thoughts are told, in parts with ``thought``.
        thinking_budget: Tokens; 0 is off, -1 leaves it to the model.
        thinking_level: What newer models take instead of a budget.
    """

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: ThinkingLevel | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ImageResponseFormat(Message):
    """How images in an answer are made."""

    aspect_ratio: AspectRatio | str | None = None
    delivery: Delivery | str | None = None
    image_size: ImageSize | str | None = None
    mime_type: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class TextResponseFormat(Message):
    """How text in an answer is made.

    Attributes:
        schema: JSON Schema that the text follows, free-form.
    """

    mime_type: str | None = None
    schema: Any | None = None


@attrs.frozen(kw_only=True, repr=False)
class VideoResponseFormat(Message):
    """How video in an answer is made.

    Attributes:
        duration: Seconds.
        gcs_uri: Where in Cloud Storage it goes.
    """

    aspect_ratio: AspectRatio | str | None = None
    delivery: Delivery | str | None = None
    duration: Duration | None = None
    gcs_uri: str | None = None
    resolution: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ResponseFormat(Message):
    """How one kind of output is made."""

    audio: AudioResponseFormat | None = None
    image: ImageResponseFormat | None = None
    text: TextResponseFormat | None = None
    video: VideoResponseFormat | None = None


@attrs.frozen(kw_only=True, repr=False)
class TranslationConfig(Message):
    """Answer with a translation of what is said.

    Attributes:
        target_language_code: BCP-47.
        echo_target_language: Whether speech that is in the target language already is repeated.
    """

    echo_target_language: bool | None = None
    target_language_code: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GenerationConfig(Message):
    """How the model generates.

    Live sessions take no ``response_mime_type``, ``response_schema``, ``response_json_schema``,
    ``response_logprobs``, ``logprobs``, ``stop_sequences``, ``routing_config`` or ``audio_timestamp``,
    although the type has them. Zeros count: they are sent.

    Attributes:
        response_modalities: What to answer with; one per session.
        model_selection_config: ``modelConfig`` on the wire. Vertex only.
        enable_enhanced_civic_answers: Gemini API only.
        enable_affective_dialog: Whether the voice reflects the user's feelings; native-audio models only.
    """

    model_selection_config: ModelSelectionConfig | None = None
    response_json_schema: Any | None = None
    audio_timestamp: bool | None = None
    candidate_count: int | None = None
    enable_affective_dialog: bool | None = None
    frequency_penalty: float | None = None
    logprobs: int | None = None
    max_output_tokens: int | None = None
    media_resolution: MediaResolution | str | None = None
    presence_penalty: float | None = None
    response_logprobs: bool | None = None
    response_mime_type: str | None = None
    response_modalities: Sequence[Modality | str] | None = None
    response_schema: Schema | None = None
    routing_config: GenerationConfigRoutingConfig | None = None
    seed: int | None = None
    speech_config: SpeechConfig | None = None
    stop_sequences: Sequence[str] | None = None
    temperature: float | None = None
    thinking_config: ThinkingConfig | None = None
    top_k: float | None = None
    top_p: float | None = None
    enable_enhanced_civic_answers: bool | None = None
    response_format: Sequence[ResponseFormat] | None = None
    translation_config: TranslationConfig | None = None
    audio_transcription_config: AudioTranscriptionConfig | None = None
