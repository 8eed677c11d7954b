"""The supervisor of many children of a kind, which come and go: no order, no groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import trio

from livebridge.errors import ActorError, NoProcessError, StartError
from livebridge.otp._child import Child, ChildHandle
from livebridge.otp._events import SupervisorEvent
from livebridge.otp._keeper import ChildEnded, Keeper, KeeperOptions, StartInterrupted
from livebridge.otp._mailbox import INFO
from livebridge.otp._opening import Opening
from livebridge.otp._process import NameBook
from livebridge.otp._reason import NOPROC, ExitReason
from livebridge.otp._ref import Ref
from livebridge.otp._spec import ChildSpec
from livebridge.otp._steps import Next
from livebridge.otp._strategy import ChildState, must_restart


class DynamicSupervisor(Keeper):
    """Starts any number of children on demand and stops them all at once.

    Each child stands for itself (``one_for_one``). A child is started in the task that asks for it, and restarted
    in a task of its own, so that a slow ``init`` delays nobody. All children are asked to stop together, the
    newest first, and each has the time its spec gives it.

    Args:
        max_children: How many there may be; ``None``: any number.
        max_restarts: Restarts allowed within ``max_seconds``, all children together; ``None``: any number.
        max_seconds: Length of the window, in seconds.
        registry: Where each child that has an id takes it as a name.
        shutdown_deadline: Seconds for stopping all children together; then the rest is killed.
        on_event: Called with each `SupervisorEvent`; must not block.

    Raises:
        ConfigError: An option is wrong.
    """

    def __init__(
        self,
        *,
        max_children: int | None = None,
        max_restarts: int | None = 3,
        max_seconds: float = 5.0,
        registry: NameBook | None = None,
        shutdown_deadline: float | None = None,
        on_event: Callable[[SupervisorEvent], object] | None = None,
    ) -> None:
        super().__init__(
            max_restarts=max_restarts,
            max_seconds=max_seconds,
            registry=registry,
            shutdown_deadline=shutdown_deadline,
            on_event=on_event,
        )
        self._max_children = max_children
        self._children: dict[Child, None] = {}

    @classmethod
    def open(
        cls,
        *,
        max_children: int | None = None,
        name: object = None,
        **options: Unpack[KeeperOptions],
    ) -> Opening[DynamicSupervisor]:
        """Run a dynamic supervisor as an ``async with`` block; see `Supervisor.open`.

        Args:
            max_children: As for the class.
            name: A name to show.
            **options: The other options of the class.

        Raises:
            ConfigError: An option is wrong.
            RestartIntensityError: There were too many restarts; ``__cause__`` is the last crash.
            Exception: Whatever the body raised, as it is.
        """
        keeper = cls(max_children=max_children, **options)
        return Opening(keeper, name, lambda: keeper.escalation)

    async def start_child(self, spec: ChildSpec) -> ChildHandle:
        """Start a child. If its ``init`` raises `Ignore` the handle has no ``ref`` and nothing is kept.

        Raises:
            StartError: It did not start (``__cause__`` says why), or there are ``max_children`` already.
            NoProcessError: The supervisor ends, or has ended.
        """
        cell = self.cell
        if cell.closing or cell.exit_reason is not None:
            raise NoProcessError(f"{cell.name} ends; it starts no more children", reason=NOPROC)
        if self._max_children is not None and len(self._children) >= self._max_children:
            raise StartError(f"{cell.name} has max_children={self._max_children} already")
        child = Child(spec)
        self.check_backoff(child)
        self._children[child] = None
        try:
            await self.launch(child)
        except StartInterrupted:
            raise NoProcessError(f"{cell.name} ended while the child started", reason=NOPROC) from None
        except Exception as exc:
            raise StartError(f"child {spec.id!r} did not start: {exc!r}") from exc
        finally:
            if child.state is ChildState.STOPPED and child.cell is None:
                self._drop(child)
        return ChildHandle(child)

    async def terminate_child(self, child: ChildHandle | Ref) -> None:
        """Stop a child and forget it.

        Args:
            child: Its handle, or the address of its present incarnation.

        Raises:
            ActorError: It is no child of this supervisor.
        """
        for candidate in self.children():
            if child.is_of(candidate) if isinstance(child, ChildHandle) else candidate.ref is child:
                break
        else:
            raise ActorError(f"{child!r} is no child of {self.ref.name}")
        candidate.enter(ChildState.STOPPED)
        await self._end(candidate)
        self._drop(candidate)

    def children(self) -> tuple[Child, ...]:
        """Return the children, oldest first."""
        return tuple(self._children)

    async def handle_info(self, message: object) -> Next:
        """React to the end of a child."""
        if not isinstance(message, ChildEnded):
            return None
        child, reason = message.child, message.reason
        if child.process is not message.process:
            return None
        if child.state is ChildState.STOPPED:
            self._drop(child)  # stopped on demand
            return None
        if must_restart(child.spec.restart, reason, child.spec.restart_if):
            return self._restart(child, reason)
        self.report_end(child, reason)
        self._drop(child)
        return None

    def _restart(self, child: Child, reason: ExitReason) -> Next:
        if not self.window.record(trio.current_time()):
            return self.give_up(child, reason)
        delay = self.next_delay(child)
        child.epoch += 1
        child.enter(ChildState.RESTARTING)
        if delay is not None:
            self.back_off(child, delay)
        self.start_soon(self._bring_back, child, child.epoch, delay or 0.0, name="restart")
        return None

    async def _bring_back(self, child: Child, epoch: int, delay: float) -> None:
        """Start a child again, beside the supervisor's loop; a failure is one more crash."""
        await trio.sleep(delay)
        if child.state is not ChildState.RESTARTING or child.epoch != epoch or self.cell.closing:
            return
        child.restarts += 1
        try:
            if not await self.launch(child):
                self._drop(child)
        except StartInterrupted:
            return
        except Exception as exc:  # noqa: BLE001 - counted and tried again
            assert child.process is not None
            reason = child.last_exit = ExitReason.error(exc)
            self.cell.mailbox.force(INFO, ChildEnded(child, child.process, reason))

    async def stop_in_order(self) -> None:
        """Ask all children to stop, the newest first, and wait for all of them together."""
        async with trio.open_nursery() as nursery:
            for child in reversed(self.children()):
                nursery.start_soon(self._end, child)
                # its request is posted before the next one's
                await trio.lowlevel.checkpoint()

    async def _end(self, child: Child) -> None:
        while child.starting is not None:
            child.starting.cancel()
            await child.changed.park()
        await self.stop_child(child)

    def _drop(self, child: Child) -> None:
        self._children.pop(child, None)
        child.forget()
