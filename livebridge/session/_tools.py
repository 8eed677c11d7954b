"""Tool calls: one task and one cancel scope for each message of calls, beside the dispatcher.

The dispatcher never waits for a tool, so speech, pings and cancellations go on while one runs. Whatever
becomes of it (a result, an exception, a timeout, nothing at all), the model gets exactly one answer for each
id, unless the server takes the call back first; `CallLedger` keeps that account.
"""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import ConfigError, HandlerError, SessionClosedError, SessionFailedError
from livebridge.protocol import CallState, Entry, tool_response
from livebridge.session._options import Function
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")

TUPLE_WORDS: Final = frozenset({"tool_response", "send_tool_response"})
"""First members of the two tuples that the Elixir original takes from ``on_tool_call``."""

Job = Callable[[], Awaitable[None]]
"""What a tool task runs."""

Answers = list[tuple[str | None, wire.FunctionResponse]]
"""Responses with the ledger keys of the calls that they answer."""


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
    _queue: deque[Job] = attrs.field(factory=deque)
    _running: int = 0
    _unwritten: list[tuple[Entry, Answers]] = attrs.field(factory=list)

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
        self._queue.append(partial(self._run, job, [key for key, _ in live], scope))
        self._start_next()

    def cancel(self, ids: Iterable[str]) -> None:
        """The server takes calls back: no answer for them, and their task ends when none is left."""
        taken = list(ids)
        self._withdraw(taken)
        for key in self.state.ledger.cancel(taken):
            scope = self._scopes.get(key)
            ours = [other for other, its in self._scopes.items() if its is scope]
            if scope is not None and all(self.state.ledger.state(o) is not CallState.OPEN for o in ours):
                scope.cancel()

    def cancel_all(self) -> None:
        """The session ends: so do its tools."""
        self.state.tools_running -= len(self._queue)
        self._queue.clear()
        for scope in set(self._scopes.values()):
            scope.cancel()

    async def answer(self, responses: wire.ToolResponse) -> int:
        """Send answers, each id at most once. Returns how many were sent.

        Raises:
            SessionClosedError: The session is closing or closed; also while waiting for room.
            SessionFailedError: It has failed; also while waiting for room.
        """
        given = responses.function_responses or ()
        await self.outgoing.wait_for_room(len(_encode(given)), answer=True)
        allowed = [(key, response) for key, response in self._keyed(given) if self._may_send(key, response)]
        if allowed:
            entry = self.outgoing.accept_answer(_encode(response for _, response in allowed))
            self._unwritten = [item for item in self._unwritten if item[0].state == "accepted"]
            self._unwritten.append((entry, allowed))
        return len(allowed)

    def _keyed(self, responses: Iterable[wire.FunctionResponse]) -> Answers:
        ledger = self.state.ledger
        return [(ledger.key_for(response.id, response.name), response) for response in responses]

    def _may_send(self, key: str | None, response: wire.FunctionResponse) -> bool:
        ledger = self.state.ledger
        unsettled = key is None or (response.will_continue and ledger.state(key) in (None, CallState.OPEN))
        if unsettled or ledger.claim(key or ""):
            return True
        _log.info("answer to call %s suppressed: it is %s", key, ledger.state(key or ""))
        return False

    def _withdraw(self, ids: Sequence[str]) -> None:
        """Take answers to these calls out of the outbox, unless they are being written already."""
        for item in list(self._unwritten):
            entry, answers = item
            if not any(key in ids for key, _ in answers) or not self.outgoing.is_waiting(entry):
                continue
            self._unwritten.remove(item)
            for key, _ in answers:
                if key in ids:
                    self.state.ledger.revoke(key)
            rest = [(key, response) for key, response in answers if key not in ids]
            if rest:
                self.outgoing.amend(entry, _encode(response for _, response in rest))
                self._unwritten.append((entry, rest))
            else:
                self.outgoing.withdraw(entry)

    def _start_next(self) -> None:
        while self._queue and self._running < self.state.options.max_concurrent_tools:
            self._running += 1
            self.start(self._queue.popleft())

    def _made_room(self) -> None:
        self._running -= 1
        self._start_next()

    async def _run(self, tool_call: wire.ToolCall, keys: list[str], scope: trio.CancelScope) -> None:
        release: Callable[[], None] | None = self._made_room
        try:
            with scope:
                await trio.lowlevel.checkpoint_if_cancelled()
                if self.callback is not None:
                    await self._call(self.callback, tool_call, keys)
                elif not self.is_manual():
                    await self._refuse(keys, "this client has no tools")
                self._made_room()
                release = None
                await self._await_manual(keys)
        except (SessionClosedError, SessionFailedError):
            _log.debug("the session ended before its tools did")
        except Exception as error:  # noqa: BLE001 - beside its cancellation a tool may raise anything
            self._report(tool_call, error, f"{type(error).__name__} while it was cancelled")
        finally:
            if release is not None:
                release()
            self.state.tools_running -= 1
            for key in keys:
                self._scopes.pop(key, None)
            self.state.work.set()

    async def _call(self, callback: Function, tool_call: wire.ToolCall, keys: list[str]) -> None:
        seconds = self.state.options.tool_timeout
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
        self._report(tool_call, error, text)
        await self._refuse(keys, text)

    def _report(self, tool_call: wire.ToolCall, error: Exception, text: str) -> None:
        _log.error("on_tool_call failed: %s", text, exc_info=error)
        self.state.counters.callback_errors += 1
        self.state.notify("on_error", HandlerError("on_tool_call", tool_call, error))

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


def _encode(responses: Iterable[wire.FunctionResponse]) -> bytes:
    message = wire.ToolResponse(function_responses=tuple(responses))
    return wire.encode_client(wire.ClientMessage(tool_response=message))
