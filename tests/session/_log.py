"""What a session told its owner, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import trio

from livebridge.protocol import CALLBACKS


@attrs.define(eq=False)
class Log:
    """Records callbacks in order."""

    events: list[tuple[str, object]] = attrs.field(factory=list)
    _changed: trio.Event = attrs.field(factory=trio.Event)

    def callbacks(self, *names: str, without: Sequence[str] = ("on_tool_call",)) -> dict[str, object]:
        """Callbacks that record: these, or all."""
        return {name: self.recorder(name) for name in names or CALLBACKS if name not in without}

    def recorder(self, name: str) -> Callable[[object], None]:
        def record(argument: object) -> None:
            self.add(name, argument)

        return record

    def add(self, name: str, argument: object) -> None:
        self.events.append((name, argument))
        self._changed.set()
        self._changed = trio.Event()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def of(self, name: str) -> list[object]:
        return [argument for each, argument in self.events if each == name]

    async def wait(self, name: str, count: int = 1) -> object:
        """Wait for the count-th call of a callback; returns its argument."""
        while len(self.of(name)) < count:
            await self._changed.wait()
        return self.of(name)[count - 1]
