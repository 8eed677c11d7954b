"""The server behind the recorder: where it is, how requests are put to it, and the head of its answers."""

from __future__ import annotations

import ssl
from typing import Final
from urllib.parse import urlsplit

import attrs
import trio

from livebridge.errors import ConfigError
from livebridge.simulator._gate import HttpRequest
from livebridge.simulator._http import RECEIVE_BYTES, HttpError

LARGEST_HEAD_BYTES: Final = 65_536
_HEAD_END: Final = b"\r\n\r\n"
_TLS: Final = {"https": True, "wss": True, "http": False, "ws": False}
_LEFT_OUT: Final = frozenset(
    {"host", "sec-websocket-extensions", "transfer-encoding", "content-length", "proxy-connection"}
)


class UnreachableError(Exception):
    """The server cannot be reached."""


@attrs.frozen(kw_only=True)
class Upstream:
    """A server by its base URL.

    Attributes:
        host: Name or address.
        port: TCP port.
        header: What a request's ``host`` says.
        prefix: What the base URL's path puts before a request's.
        context: For TLS, ``None`` for none.
    """

    host: str
    port: int
    header: str
    prefix: str = ""
    context: ssl.SSLContext | None = None

    @classmethod
    def at(cls, url: str, *, tls: ssl.SSLContext | None = None) -> Upstream:
        """Read a base URL.

        Args:
            url: ``http``, ``https``, ``ws`` or ``wss``.
            tls: Instead of a context that verifies certificates.

        Raises:
            ConfigError: It is no base URL.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{url} is no URL: {error}") from error
        if parts.scheme not in _TLS or not parts.hostname or parts.query:
            raise ConfigError(
                f"expected a base URL such as https://generativelanguage.googleapis.com, got {url!r}"
            )
        secure = _TLS[parts.scheme]
        return cls(
            host=parts.hostname,
            port=port or (443 if secure else 80),
            header=parts.netloc.rpartition("@")[2],
            prefix=parts.path.rstrip("/"),
            context=(tls or ssl.create_default_context()) if secure else None,
        )

    async def dial(self) -> trio.abc.Stream:
        """Connect to the server.

        Raises:
            UnreachableError: It cannot be reached, or its certificate is not good.
        """
        try:
            stream = await trio.open_tcp_stream(self.host, self.port)
        except OSError as error:
            raise UnreachableError(str(error)) from error
        if self.context is None:
            return stream
        secure = trio.SSLStream(stream, self.context, server_hostname=self.host, https_compatible=True)
        try:
            await secure.do_handshake()
        except trio.BrokenResourceError as error:
            await trio.aclose_forcefully(stream)
            raise UnreachableError(f"TLS failed: {error.__cause__ or error}") from error
        return secure

    def directed(self, request: HttpRequest, *, upgrade: bool) -> HttpRequest:
        """A client's request as the server is to see it: for its own name, and without compression."""
        headers = {name: value for name, value in request.headers.items() if name not in _LEFT_OUT}
        if not upgrade:
            headers["connection"] = "close"
            if request.body:
                headers["content-length"] = str(len(request.body))
        headers["host"] = self.header
        return attrs.evolve(request, target=self.prefix + request.target, headers=headers)


def credentials(request: HttpRequest) -> list[str | None]:
    """Whatever in a request is a secret."""
    return [
        request.headers.get("x-goog-api-key"),
        request.headers.get("authorization", "").partition(" ")[2],
        *(request.query(name) for name in ("key", "access_token")),
    ]


async def read_head(stream: trio.abc.Stream) -> tuple[bytes, bytes]:
    """The head of an HTTP response, and what came with it.

    Raises:
        HttpError: There was none.
        trio.BrokenResourceError: The connection broke.
    """
    data = b""
    while _HEAD_END not in data:
        more = bytes(await stream.receive_some(RECEIVE_BYTES))
        data += more
        if not more or len(data) > LARGEST_HEAD_BYTES:
            raise HttpError("the server has not answered the upgrade")
    head, _, rest = data.partition(_HEAD_END)
    return head + _HEAD_END, rest


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of a response; status 0 if there is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    status = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
    pairs = (line.partition(":") for line in lines if ":" in line)
    return status, {name.strip().lower(): value.strip() for name, _, value in pairs}
