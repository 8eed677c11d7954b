"""What each Live model can do, and what an unknown one probably can.

Facts in `LIVE_MODELS` were observed on the servers; where nobody has looked, the family decides, and where
there is no family either, everything is allowed: a model that is newer than this table must not be turned
away by it.

========================  ====================  =================  ===============  ===================
family                    text goes as          answers with       tools            sound while a call
                                                                                    is open
========================  ====================  =================  ===============  ===================
2.5 native audio          clientContent         AUDIO              as declared      breaks the session
2.5 half-cascade          clientContent         TEXT or AUDIO      blocking         breaks the session
3.1                       realtimeInput         AUDIO              blocking         breaks the session
3.5 transcribe            realtimeInput         TEXT               -                allowed
3.8                       realtimeInput         AUDIO              as declared      allowed
3.8 extended thinking     realtimeInput         AUDIO              non-blocking     allowed
robotics                  clientContent         TEXT               -                allowed
========================  ====================  =================  ===============  ===================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from livebridge.wire import Modality

TextInput = Literal["client_content", "realtime_input"]
ToolBehavior = Literal["blocking", "optional", "non_blocking"]
Thinking = Literal["level", "budget", "none", "required", "unknown"]

_AUDIO: Final = frozenset({Modality.AUDIO})
_TEXT: Final = frozenset({Modality.TEXT})


@attrs.frozen(kw_only=True)
class ModelCapabilities:
    """What one model can do.

    Attributes:
        name: The model, without any prefix.
        aliases: Other names of the same model.
        known: It stands in the table; otherwise its family was guessed from its name.
        text_input: How live text reaches it: ``clientContent``, or ``realtimeInput`` (``clientContent`` in
            the middle of a session is then answered with close code 1007).
        response_modalities: What it can answer with; ``None``: nobody knows.
        tool_behavior: Function calls stall the model (``blocking``), do not (``non_blocking``), or as each
            declaration says (``optional``).
        scheduling: It takes ``scheduling`` in responses to non-blocking calls.
        thinking: It takes a thinking ``level``, a ``budget``, ``none`` of both, or a level is ``required``.
        thinking_levels: The levels it takes; ``None``: all.
        affective_dialog: It takes ``enable_affective_dialog``.
        code_execution: It takes the code-execution tool.
        seeds_history: A history goes in as ``clientContent`` right after a setup with
            ``history_config.initial_history_in_client_content``; otherwise as plain ``clientContent``.
        seeds_audio: A seeded history may hold sound.
        audio_during_call: The microphone may go on while a blocking call is open.
        converses: It answers what the user says; otherwise it only writes it down.
        context_update: It takes ``contextUpdate``; otherwise that is answered with close code 1007.
        input_rate: Samples per second of the sound it hears natively.
        output_rate: Samples per second of the sound it makes.
    """

    name: str
    aliases: tuple[str, ...] = ()
    known: bool = True
    text_input: TextInput = "client_content"
    response_modalities: frozenset[Modality] | None = None
    tool_behavior: ToolBehavior = "optional"
    scheduling: bool = True
    thinking: Thinking = "unknown"
    thinking_levels: frozenset[str] | None = None
    affective_dialog: bool = True
    code_execution: bool = True
    seeds_history: bool = False
    seeds_audio: bool = False
    audio_during_call: bool = True
    converses: bool = True
    context_update: bool = True
    input_rate: int = 16_000
    output_rate: int = 24_000


_GEMINI_3_1: Final = ModelCapabilities(
    name="gemini-3.1-flash-live-preview",
    text_input="realtime_input",
    response_modalities=_AUDIO,
    tool_behavior="blocking",
    scheduling=False,
    thinking="level",
    affective_dialog=False,
    seeds_history=True,
    seeds_audio=True,
    audio_during_call=False,
    context_update=False,
)
_GEMINI_2_5: Final = ModelCapabilities(
    name="gemini-2.5-flash-native-audio-preview-12-2025",
    aliases=("gemini-2.5-flash-native-audio-preview-09-2025", "gemini-2.5-flash-native-audio-latest"),
    response_modalities=_AUDIO,
    thinking="budget",
    code_execution=False,
    audio_during_call=False,
    context_update=False,
)
_GEMINI_3_8: Final = ModelCapabilities(
    name="gemini-3.8-live",
    text_input="realtime_input",
    response_modalities=_AUDIO,
    thinking="none",
    affective_dialog=False,
    seeds_history=True,
    seeds_audio=True,
)
_GEMINI_3_8_THINKING: Final = attrs.evolve(
    _GEMINI_3_8,
    name="gemini-3.8-live-extended-thinking",
    tool_behavior="non_blocking",
    scheduling=False,
    thinking="required",
    thinking_levels=frozenset({"LOW", "MEDIUM", "HIGH"}),
    seeds_audio=False,
)
_HALF_CASCADE: Final = ModelCapabilities(
    name="gemini-live-2.5-flash",
    response_modalities=_TEXT | _AUDIO,
    tool_behavior="blocking",
    scheduling=False,
    thinking="none",
    audio_during_call=False,
    context_update=False,
)
_VERTEX_2_5: Final = attrs.evolve(_GEMINI_2_5, name="gemini-live-2.5-flash-native-audio", aliases=())
_TRANSCRIBE: Final = ModelCapabilities(
    name="gemini-3.5-transcribe-live",
    text_input="realtime_input",
    response_modalities=_TEXT,
    seeds_history=True,
    converses=False,
    context_update=False,
)
_ROBOTICS: Final = ModelCapabilities(
    name="gemini-robotics-er-2-streaming-preview",
    response_modalities=_TEXT,
    tool_behavior="blocking",
    context_update=False,
)

LIVE_MODELS: Final[Mapping[str, ModelCapabilities]] = {
    model.name: model
    for model in (
        _GEMINI_3_1,
        _GEMINI_2_5,
        _GEMINI_3_8,
        _GEMINI_3_8_THINKING,
        _HALF_CASCADE,
        _VERTEX_2_5,
        _TRANSCRIBE,
        _ROBOTICS,
    )
}
"""The models one can hold a conversation with, the one to take first in front."""

# The first pattern that matches tells the family of a model that is not in the table.
_FAMILIES: Final = (
    (re.compile(r"gemini-3\.8-live-extended-thinking"), _GEMINI_3_8_THINKING),
    (re.compile(r"gemini-3\.8-live"), _GEMINI_3_8),
    (re.compile(r"gemini-3\.1-flash-live"), _GEMINI_3_1),
    (re.compile(r"gemini-3\.\d+-transcribe"), _TRANSCRIBE),
    (re.compile(r"gemini-live-2\.5-flash(-\d{3}|@.+)?$"), _HALF_CASCADE),
    (re.compile(r"gemini-(live-)?2\.5-.*native-audio"), _GEMINI_2_5),
    (re.compile(r"gemini-robotics-er"), _ROBOTICS),
)

_VERSION: Final = re.compile(r"gemini-(?:[a-z]+-)*(\d+)(?:\.(\d+))?(?:-|@|$)")

# From this version on live text is realtimeInput; clientContent is for seeding history only.
_REALTIME_TEXT_SINCE: Final = (3, 0)

# From this version on function calls do not stall the model unless they are declared so.
_NON_BLOCKING_SINCE: Final = (3, 8)


def normalize(model: str) -> str:
    """Reduce a model's name to what the table knows it by.

    ``models/m``, ``publishers/google/models/m``, ``projects/…/models/m`` and ``m:suffix`` are all ``m``.
    """
    return model.strip().rsplit("/", 1)[-1].partition(":")[0]


def capabilities(model: str, extended: Mapping[str, ModelCapabilities] | None = None) -> ModelCapabilities:
    """Tell what a model can do.

    Args:
        model: Its name, with or without a prefix.
        extended: Further models, by name; they come before the table. This is how a model that is newer than
            this version, or a tuned one, is told about.

    Returns:
        What is known, or what its family and its version make likely. Never an error.
    """
    name = normalize(model)
    for table in (extended or {}, LIVE_MODELS):
        for known_as, entry in table.items():
            if name == normalize(known_as) or name in entry.aliases:
                return entry
    for pattern, family in _FAMILIES:
        if pattern.match(name):
            return attrs.evolve(family, name=name, aliases=(), known=False)
    return _by_version(name)


def _by_version(name: str) -> ModelCapabilities:
    found = _VERSION.match(name)
    if found is None:
        return ModelCapabilities(name=name, known=False)
    version = (int(found[1]), int(found[2] or 0))
    realtime = version >= _REALTIME_TEXT_SINCE
    return ModelCapabilities(
        name=name,
        known=False,
        text_input="realtime_input" if realtime else "client_content",
        seeds_history=realtime,
        audio_during_call=version >= _NON_BLOCKING_SINCE,
    )


def candidates(modality: str) -> tuple[str, ...]:
    """Names of the models that can answer with a modality, the one to take first in front.

    Args:
        modality: ``text`` or ``audio``, in any case.

    Returns:
        Names and aliases; empty for a modality no Live model has.
    """
    wanted = modality.upper()
    return tuple(
        name
        for model in LIVE_MODELS.values()
        if model.response_modalities is not None and wanted in model.response_modalities
        for name in (model.name, *model.aliases)
    )
