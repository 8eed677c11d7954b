"""An append-only list that can go back to a mark; marks are cheap, going back copies."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Mark(Generic[T]):
    """A point in the life of a `Ledger`: everything appended before it, whatever happened since.

    Attributes:
        items: What the ledger held; it may have grown since.
        forgotten: How many items were forgotten before those.
        end: How many items there had been in all.
    """

    items: list[T]
    forgotten: int
    end: int


class Ledger(Generic[T]):
    """An append-only list with marks.

    A mark shares the list and remembers how long it was, so taking one per turn costs nothing; after `restore` the
    ledger goes on with a copy and older and newer marks stay valid. What `forget` has let go of does not come back
    with an older mark.

    Attributes:
        forgotten: How many items at its beginning are gone.
    """

    def __init__(self) -> None:
        self._items: list[T] = []
        self.forgotten = 0

    def append(self, item: T) -> None:
        """Add at the end."""
        self._items.append(item)

    def mark(self) -> Mark[T]:
        """Remember this moment."""
        return Mark(self._items, self.forgotten, self.end)

    def restore(self, mark: Mark[T]) -> None:
        """Go back to a moment; what came later is forgotten here, but not by other marks."""
        forgotten = min(max(self.forgotten, mark.forgotten), mark.end)
        self._items = mark.items[forgotten - mark.forgotten : mark.end - mark.forgotten]
        self.forgotten = forgotten

    def forget(self, before: Mark[T]) -> Sequence[T]:
        """Let go of what came before a moment; returns it, oldest first."""
        count = max(0, before.end - self.forgotten)
        gone, self._items = self._items[:count], self._items[count:]
        self.forgotten += len(gone)
        return gone

    @property
    def items(self) -> Sequence[T]:
        """Everything that is not forgotten, oldest first. Do not keep it: it grows."""
        return self._items

    @property
    def end(self) -> int:
        """How many items there have been, the forgotten ones included."""
        return self.forgotten + len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
