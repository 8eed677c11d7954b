"""The ledger of function calls: every id is answered once, or cancelled by the server, never both.

"A response is expected for each function call", and a model that waits for one is silent for ever; an answer
to a cancelled id on the other hand is an error. The ledger is where both rules are kept, whatever tool tasks,
users, disconnects and the server do in between::

    opened --answered--> answered        opened --cancelled--> cancelled
                            |
                            +--cancelled before the answer was written--> cancelled

    opened or answered --the connection is replaced before an answer left--> orphaned
    orphaned --the server makes the call again--> opened

An id that is announced again over another connection, or after a turn was completed, when its call was settled
before, is a new call: servers count ids anew.
"""

from collections.abc import Container, Iterable, Mapping
from enum import StrEnum
from typing import Final

import attrs

from livebridge import wire


class CallState(StrEnum):
    """Where one function call stands."""

    OPEN = "open"
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    ORPHANED = "orphaned"


_SETTLED: Final = (CallState.ANSWERED, CallState.CANCELLED)


@attrs.define
class OpenCall:
    """A function call that the model has made.

    Attributes:
        call: As the server sent it.
        epoch: The connection it came over; a later one may not know it.
        state: Open, answered, cancelled or orphaned.
        turn: How many turns had been completed before it.
    """

    call: wire.FunctionCall
    epoch: int
    state: CallState = CallState.OPEN
    turn: int = 0

    def is_settled_before(self, epoch: int, turn: int) -> bool:
        """Whether it was answered or cancelled, and this place is another than where it came."""
        return self.state in _SETTLED and (self.epoch, self.turn) != (epoch, turn)


@attrs.define
class CallLedger:
    """The function calls of a session. Ids are opaque; a call without one (Vertex) gets a local key."""

    _calls: dict[str, OpenCall] = attrs.field(factory=dict)
    _anonymous: int = 0
    _turn: int = 0
    answered: int = 0
    cancelled: int = 0
    suppressed: int = 0
    orphaned: int = 0

    @property
    def pending(self) -> Mapping[str, wire.FunctionCall]:
        """Open calls by key, in the order in which they came."""
        return {key: item.call for key, item in self._calls.items() if item.state is CallState.OPEN}

    @property
    def is_idle(self) -> bool:
        """Whether no call is open."""
        return not any(item.state is CallState.OPEN for item in self._calls.values())

    def turn_completed(self) -> None:
        """The model has completed a turn; ids may be used again for other calls."""
        self._turn += 1

    def announce(self, calls: Iterable[wire.FunctionCall], *, epoch: int) -> list[str]:
        """Note calls as soon as they were read. Returns their keys.

        Within a turn the same id is the same call, and an open call is never replaced.

        Args:
            calls: The calls of one message.
            epoch: The connection they came over.
        """
        self._forget_settled()
        keys = []
        for call in calls:
            key = call.id
            if not key:
                self._anonymous += 1
                key = f"anonymous-{self._anonymous}"
            item = self._calls.get(key)
            if item is None or item.is_settled_before(epoch, self._turn):
                self._calls[key] = OpenCall(call, epoch, turn=self._turn)
            elif item.state is CallState.ORPHANED and item.epoch != epoch:
                item.state, item.epoch, item.turn = CallState.OPEN, epoch, self._turn
            keys.append(key)
        return keys

    def cancel(self, ids: Iterable[str]) -> list[str]:
        """The server takes calls back; returns those that were open. They are never answered."""
        taken = []
        for key in ids:
            item = self._calls.get(key)
            if item is not None and item.state is CallState.OPEN:
                item.state = CallState.CANCELLED
                self.cancelled += 1
                taken.append(key)
        return taken

    def revoke(self, key: str | None) -> None:
        """The server takes back a call whose answer has not left yet: it counts as cancelled."""
        item = self._calls.get(key or "")
        if item is not None and item.state is CallState.ANSWERED:
            item.state = CallState.CANCELLED
            self.answered -= 1
            self.cancelled += 1

    def orphan(self, key: str) -> bool:
        """The server has forgotten a call (its connection was replaced) before an answer left.

        Returns:
            Whether it is orphaned now; not if it was cancelled or never announced.
        """
        item = self._calls.get(key)
        if item is None or item.state is CallState.CANCELLED:
            return False
        self.answered -= item.state is CallState.ANSWERED
        self.orphaned += item.state is not CallState.ORPHANED
        item.state = CallState.ORPHANED
        return True

    def call(self, key: str) -> wire.FunctionCall | None:
        """A call by its key, wherever it stands; ``None`` if it was never announced."""
        item = self._calls.get(key)
        return None if item is None else item.call

    def state(self, key: str) -> CallState | None:
        """Where a call stands; ``None`` for an id that was never announced."""
        item = self._calls.get(key)
        return None if item is None else item.state

    def epoch(self, key: str) -> int | None:
        """The connection over which a call came."""
        item = self._calls.get(key)
        return None if item is None else item.epoch

    def claim(self, key: str) -> bool:
        """Ask for the right to answer a call. Granted once, and never after a cancellation.

        An id that was never announced is granted: the user may know better (another process).
        """
        item = self._calls.get(key)
        if item is None:
            return True
        if item.state is not CallState.OPEN:
            self.suppressed += 1
            return False
        item.state = CallState.ANSWERED
        self.answered += 1
        return True

    def key_for(self, call_id: str | None, name: str | None, taken: Container[str] = ()) -> str | None:
        """The key of the call that a response belongs to (calls without id are matched by name).

        Args:
            call_id: The response's id.
            name: The response's name.
            taken: Keys of calls that other responses of the same message answer.
        """
        if call_id:
            return call_id
        for key, item in self._calls.items():
            matches = item.state is CallState.OPEN and not item.call.id and item.call.name == name
            if matches and key not in taken:
                return key
        return None

    def _forget_settled(self, keep: int = 256) -> None:
        settled = [key for key, item in self._calls.items() if item.state in _SETTLED]
        for key in settled[: max(0, len(settled) - keep)]:
            del self._calls[key]
