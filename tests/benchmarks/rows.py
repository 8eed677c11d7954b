"""The rows of the table: what is run for each, what its targets are, and how the outcome is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from statistics import median, quantiles

Results = dict[str, list[dict[str, float]]]
"""By stack, the results of its rounds."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        key: What the scenario calls it.
        unit: As printed.
        first: What the ratio must reach; below 1 is better, except where `more_is_better`.
        goal: What it should reach.
        per: Divide this by the value (sessions per core from CPU per session).
    """

    key: str
    unit: str
    first: float | None = None
    goal: float | None = None
    more_is_better: bool = False
    per: float | None = None
    title: str = ""

    def value(self, result: dict[str, float]) -> float:
        """The figure out of the result of a round."""
        value = result[self.key]
        return value if self.per is None else self.per / value

    def reaches(self, ratio: float, target: float) -> bool:
        """Whether a ratio is as good as the target."""
        return ratio >= target if self.more_is_better else ratio <= target


@dataclass(frozen=True, kw_only=True)
class Row:
    """Something to run, and the figures that come of it."""

    name: str
    scenario: str
    figures: tuple[Figure, ...]
    tls: bool = False
    fresh: bool = False
    parameters: dict[str, object] = field(default_factory=dict)


def _both(name: str, scenario: str, plain: tuple[Figure, ...], tls: tuple[Figure, ...], **rest) -> list[Row]:
    return [
        Row(name=name, scenario=scenario, figures=plain, **rest),
        Row(name=f"{name} tls", scenario=scenario, figures=tls, tls=True, **rest),
    ]


def _talk(first: float, goal: float, latencies: tuple[float | None, ...]) -> tuple[Figure, ...]:
    one, two, three, four = latencies
    return (
        Figure(
            key="cpu_ms_per_session_second",
            unit="sessions/core",
            first=first,
            goal=goal,
            more_is_better=True,
            per=1000.0,
        ),
        Figure(key="p50_us", unit="µs", first=one, goal=two, title="latency p50"),
        Figure(key="p99_us", unit="µs", first=three, goal=four, title="latency p99"),
        Figure(key="busy", unit="of a core", title="client busy"),
    )


_MESSAGE = Figure(key="us_per_message", unit="µs CPU")
_IDLE = Figure(key="kib_per_session", unit="KiB")
_BASE = Figure(key="base_mib", unit="MiB", title="process")
_CONNECT = Figure(key="ms_per_connect", unit="ms CPU", first=1.0, goal=0.7)

ROWS: list[Row] = [
    *_both(
        "receive",
        "receive",
        (Figure(key="us_per_message", unit="µs CPU", first=0.70, goal=0.30),),
        (_MESSAGE,),
        parameters={"size": 4800},
    ),
    *_both(
        "send", "send", (Figure(key="us_per_message", unit="µs CPU", first=0.75, goal=0.30),), (_MESSAGE,)
    ),
    Row(
        name="listen",
        scenario="paced",
        figures=(
            Figure(key="us_per_message", unit="µs CPU", first=0.85, goal=0.45),
            Figure(key="busy", unit="of a core", title="client busy"),
        ),
        parameters={"size": 1920, "rate": 25, "sessions": 200, "upstream": False},
    ),
    *_both(
        "talk",
        "paced",
        _talk(1.3, 3.5, (0.8, 0.4, 0.9, 0.5)),
        _talk(1.1, 3.0, (None, None, None, None)),
        parameters={"size": 1920, "rate": 25, "sessions": 100, "upstream": True},
    ),
    Row(
        name="latency",
        scenario="paced",
        figures=(
            Figure(key="p50_us", unit="µs", title="latency p50"),
            Figure(key="p99_us", unit="µs", title="latency p99"),
        ),
        parameters={"size": 1920, "rate": 25, "sessions": 1, "upstream": True},
    ),
    *_both(
        "memory",
        "idle",
        (_IDLE, _BASE),
        (Figure(key="kib_per_session", unit="KiB", first=0.45, goal=0.3), _BASE),
        fresh=True,
    ),
    *_both("connect", "connect", (_CONNECT,), (_CONNECT,)),
    Row(
        name="import",
        scenario="import",
        figures=(Figure(key="import_ms", unit="ms", first=0.5, goal=0.4),),
    ),
    Row(
        name="size",
        scenario="size",
        figures=(Figure(key="installed_mib", unit="MiB", first=0.7, goal=0.65),),
    ),
]


@dataclass(frozen=True)
class Scale:
    """How much is measured: ``full``, ``quick`` or ``tiny``."""

    name: str

    @property
    def thrown_away(self) -> int:
        """Rounds at the beginning of a row that do not count."""
        return 0 if self.name == "tiny" else 1

    def rounds(self, row: Row) -> int:
        """Rounds that count."""
        if self.name == "tiny" or row.scenario == "size":
            return 1
        many = {"paced": (5, 3), "idle": (3, 1), "import": (9, 5)}.get(row.scenario, (11, 5))
        return many[self.name == "quick"]

    def of(self, row: Row) -> dict[str, object]:
        """Parameters of the row's scenario at this scale."""
        index = ("full", "quick", "tiny").index(self.name)
        match row.scenario:
            case "receive" | "send":
                return {"count": (6000, 3000, 60)[index], "warmup": (1000, 500, 10)[index]}
            case "paced":
                alone = row.parameters["sessions"] == 1
                tiny = {"seconds": 0.2, "warmup": 0.05, "sessions": 2}
                seconds = ((8.0, 4.0) if alone else (4.0, 2.0))[index] if index < len(tiny) - 1 else 0.0
                return tiny if self.name == "tiny" else {"seconds": seconds, "warmup": 1.0}
            case "idle":
                return {"sessions": (500, 200, 3)[index]}
            case _:
                return {"sessions": (100, 40, 2)[index]}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A line of the table."""

    name: str
    figure: Figure
    theirs: float
    theirs_best: float
    ours: float
    ours_best: float
    server: float | None

    @classmethod
    def of(cls, row: Row, figure: Figure, found: Results, server: float | None) -> Outcome:
        """Sum up the rounds of a row: medians, and the best tenth."""
        theirs = [figure.value(result) for result in found["google-genai"]]
        ours = [figure.value(result) for result in found["livebridge"]]
        return cls(
            name=f"{row.name}: {figure.title}" if figure.title else row.name,
            figure=figure,
            theirs=median(theirs),
            theirs_best=_best_tenth(theirs, figure),
            ours=median(ours),
            ours_best=_best_tenth(ours, figure),
            server=server,
        )

    @property
    def ratio(self) -> float:
        """livebridge to google-genai; not a number where there is nothing to divide by."""
        return self.ours / self.theirs if self.theirs else nan

    @property
    def verdict(self) -> str:
        """Which of the targets is reached."""
        figure = self.figure
        if figure.goal is None or figure.first is None:
            return ""
        if figure.reaches(self.ratio, figure.goal):
            return "goal"
        return "first" if figure.reaches(self.ratio, figure.first) else "MISSED"


def _best_tenth(values: list[float], figure: Figure) -> float:
    if len(values) == 1:
        return values[0]
    tenths = quantiles(values, n=10, method="inclusive")
    return tenths[-1] if figure.more_is_better else tenths[0]


def table(outcomes: list[Outcome], *, where: str) -> str:
    """Print the outcomes side by side."""
    head = ("row", "google-genai", "livebridge", "unit", "ratio", "first", "goal", "reached", "server")
    lines = [head]
    for outcome in outcomes:
        figure = outcome.figure
        sign = "≥" if figure.more_is_better else "≤"
        lines.append(
            (
                outcome.name,
                f"{outcome.theirs:,.4g} ({outcome.theirs_best:,.4g})",
                f"{outcome.ours:,.4g} ({outcome.ours_best:,.4g})",
                figure.unit,
                f"{outcome.ratio:.2f}",
                "" if figure.first is None else f"{sign} {figure.first:.2f}",
                "" if figure.goal is None else f"{sign} {figure.goal:.2f}",
                outcome.verdict,
                "" if outcome.server is None else f"{outcome.server:.0%}",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "  ".join("-" * width for width in widths)
    note = "median of the rounds (best tenth of them); server: its share of a core"
    return "\n".join((where, note, "", rows[0].rstrip(), rule, *(row.rstrip() for row in rows[1:])))
