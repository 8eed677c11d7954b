"""Work beside actors: tasks whose failure is theirs alone."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar, TypeVarTuple

import trio

from livebridge.errors import ActorExitError, StartError
from livebridge.otp._opening import Opening
from livebridge.otp._reason import NORMAL, SHUTDOWN, ExitReason
from livebridge.otp._server import GenServer

LOGGER: Final = logging.getLogger("livebridge.otp")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Task(Generic[T]):
    """A function that runs under a `TaskSupervisor`."""

    __slots__ = ("_done", "_reason", "_scope", "_values", "name")

    def __init__(self, name: str) -> None:
        self.name: str = name
        self._scope = trio.CancelScope()
        self._done = trio.Event()
        self._reason: ExitReason | None = None
        self._values: list[T] = []

    def __repr__(self) -> str:
        return f"<Task {self.name} {self._reason or 'running'}>"

    @property
    def exit_reason(self) -> ExitReason | None:
        """``normal`` when the function has returned, ``error`` when it raised, ``shutdown`` when cancelled."""
        return self._reason

    def cancel(self) -> None:
        """Cancel it; after its end this does nothing."""
        self._scope.cancel()

    async def wait(self) -> T:
        """Wait until it has ended and return its result.

        Raises:
            ActorExitError: It raised (``__cause__``), or was cancelled; ``.reason`` says which.
        """
        await self._done.wait()
        assert self._reason is not None
        if not self._values:
            raise ActorExitError(
                f"task {self.name} ended: {self._reason}", reason=self._reason
            ) from self._reason.exc
        return self._values[0]

    async def run(self, work: Callable[[], Awaitable[T]]) -> None:
        """Run the function and keep what comes of it."""
        reason = SHUTDOWN
        try:
            with self._scope:
                self._values.append(await work())
                reason = NORMAL
        except Exception as exc:
            reason = ExitReason.error(exc)
            LOGGER.exception("task %s ended: %s", self.name, reason)
        finally:
            self._reason = reason
            self._done.set()


class TaskSupervisor(GenServer):
    """Runs functions beside actors, so that neither waits for, nor falls with, the other.

    A function that raises ends alone: it is logged, and ``wait`` raises for whoever wants the result. The end of the
    supervisor cancels all of them.

    Args:
        max_tasks: How many may run; ``None``: any number.
    """

    def __init__(self, *, max_tasks: int | None = None) -> None:
        self._max_tasks = max_tasks
        self._running = 0

    @classmethod
    def open(cls, *, max_tasks: int | None = None, name: object = None) -> Opening[TaskSupervisor]:
        """Run a task supervisor as an ``async with`` block. Leaving it cancels the tasks that still run.

        Raises:
            Exception: Whatever the body raised, as it is.
        """
        return Opening(cls(max_tasks=max_tasks), name, lambda: None)

    @property
    def running(self) -> int:
        """How many tasks run."""
        return self._running

    def spawn(self, fn: Callable[[*Ts], Awaitable[T]], *args: *Ts, name: str | None = None) -> Task[T]:
        """Start a function.

        Args:
            fn: An async function.
            args: Its arguments.
            name: A name for the task; the function's name by default.

        Raises:
            StartError: ``max_tasks`` run already.
            ActorError: The supervisor has not been started.
            NoProcessError: It has ended.
        """
        if self._max_tasks is not None and self._running >= self._max_tasks:
            raise StartError(f"{self.ref.name} runs max_tasks={self._max_tasks} tasks already")
        label = name if name is not None else str(getattr(fn, "__qualname__", type(fn).__qualname__))
        task: Task[T] = Task(label)

        async def run() -> None:
            try:
                await task.run(lambda: fn(*args))
            finally:
                self._running -= 1

        self.start_soon(run, name=label)
        self._running += 1
        return task
