"""Which answers travel together: those to one message of calls, as soon as the last of them is there.

Models that stand still during a call expect all answers of a message at once; calls that do not stop them are
answered one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from livebridge import wire

Ready = list[tuple[str | None, wire.FunctionResponse]]
"""Answers that can be sent now, with the keys of their calls."""


@attrs.define(eq=False)
class Batch:
    """The calls that are answered together, in the order in which they were made.

    Args:
        keys: Of the calls.
    """

    keys: Sequence[str]
    waiting: set[str] = attrs.field(init=False)
    ready: dict[str, wire.FunctionResponse] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.waiting = set(self.keys)

    def settle(self, key: str, response: wire.FunctionResponse) -> Ready:
        """The answer to one call is there; returns what can be sent now."""
        if key in self.waiting:
            self.waiting.discard(key)
            self.ready[key] = response
        return self._complete()

    def drop(self, keys: Iterable[str]) -> Ready:
        """Nobody waits for these any more; returns what can be sent now."""
        for key in keys:
            self.waiting.discard(key)
            self.ready.pop(key, None)
        return self._complete()

    def _complete(self) -> Ready:
        if self.waiting:
            return []
        ready: Ready = [(key, self.ready[key]) for key in self.keys if key in self.ready]
        self.ready.clear()
        return ready
