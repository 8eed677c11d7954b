"""Serves a session log: the server's messages in their order, each after what the client had sent before it."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal

import trio

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.simulator._fault_plan import camel, client_kinds
from livebridge.simulator._frames import FrameStream, GoneError
from livebridge.simulator._gate import HttpRequest, HttpResponse, error_response
from livebridge.simulator._http import HttpError, is_upgrade, read_request, respond
from livebridge.simulator._listening import LOOPBACK, SessionOptions, listening, secured, vertex_options
from livebridge.simulator._log import LoggedClose, LoggedConnection, LoggedMessage, LoggedRefusal, read_log
from livebridge.simulator._redaction import sound_bytes
from livebridge.simulator._settings import TEST_API_KEY

HANDSHAKE_SECONDS: Final = 10.0
NOT_JSON: Final = "(no JSON)"
_SOUND: Final = frozenset({"audio", "mediaChunks"})


class ReplayedConnection:
    """A client's connection to a `Replay`.

    Attributes:
        number: Of the client's connection, from 1 on.
        logged: What is played.
        received: The client's messages as plain JSON values; bytes for what is no JSON.
        waiting_for: Kind of the client's message that must come before the replay goes on, ``None`` if it does not
            wait.
        complete: Whether everything has been played.
    """

    def __init__(self, number: int, logged: LoggedConnection) -> None:
        self.number: int = number
        self.logged: LoggedConnection = logged
        self.received: list[object] = []
        self.waiting_for: str | None = None
        self.complete: bool = False
        self._wanted: Counter[str] = Counter()
        self._have: Counter[str] = Counter()
        self._changed = trio.Event()
        self._gone = False

    def take(self, payload: bytes | str) -> None:
        """The client has sent something."""
        plain = _parsed(payload)
        self.received.append(plain)
        self._have.update(weigh(plain))
        self._wake()

    def leave(self) -> None:
        """The client has gone."""
        self._gone = True
        self._wake()

    async def until_sent(self, message: LoggedMessage) -> None:
        """Wait until the client has sent what it had sent when the log was written.

        Raises:
            GoneError: The client has gone.
        """
        self._wanted.update(weigh(_parsed(message.payload)))
        while missing := next((kind for kind, n in self._wanted.items() if self._have[kind] < n), None):
            self.waiting_for = missing
            await self._next()
        self.waiting_for = None

    async def until_gone(self) -> None:
        """Wait until the client has gone.

        Raises:
            GoneError: Always.
        """
        while True:
            await self._next()

    async def _next(self) -> None:
        if self._gone:
            raise GoneError("the client has gone")
        await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


class Replay:
    """A server that plays back a session log.

    ::

        async with (
            Replay("session.jsonl").serve() as replay,
            Session.start(model=…, **replay.connection) as session,
        ):
            ...

    The first connection of a client gets what the first connection of the log got, and so on. A message of the
    server is sent when the client has sent as much as it had then: as many messages of each kind, and as many bytes
    of sound, in chunks of any size. What the messages say is not compared; look at ``sessions[0].received``.
    Credentials and paths are not checked, and HTTP calls are not answered.

    Not guaranteed: that another run of the same program fits the log. If it sends over its second connection what it
    had sent over the first one then, the replay waits; ``waiting_for`` says for what.

    Args:
        path: What `Recorder` has written, or a ``.websocket.log`` as Google's SDK repositories keep them.
        pace: ``fast``, or ``real`` with the pauses of the log; a number is that many times as fast.
        repeat: Begin again with the first connection after the last one; otherwise further ones are refused (503).

    Attributes:
        host: Where it listens.
        port: And on which port.
        sessions: Every connection so far.
        log: What is played.

    Raises:
        ConfigError: The log cannot be read.
    """

    def __init__(
        self, path: str | Path, *, pace: Literal["fast", "real"] | float = "fast", repeat: bool = False
    ) -> None:
        self.host: str = LOOPBACK
        self.port: int = 0
        self.sessions: list[ReplayedConnection] = []
        self.log: list[LoggedConnection] = read_log(path)
        self._repeat = repeat
        self._speed = None if pace == "fast" else 1.0 if pace == "real" else float(pace)
        self._scheme = "http"

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def connection(self) -> SessionOptions:
        """The options that make a `livebridge.Session` talk to it as if it were the Gemini API."""
        return {"base_url": self.url, "api_key": TEST_API_KEY}

    @property
    def vertex_connection(self) -> SessionOptions:
        """The options that make a `livebridge.Session` talk to it as if it were Vertex AI."""
        return vertex_options(self.url)

    @asynccontextmanager
    async def serve(
        self, *, host: str = LOOPBACK, port: int = 0, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncIterator[Replay]:
        """Play for the time of a block.

        Args:
            host: Where to listen.
            port: 0 for any free one.
            ssl_context: Makes it speak TLS.

        Raises:
            OSError: The port is taken.
        """
        self.host = host
        self._scheme = "http" if ssl_context is None else "https"
        handle = partial(self._accept, ssl_context=ssl_context)
        async with listening(handle, host=host, port=port) as self.port:
            yield self

    async def _accept(self, stream: trio.SocketStream, *, ssl_context: ssl.SSLContext | None) -> None:
        client = secured(stream, ssl_context)
        try:
            with trio.fail_after(HANDSHAKE_SECONDS):
                request, beyond = await read_request(client)
        except (HttpError, trio.TooSlowError):
            pass
        else:
            await self._answer(client, request, beyond)
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(client)

    async def _answer(self, client: trio.abc.Stream, request: HttpRequest, beyond: bytes) -> None:
        if not is_upgrade(dict(request.headers)):
            await respond(client, error_response(HTTPStatus.NOT_FOUND, "a replay has no HTTP calls"))
            return
        number = len(self.sessions) + 1
        if number > len(self.log) and not self._repeat:
            message = f"the log holds {len(self.log)} connections, this is number {number}"
            await respond(client, error_response(HTTPStatus.SERVICE_UNAVAILABLE, message))
            return
        played = ReplayedConnection(number, self.log[(number - 1) % len(self.log)])
        self.sessions.append(played)
        refusal = next((one for one in played.logged.entries if isinstance(one, LoggedRefusal)), None)
        if refusal is not None:
            headers = {} if refusal.retry_after is None else {"retry-after": refusal.retry_after}
            await respond(client, HttpResponse(status=refusal.status, headers=headers))
            played.complete = True
            return
        frames = FrameStream(client, request)
        with suppress(GoneError):
            await frames.accept(beyond)
            await self._run(frames, played)

    async def _run(self, frames: FrameStream, played: ReplayedConnection) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, frames, played)
            with suppress(GoneError):
                await self._play(frames, played)
            nursery.cancel_scope.cancel()

    async def _play(self, frames: FrameStream, played: ReplayedConnection) -> None:
        before = played.logged.opened_at
        for entry in played.logged.entries:
            pause, before = entry.at - before, entry.at
            if isinstance(entry, LoggedMessage) and entry.sender == "client":
                await played.until_sent(entry)
                continue
            if self._speed is not None:
                await trio.sleep(max(0.0, pause / self._speed))
            if isinstance(entry, LoggedMessage):
                await frames.send(entry.payload, text=entry.text)
            elif isinstance(entry, LoggedClose) and entry.sender == "server":
                played.complete = True
                await _hang_up(frames, entry)
                return
        played.complete = True
        await played.until_gone()


async def _hang_up(frames: FrameStream, entry: LoggedClose) -> None:
    if entry.code is None:
        await frames.end()
    else:
        await frames.close(entry.code, entry.reason)


async def _listen(frames: FrameStream, played: ReplayedConnection) -> None:
    async for message in frames.messages():
        played.take(message)
    played.leave()


def _parsed(payload: bytes | str) -> object:
    try:
        plain: object = wire.loads(payload)
    except DecodeError:
        return payload
    return plain


def weigh(plain: object) -> Counter[str]:
    """What a client's message counts for: one of its kind, or the bytes of its sound."""
    weight: Counter[str] = Counter()
    for kind in client_kinds(plain) or {NOT_JSON}:
        if kind != "realtimeInput":
            weight[kind] = 1
    if isinstance(plain, Mapping):
        for name, value in plain.items():
            if camel(str(name)) == "realtimeInput" and isinstance(value, Mapping):
                weight.update(_sound(value))
    return weight


def _sound(realtime: Mapping[str, object]) -> Counter[str]:
    weight: Counter[str] = Counter()
    for name, value in realtime.items():
        if camel(name) in _SOUND:
            blobs = value if isinstance(value, list) else [value]
            total = sum(sound_bytes(blob) for blob in blobs if isinstance(blob, Mapping))
            # the kind itself has counted for one
            weight[f"realtimeInput.{camel(name)}"] += total - 1
    return weight
