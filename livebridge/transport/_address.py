"""Where a URL points: host, port, TLS or not, and what goes into the request line."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

import attrs

from livebridge.errors import ConnectError

_DEFAULT_PORTS: Final = {"ws": 80, "wss": 443, "http": 80, "https": 443}
_TLS_SCHEMES: Final = frozenset({"wss", "https"})


@attrs.frozen(kw_only=True)
class Address:
    """One end point.

    Attributes:
        tls: Whether TLS is spoken there.
        host: Name or IP address, without brackets.
        port: TCP port.
        resource: Path and query.
        user: ``user:password`` of the URL, decoded; empty when there is none.
    """

    tls: bool
    host: str
    port: int
    resource: str = "/"
    user: str = attrs.field(default="", repr=False)

    @property
    def authority(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"{self._bracketed}:{self.port}"

    @property
    def host_header(self) -> str:
        """``host``, with the port only where it is not the scheme's own."""
        usual = _DEFAULT_PORTS["wss" if self.tls else "ws"]
        return self._bracketed if self.port == usual else self.authority

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_address(url: str, *, what: str, schemes: frozenset[str]) -> Address:
    """Read a URL.

    Args:
        url: The URL; it may hold a secret, so it never appears in an error.
        what: What the URL is for, to say so in an error.
        schemes: What it may start with.

    Returns:
        Its address.

    Raises:
        ConnectError: It is no such URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _refused(what, "it is no URL") from error
    if parts.scheme not in schemes:
        raise _refused(what, f"its scheme is not one of {', '.join(sorted(schemes))}")
    if not host:
        raise _refused(what, "it names no host")
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if parts.username else ""
    resource = parts.path or "/"
    return Address(
        tls=parts.scheme in _TLS_SCHEMES,
        host=host,
        port=port or _DEFAULT_PORTS[parts.scheme],
        resource=f"{resource}?{parts.query}" if parts.query else resource,
        user=user,
    )


def _refused(what: str, why: str) -> ConnectError:
    return ConnectError(f"cannot use the {what}: {why}", phase="dial", retryable=False)
