"""Orphans: results of calls that came over a connection which is gone.

A handle is a snapshot of the conversation from before the call (a session is not resumable while calls run), so
the server that resumes from it has never heard of the call and ignores an answer to it. The user still waits for
one. What is done with the result is a matter of policy:

============== ===========================================================================================
``reattach``   the model is expected to make the same call again; it gets this result, the tool is not run
               twice (the default where input is replayed, so that the model does come back to it)
``as_content`` the result is told to the model as words of the user, so that it says something about it (the
               default elsewhere); a call that is made again while the tool still works is reattached
``drop``       it is dropped
``send``       it is sent all the same, for servers that remember
============== ===========================================================================================

Whatever becomes of it, an orphan is reported to ``on_error``, unless the model made the call again. If the
conversation is lost with the connection, the model does not know what the result would be about: tools that
still work are cancelled then, unless the policy was chosen and has a use for what they do.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import LivebridgeError, OrphanedToolResultError, OutboxFullError
from livebridge.protocol import Kind, client_content, realtime_input
from livebridge.session._options import OrphanPolicy
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState

_log: Final = logging.getLogger("livebridge.session")

REATTACH_WITHIN: Final = 60.0
"""Seconds after which a model that has not made a call again will not."""

_TOLD: Final = "the model was told the result as words of the user"


@attrs.define(eq=False)
class Orphan:
    """The result of a forgotten call.

    Attributes:
        call: The call.
        response: What the tool answered.
        taken: The model has made the call again.
    """

    call: wire.FunctionCall
    response: wire.FunctionResponse
    taken: bool = False


@attrs.define(eq=False)
class Orphans:
    """Applies the policy.

    Args:
        state: The session's.
        outgoing: Where words of the user are accepted.
        start: Starts a task in the session's scope.
        policy: What to do.
    """

    state: SessionState
    outgoing: Outgoing
    start: Callable[[Callable[[], Awaitable[None]]], None]
    policy: OrphanPolicy
    _kept: list[Orphan] = attrs.field(factory=list)

    def finished(self, call: wire.FunctionCall, response: wire.FunctionResponse) -> None:
        """The result of a forgotten call is there."""
        if self.policy == "reattach":
            orphan = Orphan(call, response)
            self._kept.append(orphan)
            self.start(partial(self._expire, orphan))
        elif self.policy == "as_content":
            self._tell(call, self._words(call, response))
        else:
            self._report(call, "the result was dropped")

    def lost(self, call: wire.FunctionCall, why: str) -> None:
        """There will be no result of a forgotten call."""
        text = (
            f"{call.name} was called over a connection which has been replaced, and there is no result: {why}"
        )
        self.state.notify("on_error", OrphanedToolResultError(text))

    def claim(self, call: wire.FunctionCall) -> wire.FunctionResponse | None:
        """The result of an earlier call that was the same as this one; each is given out once."""
        for orphan in self._kept:
            if same_call(orphan.call, call):
                orphan.taken = True
                self._kept.remove(orphan)
                return attrs.evolve(orphan.response, id=call.id, name=call.name)
        return None

    async def _expire(self, orphan: Orphan) -> None:
        await trio.sleep(REATTACH_WITHIN)
        if not orphan.taken:
            self._kept.remove(orphan)
            self._report(orphan.call, f"the model did not repeat the call within {REATTACH_WITHIN:g} s")

    def _words(self, call: wire.FunctionCall, response: wire.FunctionResponse) -> wire.ClientMessage:
        arguments = wire.dumps(dict(call.args or {})).decode()
        result = wire.dumps(dict(response.response or {})).decode()
        text = (
            f"The result of the function {call.name}, called earlier with {arguments}, has arrived: {result}"
        )
        if self.state.capabilities.text_input == "realtime_input":
            return realtime_input(text=text)
        return client_content(text)

    def _tell(self, call: wire.FunctionCall, words: wire.ClientMessage) -> None:
        """Accept the words now, before any input that comes later, or as soon as there is room."""
        try:
            self.outgoing.send_nowait(words, Kind.CONTENT)
        except OutboxFullError:
            self.start(partial(self._tell_later, call, words))
        except LivebridgeError as error:
            self._report(call, f"the model could not be told: {error}")
        else:
            self._report(call, _TOLD)

    async def _tell_later(self, call: wire.FunctionCall, words: wire.ClientMessage) -> None:
        what = _TOLD
        try:
            await self.outgoing.send(words, Kind.CONTENT)
        except LivebridgeError as error:
            what = f"the model could not be told: {error}"
        self._report(call, what)

    def _report(self, call: wire.FunctionCall, what: str) -> None:
        text = f"{call.name} finished after the connection over which it was called had been replaced; {what}"
        _log.info("%s", text)
        self.state.notify("on_error", OrphanedToolResultError(text))


def same_call(one: wire.FunctionCall, other: wire.FunctionCall) -> bool:
    """Whether two calls ask for the same: name and arguments, in whatever order these are written."""
    return one.name == other.name and _sorted(one.args or {}) == _sorted(other.args or {})


def _sorted(value: object) -> object:
    """A value that equals another if JSON says so: ``1`` is ``1.0`` there, and not ``true``."""
    if isinstance(value, Mapping):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return (type(value) is bool, value)
