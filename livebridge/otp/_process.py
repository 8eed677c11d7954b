"""The life of an actor: init, loop, terminate, and an exit in one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import trio

from livebridge.errors import ActorExitError, StartError
from livebridge.otp._caller import Caller
from livebridge.otp._cell import LOOPS, Cell
from livebridge.otp._dispatch import Dispatcher, check_step
from livebridge.otp._reason import KILLED, NORMAL, SHUTDOWN, ExitReason
from livebridge.otp._ref import Ref
from livebridge.otp._report import describe, report_exit
from livebridge.otp._server import GenServer
from livebridge.otp._steps import Ignore, Next, StopInit

ExitHook = Callable[[ExitReason, BaseException | None], None]
"""Told, as the last step of an exit: why, and what must leave the program (``KeyboardInterrupt``)."""


class NameBook(Protocol):
    """Where names are kept: a `Registry`."""

    def register(self, name: object, ref: Ref) -> None:
        """Take a name or raise `AlreadyStartedError`."""

    def release(self, name: object, ref: Ref) -> None:
        """Free a name if ``ref`` still holds it."""


class Process:
    """One incarnation of an actor.

    ::

        STARTING ── init ok ──> RUNNING <── suspend / resume ──> SUSPENDED
        STARTING ── exception, Ignore ──> DEAD                     terminate is not called
        RUNNING  ── Stop, stop(), exception, outer cancel ──> STOPPING     terminate: shielded, bounded
        any      ── kill ──> DEAD(killed)                          terminate is skipped or cut off
        STOPPING ──> DEAD   without a checkpoint: name free, callers fail, reason set, monitors, late reply,
        parent

    Args:
        actor: The instance; it can run once.
        name: Name to register, or only to show if there is no registry.
        registry: Where the name is taken.
        linked: Raise `ActorExitError` in the owning nursery at an abnormal end.
        on_start: Told that ``init`` has succeeded, before anybody else is.
        on_exit: Told about the end, as the last step of it; with it, nothing is raised once the actor runs.
        shielded: Once the actor runs, cancellation from outside does not reach it: its supervisor stops it.
    """

    def __init__(
        self,
        actor: GenServer,
        *,
        name: object = None,
        registry: NameBook | None = None,
        linked: bool = False,
        on_start: Callable[[], None] | None = None,
        on_exit: ExitHook | None = None,
        shielded: bool = False,
    ) -> None:
        if hasattr(actor, "_actor"):
            raise StartError(
                f"this {type(actor).__name__} has been started before; make a new instance for each start"
            )
        self.actor = actor
        self.cell: Cell = Cell(name, type(actor).__name__, actor.mailbox_capacity)
        self.ref: Ref = Ref(self.cell)
        self.cell.actor = actor
        self.cell.view = lambda: describe(actor, self.cell)
        actor._actor = self.ref  # noqa: SLF001 - the one name that the runtime owns on an actor
        self._name = name
        self._registry = registry if name is not None else None
        self._linked = linked
        self._on_start = on_start
        self._on_exit = on_exit
        self._shielded = shielded
        self._reason = NORMAL
        self._late: tuple[Caller, object] | None = None
        self._outer: BaseException | None = None
        self._refused: BaseException | None = None
        self._ignored = False

    async def run(self, *args: object, task_status: trio.TaskStatus[Ref | None]) -> None:
        """Live. Call it through ``nursery.start``."""
        if self._registry is not None:
            self._registry.register(self._name, self.ref)
        cell = self.cell
        cell.task = task = trio.lowlevel.current_task()
        if cell.supervisor is None and task.eventual_parent_nursery is not None:
            cell.parent = task.eventual_parent_nursery.parent_task.name
        try:
            async with trio.open_nursery() as nursery:
                cell.attach(nursery)
                await self._live(args, task_status)
                cell.cancel_tasks()
        except BaseExceptionGroup as group:
            # only a KeyboardInterrupt can strike here; the tasks raise nothing
            self._outer = group.exceptions[0]
        self._finish()
        if self._ignored:
            task_status.started(None)
        self._leave()

    async def _live(self, args: tuple[object, ...], task_status: trio.TaskStatus[Ref | None]) -> None:
        """Do everything that may wait; keep, and do not raise, whatever happens."""
        cell = self.cell
        task = trio.lowlevel.current_task()
        LOOPS[task] = cell
        try:
            step = await self._start(args)
            if self._refused is None and not self._ignored:
                cell.started = True
                task_status.started(self.ref)
                if self._shielded:
                    cell.shield()
                if self._on_start is not None:
                    self._on_start()
                await self._run_loop(step)
        finally:
            cell.closing = True
            del LOOPS[task]

    async def _start(self, args: tuple[object, ...]) -> Next:
        try:
            step = await self.actor.init(*args)
            check_step(step, "init")
            # cancelled here still means not started; afterwards it would be too late to tell the starter
            await trio.lowlevel.checkpoint_if_cancelled()
        except Ignore:
            self._ignored = True
        except Exception as exc:  # noqa: BLE001 - it is raised by start() as it is
            self._refused = exc
            self._reason = ExitReason.error(exc)
        except BaseException as exc:  # noqa: BLE001 - raised at the end of run()
            killed = self.cell.kill_requested
            self._refused = self.cell.exit_error(KILLED) if killed else exc
            self._reason = KILLED
        else:
            return step
        return None

    async def _run_loop(self, step: Next) -> None:
        dispatcher = Dispatcher(self.actor, self.cell)
        try:
            reason = await dispatcher.loop(step)
        except Exception as exc:  # noqa: BLE001 - it becomes the exit reason
            reason = ExitReason.error(exc)
            self.cell.meter.errors += 1
        except BaseException as exc:  # noqa: BLE001 - it is raised at the end of run()
            reason = self._interrupted(exc)
        self._late = dispatcher.late
        self.cell.closing = True
        if not self.cell.kill_requested:
            reason = await self._terminate(reason)
        self._reason = reason

    def _interrupted(self, exc: BaseException) -> ExitReason:
        """Sort what is no `Exception`: a cancellation is a request to go, the rest is an error too."""
        if isinstance(exc, BaseExceptionGroup):
            cancelled, rest = exc.split(trio.Cancelled)
            if rest is None or isinstance(rest, ExceptionGroup):
                self._outer = None if self.cell.kill_requested else cancelled
                return SHUTDOWN if rest is None else ExitReason.error(rest)
        if isinstance(exc, trio.Cancelled) and self.cell.kill_requested:
            return KILLED  # the cancellation is our own; it ends here
        self._outer = exc
        return SHUTDOWN if isinstance(exc, trio.Cancelled) else ExitReason.error(exc)

    async def _terminate(self, reason: ExitReason) -> ExitReason:
        scope = trio.CancelScope(deadline=trio.current_time() + self.actor.terminate_timeout, shield=True)
        self.cell.scopes.add(scope)
        try:
            with scope:
                await self.actor.terminate(reason)
        except Exception as exc:  # noqa: BLE001 - it replaces the exit reason
            reason = ExitReason.error(exc)
        except BaseException as exc:  # noqa: BLE001 - it is raised at the end of run()
            self._outer = exc
            reason = ExitReason.error(exc)
        finally:
            self.cell.scopes.discard(scope)
        return KILLED if scope.cancelled_caught else reason

    def _finish(self) -> None:
        """Exit in one step: whoever learns of it finds the name free and the reason set."""
        cell = self.cell
        reason = self._reason
        if cell.late_error is not None and not reason.abnormal:
            reason = ExitReason.error(cell.late_error)
        if cell.kill_requested and self._refused is None:
            reason = KILLED
        if self._registry is not None:
            self._registry.release(self._name, self.ref)
        report = describe(self.actor, cell)
        waiting = cell.current_caller()
        cell.finish(reason, self._late)
        # declined, or cancelled before it had started: nothing crashed
        quiet = isinstance(self._refused, (StopInit, trio.Cancelled))
        report_exit(cell, reason, report, waiting, quiet=quiet)
        if cell.fatal is not None:
            self._outer = cell.fatal
        if self._on_exit is not None and cell.started:
            self._on_exit(reason, self._outer)

    def _leave(self) -> None:
        if self._refused is not None:
            raise self._refused
        if self._on_exit is not None:
            return
        if self._outer is not None:
            raise self._outer
        reason = self.cell.exit_reason
        if self._linked and reason is not None and reason.abnormal:
            raise ActorExitError(f"{self.cell.name} ended: {reason}", reason=reason) from reason.exc
