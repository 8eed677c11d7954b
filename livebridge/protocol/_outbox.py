"""What was accepted for sending and is not yet safe: queue, replay ledger and its bounds, without I/O.

One FIFO holds content, tool responses, signals and media, so that accepted messages are written in the
order of acceptance on every connection. What may be *given up* when space or time runs out differs:

* content, tool responses and signals (``activityStart`` …): never; the sender of the message waits;
* video: only the newest frame is worth keeping while there is no connection;
* audio: the last `media_buffer` seconds while there is no connection, and `max_media_lag` seconds while the
  connection does not keep up (older sound would arrive as lag, and stay so for the rest of the conversation).

An entry's way through::

    accept -> pending -> take -> in flight -> written -> sent -> (acknowledged | covered by a handle)
       ^                                                  |
       +------------------ connection_lost ---------------+

With transparent resumption the server says which client message it had consumed when it made a handle
(``lastConsumedClientMessageIndex``: the setup is 0, the first message 1, and the count starts anew on every
connection; a seed that was written before the first entry counts as well). Everything after that index is
written again on the next connection, be that the same conversation or a fresh one; the ledger is pruned only
together with a usable handle, because a handle and the ledger behind it are one pair.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

import attrs

from livebridge.errors import OutboxFullError
from livebridge.protocol._entries import MEDIA, Entry, Kind, Lost
from livebridge.protocol._evidence import Evidence
from livebridge.protocol._media import outside_window, too_late, too_much

_AWAITED: Final = frozenset({Kind.TOOL, Kind.SIGNAL})
"""What the server waits for, or the user's turn would stay open."""

MAX_MESSAGES: Final = 256
"""Pending content, tool responses and signals, before a sender has to wait."""

MAX_BYTES: Final = 4 * 2**20
"""Bytes of the same."""

MAX_MEDIA_BYTES: Final = 4 * 2**20
"""Pending media while connected: about 90 s of 16 kHz audio in base64; more means the network is too slow."""

MAX_LEDGER_MESSAGES: Final = 4096
"""Written but unacknowledged messages kept for a replay."""

MAX_LEDGER_BYTES: Final = 8 * 2**20
"""Bytes of the same."""


