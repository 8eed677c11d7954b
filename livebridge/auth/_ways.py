"""Which way HTTP calls beside the WebSocket go: through which proxy, and trusting whom."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import attrs

from livebridge.errors import ConfigError


@attrs.frozen(kw_only=True)
class Way:
    """The same two settings, with the same meaning, as the options of a session.

    Attributes:
        proxy: URL of an HTTP proxy (``http://user:password@host:port``), ``None`` for none, ``"env"`` for what the
            environment says.
        ssl_context: For ``https``; ``None``: certificates are verified against the usual authorities.

    Raises:
        ConfigError: The proxy is no such URL (which is not quoted: it may hold a password), or the context is
            none.
    """

    proxy: str | None = attrs.field(default="env", repr=False)
    ssl_context: ssl.SSLContext | None = attrs.field(default=None)

    @proxy.validator
    def _check_proxy(self, _attribute: attrs.Attribute[str | None], value: object) -> None:
        if value in (None, "env"):
            return
        if isinstance(value, str):
            try:
                parts = urlsplit(value)
                _ = parts.port  # a property that checks
                if parts.scheme in ("http", "https") and parts.hostname:
                    return
            except ValueError:
                pass
        raise ConfigError("proxy must be a URL such as 'http://proxy:3128', 'env' or None")

    @ssl_context.validator
    def _check_context(self, _attribute: attrs.Attribute[ssl.SSLContext | None], value: object) -> None:
        if value is not None and not isinstance(value, ssl.SSLContext):
            raise ConfigError(f"ssl_context must be an ssl.SSLContext or None, not {type(value).__name__}")
