"""What an `Auth` is: who we are, where we dial, and what a model is called there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol, runtime_checkable

Backend = Literal["gemini", "vertex"]
"""Whose rules apply: the Gemini Developer API's or Vertex AI's."""

Secret = str | Callable[[], Awaitable[str]]
"""A credential, or an async function that is asked for it on every dial."""


@runtime_checkable
class Auth(Protocol):
    """Credentials of one kind and the rules that go with them."""

    @property
    def backend(self) -> Backend:
        """Whose rules apply."""
        ...

    def endpoint(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = ...,
    ) -> str:
        """Say where to open the WebSocket; no secret is part of it.

        Args:
            api_version: ``v1``, ``v1beta``, ``v1alpha``, ``v1beta1``; by default what
                ``GOOGLE_GENAI_API_VERSION`` says (``beta`` is short for the backend's beta version), then the
                backend's own default.
            base_url: Another host, with a path if need be; ``http`` and ``ws`` stay without TLS. By default
                ``GOOGLE_GEMINI_BASE_URL`` or ``GOOGLE_VERTEX_BASE_URL``, then Google's host.
            environ: The environment.

        Returns:
            A ``wss://`` or ``ws://`` URL.

        Raises:
            ConfigError: The base URL or the version cannot be used.
        """
        ...

    def rest_url(
        self,
        *,
        api_version: str | None = None,
        base_url: str | None = None,
        environ: Mapping[str, str] = ...,
    ) -> str:
        """Say what HTTP calls start with, for example ``https://host/v1``; arguments as for `endpoint`.

        Raises:
            ConfigError: The base URL or the version cannot be used, or there is no HTTP API for this kind.
        """
        ...

    def model_resource(self, model: str) -> str:
        """Say what ``setup.model`` must be.

        Args:
            model: A model's short name, or a resource name.

        Returns:
            The resource name for this backend.

        Raises:
            ConfigError: It is no model name, or the project it belongs to is not known (yet).
        """
        ...

    async def headers(self, *, refresh: bool = False) -> dict[str, str]:
        """Produce the headers of one dial; asked anew for every dial.

        Args:
            refresh: Get a new token even if the old one seems good: the server has just refused it.

        Returns:
            Names in lower case, secrets included: never log them.

        Raises:
            CredentialsError: There are no credentials, or they could not be refreshed; ``retryable`` says
                whether trouble of the moment is to blame.
        """
        ...
