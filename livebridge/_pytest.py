"""The pytest plugin, loaded by pytest itself: one fixture, and nothing imported until a test asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from livebridge.simulator import LiveSimulator


@pytest.fixture
async def live_simulator() -> AsyncIterator[LiveSimulator]:
    """A `livebridge.simulator.LiveSimulator` on a free port of this machine, gone when the test ends.

    It answers by the default rules, as fast as it can. Takes pytest-trio.
    """
    simulator = cast("type[LiveSimulator]", import_module("livebridge.simulator").LiveSimulator)
    async with simulator.serve() as serving:
        yield serving
