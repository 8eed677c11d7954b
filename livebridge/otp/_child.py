"""A child as its supervisor sees it, and the handle that others get."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable

import trio
from attrs import frozen

from livebridge.errors import ConfigError, NoProcessError
from livebridge.otp._cell import Cell
from livebridge.otp._process import Process
from livebridge.otp._reason import NOPROC, NORMAL, ExitReason
from livebridge.otp._ref import Ref
from livebridge.otp._server import GenServer
from livebridge.otp._spec import ChildSpec, ChildType
from livebridge.otp._steps import Next, Stop
from livebridge.otp._strategy import ChildState


class Child:
    """One entry of a supervisor: a spec and its present incarnation, if there is one.

    Attributes:
        spec: How to start, restart and stop it.
        state: What the supervisor believes; messages about other states are out of date.
        process: The present or last incarnation.
        epoch: Number of the restart it waits for.
        attempt: How many consecutive restarts there have been, for the back-off.
        restarts: How many restarts there have been in all.
        requested: Whether the supervisor itself asked the present incarnation to end.
        last_exit: Why the last incarnation ended.
        lived: For how many seconds.
        forgotten: Whether the supervisor has dropped it.
    """

    __slots__ = (
        "attempt", "changed", "epoch", "forgotten", "last_exit", "lived", "process", "requested",
        "restarts", "spec", "started_at", "starting", "state",
    )  # fmt: skip

    def __init__(self, spec: ChildSpec) -> None:
        self.spec: ChildSpec = spec
        self.state: ChildState = ChildState.STOPPED
        self.process: Process | None = None
        self.starting: trio.CancelScope | None = None
        self.changed: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        self.epoch: int = 0
        self.attempt: int = 0
        self.restarts: int = 0
        self.requested: bool = False
        self.last_exit: ExitReason | None = None
        self.lived: float = 0.0
        self.started_at: float = 0.0
        self.forgotten: bool = False

    @property
    def cell(self) -> Cell | None:
        """What runs, or has not finished ending."""
        if self.process is None or self.process.cell.exit_reason is not None:
            return None
        return self.process.cell

    @property
    def ref(self) -> Ref | None:
        """The address of the present incarnation."""
        if self.process is None or self.cell is None or self.starting is not None:
            return None
        return self.process.ref

    def enter(self, state: ChildState) -> None:
        """Change the state and wake whoever waits for that."""
        self.state = state
        self.changed.unpark_all()

    def forget(self) -> None:
        """Drop the child for good."""
        self.forgotten = True
        self.enter(ChildState.STOPPED)


class ChildHandle:
    """A child, whichever incarnation it is in."""

    __slots__ = ("_child",)

    def __init__(self, child: Child) -> None:
        self._child = child

    def __repr__(self) -> str:
        return f"<ChildHandle {self.id!r} {self._child.state.value}>"

    @property
    def id(self) -> object:
        """The id of its spec."""
        return self._child.spec.id

    @property
    def ref(self) -> Ref | None:
        """The address of the present incarnation; ``None`` while there is none."""
        return self._child.ref

    @property
    def restarts(self) -> int:
        """How often it has been restarted."""
        return self._child.restarts

    async def wait_ready(self) -> Ref:
        """Wait until it runs, and return the address of that incarnation.

        Raises:
            NoProcessError: It has ended for good, or was stopped.
        """
        await trio.lowlevel.checkpoint()
        child = self._child
        while child.state is ChildState.RESTARTING:
            await child.changed.park()
        ref = child.ref
        if ref is None:
            raise NoProcessError(f"the child {self.id!r} has ended ({child.last_exit})", reason=NOPROC)
        return ref

    def is_of(self, child: Child) -> bool:
        """Whether this is the handle of ``child``."""
        return self._child is child


@frozen(kw_only=True)
class ChildInfo:
    """A line of ``which_children``: ``ref`` is ``None`` unless ``state`` is ``running``."""

    id: object
    ref: Ref | None
    state: str
    type: ChildType
    restarts: int


@frozen(kw_only=True)
class ChildCounts:
    """The sums of ``count_children``: specs, those that run, and those of either type."""

    specs: int
    active: int
    supervisors: int
    workers: int


def info_of(child: Child) -> ChildInfo:
    """Describe a child."""
    return ChildInfo(
        id=child.spec.id,
        ref=child.ref,
        state=child.state.value,
        type=child.spec.type,
        restarts=child.restarts,
    )


class TaskActor(GenServer):
    """An async function as a child: its end is the actor's end; a request to stop cancels it."""

    def __init__(self, work: Awaitable[object]) -> None:
        self.work = work

    async def init(self) -> None:
        """Start the function beside the actor."""
        self.start_soon(self._run, name=getattr(self.work, "__qualname__", "task"))

    async def handle_info(self, message: object) -> Next:
        """End as the function has ended."""
        return Stop(NORMAL) if message is self else None

    async def _run(self) -> None:
        await self.work
        self.ref.deliver(self)


def build(spec: ChildSpec) -> GenServer:
    """Make a fresh incarnation.

    Raises:
        ConfigError: ``spec.start`` made something that is no actor and no coroutine.
        Exception: Whatever ``spec.start`` raised.
    """
    made = spec.start(*spec.args, **spec.kwargs)
    if isinstance(made, GenServer):
        return made
    if inspect.isawaitable(made):
        return TaskActor(made)
    raise ConfigError(
        f"the start of child {spec.id!r} returned a {type(made).__name__}; expected a GenServer, or an async function"
    )


def await_stack(cell: Cell) -> tuple[str, ...]:
    """Say where the tasks of an actor wait: one line per frame, outermost first."""
    tasks = [] if cell.task is None else [cell.task]
    tasks += [task for nursery in (tasks[0].child_nurseries if tasks else ()) for task in nursery.child_tasks]
    return tuple(
        f"{task.name}: {frame.f_code.co_qualname} ({frame.f_code.co_filename}:{line})"
        for task in tasks
        for frame, line in task.iter_await_frames()
    )
