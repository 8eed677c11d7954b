"""The books of a session under fire: what it sent, what was answered, what the model knows; a byte per message."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import attrs


@attrs.frozen(kw_only=True)
class Comparison:
    """What was sent, held against what the model knows in the end.

    Attributes:
        sent: Messages that the session accepted.
        lost: Of those, the ones that the model does not know and that nobody was told about.
        reported: Of those, the ones that the model does not know and the session said so (``uncertain``, or
            the conversation was lost).
        unsettled: Of those, the ones that the model does not know in a session that failed or did not come to rest:
            nobody can tell whether they would have arrived.
        doubled: Messages that the model knows more than once, each further time counted.
        reordered: Places where a message stands after a later one.
    """

    sent: int = 0
    lost: int = 0
    reported: int = 0
    unsettled: int = 0
    doubled: int = 0
    reordered: int = 0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(
            sent=self.sent + other.sent,
            lost=self.lost + other.lost,
            reported=self.reported + other.reported,
            unsettled=self.unsettled + other.unsettled,
            doubled=self.doubled + other.doubled,
            reordered=self.reordered + other.reordered,
        )

    def as_unsettled(self) -> Comparison:
        """The same for a session that had not come to rest: what is missing may still have been on its way."""
        return attrs.evolve(self, lost=0, unsettled=self.lost)


@attrs.define
class Numbers:
    """A set of small whole numbers, a byte for each up to the greatest."""

    _flags: bytearray = attrs.field(factory=bytearray)
    _count: int = 0

    @property
    def greatest(self) -> int:
        """The greatest one; -1 if there is none."""
        return len(self._flags) - 1

    def add(self, number: int) -> bool:
        """Put one in; whether it is new."""
        if number >= len(self._flags):
            self._flags.extend(bytes(number + 1 - len(self._flags)))
        is_new = not self._flags[number]
        self._flags[number] = 1
        self._count += is_new
        return is_new

    def update(self, numbers: Iterable[int]) -> None:
        """Put several in."""
        for number in numbers:
            self.add(number)

    def copy(self) -> Numbers:
        """Another set with the same numbers."""
        return Numbers(bytearray(self._flags), self._count)

    def __contains__(self, number: int) -> bool:
        return number < len(self._flags) and bool(self._flags[number])

    def __len__(self) -> int:
        return self._count


@attrs.define
class Known:
    """What a model knows, in the order in which it stands in its context; it is told once and not kept.

    Attributes:
        numbers: Of the messages.
        doubled: As in `Comparison`.
        reordered: As in `Comparison`.
    """

    numbers: Numbers = attrs.field(factory=Numbers)
    doubled: int = 0
    reordered: int = 0
    _last: int = -1

    def take(self, numbers: Iterable[int]) -> None:
        """Go on with these."""
        for number in numbers:
            if self.numbers.add(number):
                self.reordered += number < self._last
                self._last = number
            else:
                self.doubled += 1

    def followed_by(self, numbers: Iterable[int]) -> Known:
        """What it would be with these, without taking them."""
        known = attrs.evolve(self, numbers=self.numbers.copy())
        known.take(numbers)
        return known

    def compare(self, sent: int, *, reported: Collection[int] | Numbers = ()) -> Comparison:
        """Hold it against the messages 0 … ``sent - 1``.

        Args:
            sent: How many were accepted.
            reported: Numbers of which the session said that it does not know.
        """
        missing = self.missing(sent)
        told = sum(number in reported for number in missing)
        return Comparison(
            sent=sent,
            lost=len(missing) - told,
            reported=told,
            doubled=self.doubled,
            reordered=self.reordered,
        )

    def missing(self, sent: int) -> list[int]:
        """The messages before ``sent`` that it does not know."""
        return [number for number in range(sent) if number not in self.numbers]


@attrs.define
class Books:
    """The books of one session.

    Attributes:
        sent: Messages accepted so far; the next one gets this number.
        answered: Those whose answer came.
        reported: Those of which the session said that nobody knows.
        known: What is final in the model's state; the rest of it is still in the simulator's records.
    """

    sent: int = 0
    answered: Numbers = attrs.field(factory=Numbers)
    reported: Numbers = attrs.field(factory=Numbers)
    known: Known = attrs.field(factory=Known)

    @property
    def unanswered(self) -> int:
        """Messages since the last one that was answered; an answer that was interrupted is none."""
        return self.sent - 1 - self.answered.greatest

    def conversation_lost(self) -> None:
        """The model has forgotten everything, and the session said so."""
        self.reported.update(range(self.sent))
        self.known = Known()

    def close(self, rest: Iterable[int]) -> tuple[Comparison, list[int]]:
        """Compare.

        Args:
            rest: What the simulator's records hold beyond `known`.

        Returns:
            The figures, and the numbers of the messages that are lost.
        """
        known = self.known.followed_by(rest)
        lost = [number for number in known.missing(self.sent) if number not in self.reported]
        return known.compare(self.sent, reported=self.reported), lost
