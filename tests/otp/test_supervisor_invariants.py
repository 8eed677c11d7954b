"""Invariants 13 to 19: the order of children, and who is restarted."""

from __future__ import annotations

import itertools
import math

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from livebridge.errors import RestartIntensityError, StartError
from livebridge.otp import KILLED, NORMAL, SHUTDOWN, ChildExited, ChildKilled, ExitReason, Supervisor

from ._actors import settle
from ._children import DOWN_IN_ORDER, ERROR, World

REASONS = {
    "normal": NORMAL,
    "shutdown": SHUTDOWN,
    "shutdown(term)": ExitReason.shutdown("term"),
    "error": ERROR,
    "killed": KILLED,
}


@pytest.mark.parametrize("way", ["stop", "leave", "raise", "cancel", "escalation", "interrupt"])
async def test_invariant_13_children_start_in_order_and_stop_one_by_one_in_reverse(
    world, autojump_clock, way
):
    raised = None
    with trio.CancelScope() as outer:
        try:
            async with Supervisor.open([world.child(name) for name in "abc"], max_restarts=0) as supervisor:
                assert world.take() == ["+a", "+b", "+c"]
                if way == "stop":
                    await supervisor.stop()
                elif way == "raise":
                    raise KeyError("body")
                elif way == "cancel":
                    outer.cancel()
                    await trio.sleep_forever()
                elif way == "interrupt":
                    raise KeyboardInterrupt
                elif way == "escalation":
                    world.nap["b"] = 0
                    world.end("b", ERROR)
                    await trio.sleep_forever()
        except (KeyError, RestartIntensityError, KeyboardInterrupt) as exc:
            raised = type(exc)
    expected = {"raise": KeyError, "escalation": RestartIntensityError, "interrupt": KeyboardInterrupt}
    assert raised is expected.get(way)
    assert outer.cancelled_caught == (way == "cancel")
    gone = ["-b", "xb", "-c", "xc", "-a", "xa"] if way == "escalation" else DOWN_IN_ORDER
    assert world.take() == gone
    assert supervisor.ref.exit_reason.kind == "shutdown"


async def test_invariant_13_a_failed_start_stops_only_the_started_ones(world, autojump_clock):
    world.fail_init["c"] = 1
    with pytest.raises(StartError) as caught:
        async with Supervisor.open([world.child(name) for name in "abcd"]):
            raise AssertionError("never entered")
    assert isinstance(caught.value.__cause__, ValueError)
    assert world.take() == ["+a", "+b", "-b", "xb", "-a", "xa"]


@pytest.mark.parametrize("round_", range(20))
@pytest.mark.parametrize(
    ("strategy", "log"),
    [
        ("one_for_one", ["-b", "xb", "+b"]),
        ("one_for_all", ["-b", "xb", "-c", "xc", "-a", "xa", "+a", "+b", "+c"]),
        ("rest_for_one", ["-b", "xb", "-c", "xc", "+b", "+c"]),
    ],
)
async def test_invariant_14_each_strategy_takes_down_and_brings_back_its_group(
    world, autojump_clock, strategy, log, round_
):
    async with Supervisor.open([world.child(name) for name in "abc"], strategy=strategy) as supervisor:
        world.take()
        world.end("b", ERROR)
        await trio.sleep(10)
        assert world.take() == log
        assert len(supervisor.window.history) == 1
        assert supervisor.count_children().active == 3


TABLE = {
    "permanent": {"normal", "shutdown", "shutdown(term)", "error", "killed"},
    "transient": {"error", "killed"},
    "temporary": set(),
}


@pytest.mark.parametrize(("restart", "reason"), list(itertools.product(TABLE, REASONS)))
async def test_invariant_15_who_is_restarted_follows_the_table(world, autojump_clock, restart, reason):
    async with Supervisor.open([world.child("a", restart=restart)]) as supervisor:
        world.end("a", REASONS[reason])
        await trio.sleep(3)
        assert (world.made["a"] == 2) == (reason in TABLE[restart])
        assert supervisor.count_children().specs == (restart != "temporary")


async def test_invariant_15_a_temporary_sibling_that_falls_with_a_group_vanishes(world, autojump_clock):
    children = [world.child("a"), world.child("b", restart="temporary"), world.child("c")]
    async with Supervisor.open(children, strategy="one_for_all") as supervisor:
        world.end("a", ERROR)
        await trio.sleep(10)
        assert [info.id for info in supervisor.which_children()] == ["a", "c"]
        assert world.made == {"a": 2, "b": 1, "c": 2}


def run_crashes(gaps, max_restarts, max_seconds):
    """Crash a child after each of the gaps; return after how many crashes the supervisor gave up."""

    async def main():
        world = World()
        world.nap["a"] = 0
        crashes = 0
        try:
            async with Supervisor.open(
                [world.child("a")], max_restarts=max_restarts, max_seconds=max_seconds
            ) as supervisor:
                for gap in gaps:
                    await trio.sleep(gap)
                    crashes += 1
                    world.end("a", ERROR)
                    await settle()
                assert supervisor.ref.alive
        except RestartIntensityError:
            return crashes
        return None

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def model(gaps, max_restarts, max_seconds):
    """Say the same by definition: too many entries whose age is at most max_seconds."""
    times = list(itertools.accumulate(gaps))
    for count in range(1, len(times) + 1):
        now = times[count - 1]
        if sum(t >= now - max_seconds for t in times[:count]) > max_restarts:
            return count
    return None


