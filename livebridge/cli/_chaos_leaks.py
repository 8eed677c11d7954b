"""Finds what a run leaves behind: tasks, by name and place, and sockets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs
import trio

LEAK_PATIENCE: Final = 60.0
"""Seconds that everything may take to notice that its connection is gone; on a busy machine that is long."""

POLL_SECONDS: Final = 0.05
"""Between two looks."""


@attrs.frozen
class Inventory:
    """What there was at one moment.

    Attributes:
        tasks: Every task of this run of trio.
        sockets: Open sockets of this process.
    """

    tasks: frozenset[trio.lowlevel.Task]
    sockets: int

    @classmethod
    def take(cls) -> Inventory:
        """Look around."""
        return cls(frozenset(_tasks()), count_sockets())

    async def wait_until_restored(self) -> None:
        """Wait until nothing is there that was not there then; not longer than `LEAK_PATIENCE`."""
        with trio.move_on_after(LEAK_PATIENCE):
            while self.new_tasks() or self.new_sockets():  # noqa: ASYNC110 - the kernel tells nobody when a socket is gone
                await trio.sleep(POLL_SECONDS)

    def new_tasks(self) -> Mapping[str, int]:
        """The tasks that have come since and are still there: what each is and where it waits, and how many."""
        return Counter(described(task) for task in _tasks() if task not in self.tasks)

    def new_sockets(self) -> int:
        """How many more sockets there are now."""
        return max(0, count_sockets() - self.sockets)


def _tasks() -> Iterator[trio.lowlevel.Task]:
    waiting = [trio.lowlevel.current_root_task()]
    while waiting:
        task = waiting.pop()
        if task is not None:
            yield task
            waiting.extend(child for nursery in task.child_nurseries for child in nursery.child_tasks)


def described(task: trio.lowlevel.Task) -> str:
    """The name of a task, and the innermost function of livebridge in which it waits."""
    places = [
        f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}, line {line}"
        for frame, line in task.iter_await_frames()
        if str(frame.f_globals.get("__name__")).startswith("livebridge.")
    ]
    return f"{task.name} (waits in {places[-1]})" if places else task.name


def count_sockets() -> int:
    """Open sockets of this process; 0 where the system does not show them."""
    count = 0
    with suppress(OSError):
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                count += str(entry.readlink()).startswith("socket:")
    return count
