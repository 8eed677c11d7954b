"""How much of what was written a handle covers, where the server acknowledges nothing.

A handle stands for everything the server had read when it made it, and how much that was can only be told by its
turns: after n turns it has read up to the n-th message that asked for one. Without any turn, all that was written
counts as read. Where sound was sent too, turns prove nothing about messages; then a handle covers what had been
written when the handle before it came.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from livebridge.protocol._entries import MEDIA, Entry


@attrs.define
class Evidence:
    """What one connection has shown since its last handle."""

    _turns: int = 0
    _newest_written: int = 0
    _newest_at_handle: int = 0
    _sounded: bool = False

    def restart(self) -> None:
        """A new connection begins; it has shown nothing yet."""
        self._turns = self._newest_at_handle = 0
        self._sounded = False

    def wrote(self, entry: Entry) -> None:
        """An entry reached the socket."""
        self._newest_written = entry.seq
        if entry.kind in MEDIA:
            self._sounded = True

    def turn_completed(self) -> None:
        """The server has completed a turn."""
        self._turns += 1

    def covers(self, written: Iterable[Entry]) -> int:
        """A handle came: how many of these entries, in the order of writing, does it cover?"""
        turns, self._turns = self._turns, 0
        newest, self._newest_at_handle = self._newest_at_handle, self._newest_written
        sounded, self._sounded = self._sounded, False
        covered = 0
        for entry in written:
            if sounded and entry.seq > newest:
                break
            covered += 1
            if turns and entry.expects_turn and not sounded:
                turns -= 1
                if not turns:
                    break
        return covered
