"""Access to the Gemini Developer API: an API key, or an ephemeral token made with one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from livebridge.auth._auth import Secret
from livebridge.auth._headers import ask, client_headers, key_headers
from livebridge.auth._models import gemini_model
from livebridge.auth._urls import GEMINI_URL, choose_version, http_url, web_socket_url
from livebridge.errors import ConfigError, CredentialsError

TOKEN_PREFIX: Final = "auth_tokens/"  # noqa: S105 - the beginning of every token's name, no secret

# google-genai's default since 3.0.
_DEFAULT_VERSION: Final = "v1"
_BETA_VERSION: Final = "v1beta"

# Ephemeral tokens exist in this version only.
_TOKEN_VERSION: Final = "v1alpha"  # noqa: S105 - a version, no secret

_SERVICE: Final = "ws/google.ai.generativelanguage.{}.GenerativeService.{}"


class _GeminiBackend:
    """What a key and a token have in common."""

    __slots__ = ()

    @property
    def backend(self) -> Literal["gemini"]:
        """The Gemini Developer API's rules apply."""
        return "gemini"

    def model_resource(self, model: str) -> str:
        """Return ``models/…`` (see `Auth.model_resource`)."""
        return gemini_model(model)


@attrs.frozen(kw_only=True)
class GeminiApi(_GeminiBackend):
    """An API key of the Gemini Developer API.

    Args:
        api_key: The key, or an async function that is asked for it on every dial. It travels in a header.
    """

    api_key: Secret = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.api_key, str) and self.api_key.strip().startswith(TOKEN_PREFIX):
            raise CredentialsError("this is no API key but an ephemeral token: use EphemeralToken(...)")

    def endpoint(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Say where to open the WebSocket (see `Auth.endpoint`)."""
        version = choose_version(api_version, environ, default=_DEFAULT_VERSION, beta=_BETA_VERSION)
        return web_socket_url(_base(base_url, environ), _SERVICE.format(version, "BidiGenerateContent"))

    def rest_url(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Say what HTTP calls start with (see `Auth.rest_url`)."""
        version = choose_version(api_version, environ, default=_DEFAULT_VERSION, beta=_BETA_VERSION)
        return http_url(_base(base_url, environ), version)

    async def headers(self, *, refresh: bool = False) -> dict[str, str]:
        """Return the key's header (see `Auth.headers`)."""
        return await key_headers(self.api_key)


@attrs.frozen
class EphemeralToken(_GeminiBackend):
    """A short-lived token for one client, made on a server with `livebridge.create_token`.

    A token is usually good for one session: give an async function that makes a new one, so that a session
    which cannot be resumed can start afresh.

    Args:
        token: ``auth_tokens/…``, or an async function that is asked for it on every dial.
    """

    token: Secret = attrs.field(repr=False)

    def endpoint(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Say where to open the WebSocket (see `Auth.endpoint`); tokens exist in ``v1alpha`` only."""
        version = choose_version(api_version, {}, default=_TOKEN_VERSION, beta=_TOKEN_VERSION)
        path = _SERVICE.format(version, "BidiGenerateContentConstrained")
        return web_socket_url(_base(base_url, environ), path)

    def rest_url(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Refuse: a token opens sessions and nothing else.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("an ephemeral token can only open a live session; HTTP calls need an API key")

    async def headers(self, *, refresh: bool = False) -> dict[str, str]:
        """Return the token's header (see `Auth.headers`)."""
        token = await ask(self.token, what="ephemeral token")
        return {**client_headers(), "authorization": f"Token {token}"}


def _base(base_url: str | None, environ: Mapping[str, str]) -> str:
    return base_url or environ.get("GOOGLE_GEMINI_BASE_URL") or GEMINI_URL
