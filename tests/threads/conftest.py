"""Simulators in a thread of their own, and bridges that leave no thread behind."""

import threading
from contextlib import ExitStack

import pytest

from livebridge import LiveBridgeThread
from livebridge.simulator import LiveSimulator

MODEL = "gemini-3.1-flash-live-preview"
PATIENCE_SECONDS = 20


class World:
    """The other side of the wire."""

    def __init__(self, thread, stack):
        self._thread = thread
        self._stack = stack
        self.simulator = None

    def serve(self, **settings):
        """Start a simulator, from now on the one that is meant; returns the options of a session with it."""
        self.simulator = self._stack.enter_context(self._thread.hold(LiveSimulator.serve(**settings)))
        return {"model": MODEL, "output_audio_transcription": {}, **self.simulator.connection}

    def wait(self, predicate):
        """Wait until something is true of the simulator."""
        return self._thread.run(self.simulator.wait_for, predicate)

    def do(self, act):
        """Let the simulator do something."""

        async def acting():
            return act(self.simulator)

        return self._thread.run(acting)

    def heard(self):
        return self.do(lambda simulator: simulator.conversations[-1].heard)


@pytest.fixture
def world():
    with LiveBridgeThread(name="world") as thread, ExitStack() as stack:
        yield World(thread.within(PATIENCE_SECONDS), stack)


@pytest.fixture
def bridge():
    """A bridge whose calls end; afterwards its thread is gone."""
    with LiveBridgeThread(name="under test") as bridge:
        yield bridge.within(PATIENCE_SECONDS)
    assert "under test" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def start(bridge):
    """Starts sessions whose calls end."""

    def started(handler=None, **options):
        return bridge.start(handler, **options).within(PATIENCE_SECONDS)

    return started


@pytest.fixture
def options(world):
    """What a session needs to talk to a simulator with simple rules."""
    return world.serve()


@pytest.fixture
def threads_named():
    def count(name):
        return sum(thread.name == name for thread in threading.enumerate())

    return count
