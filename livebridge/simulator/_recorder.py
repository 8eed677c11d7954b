"""Stands between clients and a Live API server, passes on every byte, and logs the messages.

::

    client ══ TCP ══ Recorder ══ TCP/TLS ══ server
                        │
                     two FrameTaps ── Redaction ── LogWriter ── session.jsonl
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import attrs
import trio

from livebridge.errors import ConfigError
from livebridge.simulator._frame_tap import FrameTap, TappedMessage
from livebridge.simulator._gate import HttpRequest, error_response
from livebridge.simulator._http import (
    RECEIVE_BYTES,
    HttpError,
    is_upgrade,
    read_request,
    request_bytes,
    respond,
)
from livebridge.simulator._listening import LOOPBACK, listening, secured
from livebridge.simulator._log import LogWriter, Peer
from livebridge.simulator._redaction import Redaction
from livebridge.simulator._upstream import UnreachableError, Upstream, credentials, parse_head, read_head

DIAL_SECONDS: Final = 10.0
ECHO_SECONDS: Final = 2.0
"""How long a side may take to answer a close frame."""


Report = Callable[[int, str], None]
"""Is told the number of a connection and what has happened to it."""


class Recorder:
    """A server that passes everything on to another one and writes a log of it.

    ::

        upstream = "https://generativelanguage.googleapis.com"
        async with Recorder("session.jsonl", upstream=upstream).serve() as recorder:
            ...                                  # connect to recorder.url, with your own credentials

    HTTP calls (the list of models, ephemeral tokens) are passed on, too, and not logged. Neither are headers and
    queries, where credentials are; what stands of a credential in a message is redacted. What was *said* is in the
    log: treat it as what it is.

    Compression of WebSocket frames is not passed on, proxies between here and the server are not supported.

    Args:
        path: The log; a file that is there already is replaced.
        upstream: The server's base URL.
        handles: Log resumption handles as they are, instead of by numbers. A handle opens the conversation for about
            two hours to whoever has a key of the same project.
        audio: Log sound; otherwise only how long it was.
        upstream_tls: For an ``https`` upstream; its certificate is verified by default.
        report: Is told what happens.

    Attributes:
        host: Where it listens.
        port: And on which port.
        connections: How many WebSockets have been asked for.

    Raises:
        ConfigError: The upstream is no base URL.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        upstream: str,
        handles: bool = False,
        audio: bool = True,
        upstream_tls: ssl.SSLContext | None = None,
        report: Report | None = None,
    ) -> None:
        self.host: str = LOOPBACK
        self.port: int = 0
        self.connections: int = 0
        self._log: LogWriter | None = None
        self._path = Path(path)
        self._upstream = Upstream.at(upstream, tls=upstream_tls)
        self._redaction = Redaction(handles=handles, audio=audio)
        self._report = report
        self._scheme = "http"
        self._began: float | None = None

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def messages(self) -> int:
        """How many messages the log holds."""
        return 0 if self._log is None else self._log.messages

    @asynccontextmanager
    async def serve(
        self, *, host: str = LOOPBACK, port: int = 0, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncIterator[Recorder]:
        """Record for the time of a block.

        Args:
            host: Where to listen.
            port: 0 for any free one.
            ssl_context: Makes it speak TLS to clients.

        Raises:
            OSError: The port is taken.
            ConfigError: The log cannot be written.
        """
        self.host = host
        self._scheme = "http" if ssl_context is None else "https"
        try:
            file = self._path.open("wb")
        except OSError as error:
            raise ConfigError(f"cannot write the log {self._path}: {error.strerror}") from error
        with file:
            self._log = log = LogWriter(file)
            handle = partial(self._accept, log=log, ssl_context=ssl_context)
            async with listening(handle, host=host, port=port) as self.port:
                yield self

    async def _accept(
        self, stream: trio.SocketStream, *, log: LogWriter, ssl_context: ssl.SSLContext | None
    ) -> None:
        client = secured(stream, ssl_context)
        server: trio.abc.Stream | None = None
        try:
            with trio.fail_after(DIAL_SECONDS):
                request, beyond = await read_request(client)
                server = await self._upstream.dial()
                rest = await self._ask(server, request, beyond, log)
            await _pass_on(client, server, *rest)
        except (HttpError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        except (UnreachableError, trio.TooSlowError) as error:
            await self._apologise(client, error)
        finally:
            for end in (client, server):
                if end is not None:
                    with trio.CancelScope(shield=True):
                        await trio.aclose_forcefully(end)

    async def _apologise(self, client: trio.abc.Stream, error: Exception) -> None:
        text = f"the recorder cannot reach {self._upstream.host}: {str(error) or 'no answer in time'}"
        if self._report is not None:
            self._report(0, text)
        await respond(client, error_response(HTTPStatus.BAD_GATEWAY, text))

    async def _ask(
        self, server: trio.abc.Stream, request: HttpRequest, beyond: bytes, log: LogWriter
    ) -> tuple[bytes, _Record | None]:
        """Put a client's request to the server.

        Returns:
            What came back so far, and where to log what follows; ``None`` if it was no upgrade.

        Raises:
            HttpError: The server hung up.
        """
        upgrade = is_upgrade(dict(request.headers))
        await server.send_all(request_bytes(self._upstream.directed(request, upgrade=upgrade)) + beyond)
        if not upgrade:
            return b"", None
        for secret in credentials(request):
            self._redaction.hide(secret)
        self.connections += 1
        if self._began is None:
            self._began = trio.current_time()
        number = self.connections
        record = _Record(log, self._redaction, number, began=self._began, report=self._report)
        record.opened(request.path)
        head, rest = await read_head(server)
        record.answered(head)
        record.feed("client", beyond)
        record.feed("server", rest)
        return head + rest, record


@attrs.define(eq=False)
class _Record:
    """What is logged of one connection.

    Attributes:
        closing: Who has closed it, ``None`` before that.
    """

    _log: LogWriter
    _redaction: Redaction
    _number: int
    _began: float = attrs.field(kw_only=True)
    _report: Report | None = attrs.field(kw_only=True)
    _taps: dict[Peer, FrameTap] = attrs.field(
        init=False, factory=lambda: {"client": FrameTap(), "server": FrameTap()}
    )
    _switched: bool = attrs.field(init=False, default=False)
    closing: Peer | None = attrs.field(init=False, default=None)

    def opened(self, path: str) -> None:
        """An upgrade was asked for."""
        self._write("opened", path=path)
        self._tell(f"opened: {path}")

    def answered(self, head: bytes) -> None:
        """Take the head of the server's answer to the upgrade."""
        status, headers = parse_head(head)
        self._switched = status == HTTPStatus.SWITCHING_PROTOCOLS
        if not self._switched:
            self._write("refused", status=status, retry_after=headers.get("retry-after"))
            self._tell(f"refused with {status}")

    def feed(self, sender: Peer, data: bytes) -> None:
        """Take what one side has sent."""
        if not self._switched:
            return
        for item in self._taps[sender].feed(data):
            if isinstance(item, TappedMessage):
                opcode = "text" if item.text else "binary"
                members = self._redaction.members(item.payload)
                self._write("message", **{"from": sender, "opcode": opcode, **members})
            else:
                self._close(sender, code=item.code, reason=self._redaction.text(item.reason))

    def ended(self, sender: Peer) -> None:
        """One side has ended its stream."""
        if self._switched:
            self._close(sender)

    def _close(self, sender: Peer, *, code: int | None = None, reason: str | None = None) -> None:
        if self.closing is None:
            self.closing = sender
            self._write("closed", **{"from": sender, "code": code, "reason": reason or None})
            self._tell(f"closed by the {sender}" + (f" with {code}" if code else ", without a close frame"))

    def _write(self, event: str, **members: object) -> None:
        self._log.write(self._number, trio.current_time() - self._began, event, **members)

    def _tell(self, what: str) -> None:
        if self._report is not None:
            self._report(self._number, what)


async def _pass_on(
    client: trio.abc.Stream, server: trio.abc.Stream, answer: bytes, record: _Record | None
) -> None:
    """Carry bytes both ways until one side ends it."""
    if record is None:
        await _pump(server, client, _nothing)
        return
    await client.send_all(answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_relay, client, server, record, "client", nursery.cancel_scope)
        nursery.start_soon(_relay, server, client, record, "server", nursery.cancel_scope)


async def _relay(
    source: trio.abc.Stream, sink: trio.abc.Stream, record: _Record, sender: Peer, scope: trio.CancelScope
) -> None:
    """Pass on what one side sends; after a close frame the other side may still finish the exchange."""
    listened = await _pump(source, sink, partial(record.feed, sender))
    if record.closing is None:
        other: Peer = "server" if sender == "client" else "client"
        record.ended(sender if listened else other)
        scope.cancel()
        return
    scope.deadline = min(scope.deadline, trio.current_time() + ECHO_SECONDS)
    if isinstance(sink, trio.SocketStream):
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await sink.send_eof()


def _nothing(data: bytes) -> None:
    """Of an HTTP call nothing is logged."""


async def _pump(source: trio.abc.Stream, sink: trio.abc.Stream, note: Callable[[bytes], None]) -> bool:
    """Carry bytes one way; whether it was the source that ended, and not the sink."""
    while True:
        try:
            data = bytes(await source.receive_some(RECEIVE_BYTES))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return True
        if not data:
            return True
        note(data)
        try:
            await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
