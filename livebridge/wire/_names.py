"""The only module that knows camelCase: which attribute is called what on the wire.

A field ``turn_complete`` is written ``turnComplete``. Readers accept both spellings, as every proto3 JSON
parser does, plus the few second names that one backend or SDK uses for the same thing (`ALIASES`).
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, get_type_hints

from livebridge.wire._base import Message
from livebridge.wire._generation import GenerationConfig
from livebridge.wire._kinds import without_none
from livebridge.wire._server import UsageMetadata, VoiceActivity

RENAMED: Final[Mapping[tuple[type[Message], str], str]] = {
    # GenerationConfig: the SDKs say modelSelectionConfig, Vertex, the only backend that takes it, modelConfig
    (GenerationConfig, "model_selection_config"): "modelConfig",
}
"""Fields whose wire name is not their own name in camelCase."""

ALIASES: Final[Mapping[tuple[type[Message], str], tuple[str, ...]]] = {
    (GenerationConfig, "model_selection_config"): ("modelSelectionConfig",),
    # Vertex counts candidates where the Gemini API counts the response
    (UsageMetadata, "response_token_count"): ("candidatesTokenCount", "candidates_token_count"),
    (UsageMetadata, "response_tokens_details"): ("candidatesTokensDetails", "candidates_tokens_details"),
    # the SDKs' name; the server writes "type"
    (VoiceActivity, "type"): ("voiceActivityType", "voice_activity_type"),
}
"""Further spellings that are read, never written."""

VERTEX_USAGE: Final[Mapping[str, str]] = {
    "responseTokenCount": "candidatesTokenCount",
    "responseTokensDetails": "candidatesTokensDetails",
}
"""How Vertex writes two members of ``usageMetadata``."""


class Field(NamedTuple):
    """One field of a message class.

    Attributes:
        attribute: Its name in Python.
        wire: Its name as it is written in JSON.
        spellings: All names under which it is read, `wire` included.
        kind: Its type without ``None``.
    """

    attribute: str
    wire: str
    spellings: frozenset[str]
    kind: Any


def camel_case(name: str) -> str:
    """Turn ``snake_case`` into ``lowerCamelCase``."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def fields_of(cls: type[Message]) -> tuple[Field, ...]:
    """List the fields of a message class in the order in which they are written.

    Returns:
        One entry per field; ``unknown`` is none of them.
    """
    fields = []
    for attribute, kind in get_type_hints(cls, include_extras=True).items():
        if attribute == "unknown":
            continue
        wire = RENAMED.get((cls, attribute), camel_case(attribute))
        spellings = frozenset({attribute, camel_case(attribute), wire, *ALIASES.get((cls, attribute), ())})
        fields.append(Field(attribute, wire, spellings, without_none(kind)))
    return tuple(fields)
