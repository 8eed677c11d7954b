"""Children of a kind, which come and go."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from livebridge.errors import ActorError, NoProcessError, RestartIntensityError, StartError
from livebridge.otp import (
    SHUTDOWN,
    Backoff,
    ChildExited,
    ChildKilled,
    ChildSpec,
    ChildStarted,
    DynamicSupervisor,
    GenServer,
    Registry,
)

from ._actors import settle
from ._children import Worker, fail, hang, ignore, worker


async def test_a_dynamic_supervisor_counts_limits_and_forgets(autojump_clock):
    registry = Registry()
    async with DynamicSupervisor.open(max_children=2, registry=registry, name="pool") as pool:
        first = await pool.start_child(worker("a"))
        second = await pool.start_child(worker())
        with pytest.raises(StartError, match="max_children"):
            await pool.start_child(worker())
        assert registry.whereis("a") is first.ref
        await pool.terminate_child(first)
        await pool.terminate_child(second.ref)
        with pytest.raises(ActorError, match="no child"):
            await pool.terminate_child(first)
        assert (await pool.start_child(worker("i", ignore))).ref is None
        with pytest.raises(StartError):
            await pool.start_child(worker("f", fail))
        assert pool.which_children() == ()
        temporary = await pool.start_child(worker("t", restart="temporary"))
        temporary.ref.cast(ValueError("crash"))
        await settle()
        assert pool.which_children() == ()
        pool.ref.send("noise")
    assert pool.ref.name == "pool"
    with pytest.raises(NoProcessError):
        await pool.start_child(worker())


async def test_a_dynamic_child_comes_back_beside_the_others_and_a_slow_start_delays_nobody(autojump_clock):
    scripts = [None, fail, hang]

    def make():
        return Worker(scripts.pop(0) if scripts else None)

    async with DynamicSupervisor.open(max_restarts=5) as pool:
        handle = await pool.start_child(ChildSpec(start=make, backoff=Backoff(initial=2, jitter="none")))
        handle.ref.cast(ValueError("crash"))
        await trio.sleep(1)
        assert pool.which_children()[0].state == "restarting"
        await trio.sleep(2 + 4)  # the first restart failed, the second hangs
        other = await pool.start_child(worker("other"))
        assert other.ref.alive
        assert len(pool.window.history) == 2
        with trio.move_on_after(1) as scope:
            await handle.wait_ready()
        assert scope.cancelled_caught
    assert trio.current_time() == 8


async def test_a_dynamic_restart_that_ignores_drops_the_child_and_a_stopped_one_stays_down(autojump_clock):
    scripts = [None, ignore]

    def make():
        return Worker(scripts.pop(0))

    async with DynamicSupervisor.open() as pool:
        handle = await pool.start_child(ChildSpec(start=make))
        handle.ref.cast(ValueError("crash"))
        await settle()
        assert pool.which_children() == ()
        waiting = await pool.start_child(worker(backoff=Backoff(initial=10, jitter="none")))
        waiting.ref.cast(ValueError("crash"))
        await settle()
        await pool.terminate_child(waiting)
        await trio.sleep(60)
        assert pool.which_children() == ()


async def test_a_dynamic_supervisor_gives_up_after_too_many_crashes():
    with pytest.raises(RestartIntensityError):
        async with DynamicSupervisor.open(max_restarts=0) as pool:
            handle = await pool.start_child(worker("a"))
            handle.ref.cast(ValueError("crash"))
            await trio.sleep_forever()


async def test_dynamic_children_stop_together_each_in_its_own_time(autojump_clock):
    class Slow(GenServer):
        def __init__(self, nap):
            self.nap = nap

        async def terminate(self, reason):
            await trio.sleep(self.nap)

    events = []
    async with DynamicSupervisor.open(on_event=events.append) as pool:
        for nap in (1, 2, 3, 100):
            await pool.start_child(ChildSpec(start=Slow, args=(nap,), shutdown=4))
    assert trio.current_time() == 4
    assert [event.at for event in events if isinstance(event, ChildExited)] == [1, 2, 3, 4]
    assert sum(isinstance(event, ChildKilled) for event in events) == 1


async def test_stopping_a_dynamic_supervisor_cuts_off_starts_and_a_cancelled_start_leaves_nothing():
    async with trio.open_nursery() as nursery, DynamicSupervisor.open() as pool:
        with trio.move_on_after(0.01):
            await pool.start_child(worker("h", hang))
        assert pool.which_children() == ()

        async def start_hanging():
            with pytest.raises(NoProcessError, match="ended while"):
                await pool.start_child(worker("h", hang))

        nursery.start_soon(start_hanging)
        await settle()
        await pool.stop()
        with pytest.raises(NoProcessError):
            await pool.start_child(worker())


async def test_a_cancelled_terminate_child_still_forgets_the_child_in_the_end(autojump_clock):
    class Slow(GenServer):
        async def terminate(self, reason):
            await trio.sleep(3)

    async with DynamicSupervisor.open() as pool:
        handle = await pool.start_child(ChildSpec(start=Slow))
        with trio.move_on_after(1):
            await pool.terminate_child(handle)
        await trio.sleep(5)
        assert pool.which_children() == ()


async def test_a_thousand_actors_start_in_order_and_stop_newest_first():
    ended = []

    class Numbered(GenServer):
        def __init__(self, number):
            self.number = number

        async def terminate(self, reason):
            ended.append((self.number, reason))

    started = []
    async with DynamicSupervisor.open(
        on_event=lambda event: started.append(event.id) if isinstance(event, ChildStarted) else None
    ) as pool:
        for number in range(1000):
            await pool.start_child(ChildSpec(id=number, start=Numbered, args=(number,)))
        assert pool.count_children().active == 1000
    assert started == list(range(1000))
    assert ended == [(number, SHUTDOWN) for number in reversed(range(1000))]
