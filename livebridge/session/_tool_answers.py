"""The way of an answer: at most one for each call, none for a cancelled one, none where nobody waits for it.

Tools never wait here. An answer that finds no room in the outbox waits in a task of its own; whether it may still
be sent is decided when it is accepted, and once more by a cancellation that comes before it was written.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import LivebridgeError, SessionClosedError, SessionFailedError
from livebridge.protocol import CallState, Entry, Kind
from livebridge.session._outgoing import Outgoing
from livebridge.session._state import SessionState
from livebridge.session._tool_orphans import Orphans

_log: Final = logging.getLogger("livebridge.session")

Job = Callable[[], Awaitable[None]]
"""What a task runs."""

Answers = list[tuple[str | None, wire.FunctionResponse]]
"""Responses with the ledger keys of the calls that they answer."""


@attrs.frozen
class Sent:
    """An accepted message of answers, as long as it may not have been written.

    Attributes:
        entry: In the outbox.
        answers: What it says.
        automatic: Sent by the runtime, not by the user's hand.
    """

    entry: Entry
    answers: Answers
    automatic: bool


@attrs.define(eq=False)
class AnswerDesk:
    """Sends answers and keeps the rules of the ledger.

    Args:
        state: The session's.
        outgoing: Where answers are accepted.
        start: Starts a task in the session's scope.
        orphans: What becomes of answers that the server no longer waits for.
        accepted: Called when answers were accepted.
    """

    state: SessionState
    outgoing: Outgoing
    start: Callable[[Job], None]
    orphans: Orphans
    accepted: Callable[[], None]
    _unwritten: list[Sent] = attrs.field(factory=list)
    _queued: set[str] = attrs.field(factory=set)
    _orphans_answered: set[str] = attrs.field(factory=set)

    async def answer(self, responses: wire.ToolResponse) -> int:
        """Send answers by hand, each id at most once. Returns how many were sent.

        Raises:
            SessionClosedError: The session is closing or closed; also while waiting for room.
            SessionFailedError: It has failed; also while waiting for room.
        """
        given = responses.function_responses or ()
        await self.outgoing.wait_for_room(len(encode(given)), Kind.TOOL)
        return self._accept(self.keyed(given), automatic=False)

    def deliver(self, answers: Answers) -> None:
        """Send answers of the runtime's own, now or as soon as there is room."""
        state = self.state
        if not answers or state.closed or state.failure is not None or (state.closing and not state.drain):
            return
        if state.outbox.has_room(len(encode(response for _, response in answers)), Kind.TOOL):
            self._accept(answers, automatic=True)
        else:
            state.tools_running += 1
            self._queued.update(key for key, _ in answers if key is not None)
            self.start(partial(self._deliver_later, answers))

    def keyed(self, responses: Iterable[wire.FunctionResponse]) -> Answers:
        """Find the calls that responses answer."""
        answers: Answers = []
        for response in responses:
            taken = {key for key, _ in answers if key is not None}
            answers.append((self.state.ledger.key_for(response.id, response.name, taken), response))
        return answers

    def is_queued(self, key: str) -> bool:
        """Whether an answer to a call waits for room."""
        return key in self._queued

    def withdraw(self, ids: Sequence[str]) -> None:
        """Take answers to these calls out of the outbox, unless they are being written already."""
        for sent in list(self._unwritten):
            if not any(key in ids for key, _ in sent.answers) or not self.outgoing.is_waiting(sent.entry):
                continue
            self._unwritten.remove(sent)
            for key, _ in sent.answers:
                if key in ids:
                    self.state.ledger.revoke(key)
            rest = [(key, response) for key, response in sent.answers if key not in ids]
            if rest:
                self.outgoing.amend(sent.entry, encode(response for _, response in rest))
                self._unwritten.append(attrs.evolve(sent, answers=rest))
            else:
                self.outgoing.withdraw(sent.entry)

    def reconnected(self) -> list[str]:
        """A new connection is ready: what the server has forgotten becomes orphaned, or is answered all the same.

        Returns:
            Keys of the calls that were open.
        """
        if self.orphans.policy == "send":
            return []
        state = self.state
        lost = [key for key in state.ledger.pending if state.ledger.epoch(key) != state.epoch]
        awaited = state.is_blocked()
        for key in lost:
            state.ledger.orphan(key)
        if awaited and lost and self.orphans.policy == "drop":
            state.expect_repair()
        for sent in list(self._unwritten):
            if sent.automatic and self.outgoing.is_waiting(sent.entry):
                self._unwritten.remove(sent)
                self.outgoing.withdraw(sent.entry)
                for called, response in sent.answers:
                    state.ledger.orphan(called or "")
                    self._orphaned(called or "", response)
        return lost

    def _accept(self, answers: Answers, *, automatic: bool) -> int:
        allowed = [(key, response) for key, response in answers if self._may_send(key, response)]
        if allowed:
            gate = self.outgoing.gate
            awaited = gate is not None and all(gate.blocks(response.name) for _, response in allowed)
            entry = self.outgoing.accept_answer(encode(response for _, response in allowed), awaited=awaited)
            self._unwritten = [sent for sent in self._unwritten if sent.entry.state == "accepted"]
            self._unwritten.append(Sent(entry, allowed, automatic))
            self.accepted()
        return len(allowed)

    def _may_send(self, key: str | None, response: wire.FunctionResponse) -> bool:
        ledger = self.state.ledger
        where = None if key is None else ledger.state(key)
        if where is CallState.ORPHANED:
            self._orphaned(key or "", response)
            return False
        unsettled = key is None or (response.will_continue and where in (None, CallState.OPEN))
        if unsettled or ledger.claim(key or ""):
            return True
        _log.info("answer to call %s suppressed: it is %s", key, where)
        return False

    def _orphaned(self, key: str, response: wire.FunctionResponse) -> None:
        call = self.state.ledger.call(key)
        if call is not None and not response.will_continue:
            self._orphans_answered.add(key)
            self.orphans.finished(call, response)

    def give_up(self, key: str, why: str) -> None:
        """Nobody will answer a call any more; report it if the server has forgotten it."""
        call = self.state.ledger.call(key)
        forgotten = self.state.ledger.state(key) is CallState.ORPHANED
        if call is not None and forgotten and key not in self._orphans_answered:
            self.orphans.lost(call, why)

    async def _deliver_later(self, answers: Answers) -> None:
        try:
            await self.outgoing.wait_for_room(len(encode(response for _, response in answers)), Kind.TOOL)
            self._accept(answers, automatic=True)
        except (SessionClosedError, SessionFailedError):
            _log.debug("the session ended before there was room for an answer")
        finally:
            self._queued.difference_update(key for key, _ in answers if key is not None)
            self.state.tools_running -= 1
            self.state.work.set()


def encode(responses: Iterable[wire.FunctionResponse]) -> bytes:
    """Write a message of answers."""
    message = wire.ToolResponse(function_responses=tuple(responses))
    return wire.encode_client(wire.ClientMessage(tool_response=message))


def report(state: SessionState, error: LivebridgeError) -> None:
    """Count a failed tool and tell the user."""
    state.counters.callback_errors += 1
    state.notify("on_error", error)
