"""A whole chaos run: the simulator, its decoys, the sessions, the clock, and the verdict."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import trio

from livebridge.cli._chaos_books import Comparison
from livebridge.cli._chaos_faults import Decoys, standing_faults
from livebridge.cli._chaos_leaks import Inventory
from livebridge.cli._chaos_tally import Gaps, Recovery, Verdict
from livebridge.cli._chaos_worker import TURN_EVERY, Worker
from livebridge.simulator import Echo, LiveSimulator

PROGRESS_SECONDS: Final = 3.0
"""Between two reports on the way."""

Report = Callable[[str], None]


@attrs.frozen(kw_only=True)
class Plan:
    """What to run.

    Attributes:
        sessions: How many.
        seconds: For how long they are under fire.
        fault_every: Seconds between two faults of one session, on average.
        seed: What chances are drawn from.
        backend: ``vertex`` or ``gemini``.
        handover: As the session's option.
    """

    sessions: int
    seconds: float
    fault_every: float
    seed: int
    backend: str = "vertex"
    handover: str = "cold"


@attrs.define(eq=False)
class Run:
    """One run of a plan.

    Args:
        plan: What to run.
        report: Is told every few seconds how it goes.

    Attributes:
        result: The verdict, once there is one; also after a cancellation.
    """

    plan: Plan
    report: Report | None = None
    result: Verdict | None = None
    workers: list[Worker] = attrs.field(factory=list)
    _stop: trio.Event = attrs.field(factory=trio.Event)
    _close: trio.Event = attrs.field(factory=trio.Event)
    _under_fire: trio.Event = attrs.field(factory=trio.Event)
    _began: float = 0.0
    _ended: float = 0.0
    _interrupted: bool = False

    async def verdict(self) -> Verdict:
        """Run, and sum up; a cancellation ends the fire at once, and leaves here after the verdict was kept."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._time_out)
            with trio.CancelScope(shield=True):
                self.result = result = await self._run()
            nursery.cancel_scope.cancel()
        return result

    async def _time_out(self) -> None:
        """Runs outside of the shield: the clock of the fire, and what notices a cancellation."""
        try:
            await self._under_fire.wait()
            await trio.sleep(self.plan.seconds)
        except trio.Cancelled:
            self._interrupted = not self._stop.is_set()
            raise
        finally:
            self._stop.set()

    async def _run(self) -> Verdict:
        plan = self.plan
        faults = standing_faults(turns_per_fault=plan.fault_every / TURN_EVERY, seed=plan.seed)
        async with (
            Decoys.serve() as decoys,
            LiveSimulator.serve(
                brain=Echo(),
                faults=faults,
                first_handle=True,
                keep_audio=False,
                max_sessions=plan.sessions * 2,
                seed=plan.seed,
            ) as simulator,
        ):
            self.workers = [
                Worker(
                    number=number,
                    simulator=simulator,
                    decoys=decoys,
                    vertex=plan.backend == "vertex",
                    handover=plan.handover,
                    fault_every=plan.fault_every,
                    seed=plan.seed,
                )
                for number in range(plan.sessions)
            ]
            return await self._live(simulator, decoys)

    async def _live(self, simulator: LiveSimulator, decoys: Decoys) -> Verdict:
        before = Inventory.take()
        async with trio.open_nursery() as nursery:
            for worker in self.workers:
                nursery.start_soon(worker.run, self._stop, self._close)
            for worker in self.workers:
                await worker.connected.wait()
            self._began = trio.current_time()
            self._under_fire.set()
            memory = [_resident()]
            nursery.start_soon(self._tell)
            nursery.start_soon(self._weigh, memory)
            await self._stop.wait()
            self._ended = trio.current_time()
            simulator.lift_faults()
            for worker in self.workers:
                await worker.settled.wait()
            memory.append(_resident())
            self._close.set()
        await before.wait_until_restored()
        return attrs.evolve(
            self._sum_up(),
            leaked_tasks=before.new_tasks(),
            leaked_sockets=before.new_sockets(),
            memory=memory,
        )

    async def _weigh(self, memory: list[int | None]) -> None:
        """Note the memory at each quarter of the fire."""
        for quarter in range(1, 4):
            with trio.move_on_at(self._began + self.plan.seconds * quarter / 4):
                await self._stop.wait()
                return
            memory.append(_resident())

    async def _tell(self) -> None:
        """Report on the way, as long as the fire lasts."""
        while not self._stop.is_set():
            with trio.move_on_after(PROGRESS_SECONDS):
                await self._stop.wait()
                return
            if self.report is not None:
                self.report(self._progress())

    def _progress(self) -> str:
        workers = self.workers
        faults = sum(worker.struck.total() for worker in workers)
        ready = sum(worker.is_ready for worker in workers)
        return (
            f"{trio.current_time() - self._began:.0f} of {self.plan.seconds:g} s, "
            f"{sum(worker.books.sent for worker in workers)} messages, {faults} faults, "
            f"{ready} of {len(workers)} sessions ready"
        )

    def _sum_up(self) -> Verdict:
        plan, workers = self.plan, self.workers
        struck = sum((worker.struck for worker in workers), Counter[str]())
        times = {
            kind: [time for worker in workers for time in worker.recoveries.get(kind, ())]
            for kind in sorted(struck)
        }
        reconnects = sum(len(worker.gaps) + len(worker.rotation_gaps) for worker in workers)
        return Verdict(
            backend=plan.backend,
            handover=plan.handover,
            sessions=plan.sessions,
            seconds=round(self._ended - self._began, 1),
            seed=plan.seed,
            turns=sum(
                (worker.comparison or worker.compare()[0].as_unsettled() for worker in workers), Comparison()
            ),
            answered=sum(len(worker.books.answered) for worker in workers),
            audio_seconds=round(sum(worker.audio_seconds for worker in workers), 1),
            connections=sum(worker.connections for worker in workers),
            reconnects=reconnects,
            rotations=sum(len(worker.rotation_gaps) for worker in workers),
            lost_conversations=sum((worker.lost_conversations for worker in workers), Counter[str]()),
            failures=[failure for worker in workers for failure in worker.failures()],
            recoveries={kind: Recovery.of(times[kind], count=struck[kind]) for kind in times},
            recovery=Recovery.of([time for kind in times.values() for time in kind], count=struck.total()),
            gaps=Gaps.of([gap for worker in workers for gap in worker.gaps]),
            rotation_gaps=Gaps.of([gap for worker in workers for gap in worker.rotation_gaps]),
            interrupted=self._interrupted,
            losses=[loss for worker in workers for loss in worker.losses()],
        )


def _resident() -> int | None:
    """Bytes of memory this process has; ``None`` where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
