"""Checks a setup as the two backends do: what they refuse, and with which words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._profiles import Profile
from livebridge.simulator._refusals import (
    BLOCKING_UNSUPPORTED,
    CODE_EXECUTION_UNSUPPORTED,
    INVALID_ARGUMENT,
    THINKING_LEVEL_REQUIRED,
    THINKING_LEVEL_UNSUPPORTED,
    RefusedError,
    modalities_unsupported,
    model_not_found,
    publisher_model_not_found,
    unknown_field,
)

DEEPEST_LEVEL: Final = 100
"""The recursion limit of Google's parsers of protocol buffers."""

_VERTEX_TOOLS: Final = ("retrieval", "enterprise_web_search", "parallel_ai_search", "exa_ai_search")
_GEMINI_TOOLS: Final = ("file_search", "mcp_servers")


def is_too_deep(plain: object) -> bool:
    """Whether JSON is nested more deeply than protocol buffers read it."""
    level = [plain]
    for _ in range(DEEPEST_LEVEL):
        inner: list[object] = []
        for value in level:
            if isinstance(value, Mapping):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        if not inner:
            return False
        level = inner
    return True


def check_shape(message: wire.Message, plain: object, *, strict: bool) -> None:
    """Refuse what proto3 JSON refuses: unknown members, and a handle that is there but ``null``.

    Raises:
        RefusedError: There is such a member.
    """
    if strict:
        for name, path in _unknown(message, ""):
            raise RefusedError(unknown_field(name, path))
    setup = _member(plain, "setup", "setup")
    resumption = _member(setup, "sessionResumption", "session_resumption")
    if isinstance(resumption, Mapping) and "handle" in resumption and resumption["handle"] is None:
        raise RefusedError(INVALID_ARGUMENT)


def _member(plain: object, camel: str, snake: str) -> object:
    if not isinstance(plain, Mapping):
        return None
    value: object = plain.get(camel, plain.get(snake))
    return value


def _unknown(message: wire.Message, path: str) -> Iterator[tuple[str, str]]:
    """Every member that no message class knows, with the path to the message it stands in."""
    for name in message.unknown or ():
        yield name, path
    for field in attrs.fields(type(message)):
        inner = f"{path}.{field.name}".lstrip(".")
        for member, member_path in _messages(getattr(message, field.name), inner):
            yield from _unknown(member, member_path)


def _messages(value: object, path: str) -> Iterator[tuple[wire.Message, str]]:
    """The messages in a field, with their paths; free-form values have none."""
    if isinstance(value, wire.Message):
        yield value, path
    elif isinstance(value, Mapping):
        yield from ((item, f"{path}.{key}") for key, item in value.items() if isinstance(item, wire.Message))
    elif isinstance(value, Sequence):
        yield from (
            (item, f"{path}[{index}]") for index, item in enumerate(value) if isinstance(item, wire.Message)
        )


def model_name(resource: str, *, vertex: bool) -> str | None:
    """The plain name of a model from its resource name, ``None`` if the backend knows no such name."""
    prefix, found, name = resource.rpartition("publishers/google/models/")
    if vertex:
        return name if found and (not prefix or prefix.startswith("projects/")) else None
    if not resource.startswith("models/"):
        return None
    return resource.removeprefix("models/")


def check_model(
    setup: wire.Setup, profiles: Mapping[str, Profile], *, vertex: bool, version: str
) -> tuple[str, Profile]:
    """Find the model of a setup.

    Returns:
        Its plain name and its habits.

    Raises:
        RefusedError: There is no model, or no such model.
    """
    if not setup.model:
        raise RefusedError(INVALID_ARGUMENT)
    name = model_name(setup.model, vertex=vertex)
    profile = None if name is None else profiles.get(name)
    if name is None or profile is None:
        hangup = publisher_model_not_found(setup.model) if vertex else model_not_found(setup.model, version)
        raise RefusedError(hangup)
    return name, profile


def check_setup(setup: wire.Setup, profile: Profile, *, vertex: bool, version: str) -> None:
    """Refuse what the backend or the model does not support.

    Raises:
        RefusedError: Something in the setup is not supported.
    """
    for name, path in _foreign(setup, vertex=vertex):
        raise RefusedError(unknown_field(name, path))
    config = setup.generation_config or wire.GenerationConfig()
    _check_modalities(config, profile)
    _check_thinking(config, profile)
    _check_tools(setup.tools or (), profile)
    if profile.alpha_features and not vertex and version != "v1alpha":
        proactive = setup.proactivity is not None and setup.proactivity.proactive_audio
        if proactive or config.enable_affective_dialog:
            raise RefusedError(INVALID_ARGUMENT)


def _foreign(setup: wire.Setup, *, vertex: bool) -> Iterator[tuple[str, str]]:
    """What belongs to the other backend."""
    tools = setup.tools or ()
    for index, tool in enumerate(tools):
        for name in _GEMINI_TOOLS if vertex else _VERTEX_TOOLS:
            if getattr(tool, name) is not None:
                yield name, f"setup.tools[{index}]"
    config = setup.generation_config
    if vertex:
        if config is not None and config.enable_enhanced_civic_answers is not None:
            yield "enable_enhanced_civic_answers", "setup.generation_config"
        return
    if setup.explicit_vad_signal is not None:
        yield "explicit_vad_signal", "setup"
    if setup.session_resumption is not None and setup.session_resumption.transparent is not None:
        yield "transparent", "setup.session_resumption"
    for index, safety in enumerate(setup.safety_settings or ()):
        if safety.method is not None:
            yield "method", f"setup.safety_settings[{index}]"


def _check_modalities(config: wire.GenerationConfig, profile: Profile) -> None:
    wanted = tuple(str(getattr(modality, "value", modality)) for modality in config.response_modalities or ())
    if wanted and (len(wanted) > 1 or wanted[0] not in profile.modalities):
        raise RefusedError(modalities_unsupported(", ".join(wanted)))


def _check_thinking(config: wire.GenerationConfig, profile: Profile) -> None:
    thinking = config.thinking_config
    level = None if thinking is None else thinking.thinking_level
    budget = None if thinking is None else thinking.thinking_budget
    if profile.thinking_level == "refused" and level is not None:
        raise RefusedError(THINKING_LEVEL_UNSUPPORTED)
    if profile.thinking_level == "required" and (level is None) == (budget is None):
        raise RefusedError(THINKING_LEVEL_REQUIRED)


def _check_tools(tools: Sequence[wire.Tool], profile: Profile) -> None:
    for tool in tools:
        if tool.code_execution is not None and not profile.code_execution:
            raise RefusedError(CODE_EXECUTION_UNSUPPORTED)
        for declaration in tool.function_declarations or ():
            if not declaration.name:
                raise RefusedError(INVALID_ARGUMENT)
            if profile.non_blocking == "required" and declaration.behavior != wire.Behavior.NON_BLOCKING:
                raise RefusedError(BLOCKING_UNSUPPORTED)
