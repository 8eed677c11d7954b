"""What both clients measure with, so that they measure the same: CPU, latencies and memory of this process."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import quantiles

# A packet of speech comes from a socket or a sound card, not from a timer of its own; so one clock serves all.
TICK_SECONDS = 0.005

PAGE = resource.getpagesize()

Result = dict[str, float]


class Stopwatch:
    """Counts messages, and takes the CPU time of the process from the end of the warm-up to the last one.

    Args:
        warmup: Messages before the measurement.
        count: Messages in all.
        done: Called with the last.
    """

    def __init__(self, warmup: int, count: int, done: Callable[[], object]) -> None:
        self._warmup = warmup
        self._count = count
        self._done = done
        self._seen = 0
        self._started = self._stopped = 0.0

    def message(self, data: bytes) -> None:
        """Take the decoded bytes of a message."""
        self._seen += bool(data)
        if self._seen == self._warmup:
            self._started = time.process_time()
        elif self._seen == self._count:
            self._stopped = time.process_time()
            self._done()

    @property
    def result(self) -> Result:
        """CPU time, in µs per message."""
        return {"us_per_message": (self._stopped - self._started) / (self._count - self._warmup) * 1e6}


class Window:
    """Messages, latencies and CPU time between `open` and `close`."""

    def __init__(self) -> None:
        self._latencies: list[int] = []
        self._is_open = False

    def message(self, data: bytes) -> None:
        """Take the decoded bytes of a message; they begin with the time at which it was written."""
        if self._is_open:
            self._latencies.append(time.monotonic_ns() - int.from_bytes(data[:8], "little"))

    def open(self) -> None:
        """Begin; what has piled up is done with."""
        self._is_open = True
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def close(self, *, sessions: int, rate: float) -> Result:
        """End, and give the figures; a client that was too slow to be measured says so."""
        cpu, wall = time.process_time() - self._cpu, time.monotonic() - self._wall
        self._is_open = False
        got, due = len(self._latencies), sessions * rate * wall
        if got < 0.9 * due - sessions:
            raise RuntimeError(
                f"{got} messages arrived where {due:.0f} were due: too many sessions for one core"
            )
        percentiles = quantiles(self._latencies, n=100, method="inclusive")
        return {
            "us_per_message": cpu / got * 1e6,
            "cpu_ms_per_session_second": cpu / wall / sessions * 1e3,
            "busy": cpu / wall,
            "p50_us": percentiles[49] / 1e3,
            "p99_us": percentiles[98] / 1e3,
        }


def settle() -> None:
    """Collect the garbage of the start, before the traffic: it takes as long as a hundred messages."""
    gc.collect()


def microphones(sessions: int, rate: float) -> Iterator[int | None]:
    """Say whose turn it is to send: numbers of sessions, and ``None`` for "wait for the next tick"."""
    sent = 0
    for tick in count(1):
        while sent < int(tick * TICK_SECONDS * rate * sessions):
            yield sent % sessions
            sent += 1
        yield None


def resident() -> int:
    """Bytes of memory that this process has in RAM now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def serve(scenarios: dict[str, Callable[..., Result]]) -> None:
    """Run scenarios as they are asked for: a JSON object a line in, a JSON object a line out."""
    for line in sys.stdin:
        order = json.loads(line)
        result = scenarios[order.pop("scenario")](**order)
        print(json.dumps(result), flush=True)
