"""Tool calls: who runs which, beside the dispatcher; the front of everything in the ``_tool_…`` modules.

::

    server --toolCall--> begin --+--> registered functions: a task for each call     (_tool_calls)
                                 +--> on_tool_call, or somebody by hand: a task for  (_tool_callback)
                                      each message                       |
    server --cancellation--> cancel (from the tap, at once)              v
                                              answers: the ledger, the outbox        (_tool_answers)

The dispatcher never waits for a tool, so speech, pings and cancellations go on while one runs. Whatever
becomes of it (a result, an exception, a timeout, nothing at all), the model gets exactly one answer for each
id, unless the server takes the call back first; `CallLedger` keeps that account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs
import trio

from livebridge import wire
from livebridge.errors import LivebridgeError, ToolError
from livebridge.protocol import CallState
from livebridge.session._options import Function, OrphanPolicy
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState
from livebridge.session._tool_answers import AnswerDesk, Job
from livebridge.session._tool_box import ToolBox
from livebridge.session._tool_callback import MessageTools
from livebridge.session._tool_calls import FunctionTools, Own
from livebridge.session._tool_gate import AudioGate
from livebridge.session._tool_orphans import Orphans
from livebridge.session._tool_slots import Slots

__all__ = ["Job", "ToolRunner"]


@attrs.define(eq=False)
class ToolRunner:
    """Runs tools and answers the model.

    Args:
        state: The session's.
        outgoing: Where answers are accepted.
        callback: The user's ``on_tool_call``, if there is one.
        start: Starts a task in the session's scope.
        is_manual: Whether somebody who reads messages may answer by hand.
        box: The registered functions.
        own: Makes what these ask for beside their arguments.
    """

    state: SessionState
    outgoing: Outgoing
    callback: Function | None
    start: Callable[[Job], None]
    is_manual: Callable[[], bool]
    box: ToolBox
    own: Own
    desk: AnswerDesk = attrs.field(init=False)
    gate: AudioGate = attrs.field(init=False)
    _slots: Slots = attrs.field(init=False)
    _messages: MessageTools = attrs.field(init=False)
    _functions: FunctionTools = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        state, options = self.state, self.state.options
        self._slots = Slots(options.max_concurrent_tools, self.start)
        self.gate = AudioGate(state, self.start, options.realtime_during_tool_call)
        self.outgoing.gate = self.gate
        usual: OrphanPolicy = "reattach" if state.outbox.transparent else "as_content"
        orphans = Orphans(state, self.outgoing, self.start, options.orphan_tool_results or usual)
        self.desk = AnswerDesk(state, self.outgoing, self.start, orphans, self.gate.release)
        self._messages = MessageTools(state, self.desk, self._slots, self.callback, self.is_manual)
        self._functions = FunctionTools(state, self.desk, self._slots, self.start, self.own)

    async def prepare(self) -> LivebridgeError | None:
        """List the tools of MCP servers, before the first connection; returns what went wrong."""
        if not self.box.sources:
            return None
        options = self.state.options
        found: list[wire.FunctionDeclaration] = []
        error: LivebridgeError | None = ToolError(
            f"no list of an MCP server's tools in {options.setup_timeout:g} s"
        )
        with trio.move_on_after(options.setup_timeout):
            try:
                found = await self.box.list_sources()
                error = None
            except LivebridgeError as failure:
                error = failure
        if error is not None:
            return error
        kept = [wire.Tool(function_declarations=tuple(found))] if found else []
        config = attrs.evolve(options.config, tools=(*(options.config.tools or ()), *kept))
        self.state.options = attrs.evolve(options, config=config)
        return None

    def begin(self, tool_call: wire.ToolCall, keys: Sequence[str]) -> None:
        """Start work on a message of calls. Calls that are cancelled, answered or running are left out."""
        ledger = self.state.ledger
        live = {
            key: ledger.call(key) or call
            for key, call in zip(keys, tool_call.function_calls or (), strict=True)
            if ledger.state(key) is CallState.OPEN
            and not self._messages.is_running(key)
            and not self._functions.is_running(key)
        }
        ours = {key: call for key, call in live.items() if self._is_ours(call.name)}
        rest = {key: call for key, call in live.items() if key not in ours}
        if ours:
            known = ", ".join(sorted({*self.box.tools, *self.box.declared}))
            calls = [(key, call, self.box.tools.get(call.name or "")) for key, call in ours.items()]
            self._functions.begin(calls, f"there are {known}")
        if rest:
            whole = attrs.evolve(tool_call, function_calls=tuple(rest.values()))
            self._messages.begin(whole, list(rest))

    def cancel(self, ids: Iterable[str]) -> None:
        """The server takes calls back: no answer for them, and their tasks end. Called by the tap, at once."""
        taken = list(ids)
        ledger = self.state.ledger
        self.desk.withdraw(taken)
        ledger.cancel(taken)
        gone = [key for key in taken if ledger.state(key) is CallState.CANCELLED]
        self._functions.cancel(gone)
        self._messages.cancel(gone)
        self.gate.release()

    def cancel_all(self) -> None:
        """The session ends: so do its tools."""
        self.state.tools_running -= self._slots.clear()
        self._functions.cancel_all()
        self._messages.cancel_all()

    def reconnected(self, *, resumed: bool) -> None:
        """A connection is ready. If it replaces another one, the server has forgotten the calls of that one.

        Args:
            resumed: The conversation goes on; otherwise the model has forgotten everything.
        """
        lost = self.desk.reconnected()
        chosen, policy = self.state.options.orphan_tool_results, self.desk.orphans.policy
        useless = policy == "drop" or (chosen is None and policy == "as_content")
        self._functions.orphan(lost, cancel=useless and not resumed)
        self.gate.release()

    async def answer(self, responses: wire.ToolResponse) -> int:
        """Send answers by hand, each id at most once. Returns how many were sent.

        Raises:
            SessionClosedError: The session is closing or closed; also while waiting for room.
            SessionFailedError: It has failed; also while waiting for room.
        """
        return await self.desk.answer(responses)

    def declare(self, tools: Iterable[wire.Tool]) -> None:
        """Tools were declared later, without code: calls of them are for ``on_tool_call`` or for hands."""
        names = {each.name for tool in tools for each in tool.function_declarations or () if each.name}
        self.box.declared |= names - set(self.box.tools)

    def _is_ours(self, name: str | None) -> bool:
        """Whether a call is for registered functions, or for nobody although there are such."""
        if name in self.box.tools:
            return True
        return self.callback is None and not self.box.is_empty and name not in self.box.declared
