"""The address of an actor: everything others may ask of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import trio
from attrs import frozen

from livebridge.errors import CallTimeoutError, MailboxFullError
from livebridge.otp._caller import Caller
from livebridge.otp._cell import Cell, ask, waiting, waiting_source
from livebridge.otp._mailbox import CALL, CAST, INFO
from livebridge.otp._reason import NORMAL, ExitReason
from livebridge.otp._sys import Sys
from livebridge.otp._term import Term


@frozen
class Down:
    """What a monitor receives, once, when the actor it watches has ended."""

    ref: object
    reason: ExitReason


class Monitor:
    """A watch on an actor; `cancel` it when its end is of no interest any more."""

    __slots__ = ("_forget",)

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    def cancel(self) -> None:
        """Stop watching; after the end, or a second time, it does nothing."""
        self._forget()


class Ref:
    """The address of one incarnation of an actor. It stays valid for ever; the actor behind it does not.

    For an address that survives restarts see `Registry.via`.
    """

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def __repr__(self) -> str:
        state = "running" if self.alive else str(self._cell.exit_reason)
        return f"<Ref {self._cell.name} #{self._cell.id} {state}>"

    @property
    def id(self) -> int:
        """Number of this incarnation, unique in the process."""
        return self._cell.id

    @property
    def name(self) -> object:
        """Its registered name, or its class and number."""
        return self._cell.name

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._cell.exit_reason is None

    @property
    def exit_reason(self) -> ExitReason | None:
        """Why it ended; ``None`` while it has not."""
        return self._cell.exit_reason

    @property
    def sys(self) -> Sys:
        """Questions to its runtime: state, status, trace, suspend."""
        return Sys(self._cell)

    async def call(self, request: object, *, timeout: float | None = 5.0) -> Term:
        """Send a request and wait for the reply.

        Args:
            request: What ``handle_call`` gets.
            timeout: Seconds for everything: room in the mailbox, the queue, the handler. ``None``: no limit.

        Returns:
            The reply.

        Raises:
            CallTimeoutError: No reply in time. The request is not withdrawn; a late reply is discarded.
            ActorExitError: The actor ended first; ``.reason`` says why.
            NoProcessError: The actor had ended before.
            CallSelfError: The call comes out of the actor itself, or out of one it waits for.
        """
        cell = self._cell
        if cell.exit_reason is not None:
            raise cell.gone("call")
        caller = Caller(request, trio.lowlevel.current_task().name)
        mailbox = cell.mailbox

        async def put() -> bool:
            return mailbox.offer(CALL, caller) or await mailbox.offer_when_room(CALL, caller)

        if await ask(cell, caller, timeout, put):
            return caller.result()
        raise CallTimeoutError(
            f"{cell.name} has not answered {type(request).__name__} within {timeout} s; "
            "the request is not withdrawn"
        )

    def cast(self, request: object) -> None:
        """Send a request without reply. An actor that has ended ignores it silently.

        Raises:
            MailboxFullError: There is no room in its mailbox.
        """
        cell = self._cell
        if cell.exit_reason is None and not cell.mailbox.offer(CAST, request):
            raise self._full()

    async def acast(self, request: object) -> None:
        """Send a request without reply as soon as there is room.

        An actor that has ended ignores it silently.
        """
        await trio.lowlevel.checkpoint()
        await self._cell.mailbox.offer_when_room(CAST, request)

    def send(self, message: object) -> None:
        """Send a message for ``handle_info``.

        Raises:
            NoProcessError: The actor has ended.
            MailboxFullError: There is no room in its mailbox.
        """
        cell = self._cell
        if cell.exit_reason is not None:
            raise cell.gone("send to")
        if not cell.mailbox.offer(INFO, message):
            raise self._full()

    async def stop(
        self, reason: ExitReason = NORMAL, *, timeout: float | None = None, drain: bool = True
    ) -> None:
        """Ask the actor to end and wait until it has.

        Args:
            reason: The exit reason it shall have.
            timeout: Seconds to wait; ``None``: no limit. When they have passed the actor is not killed.
            drain: Handle everything that was accepted before; ``False``: end after the current handler, which
                works on a full or suspended mailbox too.

        Raises:
            CallTimeoutError: It has not ended in time.
            ActorExitError: It ended for another reason.
            NoProcessError: It had ended before.
            CallSelfError: Called from the actor's own callback; return `Stop` instead.
        """
        cell = self._cell
        if cell.exit_reason is not None:
            raise cell.gone("stop")
        waiting_source(cell, "stop")
        cell.request_stop(reason, drain=drain)
        ended: ExitReason | None = None
        with trio.move_on_after(math.inf if timeout is None else timeout):
            ended = await self.wait_exit()
        if ended is None:
            raise CallTimeoutError(
                f"{cell.name} has not ended within {timeout} s; kill() does not wait for it"
            )
        if ended != reason:
            raise cell.exit_error(ended)

    def stop_soon(self, reason: ExitReason = NORMAL, *, drain: bool = True) -> None:
        """Ask the actor to end, like `stop`, without waiting; an actor that has ended ignores it.

        It may be used from the actor's own callbacks and tasks.
        """
        self._cell.request_stop(reason, drain=drain)

    def kill(self) -> None:
        """End the actor at its next checkpoint.

        ``terminate`` is not called, or cut off where it runs already. A callback that shields itself or blocks the
        thread cannot be killed.
        """
        self._cell.kill()

    def monitor(self, fn: Callable[[Down], object]) -> Monitor:
        """Call ``fn`` once with a `Down` when the actor ends.

        ``fn`` runs inside the exit, must not block, and what it raises is only logged. If the actor has ended
        already, ``fn`` is called at once with the reason ``noproc``.
        """
        cell = self._cell
        monitor_id = cell.monitor(lambda reason: fn(Down(self, reason)))
        return Monitor(lambda: cell.demonitor(monitor_id))

    def monitor_into(self, other: Ref) -> Monitor:
        """Deliver the `Down` to another actor as ``handle_info(Down(...))``, beyond its mailbox's bound."""
        return self.monitor(other.deliver)

    def deliver(self, message: object) -> None:
        """Put a message that must not be lost into the mailbox, in order but beyond its bound."""
        if self._cell.exit_reason is None:
            self._cell.mailbox.force(INFO, message)

    async def wait_exit(self) -> ExitReason:
        """Wait until the actor has ended and return why.

        Raises:
            CallSelfError: Called from the actor's own callback.
        """
        cell = self._cell
        source = None if cell.exit_reason is not None else waiting_source(cell, "wait for")
        with waiting(source, cell):
            return await cell.wait_done()

    def _full(self) -> MailboxFullError:
        mailbox = self._cell.mailbox
        return MailboxFullError(
            f"the mailbox of {self._cell.name} is full ({mailbox.depth} messages wait); "
            "acast and call wait for room"
        )


def cell_of(ref: Ref) -> Cell:
    """Give the runtime, and nobody else, what is behind an address."""
    return ref._cell  # noqa: SLF001 - the one door for the modules of this package
