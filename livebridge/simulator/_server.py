"""The server: one port for WebSockets and HTTP, and the handle tests hold it by."""

from __future__ import annotations

import difflib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

import attrs
import trio

from livebridge.errors import ConfigError
from livebridge.simulator._brains import Brain
from livebridge.simulator._checks import Bounds, Ordinal, check_value
from livebridge.simulator._connection import Connection
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._effects import Effects
from livebridge.simulator._ephemeral import EphemeralTokens
from livebridge.simulator._fault_plan import FaultPlan, FaultRun
from livebridge.simulator._faults import Faults, RefuseUpgrade, StallUpgrade
from livebridge.simulator._faulty_stream import FaultyStream
from livebridge.simulator._files import load_brain, load_fault_file
from livebridge.simulator._frames import FrameStream, GoneError
from livebridge.simulator._gate import Admission, HttpRequest, HttpResponse, admit, error_response
from livebridge.simulator._http import HttpError, is_upgrade, read_request, respond
from livebridge.simulator._listening import LOOPBACK, SessionOptions, listening, secured, vertex_options
from livebridge.simulator._recordings import Recordings
from livebridge.simulator._records import Heard
from livebridge.simulator._rest import answer
from livebridge.simulator._settings import Settings
from livebridge.simulator._world import Caller, World

T = TypeVar("T")

HANDSHAKE_SECONDS: Final = 10.0
Port = Annotated[int, Bounds(low=0, high=65_535)]


class LiveSimulator:
    """A Live API server on this machine.

    ::

        async with LiveSimulator.serve(brain=Script(["Hello!"])) as simulator:
            ...                                  # connect to simulator.url
            simulator.conversations[0].heard     # what the server knows

    Attributes:
        host: Where it listens.
        port: And on which port.
        connections: The live connections, oldest first.
        dials: How many WebSocket upgrades have been asked for, refused ones included.
    """

    def __init__(self, settings: Settings, *, faults: Faults, host: str, tls: bool) -> None:
        self.host: str = host
        self.port: int = 0
        self.connections: list[Connection] = []
        self.dials: int = 0
        self._tls = tls
        self._world = World(settings)
        self._plan = FaultPlan(faults)
        self._accepted = 0
        self._tokens = EphemeralTokens()
        self._changed = trio.Event()

    @classmethod
    @asynccontextmanager
    async def serve(
        cls,
        *,
        brain: Brain | None = None,
        port: int = 0,
        host: str = LOOPBACK,
        faults: Faults | None = None,
        ssl_context: ssl.SSLContext | None = None,
        **settings: object,
    ) -> AsyncIterator[LiveSimulator]:
        """Run a simulator for the time of a block.

        Args:
            brain: What decides what the model says; `Rules` by default.
            port: 0 for any free one.
            host: Loopback by default.
            faults: What goes wrong; nothing by default.
            ssl_context: Makes it speak TLS.
            **settings: Any member of `Settings`.

        Raises:
            ConfigError: A setting does not exist, has the wrong type or is out of its range.
            OSError: The port is taken.
        """
        check_value("port", port, Port)
        check_value("host", host, str)
        check_value("faults", faults, Faults | None)
        check_value("ssl_context", ssl_context, ssl.SSLContext | None)
        simulator = cls(
            settings_from(brain=brain, **settings),
            faults=faults or Faults(),
            host=host,
            tls=ssl_context is not None,
        )
        handle = partial(simulator._accept, ssl_context=ssl_context)
        async with listening(handle, host=host, port=port) as simulator.port:
            yield simulator

    async def _accept(self, stream: trio.SocketStream, *, ssl_context: ssl.SSLContext | None) -> None:
        self._accepted += 1
        faults = self._plan.stream(self._accepted)
        carrier = FaultyStream(stream, faults) if faults else stream
        await self.handle(secured(carrier, ssl_context))

    @property
    def settings(self) -> Settings:
        """How it behaves."""
        return self._world.settings

    @property
    def conversations(self) -> list[Conversation]:
        """Every conversation so far, oldest first."""
        return self._world.conversations

    @property
    def recordings(self) -> Recordings:
        """Sounds it knows by heart: add to them what your test or demo will play."""
        return self._world.recordings

    @property
    def url(self) -> str:
        """The base URL for clients, ``http`` or ``https``."""
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    @property
    def connection(self) -> SessionOptions:
        """The options that make a `livebridge.Session` talk to this simulator as if it were the Gemini API."""
        return {"base_url": self.url, "api_key": self.settings.api_keys[0]}

    @property
    def vertex_connection(self) -> SessionOptions:
        """The options that make a `livebridge.Session` talk to this simulator as if it were Vertex AI."""
        return vertex_options(self.url, self.settings.access_tokens[0])

    async def wait_for(self, predicate: Callable[[LiveSimulator], T]) -> T:
        """Wait until something is true.

        Args:
            predicate: Is given the simulator, whenever something has happened.

        Returns:
            What the predicate returned, the first time it was true.
        """
        while not (value := predicate(self)):
            await self._changed.wait()
        return value

    def note_change(self) -> None:
        """Something has happened: those who wait look again."""
        self._changed.set()
        self._changed = trio.Event()

    def lift_faults(self) -> None:
        """Let nothing of the fault plan strike from now on.

        What has struck is not undone: a frozen or muted connection stays so until it ends.
        """
        self._plan.lift()

    def forget(self, conversation: Conversation, *, keep_handles: int) -> Heard:
        """Drop the records of a conversation that no resumption can need any more, as `Settings.keep_handles` does.

        Args:
            conversation: One of `conversations`.
            keep_handles: How many of its newest handles stay valid, 1 or more; all others are revoked.

        Returns:
            What is dropped, from ``heard`` and from ``history``: the oldest of what there was. It is final: no
            resumption takes any of it back.

        Raises:
            ConfigError: The number is none, or too small.
        """
        check_value("keep_handles", keep_handles, Ordinal)
        return self._world.forget(conversation, keep_handles=keep_handles)

    async def handle(self, stream: trio.abc.Stream) -> None:
        """Serve one client on a stream, which may also be one in memory; nothing the client does can raise here."""
        try:
            with trio.fail_after(HANDSHAKE_SECONDS):
                request, beyond = await read_request(stream)
        except (HttpError, trio.TooSlowError):
            pass
        else:
            if is_upgrade(dict(request.headers)):
                await self._upgrade(stream, request, beyond)
            else:
                await respond(stream, answer(request, self._world, self._tokens, wall_clock=time.time()))
        await trio.aclose_forcefully(stream)

    async def _upgrade(self, stream: trio.abc.Stream, request: HttpRequest, beyond: bytes) -> None:
        self.dials += 1
        run = self._plan.dial(self.dials, now=trio.current_time())
        fault = run.upgrade()
        admission = admit(request, self.settings)
        if isinstance(fault, StallUpgrade):
            await _ignore(stream)
        elif fault is not None:
            await respond(stream, _refusal(fault))
        elif isinstance(admission, HttpResponse):
            await respond(stream, admission)
        else:
            frames = FrameStream(stream, request)
            connection = self._connection(frames, request, admission, run)
            with suppress(GoneError):
                await frames.accept(beyond)
                await self._carry(connection)

    async def _carry(self, connection: Connection) -> None:
        self.connections.append(connection)
        self.note_change()
        try:
            await connection.run()
        finally:
            self.connections.remove(connection)
            self.note_change()

    def _connection(
        self, frames: FrameStream, request: HttpRequest, admission: Admission, run: FaultRun
    ) -> Connection:
        caller = Caller(number=self.dials, vertex=admission.vertex, version=admission.version)
        dialogue = Dialogue(
            self._world,
            caller,
            now=trio.current_time(),
            constrain=lambda setup: admission.constrain(self._tokens, setup, wall_clock=time.time()),
        )
        return Connection(
            frames,
            dialogue,
            Effects(frames, dialogue, run, vertex=admission.vertex),
            number=self.dials,
            admission=admission,
            request=request,
            settings=self.settings,
            changed=self.note_change,
        )


