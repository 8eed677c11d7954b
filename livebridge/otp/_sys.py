"""Looking into a running actor, and holding it still: questions that jump its queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeVar

import trio

from livebridge.errors import CallTimeoutError
from livebridge.otp._caller import Caller
from livebridge.otp._cell import Cell, SystemCall, ask
from livebridge.otp._meter import Statistics, Status, TraceEvent
from livebridge.otp._term import Term

# What sys asks is served between two messages; OTP gives it the time of any other call.
SYS_TIMEOUT_SECONDS: Final = 5.0


T = TypeVar("T")


class Sys:
    """Questions to the runtime of an actor: ``ref.sys``.

    They travel in the system lane: they are served between two messages, before any that wait, on a full
    mailbox and on a suspended actor. Each raises `NoProcessError` if the actor has ended, `ActorExitError` if
    it ends meanwhile, `CallTimeoutError` after 5 seconds (a handler is blocking), and `CallSelfError` inside
    the actor.
    """

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def get_state(self) -> dict[str, object]:
        """Return what the actor's ``format_state`` shows: its attributes, secrets redacted."""
        return await self._run(lambda: self._cell.view()[0])

    async def replace_state(self, fn: Callable[[Term], object]) -> dict[str, object]:
        """Run ``fn(actor)`` between two messages, to change its attributes, and return the new state.

        What ``fn`` raises is raised here; the actor lives on.
        """

        def change() -> dict[str, object]:
            fn(self._cell.actor)
            return self._cell.view()[0]

        return await self._run(change)

    async def get_status(self) -> Status:
        """Return state, queue, present message, parent and counters.

        It is the one question that does not wait for the actor: it shows what a stuck handler is busy with.
        """
        await trio.lowlevel.checkpoint()
        if self._cell.exit_reason is not None:
            raise self._cell.gone("inspect")
        return status_of(self._cell)

    async def suspend(self) -> None:
        """Serve only the system lane from now on; user messages queue up."""
        await self._run(lambda: self._set_suspended(value=True))

    async def resume(self) -> None:
        """Serve all messages again."""
        await self._run(lambda: self._set_suspended(value=False))

    async def trace(self, fn: Callable[[TraceEvent], object]) -> None:
        """Call ``fn`` with every step of the actor; a hook that raises is removed."""
        await self._run(lambda: self._cell.meter.add_hook(fn))

    async def untrace(self, fn: Callable[[TraceEvent], object]) -> None:
        """Forget a trace hook."""
        await self._run(lambda: self._cell.meter.remove_hook(fn))

    async def log(self, size: int = 10) -> tuple[TraceEvent, ...]:
        """Keep the last ``size`` events from now on (0: none) and return those kept so far."""
        return await self._run(lambda: self._cell.meter.ring(size))

    async def statistics(self) -> Statistics:
        """Return the counters."""
        return await self._run(lambda: statistics_of(self._cell))

    def _set_suspended(self, *, value: bool) -> None:
        self._cell.mailbox.suspended = value

    async def _run(self, fn: Callable[[], T]) -> T:
        cell = self._cell
        if cell.exit_reason is not None:
            raise cell.gone("inspect")
        answer: list[T] = []
        caller = Caller(None, trio.lowlevel.current_task().name)

        async def put() -> bool:
            cell.mailbox.put_system(SystemCall(lambda: answer.append(fn()), caller))
            return True

        if not await ask(cell, caller, SYS_TIMEOUT_SECONDS, put):
            raise CallTimeoutError(
                f"{cell.name} did not look at its system lane within {SYS_TIMEOUT_SECONDS} s"
            )
        caller.result()
        return answer[0]


def statistics_of(cell: Cell) -> Statistics:
    """Read the counters of an actor."""
    meter, mailbox = cell.meter, cell.mailbox
    return Statistics(
        accepted=mailbox.accepted,
        handled=meter.handled,
        replies=meter.replies,
        errors=meter.errors,
        max_latency=meter.max_latency,
        depth=mailbox.depth,
        peak=mailbox.peak,
    )


def status_of(cell: Cell) -> Status:
    """Take a snapshot of an actor."""
    phase: Literal["running", "suspended", "stopping"] = "suspended" if cell.mailbox.suspended else "running"
    state, current = cell.view()
    return Status(
        name=cell.name,
        id=cell.id,
        phase="stopping" if cell.closing else phase,
        state=state,
        depth=cell.mailbox.depth,
        peak=cell.mailbox.peak,
        current=current,
        handler_age=None if current is None else trio.current_time() - cell.mailbox.taken_at,
        parent=cell.parent,
        restarts=cell.restarts,
        last_exit=cell.meter.last_exit,
        statistics=statistics_of(cell),
    )
