"""What is different from model to model, in one table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

NonBlocking = Literal["supported", "stalls", "required"]
"""What a NON_BLOCKING declaration does: as documented; accepted, but the model waits; or nothing else is allowed."""


@attrs.frozen(kw_only=True)
class Profile:
    """One model's habits.

    Attributes:
        modalities: What it can answer in; the first is used when the setup names none.
        client_content: ``any`` time, or only as ``seed`` before the conversation (``historyConfig``).
        non_blocking: What happens to NON_BLOCKING function declarations.
        scheduling: Whether function responses may carry ``scheduling``.
        audio_during_blocking_call: Whether realtime audio is accepted while a blocking call is open; otherwise
            the connection ends with 1008.
        thinking_level: ``allowed``, ``refused``, or ``required`` (a level or a budget).
        code_execution: Whether the code execution tool is accepted.
        code_before_call: Whether a ``modelTurn`` with ``executableCode`` precedes a tool call (Gemini API).
        context_update: Whether ``contextUpdate`` is accepted.
        interaction_status: Whether ``interactionStatus`` rides on the last message of a turn.
        alpha_features: Whether affective dialog and proactive audio need API version v1alpha (Gemini API).
        context_tokens: Size of the context window.
    """

    modalities: tuple[str, ...] = ("AUDIO",)
    client_content: Literal["any", "seed"] = "any"
    non_blocking: NonBlocking = "supported"
    scheduling: bool = True
    audio_during_blocking_call: bool = True
    thinking_level: Literal["allowed", "refused", "required"] = "allowed"
    code_execution: bool = False
    code_before_call: bool = False
    context_update: bool = False
    interaction_status: bool = False
    alpha_features: bool = False
    context_tokens: int = 131_072


_NATIVE_AUDIO_25: Final = Profile(thinking_level="refused", code_before_call=True, alpha_features=True)
_HALF_CASCADE: Final = Profile(
    modalities=("TEXT", "AUDIO"), thinking_level="refused", code_execution=True, context_tokens=1_048_576
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "gemini-3.1-flash-live-preview": Profile(
            client_content="seed", non_blocking="stalls", scheduling=False
        ),
        "gemini-3.8-live": Profile(client_content="seed", context_update=True),
        "gemini-3.8-live-extended-thinking": Profile(
            client_content="seed",
            non_blocking="required",
            thinking_level="required",
            context_update=True,
            interaction_status=True,
        ),
        "gemini-3.5-transcribe-live": Profile(modalities=("TEXT",), client_content="seed"),
        "gemini-2.5-flash-native-audio-latest": _NATIVE_AUDIO_25,
        "gemini-2.5-flash-native-audio-preview-09-2025": _NATIVE_AUDIO_25,
        "gemini-2.5-flash-native-audio-preview-12-2025": attrs.evolve(
            _NATIVE_AUDIO_25, audio_during_blocking_call=False
        ),
        "gemini-live-2.5-flash-native-audio": _NATIVE_AUDIO_25,
        "gemini-live-2.5-flash": _HALF_CASCADE,
        "gemini-live-2.5-flash-preview": _HALF_CASCADE,
        "gemini-2.0-flash-live-001": _HALF_CASCADE,
        "gemini-2.0-flash-live-preview-04-09": _HALF_CASCADE,
    }
)
"""Every model the simulator serves. Sources: Google's Live API documentation, its SDKs' tests and recordings, and
what users of other clients measured; where two disagree the stricter one is taken."""
