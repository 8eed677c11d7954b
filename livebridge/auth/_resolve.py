"""From what the user gave, or the environment holds, to one `Auth`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from livebridge.auth._auth import Auth, Secret
from livebridge.auth._gemini import TOKEN_PREFIX, EphemeralToken, GeminiApi
from livebridge.auth._vertex import VertexAi, VertexExpress
from livebridge.errors import ConfigError, CredentialsError

_TRUE: Final = frozenset({"true", "1"})
_VERTEX_WORDS: Final = frozenset({"vertex_ai", "vertex"})

_THREE_WAYS: Final = (
    "no credentials were found. Three ways to give them: (1) the environment: GEMINI_API_KEY (or"
    " GOOGLE_API_KEY); (2) an argument: api_key='...'; (3) Vertex AI: auth=VertexAi(project='...',"
    " location='...'), or GOOGLE_GENAI_USE_VERTEXAI=true with GOOGLE_CLOUD_PROJECT and"
    " GOOGLE_CLOUD_LOCATION. A key is made at https://aistudio.google.com/apikey"
)


def resolve_auth(
    auth: object = None,
    *,
    api_key: Secret | None = None,
    project: str | None = None,
    location: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Auth:
    """Find out who we are.

    ==========================================  ==========================================================
    given                                       result
    ==========================================  ==========================================================
    an `Auth`                                   that one
    ``"gemini"``                                `GeminiApi` by ``api_key`` or the environment
    ``"vertex_ai"`` or ``"vertex"``             `VertexExpress` by ``api_key``, else `VertexAi`
    ``api_key``                                 `GeminiApi`; an `EphemeralToken` if it starts so
    ``project`` or ``location``                 `VertexAi`
    nothing                                     what the environment says
    ==========================================  ==========================================================

    Environment: ``GOOGLE_GENAI_USE_ENTERPRISE`` or ``GOOGLE_GENAI_USE_VERTEXAI`` choose Vertex AI;
    ``GOOGLE_CLOUD_PROJECT`` and ``GOOGLE_CLOUD_LOCATION`` fill in its project and location and win over a key
    of the environment; ``GOOGLE_API_KEY`` wins over ``GEMINI_API_KEY``, as in google-genai.

    Args:
        auth: An `Auth`, one of the two words, or ``None``.
        api_key: A key, an ephemeral token, or an async function that is asked for one on every dial.
        project: Google Cloud project.
        location: Google Cloud location.
        environ: The environment.

    Returns:
        Who we are.

    Raises:
        ConfigError: What was given contradicts itself.
        CredentialsError: Nothing was found; the text says what to do.
    """
    if auth is not None and not isinstance(auth, str):
        if not isinstance(auth, Auth):
            raise ConfigError(
                f"auth must be an auth object, 'gemini' or 'vertex_ai', not {type(auth).__name__}"
            )
        if api_key or project or location:
            raise ConfigError("auth= is given: api_key=, project= and location= belong inside it")
        return auth
    if api_key and (project or location):
        raise ConfigError(
            "api_key= and project=/location= exclude each other: a key belongs to its own project"
        )
    if _wants_vertex(auth, api_key, project or location, environ):
        return _vertex(api_key, project, location, environ)
    if project or location:
        raise ConfigError("the Gemini Developer API knows no project or location; they belong to 'vertex_ai'")
    return _gemini(api_key or _environment_key(environ))


def _wants_vertex(
    auth: str | None, api_key: Secret | None, place: str | None, environ: Mapping[str, str]
) -> bool:
    if auth is not None:
        if auth != "gemini" and auth not in _VERTEX_WORDS:
            raise ConfigError(
                "auth must be an auth object, 'gemini' or 'vertex_ai'; a key is given as api_key="
            )
        return auth in _VERTEX_WORDS
    if isinstance(api_key, str) and api_key.startswith(TOKEN_PREFIX):
        return False
    for name in ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"):
        if name in environ:
            return environ[name].lower() in _TRUE or (place is not None and not api_key)
    return place is not None


def _gemini(api_key: Secret | None) -> Auth:
    if not api_key:
        raise CredentialsError(_THREE_WAYS)
    if isinstance(api_key, str) and api_key.strip().startswith(TOKEN_PREFIX):
        return EphemeralToken(api_key.strip())
    return GeminiApi(api_key=api_key)


def _vertex(
    api_key: Secret | None, project: str | None, location: str | None, environ: Mapping[str, str]
) -> Auth:
    if api_key:
        return VertexExpress(api_key=api_key)
    found_project = project or environ.get("GOOGLE_CLOUD_PROJECT") or None
    found_location = location or environ.get("GOOGLE_CLOUD_LOCATION") or None
    key = _environment_key(environ)
    if key and not found_project and not found_location:
        return VertexExpress(api_key=key)
    return VertexAi(project=found_project, location=found_location or "global")


def _environment_key(environ: Mapping[str, str]) -> str | None:
    return environ.get("GOOGLE_API_KEY") or environ.get("GEMINI_API_KEY") or None
