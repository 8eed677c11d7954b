"""A wake-up that re-arms itself: the one waiting primitive of the session."""

import trio


class Signal:
    """Wakes everybody who waits now.

    ``wait`` after a test is safe only if no checkpoint lies between the test and the wait; all loops of this
    package are written so.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: trio.Event | None = None

    def set(self) -> None:
        """Wake all waiters; costs nothing when there are none."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait for the next `set`."""
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()
