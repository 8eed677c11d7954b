"""The supervisor whose children have an order: it starts them forwards and stops them backwards."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Unpack, get_args

import trio
from attrs import frozen

from livebridge.errors import ActorError, AlreadyStartedError, ConfigError, StartError
from livebridge.otp._caller import Caller
from livebridge.otp._child import Child, ChildHandle
from livebridge.otp._events import SupervisorEvent
from livebridge.otp._keeper import ChildEnded, Keeper, KeeperOptions, StartInterrupted
from livebridge.otp._mailbox import INFO
from livebridge.otp._opening import Opening
from livebridge.otp._process import NameBook
from livebridge.otp._reason import SHUTDOWN, ExitReason
from livebridge.otp._spec import ChildSpec
from livebridge.otp._steps import NOREPLY, Next, Reply, Stop
from livebridge.otp._strategy import (
    ANSWERS,
    AutoShutdown,
    ChildState,
    Command,
    Strategy,
    must_restart,
    must_shut_down,
    victims,
)
from livebridge.otp._words import check_word


@frozen
class _Request:
    """A command about one child; ``subject`` is its spec for ``start_child``, else its id."""

    command: Command
    subject: ChildSpec | Hashable


@frozen
class _BringBack:
    """The delay of a restart is over."""

    epoch: int


@frozen
class _TryAgain:
    """A child could not be restarted."""

    child: Child
    epoch: int
    reason: ExitReason


class SupervisorOptions(KeeperOptions, total=False):
    """The options of a `Supervisor`."""

    strategy: Strategy
    auto_shutdown: AutoShutdown


class Supervisor(Keeper):
    """Starts children in order, restarts them by the rules of OTP, and stops them strictly in reverse order.

    Use it as a block::

        async with Supervisor.open([ChildSpec(id="a", start=A), ChildSpec(id="b", start=B)]) as supervisor:
            await supervisor.wait()

    or as a child of another supervisor, made anew for each incarnation::

        ChildSpec(id="pair", start=Supervisor, kwargs={"children": [...]}, type="supervisor")

    Beside what they name, its commands (``start_child`` … ``delete_child``) raise `NoProcessError` if it has ended,
    `ActorExitError` if it ends meanwhile, and `CallSelfError` in a child whose start or end it waits for.

    Args:
        children: The first children. They must all start, or none is left running.
        strategy: Who falls with a crashed child: ``one_for_one``, ``one_for_all`` or ``rest_for_one``.
        max_restarts: Restarts allowed within ``max_seconds``; one more and the supervisor stops all children and
            ends with ``shutdown(max_restarts)``. ``None``: any number.
        max_seconds: Length of the window, in seconds.
        auto_shutdown: Whether the end of one (``any_significant``) or of the last (``all_significant``) significant
            child by itself ends the supervisor.
        registry: Where each child takes its id as a name.
        shutdown_deadline: Seconds for stopping all children together; then the rest is killed.
        on_event: Called with each `SupervisorEvent`; must not block.

    Raises:
        ConfigError: An option is wrong, an id is missing or there twice.
    """

    def __init__(
        self,
        children: Iterable[ChildSpec] = (),
        *,
        strategy: Strategy = "one_for_one",
        max_restarts: int | None = 3,
        max_seconds: float = 5.0,
        auto_shutdown: AutoShutdown = "never",
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
        check_word("Supervisor: strategy", strategy, get_args(Strategy))
        check_word("Supervisor: auto_shutdown", auto_shutdown, get_args(AutoShutdown))
        self._strategy: Strategy = strategy
        self._auto_shutdown: AutoShutdown = auto_shutdown
        self._epoch = 0
        self._children: dict[Hashable, Child] = {}
        for spec in children:
            if spec.id in self._children:
                raise ConfigError(f"two children have the id {spec.id!r}; ids are unique within a supervisor")
            self._children[spec.id] = self._admit(spec)

    @classmethod
    def open(
        cls,
        children: Iterable[ChildSpec] = (),
        *,
        name: object = None,
        **options: Unpack[SupervisorOptions],
    ) -> Opening[Supervisor]:
        """Run a supervisor as an ``async with`` block.

        The block is entered when all children have started. Leaving it, by whatever way (its end, an exception, outer
        cancellation, Ctrl-C), stops the children in reverse order first. When the supervisor gives up, the body is
        cancelled.

        Args:
            children: As for the class.
            name: A name to show.
            **options: The options of the class.

        Raises:
            ConfigError: An option is wrong, an id is missing or there twice.
            StartError: A child did not start; those before it have been stopped.
            RestartIntensityError: There were too many restarts; ``__cause__`` is the last crash.
            Exception: Whatever the body raised, as it is.
        """
        keeper = cls(children, **options)
        return Opening(keeper, name, lambda: keeper.escalation)

    # Commands, served by the supervisor's own loop

    async def start_child(self, spec: ChildSpec) -> ChildHandle:
        """Add a child and start it; it is the last in order.

        Raises:
            AlreadyStartedError: There is a child with this id, running or not.
            StartError: It did not start; the spec is not kept.
            ConfigError: The spec does not fit this supervisor.
        """
        return await self._command("start_child", spec)

    async def terminate_child(self, child_id: Hashable) -> None:
        """Stop a child, without a restart. Its spec is kept, unless it is temporary.

        Raises:
            ActorError: There is no such child.
        """
        await self._command("terminate_child", child_id)

    async def restart_child(self, child_id: Hashable) -> ChildHandle:
        """Start a child that has been stopped, or has ended for good, again.

        Raises:
            ActorError: There is no such child, or it is running or restarting.
            StartError: It did not start; the spec is kept.
        """
        return await self._command("restart_child", child_id)

    async def delete_child(self, child_id: Hashable) -> None:
        """Forget a child that does not run.

        Raises:
            ActorError: There is no such child, or it is running or restarting.
        """
        await self._command("delete_child", child_id)

    async def _command(self, command: Command, subject: ChildSpec | Hashable) -> ChildHandle:
        handle = await self.ref.call(_Request(command, subject), timeout=None)
        assert isinstance(handle, ChildHandle)
        return handle

    # Callbacks

    def children(self) -> tuple[Child, ...]:
        """Return the children in start order."""
        return tuple(self._children.values())

    async def init(self) -> None:
        """Start the children in order; if one fails, stop those before it in reverse order."""
        try:
            for child in self.children():
                await self._start_first(child)
            # the last chance to be cancelled while still starting: afterwards terminate() stops the children
            await trio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            with trio.CancelScope(shield=True):
                await self.stop_all()
            raise
        self.cell.interrupt = self._interrupt

    async def handle_call(self, request: object, caller: Caller) -> object:
        """Obey a command."""
        if not isinstance(request, _Request):
            caller.reply_error(ActorError(f"a supervisor understands no {type(request).__name__}"))
            return NOREPLY
        try:
            return Reply(await self._obey(request.command, request.subject))
        except StartInterrupted:
            return NOREPLY  # the caller learns the reason from the supervisor's exit
        except (ActorError, ConfigError) as error:
            caller.reply_error(error)
            return NOREPLY

    async def handle_info(self, message: object) -> Next:
        """React to the end of a child, or to the end of a delay."""
        try:
            if isinstance(message, ChildEnded):
                return await self._ended(message)
            if isinstance(message, _TryAgain):
                return await self._try_again(message)
            if isinstance(message, _BringBack):
                await self._bring_back(message.epoch)
        except StartInterrupted:
            pass  # the request to stop is next in the system lane
        return None

    async def stop_in_order(self) -> None:
        """Stop the children one after the other, the last first."""
        for child in reversed(list(self.children())):
            await self.stop_child(child)

    # Rules

    async def _obey(self, command: Command, subject: ChildSpec | Hashable) -> ChildHandle:
        child_id = subject.id if isinstance(subject, ChildSpec) else subject
        child = self._children.get(child_id)
        if isinstance(subject, ChildSpec):
            if child is not None:
                raise AlreadyStartedError(
                    f"child {child_id!r}: {ANSWERS[command][child.state]}", name=child_id, ref=child.ref
                )
            return await self._add(subject)
        if child is None:
            raise ActorError(f"no child has the id {child_id!r}; there are {list(self._children)}")
        refusal = ANSWERS[command][child.state]
        if refusal:
            raise ActorError(f"cannot {command} {child_id!r}: it is {refusal}")
        if command == "restart_child":
            await self._start_again(child)
        elif command == "terminate_child":
            await self._stop_for_good(child)
        else:
            self._drop(child)
        return ChildHandle(child)

    async def _add(self, spec: ChildSpec) -> ChildHandle:
        child = self._admit(spec)
        self._children[spec.id] = child
        try:
            await self._start_first(child)
        except BaseException:
            if child.state is ChildState.STOPPED:
                self._drop(child)
            raise
        return ChildHandle(child)

    async def _start_first(self, child: Child) -> None:
        """Start a child, which stays in the list stopped if it raised `Ignore`, unless it is temporary."""
        try:
            started = await self.launch(child)
        except StartInterrupted:
            raise
        except Exception as exc:
            raise StartError(f"child {child.spec.id!r} did not start: {exc!r}") from exc
        if not started and child.spec.restart == "temporary":
            self._drop(child)

    async def _start_again(self, child: Child) -> None:
        child.restarts += 1
        await self._start_first(child)

    async def _stop_for_good(self, child: Child) -> None:
        child.enter(ChildState.STOPPED)
        await self.stop_child(child)
        if child.spec.restart == "temporary":
            self._drop(child)

    def _drop(self, child: Child) -> None:
        del self._children[child.spec.id]
        child.forget()

    def _admit(self, spec: ChildSpec) -> Child:
        if spec.id is None:
            raise ConfigError("a child of a Supervisor needs an id: ChildSpec(id=…)")
        if spec.significant and self._auto_shutdown == "never":
            raise ConfigError(f"child {spec.id!r} is significant, but auto_shutdown is 'never'")
        child = Child(spec)
        self.check_backoff(child)
        return child

    async def _ended(self, message: ChildEnded) -> Next:
        """Apply the restart rule to a child that ended by itself."""
        child, reason, spec = message.child, message.reason, message.child.spec
        if child.process is not message.process or child.state is not ChildState.RUNNING:
            return None  # an incarnation that the supervisor has stopped or replaced meanwhile
        child.enter(ChildState.STOPPED)
        if must_restart(spec.restart, reason, spec.restart_if):
            return await self._restart(child, reason)
        self.report_end(child, reason)
        if spec.restart == "temporary":
            self._drop(child)
        others = any(
            other.spec.significant and other.state is not ChildState.STOPPED for other in self.children()
        )
        if must_shut_down(self._auto_shutdown, significant=spec.significant, others_left=others):
            return Stop(SHUTDOWN)
        return None

    async def _restart(self, child: Child, reason: ExitReason) -> Next:
        """Decide a restart: count it, stop who falls too, and bring all back, now or after a delay."""
        if not self.window.record(trio.current_time()):
            return self.give_up(child, reason)
        delay = self.next_delay(child)
        self._epoch += 1
        await self._fell(child, self._epoch)
        if delay is None:
            await self._bring_back(self._epoch)
            return None
        self.back_off(child, delay)
        self.start_soon(self._bring_back_later, delay, self._epoch, name="back-off")
        return None

    async def _fell(self, failed: Child, epoch: int) -> None:
        """Stop, in reverse order, all that fall with a child, and mark them as restarting."""
        group = victims(self._strategy, list(self.children()), failed)
        for child in group:
            child.epoch = epoch
            child.enter(ChildState.RESTARTING)
        for child in reversed(group):
            await self.stop_child(child)
            if child.spec.restart == "temporary" and child is not failed:
                self._drop(child)

    async def _bring_back_later(self, delay: float, epoch: int) -> None:
        await trio.sleep(delay)
        self.cell.mailbox.force(INFO, _BringBack(epoch))

    async def _bring_back(self, epoch: int) -> None:
        """Start, in order, what waits for this restart; the first failure is tried again later."""
        for child in self.children():
            if child.state is not ChildState.RESTARTING or child.epoch != epoch:
                continue
            child.restarts += 1
            try:
                await self.launch(child)
            except StartInterrupted:
                raise
            except Exception as exc:  # noqa: BLE001 - counted and tried again
                reason = child.last_exit = ExitReason.error(exc)
                self.cell.mailbox.force(INFO, _TryAgain(child, epoch, reason))
                return

    async def _try_again(self, message: _TryAgain) -> Next:
        """Treat a failed restart as one more crash, unless somebody has stopped the child since."""
        child = message.child
        if child.epoch != message.epoch:
            return None
        if child.state is ChildState.RESTARTING:
            return await self._restart(child, message.reason)
        await self._bring_back(message.epoch)
        return None

    def _interrupt(self) -> None:
        """Cut off the start of a child, because the supervisor is asked to stop."""
        for child in self.children():
            if child.starting is not None:
                child.starting.cancel()
