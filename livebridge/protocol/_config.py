"""What a session is set up with: `LiveConfig`, from whatever the user has, and the ``setup`` made of it.

People come with a ``config`` written for google-genai (flat, snake_case), with a map copied from a guide
(nested ``generation_config``), with a ``setup`` as it stands on the wire (camelCase), or with keywords. All
of them become the same value here; nothing but this value goes further in.

Two things that keep a conversation alive are on unless they are switched off with ``None``: session
resumption (without it a lost connection loses the conversation) and context-window compression (without it
an audio session ends after a quarter of an hour).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._config_keys import HttpOptions, given, http_options
from livebridge.protocol._config_tools import Function, merged, tool_items
from livebridge.protocol._contents import instruction

Backend = Literal["gemini", "vertex"]
"""Which of the two servers: the Gemini API, or Vertex AI (today's Gemini Enterprise Agent Platform)."""

# What google-genai lets one write beside, not inside, generation_config.
_FLAT: Final = (
    "response_modalities",
    "temperature",
    "top_p",
    "top_k",
    "max_output_tokens",
    "media_resolution",
    "seed",
    "speech_config",
    "thinking_config",
    "enable_affective_dialog",
    "translation_config",
)


def _checked(_: type, fields: list[attrs.Attribute[object]]) -> list[attrs.Attribute[object]]:
    """Give each field the converter that makes it of plain values, so that every way in is the same."""
    return [field.evolve(converter=_converter(field.name)) for field in fields]


def _converter(name: str) -> attrs.Converter[object, object]:
    return attrs.Converter(lambda value: None if value is None else _value(name, value))


def _value(name: str, value: object) -> object:
    match name:
        case "system_instruction":
            return instruction(value)
        case "tools":
            return tool_items(value)
        case "http_options":
            return http_options(value)
        case "generation_config":
            return wire.from_user(wire.GenerationConfig, value, where=name)
        case "voice":
            if not isinstance(value, str) or not value:
                raise ConfigError(f"voice takes the name of a voice, such as 'Kore', not {value!r}")
            return value
    if name == "speech_config" and isinstance(value, str):
        value = _voice(value)
    cls = wire.GenerationConfig if name in _FLAT else wire.Setup
    return getattr(wire.from_user(cls, {name: value}, where="config"), name)


def _voice(name: str) -> wire.SpeechConfig:
    prebuilt = wire.PrebuiltVoiceConfig(voice_name=name)
    return wire.SpeechConfig(voice_config=wire.VoiceConfig(prebuilt_voice_config=prebuilt))


@attrs.frozen(kw_only=True, field_transformer=_checked)
class LiveConfig:
    """The configuration of a session, whatever its model and its backend.

    The names are those of google-genai's ``LiveConnectConfig``. At run time every field also takes plain
    values (mappings in snake_case or camelCase, enumerations as text in any case); code that is checked for
    types uses `from_user` for those. ``None`` is absent.

    Attributes:
        generation_config: Generation settings that have no field of their own here (``candidate_count``,
            ``presence_penalty`` …); those that have one may be given here too, but not differently.
        response_modalities: What the model answers with: one of TEXT, AUDIO … per session.
        temperature: Randomness of the choice of tokens.
        top_p: Tokens are chosen from the most probable ones that together reach this probability.
        top_k: Tokens are chosen from that many of the most probable ones.
        max_output_tokens: Longest answer.
        media_resolution: How closely pictures are looked at.
        seed: Makes answers repeatable, as far as they can be.
        speech_config: Voice and language; a text is the name of a prebuilt voice.
        voice: Shorthand for a prebuilt voice in ``speech_config``.
        thinking_config: How much the model thinks, and whether it says so.
        enable_affective_dialog: Answer to the tone of voice. Gemini API: v1alpha only.
        translation_config: Live translation.
        system_instruction: What the model is and does.
        tools: Tools, and Python functions (see `functions`).
        session_resumption: Ask for handles to resume with. On by default.
        context_window_compression: Forget the oldest when the context is full. On by default.
        input_audio_transcription: ``{}``: write down what the user says.
        output_audio_transcription: ``{}``: write down what the model says.
        realtime_input_config: Detection of speech, interruption, what belongs to a turn.
        proactivity: The model may keep silent, or speak up. Gemini API: v1alpha only.
        explicit_vad_signal: Vertex only: the server says when it hears speech.
        history_config: The conversation begins with a history sent as client content.
        avatar_config: A picture that speaks.
        safety_settings: What is blocked; ``method`` is Vertex only.
        labels: Names and values for billing.
        http_options: Address, version and headers as google-genai takes them; the session's own options
            come first.

    Raises:
        ConfigError: A value does not fit its field, or two fields contradict each other.
    """

    generation_config: wire.GenerationConfig | None = None
    response_modalities: Sequence[wire.Modality | str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: int | None = None
    media_resolution: wire.MediaResolution | str | None = None
    seed: int | None = None
    speech_config: wire.SpeechConfig | None = None
    voice: str | None = None
    thinking_config: wire.ThinkingConfig | None = None
    enable_affective_dialog: bool | None = None
    translation_config: wire.TranslationConfig | None = None
    system_instruction: wire.Content | None = None
    tools: tuple[wire.Tool | Function, ...] | None = None
    session_resumption: wire.SessionResumptionConfig | None = attrs.field(
        factory=wire.SessionResumptionConfig
    )
    context_window_compression: wire.ContextWindowCompressionConfig | None = attrs.field(
        factory=lambda: wire.ContextWindowCompressionConfig(sliding_window=wire.SlidingWindow())
    )
    input_audio_transcription: wire.AudioTranscriptionConfig | None = None
    output_audio_transcription: wire.AudioTranscriptionConfig | None = None
    realtime_input_config: wire.RealtimeInputConfig | None = None
    proactivity: wire.ProactivityConfig | None = None
    explicit_vad_signal: bool | None = None
    history_config: wire.HistoryConfig | None = None
    avatar_config: wire.AvatarConfig | None = None
    safety_settings: Sequence[wire.SafetySetting] | None = None
    labels: Mapping[str, str] | None = None
    http_options: HttpOptions | None = None

    def __attrs_post_init__(self) -> None:
        self.generation()

    @classmethod
    def from_user(cls, config: object = None, /, **flat: object) -> LiveConfig:
        """Make a configuration of what a user handed in.

        Args:
            config: A `LiveConfig`, a mapping with snake_case or camelCase keys (flat, nested or as a
                ``setup``, with or without that word around it; its ``model`` is not part of a configuration
                and is passed over), an object like google-genai's ``LiveConnectConfig``, or ``None``.
            **flat: Single fields; they take precedence over those of ``config``. ``None`` switches off.

        Raises:
            ConfigError: A key is unknown (the nearest known one is named), a value does not fit, or two
                spellings of one thing contradict each other.
        """
        names = [field.name for field in attrs.fields(cls)]
        keywords = given(flat, names, where="option")
        if isinstance(config, LiveConfig):
            return attrs.evolve(config, **keywords)  # type: ignore[arg-type]  # the converters check
        values = {} if config is None else given(config, names, where="config")
        return cls(**{**values, **keywords})  # type: ignore[arg-type]  # the converters check

    @property
    def functions(self) -> tuple[Function, ...]:
        """The Python functions among ``tools``; they are no part of a setup until they are declared."""
        return tuple(item for item in self.tools or () if not isinstance(item, wire.Tool))

    @property
    def declared_tools(self) -> tuple[wire.Tool, ...]:
        """The tools without the Python functions, all function declarations in the last one."""
        return merged(self.tools or ())

    @property
    def announces_history(self) -> bool:
        """Whether the setup says that a history comes first, as ``clientContent``."""
        history = self.history_config
        return history is not None and bool(history.initial_history_in_client_content)

    @property
    def is_activity_manual(self) -> bool:
        """Whether the client says when the user speaks; otherwise the server finds out."""
        realtime = self.realtime_input_config
        detection = None if realtime is None else realtime.automatic_activity_detection
        return detection is not None and bool(detection.disabled)

    def with_declarations(self, declarations: Sequence[wire.FunctionDeclaration]) -> LiveConfig:
        """Replace the Python functions by their declarations."""
        tools = [item for item in self.tools or () if isinstance(item, wire.Tool)]
        if declarations:
            tools.append(wire.Tool(function_declarations=tuple(declarations)))
        return attrs.evolve(self, tools=tuple(tools) if tools or self.tools is not None else None)

    def generation(self) -> wire.GenerationConfig:
        """Everything that goes into ``generationConfig``, the flat fields and the nested ones.

        Raises:
            ConfigError: A field is given in both places with different values.
        """
        nested = self.generation_config or wire.GenerationConfig()
        flat = {name: getattr(self, name) for name in _FLAT if getattr(self, name) is not None}
        if self.voice is not None:
            flat["speech_config"] = _with_voice(flat.get("speech_config") or nested.speech_config, self.voice)
            nested = attrs.evolve(nested, speech_config=None)
        for name, value in flat.items():
            other = getattr(nested, name)
            if other is not None and other != value:
                raise ConfigError(
                    f"{name} is given twice with different values: {value!r} and,"
                    f" in generation_config, {other!r}"
                )
        return attrs.evolve(nested, **flat)


def _with_voice(speech: wire.SpeechConfig | None, name: str) -> wire.SpeechConfig:
    named = _voice(name)
    if speech is None:
        return named
    if speech.voice_config is not None and speech.voice_config != named.voice_config:
        raise ConfigError(f"voice={name!r} contradicts the voice_config of speech_config")
    return attrs.evolve(speech, voice_config=named.voice_config)


def build_setup(
    config: LiveConfig,
    *,
    model_resource: str,
    backend: Backend,
    handle: str | None = None,
    transparent: bool = False,
    default_audio: bool = True,
) -> wire.Setup:
    """Make the first message of a connection.

    Args:
        config: The configuration; Python functions that are not declared (`with_declarations`) are left out.
        model_resource: The model's full name as the backend wants it.
        backend: Vertex is asked for AUDIO where no modality is given, as the SDKs do (see `default_audio`).
        handle: The handle to resume with. *Only* this one is sent: the one in ``config.session_resumption``
            is what a session begins with, not what it continues with.
        transparent: Ask for the index of the last message consumed (Vertex).
        default_audio: Vertex's default is sent. google-genai leaves it out in express mode.
    """
    generation = config.generation()
    if generation.response_modalities is None and backend == "vertex" and default_audio:
        generation = attrs.evolve(generation, response_modalities=(wire.Modality.AUDIO,))
    return wire.Setup(
        model=model_resource,
        generation_config=None if generation == wire.GenerationConfig() else generation,
        system_instruction=config.system_instruction,
        tools=config.declared_tools or None,
        session_resumption=_resumption(config.session_resumption, handle, transparent=transparent),
        context_window_compression=config.context_window_compression,
        input_audio_transcription=config.input_audio_transcription,
        output_audio_transcription=config.output_audio_transcription,
        proactivity=config.proactivity,
        explicit_vad_signal=config.explicit_vad_signal,
        history_config=config.history_config,
        avatar_config=config.avatar_config,
        safety_settings=config.safety_settings,
        labels=config.labels,
        realtime_input_config=config.realtime_input_config,
    )


def _resumption(
    wanted: wire.SessionResumptionConfig | None, handle: str | None, *, transparent: bool
) -> wire.SessionResumptionConfig | None:
    if wanted is None and handle is None and not transparent:
        return None
    wanted = wanted or wire.SessionResumptionConfig()
    return attrs.evolve(wanted, handle=handle, transparent=True if transparent else wanted.transparent)
