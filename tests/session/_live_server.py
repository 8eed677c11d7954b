"""A Live API server in memory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import attrs
import trio

from livebridge.errors import ConnectError, LivebridgeError
from livebridge.session import Session
from livebridge.transport import MemoryNetwork, MemoryServer, Transport

from ._line import Line, Step

MODEL = "gemini-3.1-flash-live-preview"


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
