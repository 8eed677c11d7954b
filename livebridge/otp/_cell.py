"""What an actor's address and its runtime share: mailbox, exit reason, monitors, side tasks."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import trio

from livebridge.errors import ActorError, ActorExitError, CallSelfError, NoProcessError
from livebridge.otp._caller import Caller
from livebridge.otp._mailbox import CALL, STOP, Entry, Mailbox
from livebridge.otp._meter import Meter
from livebridge.otp._reason import NOPROC, SHUTDOWN, ExitReason

LOGGER: Final = logging.getLogger("livebridge.otp")

_ids = itertools.count(1)

LOOPS: Final[dict[trio.lowlevel.Task, Cell]] = {}
"""Which actor a task is the loop of; entries live as long as the loop does."""


StateView = tuple[dict[str, object], str | None]
"""What an actor shows of itself: its redacted state, and a word on the message being handled."""


def _no_state() -> StateView:
    return {}, None


class StopRequest:
    """Asks the loop to end with ``reason``."""

    __slots__ = ("reason",)

    def __init__(self, reason: ExitReason) -> None:
        self.reason = reason


class Cell:
    """The state of one incarnation of an actor that its `Ref` and its runtime both see."""

    __slots__ = (
        "_done", "_monitor_ids", "_monitors", "_nursery", "actor", "closing", "current", "exit_reason", "fatal", "id",
        "interrupt", "kill_requested", "killers", "late_error", "leftovers", "mailbox", "meter", "name",
        "parent", "pending", "restarts", "scopes", "started", "supervisor", "task", "view", "waiting_on",
    )  # fmt: skip

    def __init__(self, name: object, kind: str, capacity: int) -> None:
        self.id: int = next(_ids)
        self.name: object = f"{kind}-{self.id}" if name is None else name
        self.mailbox: Mailbox = Mailbox(capacity)
        self.exit_reason: ExitReason | None = None
        self.started: bool = False
        self.kill_requested: bool = False
        self.actor: object = None
        self.closing: bool = False
        self.late_error: Exception | None = None
        self.meter: Meter = Meter()
        self.parent: object = None
        self.supervisor: Cell | None = None
        self.restarts: int = 0
        self.view: Callable[[], StateView] = _no_state
        self.fatal: BaseException | None = None
        self.current: Entry | None = None
        self.leftovers: int = 0
        self.pending: dict[Caller, None] = {}
        self.waiting_on: tuple[Cell, Caller | None] | None = None
        self.task: trio.lowlevel.Task | None = None
        self.scopes: set[trio.CancelScope] = set()
        self.killers: dict[Callable[[], None], None] = {}
        self.interrupt: Callable[[], None] | None = None
        self._nursery: trio.Nursery | None = None
        self._done: trio.Event | None = None
        self._monitors: dict[int, Callable[[ExitReason], object]] = {}
        self._monitor_ids = 0

    # What others ask of the actor

    def request_stop(self, reason: ExitReason, *, drain: bool = False) -> None:
        """Ask the loop to end: after all accepted messages (drain), or after the current one."""
        if self.mailbox.closed:
            return
        if drain:
            self.mailbox.force(STOP, StopRequest(reason))
            return
        self.mailbox.put_system(StopRequest(reason))
        if self.interrupt is not None:
            self.interrupt()

    def kill(self) -> None:
        """End the actor at its next checkpoint; ``terminate`` is skipped or cut off."""
        if self.exit_reason is not None:
            return
        self.kill_requested = True
        for kill in list(self.killers):
            kill()
        for scope in list(self.scopes):
            scope.cancel(reason=f"{self.name} was killed")
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel(reason=f"{self.name} was killed")

    async def wait_done(self) -> ExitReason:
        """Wait for the end and return its reason."""
        if self.exit_reason is None:
            if self._done is None:
                self._done = trio.Event()
            await self._done.wait()
        else:
            await trio.lowlevel.checkpoint()
        assert self.exit_reason is not None
        return self.exit_reason

    def monitor(self, fn: Callable[[ExitReason], object]) -> int:
        """Call ``fn`` once with the reason of the end; at once (``noproc``) if that has come already."""
        self._monitor_ids += 1
        if self.exit_reason is not None:
            notify(fn, NOPROC)
        else:
            self._monitors[self._monitor_ids] = fn
        return self._monitor_ids

    def demonitor(self, monitor_id: int) -> None:
        """Forget a monitor."""
        self._monitors.pop(monitor_id, None)

    def gone(self, verb: str) -> NoProcessError:
        """Build the error for talking to an actor that has ended."""
        return NoProcessError(
            f"cannot {verb} {self.name}: it has ended ({self.exit_reason}); "
            "a name that survives restarts comes from Registry.via",
            reason=NOPROC,
        )

    def exit_error(self, reason: ExitReason) -> ActorExitError:
        """Build the error for somebody who waited while the actor ended."""
        error = ActorExitError(f"{self.name} ended while you waited for it: {reason}", reason=reason)
        error.__cause__ = reason.exc
        return error

    # What the runtime does with it

    def attach(self, nursery: trio.Nursery) -> None:
        """Give the actor the nursery of its side tasks, which is also what `kill` cancels."""
        self._nursery = nursery
        if self.kill_requested:
            nursery.cancel_scope.cancel()

    def shield(self) -> None:
        """Hide the actor from cancellation of what it runs in: from now on only stop and kill reach it."""
        assert self._nursery is not None
        self._nursery.cancel_scope.shield = True

    def nursery(self, verb: str) -> trio.Nursery:
        """Return the nursery of side tasks.

        Raises:
            NoProcessError: The actor has ended.
            ActorError: It has not been started.
        """
        if self.exit_reason is not None:
            raise self.gone(verb)
        if self._nursery is None:
            raise ActorError(f"cannot {verb} {self.name}: it is not running yet")
        return self._nursery

    def start_soon(self, work: Callable[[], Awaitable[object]], name: str) -> None:
        """Start a task beside the loop; see `GenServer.start_soon`."""
        nursery = self.nursery("start a task beside")
        scope = trio.CancelScope(shield=True)
        self.scopes.add(scope)
        if self.kill_requested:
            scope.cancel()
        try:
            nursery.start_soon(self._run_task, work, scope, name=f"{self.name}:{name}")
        except RuntimeError:  # the nursery closes a few steps before the exit is complete
            self.scopes.discard(scope)
            raise self.gone("start a task beside") from None

    async def _run_task(self, work: Callable[[], Awaitable[object]], scope: trio.CancelScope) -> None:
        try:
            with scope:
                await work()
        except Exception as exc:  # noqa: BLE001 - it becomes the actor's exit reason
            if self.closing:
                self.late_error = exc
            else:
                self.request_stop(ExitReason.error(exc))
        except BaseException as exc:  # noqa: BLE001 - KeyboardInterrupt and SystemExit leave through the loop
            self.fail(exc)
        finally:
            self.scopes.discard(scope)

    def fail(self, exc: BaseException) -> None:
        """End the actor in order and let ``exc``, which is no `Exception`, leave where it ran."""
        if self.fatal is None:
            self.fatal = exc
        self.request_stop(SHUTDOWN)

    def cancel_tasks(self) -> None:
        """Cancel the side tasks."""
        for scope in list(self.scopes):
            scope.cancel(reason=f"{self.name} has ended")

    def finish(self, reason: ExitReason, late: tuple[Caller, object] | None) -> None:
        """Do steps 2 to 5 of an exit, without a checkpoint: fail all callers, publish, notify, late reply."""
        leftovers = self.mailbox.close()
        spared = late[0] if late is not None else None
        self._fail_callers(reason, leftovers, spared)
        self.exit_reason = reason
        if self._done is not None:
            self._done.set()
        for fn in list(self._monitors.values()):
            notify(fn, reason)
        self._monitors.clear()
        if late is not None:
            late[0].reply(late[1])
        self._nursery = None

    def current_caller(self) -> Caller | None:
        """Return who waits for the message being handled, if somebody does."""
        payload = None if self.current is None else self.current[1]
        return payload if isinstance(payload, Caller) else None

    def _fail_callers(self, reason: ExitReason, leftovers: list[Entry], spared: Caller | None) -> None:
        waiting = [self.current] if self.current is not None else []
        for entry in [*waiting, *leftovers]:
            payload = entry[1]
            if isinstance(payload, Caller) and payload is not spared and entry[0] == CALL:
                payload.reply_error(self.exit_error(reason))
            elif isinstance(payload, SystemCall):
                payload.caller.reply_error(self.exit_error(reason))
        for caller in list(self.pending):
            if caller is not spared:
                caller.reply_error(self.exit_error(reason))
        self.pending.clear()
        self.leftovers = sum(not isinstance(entry[1], (StopRequest, SystemCall)) for entry in leftovers)
        self.current = None


class SystemCall:
    """A question to the runtime of an actor, served before any user message, even while suspended."""

    __slots__ = ("caller", "fn")

    def __init__(self, fn: Callable[[], object], caller: Caller) -> None:
        self.fn = fn
        self.caller = caller


def waiting_source(target: Cell, verb: str) -> Cell | None:
    """Return the actor whose loop the current task is, after making sure that it may wait for ``target``.

    Actors that wait for each other form a graph in which every node has at most one edge; a new edge that
    would close a circle is a deadlock for certain, since all of it is in this process.

    Raises:
        CallSelfError: It would wait for itself, directly or through others.
    """
    source = LOOPS.get(trio.lowlevel.current_task())
    if source is None:
        return None
    hop = target
    path = [str(source.name)]
    while hop is not source:
        path.append(str(hop.name))
        edge = hop.waiting_on
        if edge is None or (edge[1] is not None and (edge[1].deferred or edge[1].settled)):
            return source
        hop = edge[0]
    path.append(str(source.name))
    raise CallSelfError(
        f"{source.name} cannot {verb} {target.name} from its own callback: it would wait for itself "
        f"({' -> '.join(path)}); use cast, Continue, or a task started with start_soon"
    )


@contextmanager
def waiting(source: Cell | None, target: Cell) -> Iterator[None]:
    """Show, for `waiting_source`, that the loop of ``source`` waits for the end or the start of ``target``."""
    if source is None:
        yield
        return
    source.waiting_on = (target, None)
    try:
        yield
    finally:
        source.waiting_on = None


async def ask(cell: Cell, caller: Caller, timeout: float | None, put: Callable[[], Awaitable[bool]]) -> bool:
    """Put a request and wait until it is settled; ``False`` if ``timeout`` seconds pass first."""
    source = waiting_source(cell, "call")
    if source is not None:
        source.waiting_on = (cell, caller)
    deadline = math.inf if timeout is None else trio.current_time() + timeout
    try:
        with trio.CancelScope(deadline=deadline):
            await trio.lowlevel.checkpoint_if_cancelled()
            if not await put():
                assert cell.exit_reason is not None
                caller.reply_error(cell.exit_error(cell.exit_reason))
            await caller.wait()
    finally:
        if source is not None:
            source.waiting_on = None
        caller.abandon()
    return caller.settled


def notify(fn: Callable[[ExitReason], object], reason: ExitReason) -> None:
    """Tell a monitor; what it raises is logged, because others wait to be told."""
    try:
        fn(reason)
    except Exception:
        LOGGER.exception("a monitor raised; the others are notified all the same")
