"""Which live models to try first, by what they answer with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import attrs

from livebridge.auth import Backend
from livebridge.errors import ConfigError

ResponseModality = Literal["audio", "text"]

_BOTH: Final[frozenset[Backend]] = frozenset({"gemini", "vertex"})
_GEMINI: Final[frozenset[Backend]] = frozenset({"gemini"})
_VERTEX: Final[frozenset[Backend]] = frozenset({"vertex"})


@attrs.frozen(kw_only=True)
class LiveModel:
    """One model that can hold a live conversation.

    Attributes:
        name: Without any prefix.
        aliases: Other names of the same model, to be tried after its own.
        answers: What it can answer with.
        backends: Where it has been seen.
    """

    name: str
    aliases: tuple[str, ...] = ()
    answers: frozenset[str] = frozenset({"audio"})
    backends: frozenset[Backend] = _BOTH


CATALOGUE: Final[Sequence[LiveModel]] = (
    LiveModel(name="gemini-3.1-flash-live-preview"),
    LiveModel(
        name="gemini-2.5-flash-native-audio-preview-12-2025",
        aliases=("gemini-2.5-flash-native-audio-preview-09-2025", "gemini-2.5-flash-native-audio-latest"),
        backends=_GEMINI,
    ),
    LiveModel(name="gemini-3.8-live"),
    LiveModel(name="gemini-3.8-live-extended-thinking"),
    LiveModel(name="gemini-live-2.5-flash-native-audio", backends=_VERTEX),
    LiveModel(name="gemini-live-2.5-flash", answers=frozenset({"audio", "text"})),
    LiveModel(name="gemini-3.5-transcribe-live", answers=frozenset({"text"})),
    LiveModel(name="gemini-robotics-er-2-streaming-preview", answers=frozenset({"text"})),
)


def candidates(modality: str, *, backend: Backend) -> list[str]:
    """List the models to try, the best first.

    Args:
        modality: ``audio`` or ``text``.
        backend: Models that have been seen there come first; the others may have moved there since.

    Returns:
        Names, each followed by its aliases.

    Raises:
        ConfigError: There is no such modality.
    """
    if modality not in ("audio", "text"):
        raise ConfigError(f"modality must be 'audio' or 'text', not {modality!r}")
    able = [model for model in CATALOGUE if modality in model.answers]
    able.sort(key=lambda model: backend not in model.backends)
    return [name for model in able for name in (model.name, *model.aliases)]


def short(name: str) -> str:
    """Reduce ``models/m``, ``publishers/google/models/m`` and ``m:version`` to ``m``."""
    return name.strip().rsplit("/", 1)[-1].partition(":")[0]
