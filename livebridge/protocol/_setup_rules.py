"""Finds what a server would refuse, before anything is dialled.

Three tables of paths say which field which backend does not take; a few functions say what a model does not, before
the dial and in the middle of a conversation. The server's own answer to any of this is a closed socket with "Request
contains an invalid argument.", and without a resumption handle the conversation is gone with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._config import Backend, LiveConfig, build_setup
from livebridge.protocol._models import ModelCapabilities, capabilities

_TEXT: Final = {
    "gemini": "only supported in Gemini Enterprise Agent Platform mode, not in Gemini Developer API mode",
    "vertex": "only supported in Gemini Developer API mode, not in Gemini Enterprise Agent Platform mode",
}

# "[]" is every item of a list. A field counts as given when it is not absent, even if it is False.
_REFUSED: Final[Mapping[Backend, tuple[str, ...]]] = {
    "gemini": (
        "explicit_vad_signal",
        "session_resumption.transparent",
        "safety_settings[].method",
        "system_instruction.parts[].function_call.partial_args",
        "system_instruction.parts[].function_call.will_continue",
        "tools[].retrieval",
        "tools[].enterprise_web_search",
        "tools[].parallel_ai_search",
        "tools[].exa_ai_search",
        "tools[].google_search.blocking_confidence",
        "tools[].google_search.exclude_domains",
        "tools[].google_maps.grounding_types",
        "tools[].google_maps.auth_config.api_key_config",
        "tools[].google_maps.auth_config.auth_type",
        "tools[].google_maps.auth_config.google_service_account_config",
        "tools[].google_maps.auth_config.http_basic_auth_config",
        "tools[].google_maps.auth_config.oauth_config",
        "tools[].google_maps.auth_config.oidc_config",
    ),
    "vertex": (
        "generation_config.enable_enhanced_civic_answers",
        "generation_config.speech_config.voice_config.replicated_voice_config.consent_audio",
        "generation_config.speech_config.voice_config.replicated_voice_config.voice_consent_signature",
        "system_instruction.parts[].tool_call",
        "system_instruction.parts[].tool_response",
        "system_instruction.parts[].part_metadata",
        "system_instruction.parts[].function_response.will_continue",
        "system_instruction.parts[].function_response.parts[].media_processing",
        "tools[].file_search",
        "tools[].mcp_servers[]",
    ),
}

_IN_UPDATE: Final = {"system_instruction": "context_update.", "tools[]": "context_update.tools."}

# What a setup must not hold, a context update must not bring. google-genai looks at turns on the Gemini API only.
_REFUSED_LATER: Final[Mapping[Backend, tuple[str, ...]]] = {
    backend: (
        *(_IN_UPDATE[first] + path for path in paths if (first := path.partition(".")[0]) in _IN_UPDATE),
        *(
            path.replace("system_instruction", "client_content.turns[]")
            for path in paths
            if backend == "gemini" and path.startswith("system_instruction.")
        ),
    )
    for backend, paths in _REFUSED.items()
}

_MULTI_SPEAKER: Final = "generation_config.speech_config.multi_speaker_voice_config"

# Served by the Gemini API's v1alpha only; elsewhere the setup is refused.
_ALPHA_ONLY: Final = ("generation_config.enable_affective_dialog", "proactivity.proactive_audio")

_ALPHA: Final = "v1alpha"

Rule = Callable[[wire.Setup, ModelCapabilities], Iterator[str]]


@attrs.frozen(kw_only=True)
class _Moment:
    """What a message is judged by, besides itself."""

    config: LiveConfig | None
    able: ModelCapabilities | None
    seeding: bool


MessageRule = Callable[[wire.ClientMessage, _Moment], Iterator[str]]


def check(
    config: LiveConfig,
    *,
    model: str,
    backend: Backend,
    api_version: str | None,
    models: Mapping[str, ModelCapabilities] | None = None,
) -> None:
    """Refuse a configuration that the server would refuse.

    Args:
        config: The configuration.
        model: The model's name, with or without a prefix.
        backend: Where it will be sent.
        api_version: Version of the API; ``None`` leaves out the rules on it.
        models: Further models; see `capabilities`.

    Raises:
        ConfigError: All that is wrong with it, one line each.
    """
    setup = build_setup(config, model_resource=model, backend=backend)
    able = capabilities(model, models)
    problems = [
        f"{path.rpartition('.')[2].removesuffix('[]')} parameter is {_TEXT[backend]} ({path})"
        for path in _REFUSED[backend]
        if _reached(setup, path)
    ]
    if _reached(setup, _MULTI_SPEAKER):
        problems.append(f"multi_speaker_voice_config is not supported in the live API ({_MULTI_SPEAKER})")
    if backend == "gemini" and api_version not in {None, _ALPHA}:
        problems.extend(
            f"{path.rpartition('.')[2]} needs api_version={_ALPHA!r} on the Gemini API, not {api_version!r}"
            for path in _ALPHA_ONLY
            if any(_reached(setup, path))
        )
    for rule in _MODEL_RULES:
        problems.extend(f"{able.name}: {problem}" for problem in rule(setup, able))
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        raise ConfigError(f"this configuration would be refused by the server ({backend}):\n{lines}")


def check_message(
    message: wire.ClientMessage,
    *,
    backend: Backend,
    config: LiveConfig | None = None,
    able: ModelCapabilities | None = None,
    seeding: bool = False,
) -> None:
    """Refuse a message after the setup that the server would refuse.

    Args:
        message: What is about to be sent.
        backend: Where it will be sent.
        config: What the session was set up with; ``None`` if that is not known (a token may lock it).
        able: What the model can do, if that matters. What was only guessed from its name refuses nothing.
        seeding: The history that the setup has announced is not complete yet.

    Raises:
        ConfigError: All that is wrong with it, one line each.
    """
    problems = [
        f"{path.rpartition('.')[2].removesuffix('[]')} parameter is {_TEXT[backend]} ({path})"
        for path in _REFUSED_LATER[backend]
        if _reached(message, path)
    ]
    moment = _Moment(config=config, able=able if able is not None and able.known else None, seeding=seeding)
    for rule in _MESSAGE_RULES:
        problems.extend(rule(message, moment))
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        raise ConfigError(f"this message would be refused by the server:\n{lines}")


def _reached(value: object, path: str) -> list[object]:
    """All values that stand at a path and are not absent."""
    found = [value]
    for step in path.split("."):
        name = step.removesuffix("[]")
        found = [item for item in (getattr(holder, name) for holder in found) if item is not None]
        if step.endswith("[]"):
            found = [item for items in found if isinstance(items, Sequence) for item in items]
    return found


def _modalities(setup: wire.Setup, able: ModelCapabilities) -> Iterator[str]:
    generation = setup.generation_config
    asked = list(generation.response_modalities or ()) if generation is not None else []
    if len(asked) > 1:
        yield f"a session has one response modality, not {len(asked)} ({', '.join(asked)})"
    given = able.response_modalities
    for modality in asked:
        if modality not in frozenset(wire.Modality):
            yield f"{modality!r} is no response modality; known are {', '.join(wire.Modality)}"
        elif given is not None and modality not in given:
            yield (
                f"cannot answer with response modality {modality}, only with {' or '.join(sorted(given))}"
                + ("; for text, ask for output_audio_transcription={}" if modality == "TEXT" else "")
            )


def _thinking(setup: wire.Setup, able: ModelCapabilities) -> Iterator[str]:
    generation = setup.generation_config
    wanted = generation.thinking_config if generation is not None else None
    level = wanted.thinking_level if wanted is not None else None
    budget = wanted.thinking_budget if wanted is not None else None
    if able.thinking == "required" and (level is None) == (budget is None):
        yield "needs thinking_config with exactly one of thinking_level and thinking_budget"
    if able.thinking == "none" and (level is not None or budget is not None):
        yield "takes neither thinking_level nor thinking_budget"
    if level is not None and able.thinking_levels is not None and level not in able.thinking_levels:
        yield f"takes thinking_level {' or '.join(sorted(able.thinking_levels))}, not {level}"


def _dialog(setup: wire.Setup, able: ModelCapabilities) -> Iterator[str]:
    if not able.affective_dialog and any(_reached(setup, "generation_config.enable_affective_dialog")):
        yield "does not take enable_affective_dialog"


def _tools(setup: wire.Setup, able: ModelCapabilities) -> Iterator[str]:
    if not able.code_execution and _reached(setup, "tools[].code_execution"):
        yield "does not take the code_execution tool"
    if able.tool_behavior == "non_blocking":
        for declaration in _reached(setup, "tools[].function_declarations[]"):
            if isinstance(declaration, wire.FunctionDeclaration) and declaration.behavior == "BLOCKING":
                yield f"does not take BLOCKING functions ({declaration.name})"


_MODEL_RULES: Final[tuple[Rule, ...]] = (_modalities, _thinking, _dialog, _tools)


def _content_channel(message: wire.ClientMessage, moment: _Moment) -> Iterator[str]:
    """``send_client_content`` in the middle of a conversation is answered with 1007 by the 3.x models."""
    able, config = moment.able, moment.config
    if message.client_content is None or able is None or config is None or moment.seeding:
        return
    if able.text_input == "client_content":
        return
    if config.announces_history:
        why = "its history is complete"
    else:
        why = "it takes clientContent as history only (history_config={'initial_history_in_client_content': True})"
    yield f"{able.name}: {why}; what is said from now on goes by send_text(), which picks the channel"


def _context_update(message: wire.ClientMessage, moment: _Moment) -> Iterator[str]:
    able = moment.able
    if message.context_update is not None and able is not None and not able.context_update:
        yield f"{able.name} takes no context update; give system_instruction and tools to a new session"


def _activity(message: wire.ClientMessage, moment: _Moment) -> Iterator[str]:
    """``activityStart`` and ``activityEnd`` "only when automatic VAD is disabled"; ``audioStreamEnd`` else."""
    realtime = message.realtime_input
    if realtime is None or moment.config is None:
        return
    manual = moment.config.is_activity_manual
    if not manual and (realtime.activity_start is not None or realtime.activity_end is not None):
        yield (
            "activity_start and activity_end need manual activity detection:"
            " realtime_input_config={'automatic_activity_detection': {'disabled': True}}"
        )
    if manual and realtime.audio_stream_end:
        yield "audio_stream_end needs automatic activity detection; with manual detection send activity_end"


_MESSAGE_RULES: Final[tuple[MessageRule, ...]] = (_content_channel, _context_update, _activity)
