"""``on_tool_call``: whole messages of calls, answered by what the callback returns, or by hand."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import ConfigError, HandlerError
from livebridge.protocol import CallState, tool_response
from livebridge.session._blocking import Stepwise
from livebridge.session._options import Function
from livebridge.session._state import SessionState
from livebridge.session._tool_answers import AnswerDesk, report
from livebridge.session._tool_failures import failure_text
from livebridge.session._tool_result import error_response
from livebridge.session._tool_slots import Slot, Slots

_log: Final = logging.getLogger("livebridge.session")

TUPLE_WORDS: Final = frozenset({"tool_response", "send_tool_response"})
"""First members of the two tuples that the Elixir original takes from ``on_tool_call``."""


@attrs.define(eq=False)
class MessageTools:
    """Runs ``on_tool_call``: one task and one scope for each message.

    Args:
        state: The session's.
        desk: Where answers go.
        slots: How many run at once.
        callback: The user's ``on_tool_call``, if there is one.
        is_manual: Whether somebody who reads messages may answer by hand.
    """

    state: SessionState
    desk: AnswerDesk
    slots: Slots
    callback: Function | None
    is_manual: Callable[[], bool]
    _scopes: dict[str, trio.CancelScope] = attrs.field(factory=dict)

    def is_running(self, key: str) -> bool:
        """Whether a call is being worked on."""
        return key in self._scopes

    def begin(self, tool_call: wire.ToolCall, keys: list[str]) -> None:
        """Start work on calls of one message."""
        scope = trio.CancelScope()
        for key in keys:
            self._scopes[key] = scope
        self.state.tools_running += 1
        self.slots.submit(partial(self._run, tool_call, keys, scope))

    def cancel(self, keys: Sequence[str]) -> None:
        """End the tasks of which no call is open any more."""
        for key in keys:
            scope = self._scopes.get(key)
            ours = [other for other, its in self._scopes.items() if its is scope]
            if scope is not None and all(self.state.ledger.state(o) is not CallState.OPEN for o in ours):
                scope.cancel()

    def cancel_all(self) -> None:
        """End all tasks."""
        for scope in set(self._scopes.values()):
            scope.cancel()

    async def _run(
        self, tool_call: wire.ToolCall, keys: list[str], scope: trio.CancelScope, slot: Slot
    ) -> None:
        try:
            with scope:
                await trio.lowlevel.checkpoint_if_cancelled()
                if self.callback is not None:
                    await self._call(self.callback, tool_call, keys)
                elif not self.is_manual():
                    self._refuse(keys, "this client has no tools")
                slot.release()
                await self._await_manual(keys)
        except Exception as error:  # noqa: BLE001 - beside its cancellation a tool may raise anything
            self._report(tool_call, error)
        finally:
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
                    result = await Stepwise(result, "callback on_tool_call", self.state)
        except trio.TooSlowError as error:
            self._failed(tool_call, keys, error, f"timeout after {seconds} s")
            return
        except Exception as error:  # noqa: BLE001 - the model must get an answer whatever a tool raises
            detail = self.state.options.tool_error_detail
            self._failed(tool_call, keys, error, failure_text(error, detail))
            return
        try:
            answers = self._answers(result)
        except ConfigError as error:
            problem = HandlerError("on_tool_call", tool_call, error, returned=True)
            _log.error("%s", problem)
            report(self.state, problem)
            self._refuse(keys, "the tool gave no usable answer")
            return
        if answers is not None:
            given = answers.function_responses or ()
            self.desk.deliver(self.desk.keyed(given))
            continued = {response.id for response in given if response.will_continue}
            self._refuse(
                [key for key in keys if key not in continued], "the tool gave no answer to this call"
            )

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

    def _failed(self, tool_call: wire.ToolCall, keys: list[str], error: Exception, text: str) -> None:
        self._report(tool_call, error)
        self._refuse(keys, text)

    def _report(self, tool_call: wire.ToolCall, error: Exception) -> None:
        _log.error("on_tool_call raised %s", type(error).__name__, exc_info=error)
        report(self.state, HandlerError("on_tool_call", tool_call, error))

    def _refuse(self, keys: Sequence[str], text: str) -> None:
        """Answer every call of these that is still open with an error."""
        pending = self.state.ledger.pending
        open_keys = [key for key in keys if key in pending and not self.desk.is_queued(key)]
        self.desk.deliver([(key, error_response(pending[key], text)) for key in open_keys])

    async def _await_manual(self, keys: list[str]) -> None:
        """Whoever answers by hand has ``tool_timeout``; after that the model is told."""
        seconds = self.state.options.tool_timeout
        open_keys = [key for key in keys if self.state.ledger.state(key) is CallState.OPEN]
        if seconds is None or not open_keys:
            return
        await trio.sleep(seconds)
        self._refuse(open_keys, f"timeout: no answer within {seconds:g} s")
        for key in open_keys:
            self.desk.give_up(key, f"nobody gave one within {seconds:g} s")
