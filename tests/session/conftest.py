"""A Live API server in memory, a log of callbacks, and the checks that every session test ends with."""

from __future__ import annotations

import inspect
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
import trio
import trio.testing

from livebridge.errors import ConnectError, LivebridgeError
from livebridge.protocol import CALLBACKS
from livebridge.session import Session
from livebridge.transport import MemoryNetwork, MemoryServer, Transport

MODEL = "gemini-3.1-flash-live-preview"
PATIENCE_SECONDS = 100_000.0
"""On the jumping clock: far beyond any timeout of a session, so a test that hangs fails at once."""

Step = Callable[["Line"], Awaitable[None]]


@attrs.define(eq=False)
class Line:
    """One connection, as the server sees it."""

    server: MemoryServer
    number: int
    forwards: bool
    offer: Callable[[Sequence[bytes]], bool]
    setup: dict[str, object] | None = None
    received: list[dict[str, object]] = attrs.field(factory=list)
    _unread: deque[dict[str, object]] = attrs.field(factory=deque)
    _changed: trio.Event = attrs.field(factory=trio.Event)

    @property
    def handle(self) -> str | None:
        """The handle in the setup."""
        assert self.setup is not None
        return self.setup.get("sessionResumption", {}).get("handle")

    def say(self, *messages: object) -> None:
        """Send messages: JSON objects, or bytes as they are, all in one read."""
        frames = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        for frame in frames if self.forwards else ():
            if not self.offer([frame]):
                self.server.send([frame])
        if not self.forwards:
            self.server.send(frames)

    def complete(self) -> None:
        self.say({"setupComplete": {}})

    def text(self, *texts: str) -> None:
        self.say(*({"serverContent": {"modelTurn": {"parts": [{"text": text}]}}} for text in texts))

    def turn(self, text: str = "") -> None:
        """A whole turn of the model in one message."""
        content: dict[str, object] = {"turnComplete": True}
        if text:
            content["modelTurn"] = {"parts": [{"text": text}]}
        self.say({"serverContent": content})

    def resumable(self, handle: str = "h1", *, index: int | None = None) -> None:
        update: dict[str, object] = {"newHandle": handle, "resumable": True}
        if index is not None:
            update["lastConsumedClientMessageIndex"] = str(index)
        self.say({"sessionResumptionUpdate": update})

    def unresumable(self) -> None:
        self.say({"sessionResumptionUpdate": {"resumable": False}})

    def go_away(self, time_left: str | None = "50s") -> None:
        self.say({"goAway": {} if time_left is None else {"timeLeft": time_left}})

    def call(self, *calls: Mapping[str, object]) -> None:
        self.say({"toolCall": {"functionCalls": list(calls)}})

    def cancel(self, *ids: str) -> None:
        self.say({"toolCallCancellation": {"ids": list(ids)}})

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.server.close(code, reason)

    def drop(self) -> None:
        self.server.drop()

    async def next(self) -> dict[str, object]:
        """The next client message after the setup that no `next` has returned yet."""
        while not self._unread:
            await self._changed.wait()
        return self._unread.popleft()

    async def next_response(self) -> list[dict[str, object]]:
        """The next tool response's answers."""
        while True:
            message = await self.next()
            if "toolResponse" in message:
                return message["toolResponse"]["functionResponses"]

    async def ended(self) -> None:
        """Wait until the connection is over."""
        while self.server.close_info is None:
            await self._changed.wait()

    def texts(self) -> list[str]:
        """All texts received, by either channel, in order."""
        return [text for message in self.received for text in text_of(message)]

    def responses(self) -> list[dict[str, object]]:
        return [
            answer
            for message in self.received
            if "toolResponse" in message
            for answer in message["toolResponse"]["functionResponses"]
        ]

    def note(self, message: dict[str, object]) -> None:
        self.received.append(message)
        self._unread.append(message)
        self.wake()

    def wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


async def silence(line: Line) -> None:
    """Withhold ``setupComplete``."""


async def complete(line: Line) -> None:
    """Complete the setup."""
    line.complete()


def closing(code: int | None, reason: str = "") -> Step:
    """Close (``None``: drop) in place of ``setupComplete``."""

    async def step(line: Line) -> None:
        if code is None:
            line.drop()
        else:
            line.close(code, reason)

    return step


def saying(*messages: object) -> Step:
    """Send this in place of ``setupComplete``."""

    async def step(line: Line) -> None:
        line.say(*messages)

    return step


