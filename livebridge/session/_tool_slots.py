"""How many tools run at once: further ones wait in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import attrs

Work = Callable[["Slot"], Awaitable[None]]
"""What runs in a slot."""


@attrs.define(eq=False)
class Slot:
    """The right to run. It ends with `release`; further calls change nothing."""

    _slots: Slots
    _held: bool = True

    def release(self) -> None:
        """Let the next one run."""
        if self._held:
            self._held = False
            self._slots.freed()


@attrs.define(eq=False)
class Slots:
    """Starts work in order, a few at a time.

    Args:
        limit: How many at once.
        start: Starts a task.
    """

    limit: int
    start: Callable[[Callable[[], Awaitable[None]]], None]
    _queue: deque[Work] = attrs.field(factory=deque)
    _running: int = 0

    def submit(self, work: Work) -> None:
        """Start work now, or when its turn comes."""
        self._queue.append(work)
        self._start_next()

    def clear(self) -> int:
        """Forget what has not begun; returns how much that was."""
        waiting = len(self._queue)
        self._queue.clear()
        return waiting

    def freed(self) -> None:
        """A slot has become free."""
        self._running -= 1
        self._start_next()

    def _start_next(self) -> None:
        while self._queue and self._running < self.limit:
            self._running += 1
            self.start(partial(self._run, self._queue.popleft()))

    async def _run(self, work: Work) -> None:
        slot = Slot(self)
        try:
            await work(slot)
        finally:
            slot.release()