@attrs.define
class Outbox:
    """Queue and replay ledger of one session.

    Args:
        media_buffer: Seconds of audio kept while there is no connection.
        max_media_lag: Seconds that media waits for a connection that does not keep up; ``None``: for ever.
        transparent: Whether the server acknowledges by index (Vertex); then everything written stays in
            the ledger until a handle covers it.
        max_messages: Bound on pending non-media messages.
        max_bytes: Bound on their bytes.
        replay_uncertain: Without acknowledgements: write again what was written since the last handle
            (a handle is a snapshot of the conversation, so the server has forgotten it).

    Attributes:
        revision: Changes whenever what a store should keep has changed.
        lossy: Something was forgotten that might have had to be written again.
        lagging: Media was given up because the connection does not keep up, and it has not caught up since.
        dropped_media: Media messages given up.
        dropped_media_seconds: Playing time of those that were audio.
    """

    media_buffer: float = 1.0
    max_media_lag: float | None = None
    transparent: bool = False
    max_messages: int = MAX_MESSAGES
    max_bytes: int = MAX_BYTES
    replay_uncertain: bool = False
    connected: bool = False
    lossy: bool = False
    lagging: bool = False
    revision: int = 0
    dropped_media: int = 0
    dropped_media_seconds: float = 0.0
    _seq: int = 0
    _pending: deque[Entry] = attrs.field(factory=deque)
    _in_flight: list[Entry] = attrs.field(factory=list)
    _sent: deque[Entry] = attrs.field(factory=deque)
    _next_index: int = 1
    _evidence: Evidence = attrs.field(factory=Evidence)
    _messages: int = 0
    _bytes: int = 0
    _media_bytes: int = 0
    _sent_bytes: int = 0

    @property
    def pending(self) -> int:
        """Messages accepted and not yet handed to the connection."""
        return sum(1 for entry in self._pending if entry.state != "dropped")

    @property
    def backlog(self) -> int:
        """About how many messages wait to be taken; cheap, and those given up may be among them."""
        return len(self._pending)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being written."""
        return not self._in_flight and not any(entry.state != "dropped" for entry in self._pending)

    @property
    def unacknowledged(self) -> int:
        """Messages in the ledger: written, and covered by no handle yet."""
        return len(self._sent)

    @property
    def has_uncovered_content(self) -> bool:
        """Whether content, or an answer of a tool, was written that the last handle does not cover."""
        return any(entry.kind in (Kind.CONTENT, Kind.TOOL) for entry in self._sent)

    def has_room(self, size: int, kind: Kind = Kind.CONTENT) -> bool:
        """Whether a non-media message of `size` bytes would be accepted now.

        Under transparent resumption the ledger of unacknowledged messages counts too: nothing that may have to
        be written again is ever forgotten. It does not keep back what the server waits for, answers of tools
        and signals: before it has them, it may not make the handle that would empty the ledger.
        """
        if self.transparent and kind not in _AWAITED and self._is_ledger_full():
            return False
        if self._messages == 0:
            return True
        return self._messages < self.max_messages and self._bytes + size <= self.max_bytes

    def accept(
        self, kind: Kind, payload: bytes, *, now: float, seconds: float = 0.0, beyond: bool = False
    ) -> Entry:
        """Take responsibility for a message.

        Args:
            kind: What it is.
            payload: The frame.
            now: Seconds on the session's clock.
            seconds: Playing time of audio.
            beyond: Accept it beyond the bounds: it ends something that was begun.

        Raises:
            OutboxFullError: There is no room for a non-media message. Media is always accepted; the
                oldest media makes room.
        """
        size = len(payload)
        if kind not in MEDIA and not beyond and not self.has_room(size, kind):
            raise OutboxFullError(
                f"{self._messages} messages ({self._bytes} bytes) wait to be sent already "
                f"(bounds: {self.max_messages} messages, {self.max_bytes} bytes)"
            )
        self._seq += 1
        entry = Entry(self._seq, kind, payload, now, seconds)
        self._pending.append(entry)
        self._count(entry)
        if kind in MEDIA:
            self._bound_media(now)
        else:
            self.revision += 1
        return entry

    def accept_ahead(self, payload: bytes, *, now: float) -> Entry:
        """Accept a signal, beyond the bounds, that belongs before the media and the signals that wait."""
        entry = self.accept(Kind.SIGNAL, payload, now=now, beyond=True)
        waiting = self._pending
        waiting.pop()
        later = (at for at, other in enumerate(waiting) if other.kind not in (Kind.CONTENT, Kind.TOOL))
        waiting.insert(next(later, len(waiting)), entry)
        return entry

    def take(self, *, max_bytes: int = 2**16) -> list[Entry]:
        """The next entries to write, in order; they are in flight until `written` or `connection_lost`.

        At least one entry is taken if any waits; more while they fit into `max_bytes`.
        """
        taken: list[Entry] = []
        size = 0
        while self._pending:
            entry = self._pending[0]
            if entry.state == "dropped":
                self._pending.popleft()
                continue
            if taken and size + len(entry.payload) > max_bytes:
                break
            self._pending.popleft()
            entry.index = self._next_index
            self._next_index += 1
            size += len(entry.payload)
            taken.append(entry)
        self._in_flight.extend(taken)
        return taken

    def written(self, *, now: float) -> None:
        """Everything in flight reached the socket at `now` (seconds on the session's clock)."""
        for entry in self._in_flight:
            entry.written_at = now
            self._count(entry, -1)
            if entry.state == "accepted":
                entry.settle("written")
            self._evidence.wrote(entry)
            if entry.kind not in MEDIA:
                self.revision += 1
            if self.transparent or entry.kind not in MEDIA:
                self._sent.append(entry)
                self._sent_bytes += len(entry.payload)
        self._in_flight.clear()
        self.lagging = self.lagging and self._media_bytes > 0
        self._bound_ledger()

    def covered(self, last_consumed: int | None, *, now: float) -> bool:
        """A usable handle arrived; entries that it covers leave the ledger.

        Args:
            last_consumed: ``lastConsumedClientMessageIndex``; proto3 JSON leaves out 0, so ``None``
                acknowledges nothing under transparent resumption. Without it, see `Evidence`.
            now: Seconds on the session's clock.

        Returns:
            Whether the index can be true: no more was consumed than was sent. If not, all of it counts as read.
        """
        read = (
            self._consumed(last_consumed) if self.transparent else self._evidence.covers(self._sent, now=now)
        )
        for _ in range(read):
            entry = self._sent.popleft()
            self._sent_bytes -= len(entry.payload)
            self.revision += 1
            entry.settle("acked")
        return last_consumed is None or last_consumed < self._next_index

    def _consumed(self, last_consumed: int | None) -> int:
        if last_consumed is None:
            return 0
        read = takewhile(lambda e: e.index is not None and e.index <= last_consumed, self._sent)
        return sum(1 for _ in read)

    def turn_completed(self, *, whole: bool = True) -> None:
        """The server has completed a turn; not a `whole` one if the user cut in. See `Evidence`."""
        self._evidence.turn_completed(whole=whole)

    def start_connection(self, *, first_index: int = 1) -> None:
        """A connection is ready: indices start anew, media flows again.

        Args:
            first_index: Of the next message; more than 1 if some were written besides the setup.
        """
        self.connected = True
        self.lagging = False
        self._next_index = first_index
        self._evidence.restart()

    def connection_lost(self) -> Lost:
        """The connection is gone; decide what is written again.

        What was in flight is written again in any case. What had been written since the last handle is
        written again where the server acknowledges by index (or `replay_uncertain` says so), and is reported
        as uncertain otherwise: a handle stands for the conversation as it was when it was made.
        """
        self.connected = False
        sent = tuple(self._sent)
        replayed, uncertain = (sent, ()) if self.transparent or self.replay_uncertain else ((), sent)
        for entry in replayed:
            self._count(entry)
        for entry in uncertain:
            entry.settle("dropped")
        self._clear_sent()
        again = [*replayed, *self._in_flight]
        self._in_flight.clear()
        for entry in again:
            entry.index = None
        self._pending.extendleft(reversed(again))
        self._next_index = 1
        return Lost(replayed=replayed, uncertain=uncertain, dropped=tuple(self._keep_window()))

    def requeue(self, entry: Entry) -> None:
        """Write an entry again that had been written before everything that waits now."""
        entry.state, entry.index = "written", None
        self._count(entry)
        self._pending.appendleft(entry)

    def expire(self, *, now: float, max_age: float) -> list[Entry]:
        """Give up what has waited for more than `max_age` seconds, signals excepted; returns what was given up."""
        waiting = (e for e in self._pending if e.state == "accepted" and e.kind is not Kind.SIGNAL)
        return self._give_up([e for e in waiting if now - e.accepted_at > max_age])

    def drop_media(self) -> list[Entry]:
        """Give up all pending media (a server that said 1007 to it would say so again)."""
        return self._give_up(list(self._media()))

    def is_waiting(self, entry: Entry) -> bool:
        """Whether an entry was accepted and its writing has not begun."""
        return entry.state == "accepted" and entry in self._pending

    def withdraw(self, entry: Entry) -> None:
        """Give up one entry that waits (see `is_waiting`), because what it says is no longer true."""
        self._drop(entry)

    def amend(self, entry: Entry, payload: bytes) -> None:
        """Put a smaller message in the place of one that waits and is no media."""
        self._bytes -= len(entry.payload) - len(payload)
        entry.payload = payload

    @property
    def undelivered(self) -> int:
        """Messages, media not counted, that still have to be written, for the first time or again."""
        return sum(e.state != "dropped" and e.kind not in MEDIA for e in [*self._in_flight, *self._pending])

    def abandon(self) -> list[Entry]:
        """Give up everything that waits or is in flight; returns it in order of acceptance.

        What was written and covered by no handle is no longer waited for either.
        """
        rest = self._give_up([e for e in [*self._in_flight, *self._pending] if e.state != "dropped"])
        for entry in self._sent:
            entry.settle("dropped")
        self._clear_sent()
        self._in_flight.clear()
        self._pending.clear()
        return rest

    def unsent(self) -> list[Entry]:
        """Accepted, never written, not given up; in order of acceptance."""
        return [e for e in [*self._in_flight, *self._pending] if e.state == "accepted"]

    def unsettled(self) -> Iterable[Entry]:
        """Everything not yet covered, in order of acceptance (for a store that outlives the session)."""
        return [*self._sent, *self._in_flight, *(e for e in self._pending if e.state != "dropped")]

    def _bound_media(self, now: float) -> None:
        if not self.connected:
            self._keep_window()
            return
        late: list[Entry] = []
        lag = self.max_media_lag
        if lag is not None and now - self._pending[0].accepted_at > lag:
            late = self._give_up(too_late(self._media(replayable=False), now=now, seconds=lag))
        if self._media_bytes > MAX_MEDIA_BYTES:
            late += self._give_up(too_much(self._media(), excess=self._media_bytes - MAX_MEDIA_BYTES))
        self.lagging = self.lagging or bool(late)
        while self._pending and self._pending[0].state == "dropped":
            self._pending.popleft()

    def _keep_window(self) -> list[Entry]:
        return self._give_up(outside_window(self._media(replayable=False), seconds=self.media_buffer))

    def _give_up(self, entries: list[Entry]) -> list[Entry]:
        for entry in entries:
            self._drop(entry)
        return entries

    def _media(self, *, replayable: bool = True) -> Iterator[Entry]:
        """Pending media, oldest first; `replayable` includes what transparent resumption writes again."""
        for entry in tuple(self._pending):
            again = self.transparent and entry.state == "written"
            if entry.kind in MEDIA and entry.state != "dropped" and (replayable or not again):
                yield entry

    def _bound_ledger(self) -> None:
        """Keep the ledger within its bounds: media goes first; content only where it is merely reported."""
        while self._is_ledger_full():
            victim = next((entry for entry in self._sent if entry.kind in MEDIA), None)
            if victim is None:
                if self.transparent:
                    return
                victim = self._sent[0]
            self._sent.remove(victim)
            self._sent_bytes -= len(victim.payload)
            victim.settle("dropped")
            self.lossy = True

    def _is_ledger_full(self) -> bool:
        return len(self._sent) > MAX_LEDGER_MESSAGES or self._sent_bytes > MAX_LEDGER_BYTES

    def _clear_sent(self) -> None:
        self._sent.clear()
        self._sent_bytes = 0

    def _drop(self, entry: Entry) -> None:
        self._count(entry, -1)
        if entry.kind in MEDIA:
            self.dropped_media += 1
            self.dropped_media_seconds += entry.seconds
        entry.settle("dropped")

    def _count(self, entry: Entry, sign: int = 1) -> None:
        """Count an entry as waiting, or (with -1) no longer."""
        size = sign * len(entry.payload)
        if entry.kind in MEDIA:
            self._media_bytes += size
        else:
            self._messages += sign
            self._bytes += size