def text_of(message: Mapping[str, object]) -> list[str]:
    """The words of a client message."""
    if "realtimeInput" in message:
        text = message["realtimeInput"].get("text")
        return [] if text is None else [text]
    turns = message.get("clientContent", {}).get("turns", [])
    return [part["text"] for turn in turns for part in turn["parts"]]


@attrs.define(eq=False)
class Watched:
    """A transport that reports what is written to `LiveServer`."""

    inner: Transport
    live: LiveServer
    line: MemoryServer
    setup_sent: bool = False

    def offer(self, frames: Sequence[bytes]) -> bool:
        """Hand frames over without a task switch; this transport cannot."""
        return False

    async def receive(self) -> Sequence[bytes]:
        return await self.inner.receive()

    async def send(self, frames: Sequence[bytes]) -> None:
        first = json.loads(frames[0])
        assert ("setup" in first) is (not self.setup_sent), "setup is the first frame, and sent once"
        assert self.setup_sent or len(frames) == 1, "nothing travels with the setup"
        self.setup_sent = True
        self.live.most_set_up = max(self.live.most_set_up, self.live.set_up_now)
        await self.inner.send(frames)

    async def ping(self) -> None:
        await self.inner.ping()

    async def aclose(self, code: int = 1000, reason: str = "", *, timeout: float = 2.0) -> None:
        await self.inner.aclose(code, reason, timeout=timeout)

    def abort(self) -> None:
        self.inner.abort()

    @property
    def last_heard(self) -> float:
        return self.inner.last_heard

    @property
    def close_info(self) -> object:
        return self.inner.close_info


@attrs.define(eq=False)
class Forwarding(Watched):
    """The same, but messages are given to a function as they arrive, where there is one."""

    sink: Callable[[Sequence[bytes]], bool] | None = None

    def forward(self, sink: Callable[[Sequence[bytes]], bool] | None) -> None:
        self.sink = sink

    def offer(self, frames: Sequence[bytes]) -> bool:
        pipe = self.line._pipe
        if self.sink is None or pipe.info is not None or not self.sink([*pipe.to_client, *frames]):
            return False
        pipe.to_client.clear()
        pipe.last_heard = trio.current_time()
        return True


@attrs.define(eq=False)
class LiveServer:
    """A Live API server in memory.

    ``plan`` says what happens to the next connections, one step each: an async function of the `Line`, run
    after its setup was read. Without a step the setup is completed.
    """

    network: MemoryNetwork = attrs.field(factory=MemoryNetwork)
    plan: deque[Step] = attrs.field(factory=deque)
    default: Step | None = None
    lines: list[Line] = attrs.field(factory=list)
    most_set_up: int = 0
    forwarding: bool = False
    dial_delays: deque[float] = attrs.field(factory=deque)
    on_message: Callable[[Line, dict[str, object]], None] | None = None
    _transports: list[Watched] = attrs.field(factory=list)
    _served: int = 0
    _changed: trio.Event = attrs.field(factory=trio.Event)

    @property
    def set_up_now(self) -> int:
        return sum(1 for each in self._transports if each.setup_sent and each.close_info is None)

    @property
    def open(self) -> int:
        return self.network.open

    async def dial(self, nursery: trio.Nursery, url: str, **options: object) -> Transport:
        """What sessions dial."""
        if self.dial_delays:
            await trio.sleep(self.dial_delays.popleft())
        transport = await self.network.dial(nursery, url, **options)
        kind = Forwarding if self.forwarding else Watched
        watched = kind(transport, self, self.network.servers[-1])
        self._transports.append(watched)
        return watched

    def refuse(self, *errors: ConnectError) -> None:
        self.network.refuse(*errors)

    def session(self, **options: object) -> AbstractAsyncContextManager[Session]:
        """Start a session that talks to this server."""
        return Session.start(**self.options(**options))

    def options(self, **options: object) -> dict[str, object]:
        given = {"model": MODEL, "dial": self.dial, **options}
        if "auth" not in given:
            given.setdefault("api_key", "secret-key")
        return given

    def then(self, *steps: Step) -> None:
        """Prescribe what happens after the setup of the next connections."""
        self.plan.extend(steps)

    async def line(self, number: int | None = None) -> Line:
        """The connection with this number (from 1), or the next one; waits for its setup."""
        if number is None:
            self._served = number = self._served + 1
        while len(self.lines) < number or self.lines[number - 1].setup is None:
            await self._changed.wait()
        return self.lines[number - 1]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                server = await self.network.accept()
                (transport,) = (each for each in self._transports if each.line is server)
                line = Line(server, len(self.lines) + 1, self.forwarding, transport.offer)
                self.lines.append(line)
                nursery.start_soon(self._serve, line)

    async def _serve(self, line: Line) -> None:
        try:
            line.setup = json.loads(await line.server.receive())["setup"]
            step = self.plan.popleft() if self.plan else self.default
            self._changed.set()
            self._changed = trio.Event()
            if step is None:
                line.complete()
            else:
                await step(line)
            while True:
                message = json.loads(await line.server.receive())
                line.note(message)
                if self.on_message is not None:
                    self.on_message(line, message)
        except LivebridgeError:
            line.wake()

    def check(self) -> None:
        """What must hold at the end of every test."""
        assert self.open == 0, "every transport is closed"
        assert self.most_set_up <= 1, "never two connections with a setup"


