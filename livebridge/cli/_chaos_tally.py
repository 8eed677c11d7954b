"""What a chaos run measures and whether it counts as a success; numbers in, a verdict out, no I/O."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import attrs

from livebridge.cli._chaos_books import Comparison


def percentile(values: Collection[float], share: float) -> float | None:
    """The smallest value that ``share`` of all values do not exceed; ``None`` without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


@attrs.frozen(kw_only=True)
class Recovery:
    """How long it took, in seconds, from a fault of one kind until the session was ready again."""

    count: int
    p50: float | None
    p99: float | None

    @classmethod
    def of(cls, times: Collection[float], *, count: int) -> Recovery:
        """Sum up the times; a fault that did not end the connection has none."""
        return cls(count=count, p50=percentile(times, 0.5), p99=percentile(times, 0.99))


@attrs.frozen(kw_only=True)
class Gaps:
    """Seconds without a connection: median, 99 %, longest and how many."""

    count: int = 0
    median: float | None = None
    p99: float | None = None
    longest: float | None = None

    @classmethod
    def of(cls, gaps: Collection[float]) -> Gaps:
        """Sum gaps up."""
        return cls(
            count=len(gaps),
            median=percentile(gaps, 0.5),
            p99=percentile(gaps, 0.99),
            longest=max(gaps, default=None),
        )


@attrs.frozen(kw_only=True)
class Verdict:
    """Everything a chaos run has to say.

    Attributes:
        backend: ``vertex`` or ``gemini``.
        handover: ``cold`` or ``warm``.
        sessions: How many ran.
        seconds: How long they were under fire.
        seed: What the faults were drawn from.
        turns: The comparison, over all sessions.
        answered: Messages whose answer the sessions received.
        audio_seconds: Sound that was sent.
        connections: Connections that became ready.
        reconnects: Of those, the ones after the first of a session.
        rotations: Of those, planned ones.
        lost_conversations: How often a model had forgotten its conversation, by what the session said of it.
        failures: Sessions that failed, with the reason, and messages they gave up.
        losses: Which messages of which session were lost.
        recoveries: Time from a fault to ready, by kind of fault.
        recovery: The same for all kinds together.
        gaps: Seconds without a connection after faults.
        rotation_gaps: The same for planned replacements.
        leaked_tasks: Tasks left over after all sessions were closed: what and where each is, and how many.
        leaked_sockets: Sockets left over after that, ours and the simulator's.
        memory: Resident bytes when all sessions were ready, at each quarter of the fire, and before the sessions
            were closed, the simulator included; ``None`` where the system does not say.
        interrupted: Whether Ctrl-C ended the run.
    """

    backend: str
    handover: str
    sessions: int
    seconds: float
    seed: int
    turns: Comparison
    answered: int
    audio_seconds: float
    connections: int
    reconnects: int
    rotations: int
    lost_conversations: Mapping[str, int]
    failures: Sequence[str]
    recoveries: Mapping[str, Recovery]
    recovery: Recovery
    gaps: Gaps
    rotation_gaps: Gaps
    leaked_tasks: Mapping[str, int] = attrs.field(factory=dict)
    leaked_sockets: int = 0
    memory: Sequence[int | None] = ()
    losses: Sequence[str] = ()
    interrupted: bool = False

    @property
    def faults(self) -> int:
        """How many faults struck."""
        return self.recovery.count

    @property
    def complaints(self) -> list[str]:
        """What did not hold; empty if the run was a success."""
        turns = self.turns
        found = {
            "messages were lost": turns.lost,
            "messages came twice": turns.doubled,
            "messages came in another order": turns.reordered,
            "messages were still under way in sessions that failed or did not come to rest": turns.unsettled,
            "tasks were left over": sum(self.leaked_tasks.values()),
            "sockets were left over": self.leaked_sockets,
            "sessions failed or gave messages up": len(self.failures),
        }
        if self.backend == "vertex":
            found["messages were reported as lost, although the server acknowledges them"] = turns.reported
            found["conversations were lost"] = sum(self.lost_conversations.values())
        return [f"{count} {what}" for what, count in found.items() if count]

    @property
    def shows_something(self) -> bool:
        """Whether there was anything to live through: without a fault, an unharmed session proves nothing."""
        return self.faults > 0

    @property
    def holds(self) -> bool:
        """Whether everything that must hold did, and was put to the test."""
        return self.shows_something and not self.complaints
