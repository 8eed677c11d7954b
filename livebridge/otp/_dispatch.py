"""The loop of an actor: one message, one callback, one step at a time."""

from __future__ import annotations

from typing import Final, Literal

import trio

from livebridge.otp._caller import Caller
from livebridge.otp._cell import Cell, StopRequest, SystemCall
from livebridge.otp._mailbox import CALL, CONTINUE, INFO, Entry
from livebridge.otp._reason import ExitReason
from livebridge.otp._server import GenServer
from livebridge.otp._steps import NO_VALUE, NOREPLY, TIMEOUT, Continue, Next, Reply, Stop, Timeout
from livebridge.otp._term import Term

KIND_NAMES: Final = ("call", "cast", "info", "continue")


class Dispatcher:
    """Takes messages and runs callbacks until one of them, or somebody else, says stop.

    Attributes:
        late: The caller, and the reply, of a ``Stop(reason, reply=…)``: sent after ``terminate``.
    """

    __slots__ = ("_actor", "_cell", "late")

    def __init__(self, actor: GenServer, cell: Cell) -> None:
        self._actor = actor
        self._cell = cell
        self.late: tuple[Caller, object] | None = None

    async def loop(self, step: Next) -> ExitReason:
        """Run until there is an exit reason; what a callback raises is raised."""
        cell, actor = self._cell, self._actor
        mailbox, meter = cell.mailbox, cell.meter
        callbacks = (self._call, actor.handle_cast, actor.handle_info, actor.handle_continue)
        while True:
            entry = await (mailbox.get_entry() if step is None else self._next(step))
            kind, payload, lane, cost = entry
            if kind > CONTINUE:
                if isinstance(payload, StopRequest):
                    return payload.reason
                _serve(payload)
                continue
            cell.current = entry
            if meter.tracing:
                self._trace("in", kind, payload)
            result = await callbacks[kind](payload)
            meter.count(trio.current_time() - mailbox.taken_at)
            if meter.tracing:
                self._trace("noreply", kind, payload)
            if lane is not None:
                lane.finished(cost)
            step = None if result is None else check_step(result, KIND_NAMES[kind])
            if isinstance(step, Stop):
                return step.reason
            cell.current = None

    async def _next(self, step: Next) -> Entry:
        """Take what the last step asked for: its continuation, or a message within its timeout."""
        mailbox = self._cell.mailbox
        if isinstance(step, Continue):
            await mailbox.breathe()
            return (CONTINUE, step.arg, None, 0)
        if isinstance(step, Timeout) and not mailbox.ready:
            with trio.move_on_after(max(0.0, step.seconds)):
                return await mailbox.get_entry()
            mailbox.taken_at = trio.current_time()
            return (INFO, TIMEOUT, None, 0)
        return await mailbox.get_entry()

    async def _call(self, payload: Term) -> object:
        """Run ``handle_call`` and settle the caller; return the step that follows."""
        assert isinstance(payload, Caller)
        result = await self._actor.handle_call(payload.request, payload)
        if isinstance(result, Reply):
            self._reply(payload, result.value)
            return result.then
        if isinstance(result, Stop):
            if result.reply is not NO_VALUE:
                self.late = (payload, result.reply)
            return result
        if result is NOREPLY or isinstance(result, (Continue, Timeout)):
            if not payload.settled and not payload.abandoned:
                pending = self._cell.pending
                pending[payload] = None
                payload.defer(pending.pop)
            return None if result is NOREPLY else result
        self._reply(payload, result)
        return None

    def _reply(self, caller: Caller, value: object) -> None:
        caller.reply(value)
        meter = self._cell.meter
        meter.replies += 1
        if meter.tracing:
            self._trace("out", CALL, value)

    def _trace(self, direction: Literal["in", "out", "noreply"], kind: int, payload: object) -> None:
        message = payload.request if isinstance(payload, Caller) and kind == CALL else payload
        self._cell.meter.emit(direction, KIND_NAMES[kind], message, trio.current_time())


def check_step(result: object, callback: str) -> Next:
    """Accept what a callback may return.

    Raises:
        TypeError: Anything else; the actor ends because of it.
    """
    if result is None or isinstance(result, (Continue, Timeout, Stop)):
        return result
    if result is NOREPLY:
        return None
    raise TypeError(
        f"{callback} returned {type(result).__name__}; legal are None, Continue, Timeout and Stop "
        "(only handle_call returns a reply)"
    )


def _serve(question: object) -> None:
    assert isinstance(question, SystemCall)
    try:
        question.fn()
    except Exception as exc:  # noqa: BLE001 - it belongs to whoever asked
        question.caller.reply_error(exc)
    else:
        question.caller.reply()
