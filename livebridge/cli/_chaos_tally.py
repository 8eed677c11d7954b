"""What a chaos run measures and whether it counts as a success; numbers in, a verdict out, no I/O."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

import attrs


@attrs.frozen(kw_only=True)
class Comparison:
    """What was sent, held against what the model knows in the end.

    Attributes:
        sent: Messages that the session accepted.
        lost: Of those, the ones that the model does not know and that nobody was told about.
        reported: Of those, the ones that the model does not know and the session said so (``uncertain``, or
            the conversation was lost).
        doubled: Messages that the model knows more than once, each further time counted.
        reordered: Places where a message stands after a later one.
    """

    sent: int = 0
    lost: int = 0
    reported: int = 0
    doubled: int = 0
    reordered: int = 0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(
            sent=self.sent + other.sent,
            lost=self.lost + other.lost,
            reported=self.reported + other.reported,
            doubled=self.doubled + other.doubled,
            reordered=self.reordered + other.reordered,
        )


def compare(sent: int, heard: Sequence[int], *, reported: Collection[int] = ()) -> Comparison:
    """Compare the messages 0 … ``sent - 1`` with what the server's state holds.

    Args:
        sent: How many were accepted.
        heard: Numbers in the server's state, in its order.
        reported: Numbers of which the session said that it does not know.
    """
    counts = Counter(heard)
    missing = {number for number in range(sent) if number not in counts}
    told = missing.intersection(reported)
    first_seen = list(dict.fromkeys(heard))
    return Comparison(
        sent=sent,
        lost=len(missing) - len(told),
        reported=len(told),
        doubled=sum(count - 1 for count in counts.values()),
        reordered=sum(later < earlier for earlier, later in pairwise(first_seen)),
    )


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
        lost_conversations: How often a model had forgotten its conversation.
        failures: Sessions that failed, with the reason, and messages they gave up.
        recoveries: Time from a fault to ready, by kind of fault.
        recovery: The same for all kinds together.
        gaps: Seconds without a connection after faults.
        rotation_gaps: The same for planned replacements.
        leaked_tasks: Tasks left over after all sessions were closed.
        leaked_sockets: Sockets left over after that, ours and the simulator's.
        rss_start: Resident bytes when all sessions were ready; ``None`` where the system does not say.
        rss_end: The same before they were closed. The simulator, which remembers every message, is in it.
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
    lost_conversations: int
    failures: Sequence[str]
    recoveries: Mapping[str, Recovery]
    recovery: Recovery
    gaps: Gaps
    rotation_gaps: Gaps
    leaked_tasks: int
    leaked_sockets: int
    rss_start: int | None = None
    rss_end: int | None = None
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
            "tasks were left over": self.leaked_tasks,
            "sockets were left over": self.leaked_sockets,
            "sessions failed or gave messages up": len(self.failures),
        }
        if self.backend == "vertex":
            found["messages were reported as lost, although the server acknowledges them"] = turns.reported
            found["conversations were lost"] = self.lost_conversations
        return [f"{count} {what}" for what, count in found.items() if count]

    @property
    def shows_something(self) -> bool:
        """Whether there was anything to live through: without a fault, an unharmed session proves nothing."""
        return self.faults > 0

    @property
    def holds(self) -> bool:
        """Whether everything that must hold did, and was put to the test."""
        return self.shows_something and not self.complaints
