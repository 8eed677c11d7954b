"""Invariants 20 to 22: cancellation and interrupts, delays, and significant children."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from livebridge.errors import ActorError, ConfigError
from livebridge.otp import (
    NORMAL,
    SHUTDOWN,
    Backoff,
    ChildBackingOff,
    ChildExited,
    ChildSpec,
    ChildStarted,
    GenServer,
    Registry,
    Supervisor,
    Timeout,
)

from ._actors import settle
from ._children import DOWN_IN_ORDER, ERROR, World


async def test_invariant_20_outer_cancellation_is_an_ordered_shutdown_that_restarts_nothing(
    world, autojump_clock
):
    with trio.move_on_after(5) as scope:
        async with Supervisor.open([world.child(name) for name in "abc"]) as supervisor:
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() == 5 + 3
    assert world.take() == ["+a", "+b", "+c", *DOWN_IN_ORDER]
    assert supervisor.cell.task is not None
    assert not supervisor.ref.alive


@pytest.mark.parametrize("exit_class", [KeyboardInterrupt, SystemExit])
async def test_invariant_20_an_interrupt_in_a_child_leaves_raw_after_an_ordered_shutdown(
    world, autojump_clock, exit_class
):
    with pytest.raises(exit_class):
        async with Supervisor.open([world.child(name) for name in "abc"]):
            world.now["b"].ref.cast(exit_class())
            await trio.sleep_forever()
    assert world.made == {"a": 1, "b": 1, "c": 1}
    assert world.take() == ["+a", "+b", "+c", "-b", "xb", "-c", "xc", "-a", "xa"]


async def test_invariant_20_an_interrupt_deep_in_the_tree_leaves_the_root(world, autojump_clock):
    inner = ChildSpec(
        id="inner", start=Supervisor, kwargs={"children": [world.child("b")]}, type="supervisor"
    )
    with pytest.raises(KeyboardInterrupt):
        async with Supervisor.open([world.child("a"), inner, world.child("c")]):
            world.now["b"].ref.cast(KeyboardInterrupt())
            await trio.sleep_forever()
    assert world.take() == ["+a", "+b", "+c", "-b", "xb", "-c", "xc", "-a", "xa"]


def test_invariant_20_cancelling_at_any_step_leaves_no_child_and_stops_in_order(cancel_everywhere):
    def make():
        world, events = World(), []

        async def scenario():
            children = [world.child(name) for name in "abc"]
            async with Supervisor.open(children, strategy="rest_for_one", on_event=events.append):
                world.end("b", ERROR)
                await trio.sleep(10)

        def verify():
            alive = []
            for event in events:
                if isinstance(event, ChildStarted):
                    alive.append(event.id)
                else:
                    assert isinstance(event, ChildExited)
                    assert not event.requested or event.id == alive[-1]
                    alive.remove(event.id)
            assert alive == []
            assert sum(entry[0] == "-" for entry in world.log) == sum(entry[0] == "x" for entry in world.log)

        return scenario, verify

    assert cancel_everywhere(make, rounds=20) > 20


@given(
    initial=st.floats(0, 100),
    factor=st.floats(1, 10),
    top=st.floats(0, 1000),
    attempt=st.integers(0, 5000),
    rand=st.floats(0, 1),
    jitter=st.sampled_from(["full", "equal", "none"]),
)
def test_invariant_21_delays_are_bounded_by_the_exponential_cap(
    *, initial, factor, top, attempt, rand, jitter
):
    backoff = Backoff(initial=initial, factor=factor, max=top, jitter=jitter)
    try:
        cap = min(top, initial * factor**attempt)
    except OverflowError:
        cap = top
    if math.isnan(cap):
        cap = top
    delay = backoff.delay(attempt, rand)
    assert 0 <= delay <= cap
    if jitter == "none":
        assert delay == cap
    if jitter == "equal":
        assert delay >= cap / 2


async def test_invariant_21_delays_grow_and_start_again_after_a_healthy_life(world, autojump_clock):
    events = []
    backoff = Backoff(initial=1, factor=2, max=3, jitter="none", reset_after=50)
    world.nap["a"] = 0
    async with Supervisor.open(
        [world.child("a", backoff=backoff)], max_restarts=None, on_event=events.append
    ) as supervisor:
        for wait in (10, 10, 10, 60, 10):
            await trio.sleep(wait)
            world.end("a", ERROR)
            await settle()
            assert supervisor.which_children()[0].state == "restarting"
        await trio.sleep(10)
    delays = [event.delay for event in events if isinstance(event, ChildBackingOff)]
    assert delays == [1, 2, 3, 1, 2]
    exits = [event.at for event in events if isinstance(event, ChildExited)]
    starts = [event.at for event in events if isinstance(event, ChildStarted)]
    assert [back - gone for gone, back in zip(exits, starts[1:], strict=False)] == delays


async def test_invariant_21_the_supervisor_answers_during_a_delay_and_terminate_prevents_the_restart(
    world, autojump_clock
):
    backoff = Backoff(initial=30, jitter="none")
    async with Supervisor.open([world.child("a", backoff=backoff)], max_seconds=100) as supervisor:
        world.end("a", ERROR)
        await trio.sleep(5)
        assert supervisor.which_children()[0].state == "restarting"
        for command in (supervisor.restart_child, supervisor.delete_child):
            with pytest.raises(ActorError, match="restarting"):
                await command("a")
        await supervisor.start_child(world.child("b"))
        await supervisor.terminate_child("a")
        assert trio.current_time() == 5
        await trio.sleep(100)
        assert world.made == {"a": 1, "b": 1}


async def test_invariant_21_in_a_group_siblings_stop_at_once_and_return_together(world, autojump_clock):
    backoff = Backoff(initial=30, jitter="none")
    children = [world.child("a", backoff=backoff), world.child("b"), world.child("c")]
    async with Supervisor.open(children, strategy="one_for_all", max_seconds=100) as supervisor:
        world.take()
        world.end("a", ERROR)
        await trio.sleep(5)
        assert world.take() == ["-a", "xa", "-c", "xc", "-b", "xb"]
        await supervisor.terminate_child("b")
        await trio.sleep(30)
        assert world.take() == ["+a", "+c"]


async def test_invariant_22_only_a_significant_child_that_ends_by_itself_shuts_down(world, autojump_clock):
    children = [
        world.child("a", restart="transient", significant=True),
        world.child("b", restart="transient", significant=True),
        world.child("c", restart="temporary"),
    ]
    async with Supervisor.open(children, auto_shutdown="any_significant") as supervisor:
        world.end("c", NORMAL)
        world.end("a", ERROR)
        await trio.sleep(3)
        await supervisor.terminate_child("b")
        assert supervisor.ref.alive
        world.end("a", NORMAL)
        assert await supervisor.wait() == SHUTDOWN


async def test_invariant_22_all_significant_waits_for_the_last(world, autojump_clock):
    children = [world.child(name, restart="temporary", significant=True) for name in "ab"]
    async with Supervisor.open([*children, world.child("c")], auto_shutdown="all_significant") as supervisor:
        world.end("a", ERROR)
        await trio.sleep(3)
        assert supervisor.ref.alive
        world.end("b", NORMAL)
        assert await supervisor.wait() == SHUTDOWN
        await trio.sleep(1)  # the body goes on
    assert world.made == {"a": 1, "b": 1, "c": 1}


def test_invariant_22_illegal_combinations_are_rejected_at_construction(world):
    with pytest.raises(ConfigError, match="permanent"):
        world.child("a", significant=True)
    with pytest.raises(ConfigError, match="auto_shutdown"):
        Supervisor([world.child("a", significant=True, restart="transient")])
    with pytest.raises(ConfigError, match="auto_shutdown"):
        Supervisor(auto_shutdown="sometimes")
    with pytest.raises(ConfigError, match="strategy"):
        Supervisor(strategy="all_for_one")
    with pytest.raises(ConfigError, match="id"):
        Supervisor([world.child("a"), world.child("a")])
    with pytest.raises(ConfigError, match="id"):
        Supervisor([world.child(None)])


async def test_a_name_survives_the_restart_and_an_address_does_not(world, autojump_clock):
    registry = Registry()
    async with Supervisor.open([world.child("a")], registry=registry) as supervisor:
        name, first = registry.via("a"), world.now["a"].ref
        world.end("a", ERROR)
        await trio.sleep(3)
        assert name.alive
        assert not first.alive
        status = await name.sys.get_status()
        assert (status.restarts, status.parent) == (1, supervisor.ref.name)
        assert status.last_exit.kind == "error"


async def test_timeouts_of_a_worker_do_not_disturb_its_supervisor(autojump_clock):
    class Ticker(GenServer):
        ticks = 0

        async def init(self):
            return Timeout(1)

        async def handle_info(self, message):
            Ticker.ticks += 1
            return Timeout(1)

    async with Supervisor.open([ChildSpec(id="t", start=Ticker)]):
        await trio.sleep(10.5)
    assert Ticker.ticks == 10
