"""What leaves the program is told by the program, not by the actor in which it struck."""

import logging

import pytest
import trio

from livebridge.otp import GenServer, start


class Struck(GenServer):
    async def handle_cast(self, request):
        raise request


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
async def test_ctrl_c_inside_an_actor_is_no_crash_in_the_log(leaving, caplog):
    caplog.set_level(logging.DEBUG, logger="livebridge.otp")
    with pytest.RaisesGroup(leaving):
        async with trio.open_nursery() as nursery:
            (await start(nursery, Struck())).cast(leaving())
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


async def test_a_bug_inside_an_actor_still_is(caplog):
    async with trio.open_nursery() as nursery:
        (await start(nursery, Struck())).cast(RuntimeError("a bug"))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
