"""Ctrl-C, wherever it strikes, leaves as it is, after the children have stopped in order."""

from __future__ import annotations

import signal

import pytest
import trio
import trio.testing

from livebridge.otp import ChildSpec, GenServer, Supervisor, TaskSupervisor

from ._actors import settle
from ._children import worker


async def test_an_interrupt_in_a_task_leaves_the_block():
    async def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with TaskSupervisor.open() as tasks:
            tasks.spawn(interrupt)
            await trio.sleep_forever()


async def test_an_interrupt_while_the_block_is_left_leaves_raw_after_the_children(autojump_clock):
    order = []

    class Slow(GenServer):
        async def terminate(self, reason):
            await trio.sleep(1)
            order.append("child is down")

    async def interrupting(actor):
        actor.start_soon(interrupt)

    async def interrupt():
        try:
            await trio.sleep_forever()
        finally:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with Supervisor.open([ChildSpec(id="slow", start=Slow), worker("b", interrupting)]):
            await settle()
    assert order == ["child is down"]


def test_keyboard_interrupt_by_signal_stops_the_children_in_order():
    ended = []

    class Noted(GenServer):
        def __init__(self, name):
            self.name = name

        async def terminate(self, reason):
            await trio.sleep(0.001)
            ended.append(self.name)

    async def main():
        async with Supervisor.open([ChildSpec(id=name, start=Noted, args=(name,)) for name in "abc"]):
            signal.raise_signal(signal.SIGINT)
            await trio.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert ended == ["c", "b", "a"]


def test_an_interrupt_in_terminate_while_the_block_is_left_still_stops_the_others_in_order():
    ended = []

    class Noted(GenServer):
        def __init__(self, name):
            self.name = name

        async def terminate(self, reason):
            if self.name == "c":
                signal.raise_signal(signal.SIGINT)
            await trio.sleep(0.001)
            ended.append(self.name)

    async def main():
        async with Supervisor.open([ChildSpec(id=name, start=Noted, args=(name,)) for name in "abc"]):
            await trio.lowlevel.checkpoint()

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert ended == ["b", "a"]
