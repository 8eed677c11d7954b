"""Runs user callbacks: one at a time, sync or async, with a policy for those that raise."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Mapping
from typing import Final

import attrs
import trio

from livebridge.errors import HandlerError
from livebridge.session import _reporting as reporting
from livebridge.session._blocking import Stepwise, warn_slow
from livebridge.session._options import Function
from livebridge.session._state import SessionState
from livebridge.telemetry import BUS

_log: Final = logging.getLogger("livebridge.session")


@attrs.define(eq=False)
class CallbackRunner:
    """The one place from which user callbacks are called.

    Args:
        state: The session's.
        functions: Callbacks by name.
    """

    state: SessionState
    functions: Mapping[str, Function]
    _scope: trio.CancelScope | None = None
    _interrupted: bool = False
    _errors: deque[float] = attrs.field(factory=deque)

    async def run(self, name: str, argument: object) -> object:
        """Call a callback, if there is one.

        Returns:
            What it returned; ``None`` if it raised or there is none.

        Raises:
            Exception: What it raised, if the policy is ``crash`` (or the fuse blew).
        """
        function = self.functions.get(name)
        if function is None or (self._interrupted and name != "on_close"):
            return None
        started = trio.current_time()
        try:
            result = function(argument)
            if inspect.isawaitable(result):
                watched = Stepwise(result, f"callback {name}", self.state)
                return await self._await(watched, self.state.options.callback_timeout)
        except Exception as error:  # noqa: BLE001 - user code may raise anything; the policy decides
            await self.failed(name, argument, error)
        except BaseExceptionGroup as group:
            await self._failed_together(name, argument, group)
        else:
            took = trio.current_time() - started
            if took > self.state.options.slow_callback:
                text = "callback %s took %.3f s on the trio thread; make it async or move it to a thread"
                warn_slow(self.state, text, name, took)
            return result
        return None

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._interrupted

    async def guard(self, awaitable: Awaitable[object]) -> object:
        """Await something on behalf of user code, so that `interrupt` ends it."""
        if not self._interrupted:
            return await self._await(awaitable, None)
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        return None

    def interrupt(self) -> None:
        """Cancel the callback that runs now and skip those that would follow, except ``on_close``."""
        self._interrupted = True
        if self._scope is not None:
            self._scope.cancel()

    async def _await(self, awaitable: Awaitable[object], timeout: float | None) -> object:
        result: object = None
        with trio.CancelScope() as scope:
            if timeout is not None:
                scope.deadline = trio.current_time() + timeout
            self._scope = scope
            try:
                result = await awaitable
            finally:
                self._scope = None
        if scope.cancelled_caught and not self._interrupted:
            raise TimeoutError(f"the callback did not finish within {timeout:g} s")
        return result

    async def _failed_together(self, name: str, argument: object, group: BaseExceptionGroup) -> None:
        cancelled, rest = group.split(trio.Cancelled)
        if rest is not None:
            if not isinstance(rest, ExceptionGroup):
                raise group
            await self.failed(name, argument, rest)
        if cancelled is not None:
            raise cancelled

    async def failed(self, name: str, argument: object, error: Exception) -> None:
        """User code raised: log it, tell ``on_error``, and ask the policy.

        Raises:
            Exception: `error` itself: the policy is ``crash``, or the fuse blew.
        """
        self.state.counters.callback_errors += 1
        problem = HandlerError(name, argument, error)
        _log.error("callback %s raised %s", name, type(error).__name__, exc_info=error)
        if BUS.active:
            reporting.failed(self.state, problem)
        if name in ("on_error", "on_close"):
            return
        await self.run("on_error", problem)
        if self._decide(problem) == "crash":
            _log.error("the on_callback_error policy ends the session")
            raise error

    def _decide(self, problem: HandlerError) -> object:
        policy = self.state.options.on_callback_error
        if self._is_fuse_blown():
            return "crash"
        if not callable(policy):
            return policy
        try:
            return policy(problem)
        except Exception:  # noqa: BLE001 - user code may raise anything
            _log.exception("the on_callback_error policy itself raised; taken as 'log'")
            return "log"

    def _is_fuse_blown(self) -> bool:
        fuse = self.state.options.max_callback_errors
        if fuse is None:
            return False
        count, seconds = fuse
        now = trio.current_time()
        self._errors.append(now)
        while self._errors and now - self._errors[0] > seconds:
            self._errors.popleft()
        return len(self._errors) > count
