"""Access through a gateway of your own, which adds the credentials itself."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

import attrs

from livebridge.auth._auth import Backend
from livebridge.auth._failures import provided
from livebridge.auth._headers import client_headers, merge_headers
from livebridge.auth._models import gemini_model, publisher_model
from livebridge.auth._urls import verbatim_url
from livebridge.errors import ConfigError

HeadersSource = Mapping[str, str] | Callable[[], Awaitable[Mapping[str, str]]]


def _without_query(url: str) -> str:
    return repr(urlunsplit(urlsplit(url)._replace(query="", fragment="")))


@attrs.frozen
class Gateway:
    """A gateway that speaks the Live API's WebSocket protocol.

    Args:
        url: The whole URL, used as it is (``http`` becomes ``ws``).
        headers: Sent with every dial, or an async function that is asked for them on every dial.
        backend: Whose rules the service behind it follows.
    """

    url: str = attrs.field(repr=_without_query)
    headers_source: HeadersSource = attrs.field(factory=dict, alias="headers", repr=False)
    backend: Backend = attrs.field(default="vertex", kw_only=True)

    def endpoint(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Return the URL; ``base_url``, if given, takes its place (see `Auth.endpoint`)."""
        return verbatim_url(base_url or self.url)

    def rest_url(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> str:
        """Refuse: where a gateway keeps its HTTP API, if any, is not known.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("a Gateway has no HTTP API; use GeminiApi(...) or VertexAi(...) with base_url=")

    def model_resource(self, model: str) -> str:
        """Return the model's name by the rules of the backend (see `Auth.model_resource`)."""
        return gemini_model(model) if self.backend == "gemini" else publisher_model(model)

    async def headers(self, *, refresh: bool = False) -> dict[str, str]:
        """Return your headers (see `Auth.headers`)."""
        source = self.headers_source
        yours = (
            source if isinstance(source, Mapping) else await provided(source, what="the gateway's headers")
        )
        return merge_headers(client_headers(), yours)