def settings_from(*, brain: Brain | None = None, **settings: object) -> Settings:
    """Settings by name.

    Raises:
        ConfigError: There is no such setting, or it has the wrong type or is out of its range.
    """
    known = attrs.fields_dict(Settings)
    for name in settings:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise ConfigError(f"the simulator has no setting {name}{hint}")
    if brain is not None:
        settings["brain"] = brain
    return Settings(**settings)  # type: ignore[arg-type]  # names are checked above, values by the class


async def _ignore(stream: trio.abc.Stream) -> None:
    """Read and say nothing until the client gives up."""
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        while await stream.receive_some():
            pass


def _refusal(fault: RefuseUpgrade) -> HttpResponse:
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    if fault.status not in set(HTTPStatus):
        return HttpResponse(status=fault.status, headers=headers)
    status = HTTPStatus(fault.status)
    return error_response(status, status.description or status.phrase, headers=headers)


async def run(
    *,
    host: str = LOOPBACK,
    port: int = 9090,
    ssl_context: ssl.SSLContext | None = None,
    started: Callable[[LiveSimulator], Awaitable[None]] | None = None,
    brain: Brain | str | None = None,
    faults: Faults | str | None = None,
    **settings: object,
) -> None:
    """Serve until cancelled.

    Args:
        host: Where to listen.
        port: On which port.
        ssl_context: Makes it speak TLS.
        started: Is called once the port is open.
        brain: A brain, or the path of a Python file that has one as ``brain`` or as a class ``Brain``.
        faults: A plan, or the path of a TOML file with one.
        **settings: Any member of `Settings`.

    Raises:
        ConfigError: A file cannot be read or has no brain or plan in it; or a setting does not
            exist, has the wrong type or is out of its range.
        OSError: The port is taken.
    """
    chosen = load_brain(brain) if isinstance(brain, str) else brain
    plan = load_fault_file(faults) if isinstance(faults, str) else faults
    async with LiveSimulator.serve(
        brain=chosen, host=host, port=port, faults=plan, ssl_context=ssl_context, **settings
    ) as simulator:
        if started is not None:
            await started(simulator)
        await trio.sleep_forever()
