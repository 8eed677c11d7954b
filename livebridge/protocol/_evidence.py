"""How much of what was written a handle covers, where the server acknowledges nothing.

A handle stands for everything the server had read when it made it. How much that was, only what the server
says in the meantime can tell:

* After n turns it has read up to the n-th message that asked for one, and every answer of a tool that one of
  these turns was waiting for. Nothing that was written after the last of the turns came is proven by it.
* Sound, and answers of tools that nobody waits for, may bring about turns of their own; among them a turn
  proves nothing, but for the answer of a tool that the model stood still for: it has read that one to complete
  any turn at all, unless the user cut in.
* What was written long before the handle came counts as read: soon, if it asked for nothing; later, if it
  asked for a turn that did not come (the server may have taken two messages together).

A message that no handle covers is reported as uncertain when the connection breaks. So a doubt costs a report
too many; a wrong certainty would lose a message without a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from livebridge.protocol._entries import MEDIA, Entry, Kind

SETTLED: Final = 5.0
"""Seconds from the writing of a message that asks for nothing until a handle covers it."""

UNANSWERED: Final = 30.0
"""The same for a message that asked for a turn and got none."""


@attrs.define
class Evidence:
    """What one connection has shown since its last handle."""

    _turns: int = 0
    _newest_written: int = 0
    _newest_at_turn: int = 0
    _newest_at_whole_turn: int = 0
    _unclear: bool = False
    _was_unclear: bool = False

    def restart(self) -> None:
        """A new connection begins; it has shown nothing yet."""
        self._turns = self._newest_at_turn = self._newest_at_whole_turn = 0
        self._unclear = self._was_unclear = False

    def wrote(self, entry: Entry) -> None:
        """An entry reached the socket."""
        self._newest_written = entry.index or 0
        if entry.kind in MEDIA or entry.reply == "perhaps":
            self._unclear = True

    def turn_completed(self, *, whole: bool) -> None:
        """The server has completed a turn; not a `whole` one if the user cut in."""
        self._turns += 1
        self._newest_at_turn = self._newest_written
        if whole:
            self._newest_at_whole_turn = self._newest_written

    def covers(self, written: Iterable[Entry], *, now: float) -> int:
        """A handle came: how many of these entries, in the order of writing, does it cover?

        Args:
            written: Entries that no handle covers yet.
            now: Seconds on the session's clock.
        """
        unclear = self._unclear or self._was_unclear
        turns = 0 if unclear else self._turns
        self._turns, self._was_unclear, self._unclear = 0, self._unclear, False
        covered = asked = 0
        for count, entry in enumerate(written, 1):
            asks = entry.reply == "turn"
            asked += asks
            if entry.kind is Kind.TOOL and entry.reply == "none":
                proven = (entry.index or 0) <= self._newest_at_whole_turn
            else:
                proven = asks and asked <= turns and (entry.index or 0) <= self._newest_at_turn
            patience = UNANSWERED if asks and not unclear else SETTLED
            if proven or now - entry.written_at >= patience:
                covered = count
        return covered
