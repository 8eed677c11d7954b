"""The pytest plugin, loaded by pytest itself: one fixture, and nothing imported until a test asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

import pytest

if TYPE_CHECKING:
    from livebridge.simulator import LiveSimulator

_ANYIO: Final = "anyio_backend"
"""The fixture by which anyio's plugin runs a test; its trio backend will do, too."""

_NO_PLUGIN: Final = (
    "the fixture live_simulator takes pytest-trio, which is not installed: python -m pip install pytest-trio"
)

_NO_TRIO: Final = (
    "the fixture live_simulator takes a test that runs on trio: write `async def`, and set `trio_mode = true` under"
    " [tool.pytest.ini_options] in pyproject.toml (or mark the test with @pytest.mark.trio)"
)


@pytest.fixture
async def live_simulator() -> AsyncIterator[LiveSimulator]:
    """A `livebridge.simulator.LiveSimulator` on a free port of this machine, gone when the test ends.

    It answers by the default rules, as fast as it can. Takes pytest-trio.
    """
    simulator = cast("type[LiveSimulator]", import_module("livebridge.simulator").LiveSimulator)
    async with simulator.serve() as serving:
        yield serving


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> object | None:
    """Say what is missing, before pytest says that it cannot run an asynchronous fixture."""
    ours = fixturedef.argname == "live_simulator" and fixturedef.func.__module__ == __name__
    if ours and _ANYIO not in request.fixturenames:
        if not request.config.pluginmanager.hasplugin("trio"):
            pytest.fail(_NO_PLUGIN, pytrace=False)
        if request.node.get_closest_marker("trio") is None:
            pytest.fail(_NO_TRIO, pytrace=False)
    return None
