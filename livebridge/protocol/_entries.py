"""An accepted message and what becomes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Literal

import attrs


class Kind(StrEnum):
    """What an entry is, as far as keeping or giving it up goes."""

    CONTENT = "content"
    TOOL = "tool"
    SIGNAL = "signal"
    AUDIO = "audio"
    VIDEO = "video"


MEDIA: Final = frozenset({Kind.AUDIO, Kind.VIDEO})
"""What may be given up when it is too much or too old."""

State = Literal["accepted", "written", "acked", "dropped"]

Reply = Literal["none", "turn", "perhaps"]


@attrs.define(eq=False)
class Entry:
    """One accepted message.

    Attributes:
        seq: Position in the order of acceptance, from 1.
        kind: What may be done with it under pressure.
        payload: The frame.
        accepted_at: Seconds on the session's clock.
        seconds: Playing time of an audio chunk, 0 for everything else.
        state: ``accepted``, ``written``, ``acked`` or ``dropped``.
        index: Its number on the current connection, ``None`` while unwritten.
        reply: Whether the server answers it with a turn of its own.
        written_at: When it last reached the socket, on the session's clock; minus infinity: never.
        insists: Its sender waits for the answer: where nobody knows whether the server has read it, and nothing else
            asks again, it is written once more.
        observer: Called with the entry whenever its state changes.
    """

    seq: int
    kind: Kind
    payload: bytes = attrs.field(repr=False)
    accepted_at: float
    seconds: float = 0.0
    state: State = "accepted"
    index: int | None = None
    reply: Reply = "none"
    written_at: float = -math.inf
    insists: bool = False
    observer: Callable[[Entry], None] | None = attrs.field(default=None, repr=False)

    def settle(self, state: State) -> None:
        """Move to a state and tell the observer."""
        self.state = state
        if self.observer is not None:
            self.observer(self)


@attrs.frozen(kw_only=True)
class Lost:
    """What the end of a connection meant for accepted messages.

    Attributes:
        replayed: Entries that had been written and will be written again.
        uncertain: Entries that had been written since the last handle and will not be written again; the
            server may or may not remember them.
        dropped: Media given up.
    """

    replayed: tuple[Entry, ...] = ()
    uncertain: tuple[Entry, ...] = ()
    dropped: tuple[Entry, ...] = ()
