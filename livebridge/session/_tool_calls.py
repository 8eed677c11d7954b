"""Registered functions: one task and one scope for each call, whatever the function does to them.

::

    begin --> slot --> run: bind arguments, call (task, thread, step by step), make the answer --> batch --> desk
                 clock: answers with an error after the timeout, even if the tool does not end      ----^
    cancel (the tap): drops the call from its batch at once, then cancels the scope; undo when the tool has ended
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import HandlerError, ToolError
from livebridge.protocol import CallState
from livebridge.session._blocking import Stepwise
from livebridge.session._state import SessionState
from livebridge.session._tool_answers import AnswerDesk, Job, report
from livebridge.session._tool_batch import Batch
from livebridge.session._tool_failures import failure_text
from livebridge.session._tool_function import Runnable
from livebridge.session._tool_mark import Scheduling
from livebridge.session._tool_orphans import REATTACH_WITHIN, same_call
from livebridge.session._tool_result import UnsendableError, error_response, response_of
from livebridge.session._tool_slots import Slot, Slots

_log: Final = logging.getLogger("livebridge.session")

MAX_THREADS: Final = 8
"""Plain functions that run at once; a thread that was abandoned counts until it ends."""

KEPT_RUNS: Final = 64
"""Finished calls that are remembered, so that a cancellation that comes late can still undo them."""

Undo = Callable[[], Awaitable[object] | object]
"""What is run when the model takes a call back: a function without arguments, sync or async."""

Progress = Callable[[object, Scheduling | None], bool]
"""Sends a part of a result; tells whether it did."""


@attrs.define(eq=False, kw_only=True)
class Run:
    """One call at work.

    Attributes:
        key: Of the call, in the ledger; another one after a reattachment.
        call: The call.
        tool: What runs.
        batch: What its answer travels with.
        scope: Around the tool.
        clock: Around the task that watches its time.
        undo: What the tool wants to have run if the model takes the call back.
        settled: An answer was made.
        done: The tool has ended.
        taken_back: The model has taken the call back.
        orphaned_at: When its connection was replaced, on trio's clock.
    """

    key: str
    call: wire.FunctionCall
    tool: Runnable
    batch: Batch
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    clock: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    undo: list[Undo] = attrs.field(factory=list)
    settled: bool = False
    done: bool = False
    taken_back: bool = False
    orphaned_at: float | None = None


Own = Callable[[Run, Progress], dict[str, object]]
"""Makes what the session fills in for one call, by what it is."""


@attrs.define(eq=False)
class FunctionTools:
    """Runs registered functions.

    Args:
        state: The session's.
        desk: Where answers go.
        slots: How many run at once.
        start: Starts a task in the session's scope.
        own: Makes what tools ask for beside their arguments.
    """

    state: SessionState
    desk: AnswerDesk
    slots: Slots
    start: Callable[[Job], None]
    own: Own
    _runs: dict[str, Run] = attrs.field(factory=dict)
    _threads: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(MAX_THREADS))

    def is_running(self, key: str) -> bool:
        """Whether a call is being worked on, or its answer waits for others."""
        run = self._runs.get(key)
        return run is not None and run.call is self.state.ledger.call(key)

    def begin(self, calls: Sequence[tuple[str, wire.FunctionCall, Runnable | None]], unknown: str) -> None:
        """Start work on the calls of one message.

        Args:
            calls: Keys, calls, and what they run; ``None`` for what does not exist.
            unknown: What the model is told about those.
        """
        self._forget()
        together = Batch([key for key, _, tool in calls if tool is None or self._waits_for_others(tool)])
        for key, call, tool in calls:
            batch = together if key in together.waiting else Batch([key])
            if tool is None:
                text = f"there is no tool {call.name!r}; {unknown}"
                self.desk.deliver(batch.settle(key, error_response(call, text)))
            elif not self._reattach(key, call, batch):
                run = Run(key=key, call=call, tool=tool, batch=batch)
                self._runs[key] = run
                self.state.tools_running += 1
                self.slots.submit(partial(self._run, run))

    def cancel(self, keys: Iterable[str]) -> None:
        """The model takes calls back: nothing is sent for them, their tools are cancelled and undone."""
        for key in keys:
            run = self._runs.get(key)
            if run is None:
                continue
            run.taken_back = True
            self.desk.deliver(run.batch.drop([key]))
            if run.done:
                del self._runs[key]
                self.start(partial(self._undo, run))
            else:
                run.scope.cancel()

    def cancel_all(self) -> None:
        """The session ends: so do its tools."""
        for run in self._runs.values():
            run.scope.cancel()

    def orphan(self, keys: Iterable[str], *, cancel: bool) -> None:
        """The connection of these calls was replaced.

        Args:
            keys: Of the calls.
            cancel: Whether there is no use for their results.
        """
        for run in [self._runs[key] for key in keys if key in self._runs]:
            ready = run.batch.ready.pop(run.key, None)
            self.desk.deliver(run.batch.drop([run.key]))
            run.batch = Batch([run.key])
            run.orphaned_at = self.state.now
            if ready is not None:
                self.desk.deliver([(run.key, ready)])
            if run.done:
                del self._runs[run.key]
            elif cancel:
                self.desk.orphans.lost(run.call, "the model has forgotten the conversation; it was cancelled")
                run.scope.cancel()

    def _forget(self) -> None:
        done = [key for key, run in self._runs.items() if run.done]
        settled = [key for key in done if self.state.ledger.state(key) is not CallState.OPEN]
        for key in settled[: max(0, len(settled) - KEPT_RUNS)]:
            del self._runs[key]

    def _drop(self, run: Run) -> None:
        if self._runs.get(run.key) is run:
            del self._runs[run.key]

    def _waits_for_others(self, tool: Runnable) -> bool:
        return self.state.options.tool_response_mode == "batch" and not self._is_asynchronous(tool)

    def _is_asynchronous(self, tool: Runnable) -> bool:
        return tool.declaration.behavior == wire.Behavior.NON_BLOCKING

    def _reattach(self, key: str, call: wire.FunctionCall, batch: Batch) -> bool:
        """Give a call that repeats a forgotten one what became, or will become, of that one."""
        response = self.desk.orphans.claim(call)
        if response is not None:
            self.desk.deliver(batch.settle(key, response))
            return True
        run = self._orphan_like(call)
        if run is None:
            return False
        del self._runs[run.key]
        run.key, run.call, run.batch, run.orphaned_at = key, call, batch, None
        self._runs[key] = run
        return True

    def _orphan_like(self, call: wire.FunctionCall) -> Run | None:
        if self.desk.orphans.policy not in ("reattach", "as_content"):
            return None
        for run in self._runs.values():
            since = run.orphaned_at
            fresh = since is not None and self.state.now - since <= REATTACH_WITHIN
            if fresh and not run.settled and same_call(run.call, call):
                return run
        return None

    async def _run(self, run: Run, slot: Slot) -> None:
        try:
            self._wind_clock(run)
            with run.scope:
                await trio.lowlevel.checkpoint_if_cancelled()
                await self._execute(run)
        except Exception as error:  # noqa: BLE001 - the model must get an answer whatever a tool raises
            self._failed(run, error)
        finally:
            run.done = True
            run.clock.cancel()
            if run.orphaned_at is not None:
                self._drop(run)
            self.state.tools_running -= 1
            self.state.work.set()
        if run.taken_back:
            self._drop(run)
            await self._undo(run)

    async def _execute(self, run: Run) -> None:
        try:
            work = run.tool.bind(run.call.args or {}, self.own(run, partial(self._progress, run)))
            response = await self._answer(run, work)
        except ToolError as error:
            self._refuse(run, error)
        else:
            self._settle(run, response)

    async def _answer(self, run: Run, work: Callable[[], object]) -> wire.FunctionResponse:
        """Run the tool and make its answer.

        Raises:
            ToolError: The result cannot be sent, or the tool itself has something to tell the model.
        """
        if run.tool.form == "generator":
            return await self._steps(run, work())
        if run.tool.form == "sync":
            # in a tuple: what is returned may be a coroutine, which trio takes for a mistake
            (result,) = await trio.to_thread.run_sync(
                lambda: (work(),), abandon_on_cancel=True, limiter=self._threads
            )
        else:
            result = work()
        if inspect.isawaitable(result):
            result = await Stepwise(result, f"tool {run.tool.name}", self.state)
        return self._response(run, result)

    async def _steps(self, run: Run, items: object) -> wire.FunctionResponse:
        """Send what a generator yields as it comes; where that cannot be, the last of it is the result."""
        assert isinstance(items, AsyncGenerator)
        last: object = None
        sent = False
        async with aclosing(items):
            async for item in items:
                sent = self._progress(run, item, None) or sent
                last = item
        return self._response(run, {}, will_continue=False) if sent else self._response(run, last)

    def _progress(self, run: Run, value: object, scheduling: Scheduling | None) -> bool:
        able = self.state.capabilities.tool_behavior != "blocking" and self.state.auth.backend == "gemini"
        waited_for = not run.settled and self.state.ledger.state(run.key) is CallState.OPEN
        if not (able and waited_for and self._is_asynchronous(run.tool)):
            return False
        response = self._response(run, value, will_continue=True, scheduling=scheduling)
        self.desk.deliver([(run.key, response)])
        return True

    def _response(
        self, run: Run, result: object, *, will_continue: bool | None = None, scheduling: str | None = None
    ) -> wire.FunctionResponse:
        return response_of(
            result,
            run.call,
            max_bytes=self.state.options.max_tool_response_bytes,
            scheduling=self._scheduling(run, scheduling),
            will_continue=will_continue,
        )

    def _scheduling(self, run: Run, word: str | None = None) -> str | None:
        if not (self._is_asynchronous(run.tool) and self.state.capabilities.scheduling):
            return None
        return word or run.tool.settings.scheduling

    def _settle(self, run: Run, response: wire.FunctionResponse) -> None:
        if not run.settled:
            run.settled = True
            given = attrs.evolve(response, id=run.call.id, name=run.call.name)
            self.desk.deliver(run.batch.settle(run.key, given))

    def _refuse(self, run: Run, error: ToolError) -> None:
        """The call, or what came of it, is unusable, or the tool says so: the model is told why."""
        if isinstance(error, UnsendableError):
            _log.warning("%s", error)
        else:
            _log.warning("tool %s: %s", run.tool.name, type(error).__name__)
        report(self.state, error)
        self._settle(run, error_response(run.call, str(error), scheduling=self._scheduling(run)))

    def _failed(self, run: Run, error: Exception, text: str | None = None) -> None:
        _log.error("tool %s raised %s", run.tool.name, type(error).__name__, exc_info=error)
        report(self.state, HandlerError(run.tool.name, run.call, error))
        told = text or failure_text(error, self.state.options.tool_error_detail)
        self._settle(run, error_response(run.call, told, scheduling=self._scheduling(run)))

    def _wind_clock(self, run: Run) -> None:
        seconds = run.tool.settings.timeout or self.state.options.tool_timeout
        if seconds is not None:
            self.start(partial(self._watch, run, seconds))

    async def _watch(self, run: Run, seconds: float) -> None:
        """Answer in time, even for a tool that does not end when it is cancelled."""
        with run.clock:
            await trio.sleep(seconds)
            run.scope.cancel()
            if not run.taken_back:
                self._failed(run, trio.TooSlowError(), f"timeout after {seconds:g} s")

    async def _undo(self, run: Run) -> None:
        seconds = self.state.options.tool_timeout
        with trio.move_on_after(float("inf") if seconds is None else seconds):
            for callback in reversed(run.undo):
                try:
                    result = callback()
                    if inspect.isawaitable(result):
                        await result
                except Exception as error:  # noqa: BLE001 - user code; the others are run all the same
                    _log.error("undoing tool %s failed", run.tool.name, exc_info=error)
                    report(self.state, HandlerError(f"{run.tool.name} (on_cancel)", run.call, error))
