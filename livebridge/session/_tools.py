"""Tool calls: one task and one cancel scope for each message of calls, beside the dispatcher.

The dispatcher never waits for a tool, so speech, pings and cancellations go on while one runs. Whatever
becomes of it (a result, an exception, a timeout, nothing at all), the model gets exactly one answer for each
id, unless the server takes the call back first; `CallLedger` keeps that account.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import ConfigError, HandlerError
from livebridge.protocol import CallState, tool_response
from livebridge.session._options import Function
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")

TUPLE_WORDS: Final = frozenset({"tool_response", "send_tool_response"})
"""First members of the two tuples that the Elixir original takes from ``on_tool_call``."""

Job = Callable[[], Awaitable[None]]
"""What a tool task runs."""


@attrs.define(eq=False)
class ToolRunner:
    """Runs ``on_tool_call`` and answers the model.

    Args:
        state: The session's.
        outgoing: Where answers are accepted.
        callback: The user's ``on_tool_call``, if there is one.
        start: Starts a task in the session's scope.
        is_manual: Whether somebody who reads messages may answer by hand.
    """

    state: SessionState
    outgoing: Outgoing
    callback: Function | None
    start: Callable[[Job], None]
    is_manual: Callable[[], bool]
    _scopes: dict[str, trio.CancelScope] = attrs.field(factory=dict)
    _limiter: trio.CapacityLimiter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._limiter = trio.CapacityLimiter(self.state.options.max_concurrent_tools)

    def begin(self, tool_call: wire.ToolCall, keys: Sequence[str]) -> None:
        """Start work on a message of calls. Calls that are cancelled, answered or running are left out."""
        ledger = self.state.ledger
        live = [
            (key, call)
            for key, call in zip(keys, tool_call.function_calls or (), strict=True)
            if ledger.state(key) is CallState.OPEN and key not in self._scopes
        ]
        if not live:
            return
        scope = trio.CancelScope()
        for key, _ in live:
            self._scopes[key] = scope
        self.state.tools_running += 1
        calls = tuple(call for _, call in live)
        job = attrs.evolve(tool_call, function_calls=calls)
        self.start(partial(self._run, job, [key for key, _ in live], scope))

    def cancel(self, ids: Iterable[str]) -> None:
        """The server takes calls back: no answer for them, and their task ends when none is left."""
        for key in self.state.ledger.cancel(ids):
            scope = self._scopes.get(key)
            ours = [other for other, its in self._scopes.items() if its is scope]
            if scope is not None and all(self.state.ledger.state(o) is not CallState.OPEN for o in ours):
                scope.cancel()

    def cancel_all(self) -> None:
        """The session ends: so do its tools."""
        for scope in set(self._scopes.values()):
            scope.cancel()

    async def answer(self, responses: wire.ToolResponse) -> int:
        """Send answers, each id at most once. Returns how many were sent."""
        ledger = self.state.ledger
        allowed = []
        for response in responses.function_responses or ():
            key = ledger.key_for(response.id, response.name)
            if key is None or response.will_continue or ledger.claim(key):
                allowed.append(response)
            else:
                _log.info("answer to call %s suppressed: it is %s", key, ledger.state(key))
        if allowed:
            message = wire.ToolResponse(function_responses=tuple(allowed))
            await self.outgoing.accept_answer(wire.encode_client(wire.ClientMessage(tool_response=message)))
        return len(allowed)

    async def _run(self, tool_call: wire.ToolCall, keys: list[str], scope: trio.CancelScope) -> None:
        try:
            with scope:
                if self.callback is not None:
                    await self._call(self.callback, tool_call, keys)
                elif not self.is_manual():
                    await self._refuse(keys, "this client has no tools")
                await self._await_manual(keys)
        finally:
            self.state.tools_running -= 1
            for key in keys:
                self._scopes.pop(key, None)
            self.state.work.set()

    async def _call(self, callback: Function, tool_call: wire.ToolCall, keys: list[str]) -> None:
        seconds = self.state.options.tool_timeout
        async with self._limiter:
            try:
                with trio.fail_after(float("inf") if seconds is None else seconds):
                    result = callback(tool_call)
                    if inspect.isawaitable(result):
                        result = await result
                answers = self._answers(result)
            except trio.TooSlowError as error:
                await self._failed(tool_call, keys, error, f"timeout after {seconds} s")
                return
            except ConfigError as error:
                await self._failed(tool_call, keys, error, "the tool gave no usable answer")
                return
            except Exception as error:  # noqa: BLE001 - the model must get an answer whatever a tool raises
                await self._failed(tool_call, keys, error, f"{type(error).__name__}: {error}")
                return
        if answers is not None:
            await self.answer(answers)
            await self._refuse(keys, "the tool gave no answer to this call")

    def _answers(self, result: object) -> wire.ToolResponse | None:
        """Read what ``on_tool_call`` returned.

        Raises:
            ConfigError: It is none of the forms that mean something.
        """
        if result is None:
            return None
        if isinstance(result, tuple) and len(result) == 2 and result[0] in TUPLE_WORDS:  # noqa: PLR2004 - a pair
            result = result[1]
        known = {key: call.name or "" for key, call in self.state.ledger.pending.items()}
        require_ids = self.state.auth.backend == "gemini"
        return tool_response(result, require_ids=require_ids, known=known).tool_response

    async def _failed(self, tool_call: wire.ToolCall, keys: list[str], error: Exception, text: str) -> None:
        _log.error("on_tool_call failed: %s", text, exc_info=error)
        self.state.counters.callback_errors += 1
        self.state.notify("on_error", HandlerError("on_tool_call", tool_call, error))
        await self._refuse(keys, text)

    async def _refuse(self, keys: list[str], text: str) -> None:
        """Answer every call of these that is still open with an error."""
        pending = self.state.ledger.pending
        answers = [
            wire.FunctionResponse(id=pending[key].id, name=pending[key].name, response={"error": text})
            for key in keys
            if key in pending
        ]
        if answers:
            await self.answer(wire.ToolResponse(function_responses=tuple(answers)))

    async def _await_manual(self, keys: list[str]) -> None:
        """Whoever answers by hand has ``tool_timeout``; after that the model is told."""
        seconds = self.state.options.tool_timeout
        open_keys = [key for key in keys if self.state.ledger.state(key) is CallState.OPEN]
        if seconds is None or not open_keys:
            return
        await trio.sleep(seconds)
        await self._refuse(open_keys, f"timeout: no answer within {seconds:g} s")
