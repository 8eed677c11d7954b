"""Access to Vertex AI: Google credentials for a project, or an express API key."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from livebridge.auth._auth import Auth, Secret
from livebridge.auth._google import CredentialsSource, GoogleTokens
from livebridge.auth._headers import client_headers, key_headers
from livebridge.auth._models import project_model, publisher_model
from livebridge.auth._urls import VERTEX_GLOBAL_URL, choose_version, http_url, vertex_url, web_socket_url
from livebridge.auth._ways import Way
from livebridge.errors import CredentialsError

_DEFAULT_VERSION: Final = "v1beta1"

_SERVICE: Final = "ws/google.cloud.aiplatform.{}.LlmBidiService/BidiGenerateContent"


class _VertexBackend(ABC):
    """What a project and an express key have in common."""

    __slots__ = ()

    @property
    @abstractmethod
    def _home(self) -> str:
        """Google's own base URL."""

    @property
    def backend(self) -> Literal["vertex"]:
        """Vertex AI's rules apply."""
        return "vertex"

    def endpoint(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Say where to open the WebSocket (see `Auth.endpoint`)."""
        return web_socket_url(self._base(base_url, environ), _SERVICE.format(_version(api_version, environ)))

    def rest_url(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Say what HTTP calls start with (see `Auth.rest_url`)."""
        return http_url(self._base(base_url, environ), _version(api_version, environ))

    def _base(self, base_url: str | None, environ: Mapping[str, str]) -> str:
        return base_url or environ.get("GOOGLE_VERTEX_BASE_URL") or self._home


def _version(api_version: str | None, environ: Mapping[str, str]) -> str:
    return choose_version(api_version, environ, default=_DEFAULT_VERSION, beta=_DEFAULT_VERSION)


@attrs.frozen(kw_only=True)
class VertexAi(_VertexBackend):
    """A Google Cloud project, by google-auth credentials.

    Args:
        project: Project id or number; by default the one that the default credentials belong to, known
            after `headers` has been asked for the first time.
        location: ``global``, ``us``, ``eu`` or a region. Not every model is in every location.
        credentials: google-auth credentials, or an async function that returns them or a bare access token
            and is asked on every dial; by default the application default credentials.
    """

    project: str | None = None
    location: str = "global"
    credentials: CredentialsSource | None = attrs.field(default=None, repr=False)
    _tokens: GoogleTokens = attrs.field(init=False, repr=False, eq=False)

    @_tokens.default
    def _make_tokens(self) -> GoogleTokens:
        return GoogleTokens(source=self.credentials)

    @property
    def _home(self) -> str:
        return vertex_url(self.location)

    def model_resource(self, model: str) -> str:
        """Return ``projects/…/publishers/…/models/…`` (see `Auth.model_resource`)."""
        project = self.project or self._tokens.project
        if not project:
            raise CredentialsError(
                "the Google Cloud project is not known: give project= or set GOOGLE_CLOUD_PROJECT"
            )
        return project_model(model, project=project, location=self.location)

    async def headers(self, *, refresh: bool = False, way: Way | None = None) -> dict[str, str]:
        """Return a bearer token and who pays (see `Auth.headers`).

        Args:
            refresh: Get a new token even if the old one seems good.
            way: How to get to whoever makes tokens; by default as the environment says.

        Raises:
            CredentialsError: There are no credentials, or they could not be refreshed.
        """
        bearer = await self._tokens.bearer(refresh=refresh, way=way or Way())
        headers = {**client_headers(), "authorization": f"Bearer {bearer.token}"}
        if bearer.quota_project:
            headers["x-goog-user-project"] = bearer.quota_project
        return headers


@attrs.frozen(kw_only=True)
class VertexExpress(_VertexBackend):
    """An API key of Vertex AI in express mode, without a project.

    Args:
        api_key: The key, or an async function that is asked for it on every dial. It travels in a header.
    """

    api_key: Secret = attrs.field(repr=False)

    @property
    def _home(self) -> str:
        return VERTEX_GLOBAL_URL

    def model_resource(self, model: str) -> str:
        """Return ``publishers/…/models/…`` (see `Auth.model_resource`)."""
        return publisher_model(model)

    async def headers(self, *, refresh: bool = False) -> dict[str, str]:
        """Return the key's header (see `Auth.headers`)."""
        return await key_headers(self.api_key)


async def headers_by(auth: Auth, *, way: Way, refresh: bool = False) -> dict[str, str]:
    """Ask for the headers of a dial, or of a call; whoever needs the network for them goes this way.

    Args:
        auth: Who we are. Google credentials (`VertexAi`) are refreshed over the network; a function of the user's
            goes its own ways.
        way: Proxy and TLS.
        refresh: See `Auth.headers`.

    Raises:
        CredentialsError: See `Auth.headers`.
    """
    if isinstance(auth, VertexAi) and type(auth).headers is VertexAi.headers:
        return await auth.headers(refresh=refresh, way=way)
    return await auth.headers(refresh=refresh)