@given(
    gaps=st.lists(st.sampled_from([0.25, 1.0, 2.0, 4.0, 8.0]), min_size=1, max_size=8),
    max_restarts=st.integers(0, 3),
    max_seconds=st.sampled_from([1.0, 2.0, 4.0]),
)
def test_invariant_16_only_too_many_crashes_within_the_inclusive_window_escalate(
    gaps, max_restarts, max_seconds
):
    assert run_crashes(gaps, max_restarts, max_seconds) == model(gaps, max_restarts, max_seconds)


def test_invariant_16_a_crash_of_exactly_the_age_of_the_window_counts():
    assert run_crashes([1, 5], 1, 5.0) == 2
    assert run_crashes([1, 5.001], 1, 5.0) is None


async def test_invariant_17_a_failing_restart_is_tried_again_and_each_try_counts(world, autojump_clock):
    async with Supervisor.open([world.child("a")], max_restarts=3) as supervisor:
        world.nap["a"] = 0
        world.fail_init["a"] = 2
        world.end("a", ERROR)
        await trio.sleep(1)
        assert len(supervisor.window.history) == 3
        assert supervisor.which_children()[0].state == "running"
        assert supervisor.which_children()[0].restarts == 3


async def test_invariant_17_escalation_raises_the_last_crash_after_all_children_are_down(
    world, autojump_clock
):
    with pytest.raises(RestartIntensityError) as caught:
        async with Supervisor.open([world.child(name) for name in "ab"], max_restarts=2) as supervisor:
            world.nap["b"] = 0
            world.fail_init["b"] = math.inf
            world.end("b", ERROR)
            with pytest.raises(RestartIntensityError):
                await supervisor.wait()
            await trio.sleep_forever()
    assert str(caught.value.__cause__) == "init failed"
    assert len(caught.value.history) == 3
    assert world.take() == ["+a", "+b", "-b", "xb", "-a", "xa"]
    assert supervisor.ref.exit_reason == ExitReason.shutdown("max_restarts")


async def test_invariant_17_in_a_group_the_failing_child_is_retried_and_later_ones_wait(
    world, autojump_clock
):
    children = [world.child(name) for name in "abc"]
    async with Supervisor.open(children, strategy="one_for_all", max_restarts=2) as supervisor:
        world.nap = dict.fromkeys("abc", 0)
        world.fail_init["b"] = 1
        world.take()
        world.end("a", ERROR)
        await trio.sleep(1)
        assert world.take() == ["-a", "xa", "-c", "xc", "-b", "xb", "+a", "-a", "xa", "+a", "+b", "+c"]
        assert len(supervisor.window.history) == 2


@pytest.mark.parametrize(
    ("shutdown", "ended_at", "log", "reason"),
    [
        (3.0, 3.0, ["-a"], KILLED),
        (20.0, 10.0, ["-a", "xa"], SHUTDOWN),
        ("infinity", 10.0, ["-a", "xa"], SHUTDOWN),
        ("brutal_kill", 0.0, [], KILLED),
    ],
)
async def test_invariant_18_a_child_has_exactly_its_shutdown_time(
    world, autojump_clock, *, shutdown, ended_at, log, reason
):
    events = []
    world.nap["a"] = 10
    async with Supervisor.open([world.child("a", shutdown=shutdown)], on_event=events.append):
        world.take()
    assert trio.current_time() == ended_at
    assert world.take() == log
    exits = [event for event in events if isinstance(event, ChildExited)]
    assert [(event.at, event.reason) for event in exits] == [(ended_at, reason)]
    assert any(isinstance(event, ChildKilled) for event in events) == (reason == KILLED)


async def test_invariant_18_total_stop_time_is_the_sum(world, autojump_clock):
    world.nap = {"a": 1, "b": 2, "c": 100}
    async with Supervisor.open([world.child(name, shutdown=4) for name in "abc"]):
        pass
    assert trio.current_time() == 1 + 2 + 4


async def test_invariant_18_a_shutdown_deadline_kills_all_that_is_left(world, autojump_clock):
    world.nap = dict.fromkeys("abc", 100)
    children = [world.child(name, shutdown="infinity") for name in "abc"]
    async with Supervisor.open(children, shutdown_deadline=7):
        world.take()
    assert trio.current_time() == 7
    assert world.take() == ["-c"]


@pytest.mark.parametrize("round_", range(20))
async def test_invariant_19_an_end_the_supervisor_asked_for_never_restarts(world, autojump_clock, round_):
    async with Supervisor.open([world.child(name) for name in "ab"]) as supervisor:
        await supervisor.terminate_child("a")
        await trio.sleep(5)
        assert world.made == {"a": 1, "b": 1}
        assert [info.state for info in supervisor.which_children()] == ["stopped", "running"]
        handle = await supervisor.restart_child("a")
        assert handle.ref.alive
        # it crashes while the supervisor is already stopping it
        async with trio.open_nursery() as both:
            both.start_soon(supervisor.terminate_child, "b")
            world.end("b", ERROR)
        await trio.sleep(5)
        assert world.made == {"a": 2, "b": 1} or len(supervisor.window.history) == 1


@pytest.mark.parametrize("round_", range(20))
async def test_invariant_19_two_simultaneous_crashes_in_one_for_all_count_once(world, autojump_clock, round_):
    async with Supervisor.open([world.child(name) for name in "abc"], strategy="one_for_all") as supervisor:
        world.end("a", ERROR)
        world.end("c", ERROR)
        await trio.sleep(20)
        assert world.made == {"a": 2, "b": 2, "c": 2}
        assert len(supervisor.window.history) == 1
