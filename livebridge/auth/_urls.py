"""Base URLs and versions: where the two backends live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from livebridge.errors import ConfigError

GEMINI_URL: Final = "https://generativelanguage.googleapis.com"
VERTEX_GLOBAL_URL: Final = "https://aiplatform.googleapis.com"

# Locations that span a continent and have an end point of another form.
_MULTI_REGIONS: Final = frozenset({"us", "eu"})

_WEB_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_HTTP_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}

_VERSION: Final = re.compile(r"[A-Za-z0-9._-]+")
_LOCATION: Final = re.compile(r"[a-z0-9-]+")


def vertex_url(location: str) -> str:
    """Return Vertex AI's base URL for a location (``global``, ``us``, ``eu`` or a region).

    Raises:
        ConfigError: It can be no location, which would make another host of it.
    """
    if not _LOCATION.fullmatch(location):
        raise ConfigError(f"{location!r} is no location; expected one such as 'global' or 'us-central1'")
    if location == "global":
        return VERTEX_GLOBAL_URL
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def choose_version(api_version: str | None, environ: Mapping[str, str], *, default: str, beta: str) -> str:
    """Pick the API version.

    Args:
        api_version: What the user asked for.
        environ: ``GOOGLE_GENAI_API_VERSION`` may hold a version, or ``beta``.
        default: What the backend uses otherwise.
        beta: What ``beta`` means on this backend.

    Returns:
        A version such as ``v1beta``.

    Raises:
        ConfigError: It can be no version.
    """
    if api_version is None:
        asked = environ.get("GOOGLE_GENAI_API_VERSION", "")
        api_version = beta if asked == "beta" else asked or default
    if not _VERSION.fullmatch(api_version):
        raise ConfigError(
            f"api_version {api_version!r} is none; expected one such as 'v1', 'v1beta', 'v1alpha'"
        )
    return api_version


def web_socket_url(base_url: str, path: str) -> str:
    """Join base URL and path for a WebSocket; TLS stays as the base URL has it.

    Raises:
        ConfigError: The base URL cannot be used.
    """
    return _join(base_url, path, _WEB_SOCKET_SCHEMES)


def http_url(base_url: str, path: str) -> str:
    """Join base URL and path for HTTP; TLS stays as the base URL has it.

    Raises:
        ConfigError: The base URL cannot be used.
    """
    return _join(base_url, path, _HTTP_SCHEMES)


def verbatim_url(url: str) -> str:
    """Keep a URL as it is, but for its scheme (``http`` becomes ``ws``).

    Raises:
        ConfigError: It cannot be used.
    """
    parts = urlsplit(url)
    _check(parts.scheme, parts.netloc)
    return urlunsplit(parts._replace(scheme=_WEB_SOCKET_SCHEMES[parts.scheme]))


def _join(base_url: str, path: str, schemes: Mapping[str, str]) -> str:
    parts = urlsplit(base_url)
    _check(parts.scheme, parts.netloc)
    if parts.query or parts.fragment:
        raise ConfigError("a base URL must not have a query or a fragment: the rest of the path follows it")
    joined = f"{parts.path.rstrip('/')}/{path}"
    return urlunsplit((schemes[parts.scheme], parts.netloc, joined, "", ""))


def _check(scheme: str, host: str) -> None:
    # The URL itself may hold a secret, so no message quotes it.
    if scheme not in _WEB_SOCKET_SCHEMES or not host:
        raise ConfigError("a base URL must start with https://, http://, wss:// or ws:// and name a host")
    if "@" in host:
        raise ConfigError("a base URL must not hold user name or password: URLs end up in logs; use headers")
