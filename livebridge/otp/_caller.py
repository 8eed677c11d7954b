"""A request that waits for its reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import trio


class Caller:
    """Whoever waits for the reply to one ``call``: the second argument of ``handle_call``.

    Keep it to reply later (return `NOREPLY`), from any task of the same trio run; from another thread go
    through ``trio.from_thread.run_sync(caller.reply, value)``. The first settlement wins, all later ones do
    nothing.

    Attributes:
        request: What was asked.
        task_name: The name of the task that asked.
    """

    __slots__ = (
        "_abandoned",
        "_error",
        "_on_settled",
        "_settled",
        "_task",
        "_value",
        "deferred",
        "request",
        "task_name",
    )

    def __init__(self, request: object, task_name: str) -> None:
        self.request: object = request
        self.task_name: str = task_name
        self.deferred: bool = False
        self._abandoned = False
        self._settled = False
        self._value: object = None
        self._error: BaseException | None = None
        self._task: trio.lowlevel.Task | None = None
        self._on_settled: Callable[[Caller], None] | None = None

    def __repr__(self) -> str:
        state = "settled" if self._settled else "abandoned" if self._abandoned else "waiting"
        return f"<Caller {self.task_name} {state}>"

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits any more (timeout or cancellation); a handler may skip the work."""
        return self._abandoned

    @property
    def settled(self) -> bool:
        """Whether a reply or an error has been given."""
        return self._settled

    def reply(self, value: object = None) -> None:
        """Answer with ``value``."""
        self._settle(value, None)

    def reply_error(self, error: BaseException) -> None:
        """Raise ``error`` in the caller; the actor lives on."""
        self._settle(None, error)

    def defer(self, on_settled: Callable[[Caller], None]) -> None:
        """Note that the handler has returned without a reply; call back when there is one or nobody waits."""
        self.deferred = True
        self._on_settled = on_settled

    def abandon(self) -> None:
        """Stop waiting: a later reply is discarded."""
        if not self._settled:
            self._abandoned = True
            self._done()

    async def wait(self) -> None:
        """Wait until settled; the outcome is in `result`."""
        if not self._settled:
            self._task = trio.lowlevel.current_task()

            def abort(_: object) -> trio.lowlevel.Abort:
                self._task = None
                return trio.lowlevel.Abort.SUCCEEDED

            await trio.lowlevel.wait_task_rescheduled(abort)

    def result(self) -> object:
        """Return the reply, or raise the error."""
        if self._error is not None:
            _raise(self._error)
        return self._value

    def _settle(self, value: object, error: BaseException | None) -> None:
        if self._settled or self._abandoned:
            return
        self._settled = True
        self._value = value
        self._error = error
        self._done()
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    def _done(self) -> None:
        if self._on_settled is not None:
            self._on_settled(self)
            self._on_settled = None


def _raise(error: BaseException) -> NoReturn:
    """Raise without leaving a reference cycle through the frame that raises."""
    try:
        raise error
    finally:
        del error