@attrs.define(eq=False)
class Log:
    """Records callbacks in order."""

    events: list[tuple[str, object]] = attrs.field(factory=list)
    _changed: trio.Event = attrs.field(factory=trio.Event)

    def callbacks(self, *names: str, without: Sequence[str] = ("on_tool_call",)) -> dict[str, object]:
        """Callbacks that record: these, or all."""
        return {name: self.recorder(name) for name in names or CALLBACKS if name not in without}

    def recorder(self, name: str) -> Callable[[object], None]:
        def record(argument: object) -> None:
            self.add(name, argument)

        return record

    def add(self, name: str, argument: object) -> None:
        self.events.append((name, argument))
        self._changed.set()
        self._changed = trio.Event()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def of(self, name: str) -> list[object]:
        return [argument for each, argument in self.events if each == name]

    async def wait(self, name: str, count: int = 1) -> object:
        """Wait for the count-th call of a callback; returns its argument."""
        while len(self.of(name)) < count:
            await self._changed.wait()
        return self.of(name)[count - 1]


def session_tasks() -> list[str]:
    """Names of the tasks of sessions that live."""
    root = trio.lowlevel.current_root_task()
    found, todo = [], [] if root is None else [root]
    while todo:
        task = todo.pop()
        if "SessionActor" in task.name or "livebridge.session" in task.name:
            found.append(task.name)
        todo.extend(child for nursery in task.child_nurseries for child in nursery.child_tasks)
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time jumps in every test of this folder (pytest-trio sees a clock only among a test's own arguments)."""
    for item in items:
        here = item.path.parent == Path(__file__).parent
        if here and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.trio(run=_jumping_run), append=False)


def _jumping_run(fn: Callable[[], Awaitable[object]], **options: object) -> object:
    options["clock"] = options.get("clock") or trio.testing.MockClock(autojump_threshold=0)
    return trio.run(fn, **options)


async def _give_up() -> None:
    await trio.sleep(PATIENCE_SECONDS)
    raise AssertionError("the test waits for something that never comes")


@pytest.fixture
def forwarding() -> bool:
    """Whether transports hand messages over without a task switch."""
    return False


@pytest.fixture
async def live(nursery: trio.Nursery, forwarding: bool) -> AsyncIterator[LiveServer]:
    """A running server; afterwards nothing may be left of any session."""
    server = LiveServer(forwarding=forwarding)
    nursery.start_soon(_give_up)
    await nursery.start(server.run)
    yield server
    server.check()
    assert session_tasks() == []
    nursery.cancel_scope.cancel()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def world() -> Callable[..., object]:
    """Runs an async function of a fresh `LiveServer` in a trio of its own, with all the checks."""

    def run(scenario: Callable[[LiveServer], Awaitable[object]]) -> object:
        async def main() -> object:
            server = LiveServer()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_give_up)
                await nursery.start(server.run)
                result = await scenario(server)
                server.check()
                assert session_tasks() == []
                nursery.cancel_scope.cancel()
            return result

        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

    return run


@pytest.fixture
def steps() -> SimpleNamespace:
    """What a server can do after a setup."""
    return SimpleNamespace(silence=silence, complete=complete, closing=closing, saying=saying)


@pytest.fixture
def make_live() -> type[LiveServer]:
    return LiveServer


@pytest.fixture
def new_log() -> type[Log]:
    return Log


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment decides about a test."""
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
