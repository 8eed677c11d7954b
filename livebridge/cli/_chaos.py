"""``livebridge chaos``: real sessions against a simulator that misbehaves, and a verdict on what they lost."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

import attrs

from livebridge.cli._chaos_run import Plan, Run
from livebridge.cli._chaos_tally import Gaps, Verdict
from livebridge.cli._console import Console, wants_color
from livebridge.cli._interrupt import run_until_interrupted

FAILED: Final = 1
"""The verdict does not hold, or nothing was put to the test."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if faults struck, and nothing was lost, doubled, reordered or left over.
    """
    plan = Plan(
        sessions=int(arguments.sessions),
        seconds=arguments.seconds,
        fault_every=arguments.fault_every,
        seed=int(arguments.seed),
        backend=arguments.backend,
        handover=arguments.handover,
    )
    console = Console(color=wants_color(sys.stdout, arguments.color))
    return run_until_interrupted(lambda: _run(plan, console, as_json=arguments.json))


async def _run(plan: Plan, console: Console, *, as_json: bool) -> int:
    talkative = sys.stdout.isatty() and not as_json
    under_way = Run(plan, report=partial(console.row, "chaos") if talkative else None)
    try:
        verdict = await under_way.verdict()
    finally:
        if under_way.result is not None:
            _show(under_way.result, console, as_json=as_json)
    return 0 if verdict.holds else FAILED


def _show(verdict: Verdict, console: Console, *, as_json: bool) -> None:
    lines = [json.dumps(to_plain(verdict), indent=2)] if as_json else describe(verdict)
    for line in lines:
        console.line(line)


def to_plain(verdict: Verdict) -> dict[str, object]:
    """The verdict as plain values, for other programs."""
    plain: dict[str, object] = attrs.asdict(verdict)
    return {"holds": verdict.holds, "complaints": verdict.complaints, "faults": verdict.faults, **plain}


def describe(verdict: Verdict) -> list[str]:
    """The verdict in words, one line each."""
    turns = verdict.turns
    reported = f", {turns.reported} unknown and reported so" if verdict.backend == "gemini" else ""
    how = f"{verdict.backend}, {verdict.handover} handover, seed {verdict.seed}"
    tasks, conversations = sum(verdict.leaked_tasks.values()), sum(verdict.lost_conversations.values())
    unsettled = f", {turns.unsettled} still under way" if turns.unsettled else ""
    lost = f"{turns.lost} lost, {turns.doubled} doubled, {turns.reordered} reordered{reported}{unsettled}"
    again = f"{verdict.reconnects} reconnects, {verdict.rotations} of them rotations"
    interrupted = ", interrupted" if verdict.interrupted else ""
    return [
        f"{verdict.sessions} sessions under fire for {verdict.seconds:g} s ({how}){interrupted}",
        "",
        f"  messages      {turns.sent} sent, {verdict.answered} answered, {verdict.audio_seconds:g} s of sound",
        f"  of these      {lost}",
        f"  connections   {verdict.connections}: {again}; {conversations} conversations lost",
        f"  gap           {_gaps(verdict.gaps)}; rotations: {_gaps(verdict.rotation_gaps)}",
        f"  left over     {tasks} tasks, {verdict.leaked_sockets} sockets",
        f"  memory        {_memory(verdict.memory)}",
        "",
        *_table(verdict),
        "",
        *verdict.failures,
        *verdict.losses,
        *(f"left over: {count} times {task}" for task, count in verdict.leaked_tasks.items()),
        *(f"conversations lost, {why}: {count}" for why, count in verdict.lost_conversations.items()),
        *_conclusion(verdict),
    ]


def _table(verdict: Verdict) -> Sequence[str]:
    rows = [*verdict.recoveries.items(), ("all", verdict.recovery)]
    return [
        f"  {'fault':<30} {'struck':>7} {'ready again p50':>16} {'p99':>9}",
        *(
            f"  {kind:<30} {row.count:>7} {_seconds(row.p50):>16} {_seconds(row.p99):>9}"
            for kind, row in rows
        ),
    ]


def _conclusion(verdict: Verdict) -> Sequence[str]:
    if verdict.holds:
        return ["The verdict holds."]
    if verdict.complaints:
        return [f"The verdict does not hold: {', '.join(verdict.complaints)}."]
    return [
        "No fault struck, so nothing was shown: give it more time (--seconds) or more fire (--fault-every)."
    ]


def _gaps(gaps: Gaps) -> str:
    if not gaps.count:
        return "none"
    return f"median {_seconds(gaps.median)}, p99 {_seconds(gaps.p99)}, longest {_seconds(gaps.longest)}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _memory(sizes: Sequence[int | None]) -> str:
    """What a run took, from its start over its quarters to its end."""
    known = [f"{size / 2**20:.0f}" for size in sizes if size is not None]
    if not known:
        return "unknown"
    return f"{', '.join(known)} MiB (start, quarters, end; the simulator included)"
