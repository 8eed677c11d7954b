"""Runs a command so that Ctrl-C and SIGTERM end it in order, with the status shells expect."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from livebridge.cli._starting import started

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
SIGNAL_STATUS: Final = 128
"""A shell reports a program that a signal ended as 128 and the signal's number: 130 for Ctrl-C."""


def run_until_interrupted(command: Callable[[], Awaitable[int]]) -> int:
    """Run a command under trio; the first signal cancels it, a second one interrupts at once.

    Args:
        command: Returns the exit status.

    Returns:
        The exit status: the command's, or 128 and the signal's number.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the command could be cancelled in order, or for the second time.
        Exception: What the command raised, as it is.
    """
    started()
    try:
        return trio.run(_main, command)
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None
        raise


async def _main(command: Callable[[], Awaitable[int]]) -> int:
    status = 0
    failure: Exception | None = None
    caught: int | None = None

    async def watch(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        nonlocal caught
        with trio.open_signal_receiver(*SIGNALS) as signals:
            task_status.started()
            async for number in signals:
                caught = number
                break
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        await nursery.start(watch)
        try:
            status = await command()
        except Exception as error:  # noqa: BLE001 - raised again below, without the nursery's wrapping
            failure = error
        nursery.cancel_scope.cancel()
    if caught is not None:
        return SIGNAL_STATUS + caught
    if failure is not None:
        raise failure
    return status
