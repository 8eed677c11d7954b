"""Where a program's session goes: to the real API, or to a simulator for the length of a block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livebridge.simulator import LiveSimulator, SessionOptions


@asynccontextmanager
async def connection(*, simulate: bool) -> AsyncIterator[SessionOptions]:
    """Options for `livebridge.Session.start`.

    Args:
        simulate: Serve a simulator for the length of the block and lead there; otherwise the options are empty,
            so that the environment's credentials lead to the real API.

    Returns:
        The options.
    """
    if not simulate:
        yield {}
        return
    async with LiveSimulator.serve() as simulator:
        yield simulator.connection
