"""Says when an utterance is over, where the server only sends pieces of transcript.

Not every model marks the last piece of a transcript, and pieces come late and in no promised order against
everything else. So an utterance counts as finished at the first of these signs:

* the server says so (``finished``);
* the model is interrupted (what it said), or its turn is over (both sides);
* no further piece came for `QUIET` seconds.

A piece that comes after that begins another utterance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from livebridge import wire
from livebridge.protocol._shapes import Direction, Transcript
from livebridge.protocol._turns import ends_turn

QUIET: Final = 3.0
"""Seconds without another piece. Within an utterance pieces come several times a second."""


@attrs.define
class _Open:
    turn: int
    epoch: int
    due: float
    language_code: str | None


@attrs.define
class Utterances:
    """Both sides' utterances of one session.

    Args:
        quiet: Seconds without another piece after which an utterance is over.
    """

    quiet: float = QUIET
    _open: dict[Direction, _Open] = attrs.field(factory=dict)

    @property
    def due(self) -> float | None:
        """When `expire` has something to say, on the clock of `feed`; ``None``: nothing is open."""
        return min((each.due for each in self._open.values()), default=None)

    def feed(self, content: wire.ServerContent, *, now: float, turn: int, epoch: int) -> list[Transcript]:
        """Take the content of one message, in order.

        Args:
            content: The content.
            now: Seconds on any clock.
            turn: Number of the turn it belongs to.
            epoch: The connection it came over.

        Returns:
            Empty, finished transcripts for what is over with this message, besides what it marks itself.
        """
        over: list[Transcript] = []
        if content.interrupted:
            over += self._end(Direction.OUTPUT)
        self._piece(Direction.INPUT, content.input_transcription, now, turn, epoch)
        self._piece(Direction.OUTPUT, content.output_transcription, now, turn, epoch)
        if ends_turn(content):
            over += [*self._end(Direction.INPUT), *self._end(Direction.OUTPUT)]
        return over

    def expire(self, *, now: float) -> list[Transcript]:
        """What is over because nothing more came."""
        late = [direction for direction, each in self._open.items() if each.due <= now]
        return [transcript for direction in late for transcript in self._end(direction)]

    def end(self) -> list[Transcript]:
        """Everything is over: the connection is gone."""
        return [transcript for direction in tuple(self._open) for transcript in self._end(direction)]

    def _piece(
        self, direction: Direction, piece: wire.Transcription | None, now: float, turn: int, epoch: int
    ) -> None:
        if piece is None:
            return
        if piece.finished:
            self._open.pop(direction, None)
        elif piece.text:
            self._open[direction] = _Open(turn, epoch, now + self.quiet, piece.language_code)

    def _end(self, direction: Direction) -> Iterator[Transcript]:
        each = self._open.pop(direction, None)
        if each is not None:
            yield Transcript(
                direction=direction,
                finished=True,
                language_code=each.language_code,
                epoch=each.epoch,
                turn=each.turn,
            )
