"""What a model is called on each backend."""

from __future__ import annotations

from typing import Final

from livebridge.errors import ConfigError

_FORBIDDEN: Final = ("..", "?", "&")
_GEMINI_PREFIXES: Final = ("models/", "tunedModels/")
_VERTEX_PREFIXES: Final = ("projects/", "models/", "publishers/")


def gemini_model(model: str) -> str:
    """Return the resource name on the Gemini Developer API: ``m`` becomes ``models/m``.

    Raises:
        ConfigError: It is no model name.
    """
    _check(model)
    return model if model.startswith(_GEMINI_PREFIXES) else f"models/{model}"


def publisher_model(model: str) -> str:
    """Return the resource name on Vertex AI without a project: ``m`` becomes ``publishers/google/models/m``.

    Raises:
        ConfigError: It is no model name.
    """
    _check(model)
    if model.startswith(_VERTEX_PREFIXES):
        return model
    publisher, slash, name = model.partition("/")
    return f"publishers/{publisher}/models/{name}" if slash else f"publishers/google/models/{model}"


def project_model(model: str, *, project: str, location: str) -> str:
    """Return the resource name on Vertex AI within a project.

    Raises:
        ConfigError: It is no model name.
    """
    name = publisher_model(model)
    return f"projects/{project}/locations/{location}/{name}" if name.startswith("publishers/") else name


def _check(model: object) -> None:
    if not isinstance(model, str) or not model.strip():
        raise ConfigError("model is required: a name such as 'gemini-3.1-flash-live-preview'")
    if any(each in model for each in _FORBIDDEN):
        raise ConfigError(f"model {model!r} is no model name: it must not contain '..', '?' or '&'")
