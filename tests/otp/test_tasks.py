"""Functions under a task supervisor."""

from __future__ import annotations

import logging

import pytest
import trio
import trio.testing

from livebridge.errors import ActorExitError, NoProcessError, StartError
from livebridge.otp import NORMAL, SHUTDOWN, TaskSupervisor

from ._actors import settle


async def test_tasks_fail_alone_and_give_their_result_to_whoever_waits(autojump_clock, caplog):
    async def add(a, b):
        await trio.sleep(1)
        return a + b

    async def crash():
        raise ValueError("task")

    async with TaskSupervisor.open(max_tasks=2, name="tasks") as tasks:
        good = tasks.spawn(add, 1, 2, name="adder")
        bad = tasks.spawn(crash)
        with pytest.raises(StartError, match="max_tasks"):
            tasks.spawn(crash)
        assert "adder running" in repr(good)
        assert await good.wait() == 3
        assert good.exit_reason == NORMAL
        with pytest.raises(ActorExitError) as caught:
            await bad.wait()
        assert isinstance(caught.value.__cause__, ValueError)
        cancelled = tasks.spawn(trio.sleep, 99)
        await settle()
        cancelled.cancel()
        with pytest.raises(ActorExitError) as caught:
            await cancelled.wait()
        assert caught.value.reason == SHUTDOWN
        left = tasks.spawn(trio.sleep_forever)
        await settle()
        assert tasks.running == 1
    assert left.exit_reason == SHUTDOWN
    assert tasks.running == 0
    assert [r.levelno for r in caplog.records if r.levelno >= logging.ERROR] == [logging.ERROR]
    with pytest.raises(NoProcessError):
        tasks.spawn(crash)
