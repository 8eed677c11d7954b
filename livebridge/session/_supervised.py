"""The console entry point of a bot process: a supervisor with signals."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import attrs
import trio

from livebridge.otp import ChildSpec, ExitReason, Supervisor, SupervisorEvent
from livebridge.session._surroundings import check_outside_trio

DRAIN_SECONDS: Final = 30.0
"""What a process manager usually grants between SIGTERM and SIGKILL."""


def run_supervised(
    children: Iterable[ChildSpec],
    *,
    signals: Iterable[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
    max_restarts: int | None = 5,
    max_seconds: float = 300.0,
    shutdown_deadline: float = DRAIN_SECONDS,
    on_event: Callable[[SupervisorEvent], None] | None = None,
) -> ExitReason:
    """Run children under a supervisor until they are done or a signal comes.

    It ends by itself when no child is ``permanent`` and all of them have ended.

    The first signal stops the children in reverse order: sessions deliver what they accepted and close; at
    `shutdown_deadline` what is left is killed. A second signal kills at once.

    Args:
        children: Specs, started in this order.
        signals: What counts as the wish to stop.
        max_restarts: Restarts within `max_seconds` before the supervisor gives up; ``None``: never.
        max_seconds: Length of that window.
        shutdown_deadline: Seconds for stopping everything.
        on_event: Called with what happens to the children.

    Returns:
        Why the supervisor ended.

    Raises:
        RestartIntensityError: Too many restarts; ``__cause__`` is the last crash.
        StartError: A child could not be started; those before it were stopped.
        LocalProtocolError: Trio runs here already.
    """
    check_outside_trio("run_supervised", "async with Supervisor.open(children=…) as supervisor")
    specs = tuple(children)
    ends_by_itself = all(spec.restart != "permanent" for spec in specs)
    if ends_by_itself:
        specs = tuple(attrs.evolve(spec, significant=True) for spec in specs)

    async def main() -> ExitReason:
        result: list[ExitReason] = []
        error: list[Exception] = []
        async with trio.open_nursery() as nursery:
            with trio.open_signal_receiver(*signals) as received:
                try:
                    async with Supervisor.open(
                        children=specs,
                        auto_shutdown="all_significant" if ends_by_itself else "never",
                        max_restarts=max_restarts,
                        max_seconds=max_seconds,
                        shutdown_deadline=shutdown_deadline,
                        on_event=on_event,
                    ) as supervisor:
                        nursery.start_soon(_obey, received, supervisor)
                        result.append(await supervisor.wait())
                except Exception as raised:  # noqa: BLE001 - raised again below, outside the nursery
                    error.append(raised)
            nursery.cancel_scope.cancel()
        if error:
            raise error[0]
        return result[0]

    return trio.run(main)


async def _obey(received: AsyncIterator[int], supervisor: Supervisor) -> None:
    async for _ in received:
        break
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_kill_on_next, received, supervisor)
        await supervisor.stop()
        nursery.cancel_scope.cancel()


async def _kill_on_next(received: AsyncIterator[int], supervisor: Supervisor) -> None:
    async for _ in received:
        supervisor.kill()
        return
