"""Self-contained tools for tests of concurrent code: cancel at every checkpoint, and a wall-clock guard."""

from __future__ import annotations

import contextlib
import itertools
import signal
from collections.abc import Awaitable, Callable, Iterator

import pytest
import trio
import trio.testing

from ._children import World

Scenario = Callable[[], Awaitable[object]]


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope just before the n-th task step that follows ``arm``."""

    def __init__(self, n: int) -> None:
        self.scope = trio.CancelScope()
        self.fired = False
        self._left = n
        self._armed = False

    def arm(self) -> None:
        self._armed = True

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._armed and not self.fired:
            self._left -= 1
            if self._left == 0:
                self.fired = True
                self.scope.cancel()


def _cancel_everywhere(make: Callable[[], tuple[Scenario, Callable[[], object]]], *, rounds: int = 20) -> int:
    """Run a scenario again and again, cancelling it at its 1st, 2nd, … step; verify each time.

    Every step of every task is a place where a checkpoint has just ended, so that each checkpoint meets the
    cancellation in one of the runs. The whole is repeated ``rounds`` times, because trio shuffles ready tasks.

    Args:
        make: Gives a fresh scenario and the function that verifies what is left of it.
        rounds: Repetitions.

    Returns:
        How many cancelled runs there were.
    """
    runs = 0
    for _ in range(rounds):
        for n in itertools.count(1):
            scenario, verify = make()
            instrument = CancelAtStep(n)

            async def main(scenario: Scenario = scenario, instrument: CancelAtStep = instrument) -> None:
                with instrument.scope:
                    instrument.arm()
                    await scenario()

            clock = trio.testing.MockClock(autojump_threshold=0)
            trio.run(main, clock=clock, instruments=[instrument])
            verify()
            if not instrument.fired:
                break
            runs += 1
    return runs


class WallClockError(BaseException):
    """The guarded code took too long by the clock on the wall. No ``except Exception`` may swallow it."""


@contextlib.contextmanager
def _wall_clock(seconds: float) -> Iterator[None]:
    def strike(signum: int, frame: object) -> None:
        raise WallClockError(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, strike)
    # again and again, in case a runtime under test keeps the first strike for itself
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def cancel_everywhere() -> Callable[..., int]:
    return _cancel_everywhere


@pytest.fixture
def wall_clock() -> Callable[[float], contextlib.AbstractContextManager[None]]:
    return _wall_clock


@pytest.fixture
def world() -> World:
    return World()
