"""A jumping clock, a Live API server in memory, a log of callbacks, and the checks that end every test."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from ._line import closing, complete, saying, silence
from ._live_server import LiveServer
from ._log import Log

PATIENCE_SECONDS = 100_000.0
"""On the jumping clock: far beyond any timeout of a session, so a test that hangs fails at once."""


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


@asynccontextmanager
async def _running(server: LiveServer) -> AsyncIterator[LiveServer]:
    """Run a server; in the end nothing may be left of any session."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_give_up)
        await nursery.start(server.run)
        yield server
        server.check()
        assert session_tasks() == []
        nursery.cancel_scope.cancel()


async def _give_up() -> None:
    await trio.sleep(PATIENCE_SECONDS)
    raise AssertionError("the test waits for something that never comes")


@pytest.fixture
def forwarding() -> bool:
    """Whether transports hand messages over without a task switch."""
    return False


@pytest.fixture
async def live(forwarding: bool) -> AsyncIterator[LiveServer]:
    """A running server, and the checks after the test."""
    async with _running(LiveServer(forwarding=forwarding)) as server:
        yield server


@pytest.fixture
def world() -> Callable[..., object]:
    """Runs an async function of a fresh `LiveServer` in a trio of its own, with all the checks."""

    def run(scenario: Callable[[LiveServer], Awaitable[object]]) -> object:
        async def main() -> object:
            async with _running(LiveServer()) as server:
                return await scenario(server)

        return _jumping_run(main)

    return run


@pytest.fixture
def log() -> Log:
    return Log()


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
