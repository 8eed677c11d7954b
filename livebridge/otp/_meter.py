"""What an actor counts and shows about itself while it runs."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from attrs import field, frozen

LOGGER: Final = logging.getLogger("livebridge.otp")


@frozen(kw_only=True)
class TraceEvent:
    """One step of an actor.

    A message came ``in``, a reply went ``out``, or a handler was done (``noreply``).
    """

    direction: Literal["in", "out", "noreply"]
    kind: str
    message: object = field(repr=False)
    at: float


@frozen(kw_only=True)
class Statistics:
    """Counters of one incarnation, since it was started.

    Attributes:
        accepted: Messages that entered the mailbox, those of the system lane not counted.
        handled: Handlers that returned.
        replies: Replies given by ``handle_call`` directly (deferred replies are not counted).
        errors: Handlers that raised: 0, or 1 for an actor that died of it.
        max_latency: The longest handler, in seconds.
        depth: Messages that wait now.
        peak: The most that have waited.
    """

    accepted: int
    handled: int
    replies: int
    errors: int
    max_latency: float
    depth: int
    peak: int


@frozen(kw_only=True)
class Status:
    """A look at a running actor.

    Attributes:
        name: Its registered name, or its class and number.
        id: Number of this incarnation, unique in the process.
        phase: ``running``, ``suspended`` or ``stopping``.
        state: What ``format_state`` shows.
        depth: Messages that wait.
        peak: The most that have waited.
        current: A word on the message being handled, ``None`` when idle.
        handler_age: For how many seconds that has been going on, ``None`` when idle.
        parent: Name of the supervisor, or of the task that owns the nursery.
        restarts: How often the supervisor has restarted it.
        last_exit: Why the incarnation before this one ended.
        statistics: The counters.
    """

    name: object
    id: int
    phase: Literal["running", "suspended", "stopping"]
    state: dict[str, object]
    depth: int
    peak: int
    current: str | None
    handler_age: float | None
    parent: object
    restarts: int
    last_exit: object
    statistics: Statistics


class Meter:
    """Counters, trace hooks and the ring of the last events; hooks cost nothing while there are none."""

    __slots__ = ("_hooks", "_ring", "errors", "handled", "last_exit", "max_latency", "replies", "tracing")

    def __init__(self) -> None:
        self.handled: int = 0
        self.replies: int = 0
        self.errors: int = 0
        self.max_latency: float = 0.0
        self.tracing: bool = False
        self.last_exit: object = None
        self._hooks: list[Callable[[TraceEvent], object]] = []
        self._ring: deque[TraceEvent] | None = None

    def count(self, latency: float) -> None:
        """Count a handler that returned after ``latency`` seconds."""
        self.handled += 1
        if latency > self.max_latency:  # noqa: PLR1730 - once per message, and max() costs twice as much
            self.max_latency = latency

    def add_hook(self, fn: Callable[[TraceEvent], object]) -> None:
        """Call ``fn`` with every event from now on; a hook that raises is removed."""
        self._hooks.append(fn)
        self.tracing = True

    def remove_hook(self, fn: Callable[[TraceEvent], object]) -> None:
        """Forget a hook."""
        if fn in self._hooks:
            self._hooks.remove(fn)
        self._update()

    def ring(self, size: int) -> tuple[TraceEvent, ...]:
        """Keep the last ``size`` events from now on and return those kept so far."""
        kept = tuple(self._ring or ())
        self._ring = deque(kept, maxlen=size) if size else None
        self._update()
        return kept

    def emit(self, direction: Literal["in", "out", "noreply"], kind: str, message: object, at: float) -> None:
        """Tell hooks and ring about one step."""
        event = TraceEvent(direction=direction, kind=kind, message=message, at=at)
        if self._ring is not None:
            self._ring.append(event)
        for hook in list(self._hooks):
            try:
                hook(event)
            except Exception:
                LOGGER.exception("a trace hook raised and was removed")
                self.remove_hook(hook)

    def _update(self) -> None:
        self.tracing = bool(self._hooks) or self._ring is not None
