"""An append-only list that can go back to a mark; marks are cheap, going back copies."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Mark(Generic[T]):
    """A point in the life of a `Ledger`: everything appended before it, whatever happened since."""

    items: list[T]
    length: int


class Ledger(Generic[T]):
    """An append-only list with marks.

    A mark shares the list and remembers how long it was, so taking one per turn costs nothing; after `restore` the
    ledger goes on with a copy and older and newer marks stay valid.
    """

    def __init__(self) -> None:
        self._items: list[T] = []

    def append(self, item: T) -> None:
        """Add at the end."""
        self._items.append(item)

    def mark(self) -> Mark[T]:
        """Remember this moment."""
        return Mark(self._items, len(self._items))

    def restore(self, mark: Mark[T]) -> None:
        """Go back to a moment; what came later is forgotten here, but not by other marks."""
        self._items = mark.items[: mark.length]

    @property
    def items(self) -> Sequence[T]:
        """Everything, oldest first. Do not keep it: it grows."""
        return self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
