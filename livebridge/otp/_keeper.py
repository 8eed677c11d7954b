"""What all supervisors share: starting one child, stopping one child, and giving up.

A supervisor is an actor. Its children run in its own task scope, each hidden from outer cancellation, so that a
cancelled supervisor can stop them in order: cancellation reaches its loop alone and becomes ``terminate``.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import ClassVar, Final, TypedDict

import trio
from attrs import frozen

from livebridge.errors import ActorExitError, CallSelfError, RestartIntensityError
from livebridge.otp._cell import LOOPS, Cell, waiting
from livebridge.otp._child import Child, ChildCounts, ChildInfo, await_stack, build, info_of
from livebridge.otp._events import (
    LEVELS,
    ChildBackingOff,
    ChildExited,
    ChildGivenUp,
    ChildKilled,
    ChildStarted,
    Escalated,
    SupervisorEvent,
    ZombieChild,
)
from livebridge.otp._intensity import RestartWindow
from livebridge.otp._mailbox import INFO
from livebridge.otp._process import NameBook, Process
from livebridge.otp._reason import SHUTDOWN, ExitReason
from livebridge.otp._ref import cell_of
from livebridge.otp._server import GenServer
from livebridge.otp._steps import Stop
from livebridge.otp._strategy import ChildState

LOGGER: Final = logging.getLogger("livebridge.otp")

# A killed task ends at its next checkpoint; ten seconds without one is a bug somebody must hear of, and once a
# minute keeps the log readable while it lasts.
ZOMBIE_FIRST_SECONDS: Final = 10.0
ZOMBIE_REPEAT_SECONDS: Final = 60.0

MAX_RESTARTS: Final = "max_restarts"
"""The term of the exit reason of a supervisor that gave up."""


class StartInterrupted(Exception):  # noqa: N818 - no failure: the supervisor was asked to stop
    """The start of a child was cut off because the supervisor ends."""


@frozen
class ChildEnded:
    """A child has ended by itself; the incarnation tells whether that is still news."""

    child: Child
    process: Process
    reason: ExitReason


class KeeperOptions(TypedDict, total=False):
    """The options that all supervisors have, as `Keeper` takes them."""

    max_restarts: int | None
    max_seconds: float
    registry: NameBook | None
    shutdown_deadline: float | None
    on_event: Callable[[SupervisorEvent], object] | None


class Keeper(GenServer):
    """Base of the supervisors.

    Args:
        max_restarts: Restarts allowed within ``max_seconds``; ``None``: any number.
        max_seconds: Length of the window.
        registry: Where each child takes its id as a name.
        shutdown_deadline: Seconds for stopping all children together; then the rest is killed.
        on_event: Called with each `SupervisorEvent`; must not block.
    """

    terminate_timeout: ClassVar[float] = math.inf

    def __init__(
        self,
        *,
        max_restarts: int | None,
        max_seconds: float,
        registry: NameBook | None,
        shutdown_deadline: float | None,
        on_event: Callable[[SupervisorEvent], object] | None,
    ) -> None:
        self.window: RestartWindow = RestartWindow(max_restarts=max_restarts, max_seconds=max_seconds)
        self.escalation: RestartIntensityError | None = None
        self.rand: Callable[[], float] = random.random
        self._registry = registry
        self._shutdown_deadline = math.inf if shutdown_deadline is None else shutdown_deadline
        self._on_event = on_event

    # What users call

    async def stop(self) -> None:
        """End the supervisor: its children are stopped first. When it has ended already, nothing happens.

        Raises:
            CallSelfError: Called from one of its children, which would wait for its own end.
        """
        cell = self.cell
        source = LOOPS.get(trio.lowlevel.current_task())
        while source is not None:
            if source is cell:
                raise CallSelfError(f"{cell.name} stops its children first: none of them can wait for that")
            source = source.supervisor
        cell.request_stop(SHUTDOWN)
        await cell.wait_done()

    def kill(self) -> None:
        """Kill the supervisor and all its children at once, without ``terminate``."""
        self.cell.kill()

    async def wait(self) -> ExitReason:
        """Wait until the supervisor has ended and return why.

        Raises:
            RestartIntensityError: There were too many restarts; ``__cause__`` is the last crash.
            ActorExitError: The supervisor itself crashed.
        """
        reason = await self.ref.wait_exit()
        if self.escalation is not None:
            raise self.escalation
        if reason.kind == "error":
            raise self.cell.exit_error(reason)
        return reason

    def which_children(self) -> tuple[ChildInfo, ...]:
        """Describe the children, in start order."""
        return tuple(info_of(child) for child in self.children())

    def count_children(self) -> ChildCounts:
        """Count the children."""
        children = list(self.children())
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return ChildCounts(
            specs=len(children),
            active=sum(child.ref is not None for child in children),
            supervisors=supervisors,
            workers=len(children) - supervisors,
        )

    def format_state(self) -> dict[str, object]:
        """Show the children and the restarts within the window."""
        return {"children": self.which_children(), "restarts": self.window.history}

    # What supervisors are made of

    @property
    def cell(self) -> Cell:
        """What the runtime knows of this supervisor."""
        return cell_of(self.ref)

    def children(self) -> tuple[Child, ...]:
        """Return the children in start order."""
        raise NotImplementedError

    def emit(self, event: SupervisorEvent) -> None:
        """Log an event and hand it to ``on_event``; what that raises is logged."""
        LOGGER.log(LEVELS[type(event)], "%s", event)
        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:
                LOGGER.exception("on_event of %s raised", self.ref.name)

    async def launch(self, child: Child) -> bool:
        """Start a fresh incarnation of a child.

        Returns:
            ``False`` if its ``init`` raised `Ignore`.

        Raises:
            StartInterrupted: The supervisor ends.
            Exception: Whatever building or ``init`` raised.
        """
        own, spec = self.cell, child.spec
        child.requested = False
        child.lived = 0.0
        process = Process(
            build(spec),
            name=spec.id,
            registry=self._registry,
            on_start=lambda: self._started(child, process),
            on_exit=lambda reason, fatal: self._exited(child, process, reason, fatal),
            shielded=True,
        )
        cell = process.cell
        cell.supervisor, cell.parent, cell.restarts = own, own.name, child.restarts
        cell.meter.last_exit = child.last_exit
        child.process = process
        if await self._run_init(child, process):
            return True
        child.enter(ChildState.STOPPED)
        return False

    def _started(self, child: Child, process: Process) -> None:
        """Take note of the success of a child's init, before the child does anything else."""
        child.started_at = now = trio.current_time()
        child.starting = None
        child.enter(ChildState.RUNNING)
        self.emit(
            ChildStarted(
                supervisor=self.ref.name,
                at=now,
                id=child.spec.id,
                ref=process.ref,
                restarts=child.restarts,
            )
        )

    async def _run_init(self, child: Child, process: Process) -> bool:
        own, cell = self.cell, process.cell
        own.killers[cell.kill] = None
        child.starting = scope = trio.CancelScope()
        ref = None
        with self._waiting(cell):
            try:
                with scope:
                    ref = await own.nursery("start a child of").start(process.run, name=str(cell.name))
            finally:
                child.starting = None
                if ref is None:
                    own.killers.pop(cell.kill, None)
                child.changed.unpark_all()
        if scope.cancelled_caught:
            raise StartInterrupted
        return ref is not None

    def _exited(
        self, child: Child, process: Process, reason: ExitReason, fatal: BaseException | None
    ) -> None:
        """Take note of the end of a child, inside that end."""
        own = self.cell
        now = trio.current_time()
        own.killers.pop(process.cell.kill, None)
        child.last_exit = reason
        child.lived = now - child.started_at
        child.changed.unpark_all()
        self.emit(
            ChildExited(
                supervisor=own.name,
                at=now,
                id=child.spec.id,
                reason=reason,
                lived=child.lived,
                requested=child.requested,
            )
        )
        if fatal is not None:
            own.fail(fatal)
        own.mailbox.force(INFO, ChildEnded(child, process, reason))

    async def stop_child(self, child: Child) -> None:
        """Ask a child to end, wait as long as its spec says, kill it, and wait until it is dead."""
        child.requested = True
        cell = child.cell
        if cell is None:
            return
        with self._waiting(cell):
            if child.spec.shutdown != "brutal_kill":
                cell.request_stop(SHUTDOWN)
                with trio.move_on_after(child.spec.grace):
                    await cell.wait_done()
            await self.kill_child(child)

    def _waiting(self, child: Cell) -> AbstractContextManager[None]:
        """Show that the loop of this supervisor waits for a child; a task beside it holds up nobody."""
        own = self.cell
        return waiting(own if LOOPS.get(trio.lowlevel.current_task()) is own else None, child)

    async def kill_child(self, child: Child) -> None:
        """Kill a child unless it is dead, and wait for that without limit: a task cannot be abandoned."""
        cell = child.cell
        if cell is None:
            return
        self.emit(
            ChildKilled(
                supervisor=self.ref.name, at=trio.current_time(), id=child.spec.id, grace=child.spec.grace
            )
        )
        cell.kill()
        patience = ZOMBIE_FIRST_SECONDS
        killed_at = trio.current_time()
        while cell.exit_reason is None:
            with trio.move_on_after(patience):
                await cell.wait_done()
                return
            now = trio.current_time()
            self.emit(
                ZombieChild(
                    supervisor=self.ref.name,
                    at=now,
                    id=child.spec.id,
                    waited=now - killed_at,
                    stack=await_stack(cell),
                )
            )
            patience = ZOMBIE_REPEAT_SECONDS

    async def stop_all(self) -> None:
        """Stop all children, within the ``shutdown_deadline``."""
        with trio.move_on_after(self._shutdown_deadline) as scope:
            await self.stop_in_order()
        if scope.cancelled_caught:
            late = [child for child in self.children() if child.cell is not None]
            for child in late:
                child.requested = True
                if child.cell is not None:
                    child.cell.kill()
            for child in late:
                await self.kill_child(child)
        for child in self.children():
            child.forget()

    async def stop_in_order(self) -> None:
        """Stop all children in the order of the kind of supervisor."""
        raise NotImplementedError

    async def terminate(self, reason: ExitReason) -> None:
        """Stop the children."""
        await self.stop_all()

    def next_delay(self, child: Child) -> float | None:
        """Return how long the next restart of a child waits; ``None``: not at all."""
        backoff = child.spec.backoff
        if backoff is None:
            return None
        attempt = backoff.attempt_after(child.attempt, child.lived)
        child.attempt = attempt + 1
        return backoff.delay(attempt, self.rand())

    def back_off(self, child: Child, delay: float) -> None:
        """Say that the next restart of a child, decided now, waits ``delay`` seconds."""
        self.emit(
            ChildBackingOff(
                supervisor=self.ref.name,
                at=trio.current_time(),
                id=child.spec.id,
                delay=delay,
                attempt=child.attempt - 1,
            )
        )

    def give_up(self, child: Child, reason: ExitReason) -> Stop:
        """Escalate: too many restarts."""
        now, name = trio.current_time(), self.ref.name
        history = self.window.history
        error = RestartIntensityError(
            f"{name} gave up after child {child.spec.id!r} ended ({reason}): more than {self.window.max_restarts} "
            f"restarts within {self.window.max_seconds} s",
            history=history,
        )
        error.__cause__ = reason.exc or ActorExitError(f"{child.spec.id!r} ended: {reason}", reason=reason)
        self.escalation = error
        self.emit(ChildGivenUp(supervisor=name, at=now, id=child.spec.id, reason=reason))
        self.emit(Escalated(supervisor=name, at=now, history=history, reason=reason))
        return Stop(ExitReason.shutdown(MAX_RESTARTS))

    def report_end(self, child: Child, reason: ExitReason) -> None:
        """Say that a failed child is not restarted."""
        if reason.abnormal:
            self.emit(
                ChildGivenUp(
                    supervisor=self.ref.name, at=trio.current_time(), id=child.spec.id, reason=reason
                )
            )

    def check_backoff(self, child: Child) -> None:
        """Warn if the delays of a child keep it from ever exceeding the restart intensity."""
        backoff, window = child.spec.backoff, self.window
        if backoff is None or window.max_restarts is None:
            return
        if backoff.outlasts(max_restarts=window.max_restarts, max_seconds=window.max_seconds):
            LOGGER.warning(
                "child %r: its Backoff outlasts the window of %s s, so its crashes never exceed max_restarts=%s; "
                "raise max_seconds, or pass max_restarts=None to say that this is intended",
                child.spec.id, window.max_seconds, window.max_restarts,
            )  # fmt: skip
