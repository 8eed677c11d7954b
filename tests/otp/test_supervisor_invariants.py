"""Invariants 13 to 22: what every supervisor guarantees."""

from __future__ import annotations

import itertools
import math

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from livebridge.errors import ActorError, ConfigError, RestartIntensityError, StartError
from livebridge.otp import (
    KILLED,
    NORMAL,
    SHUTDOWN,
    Backoff,
    ChildBackingOff,
    ChildExited,
    ChildKilled,
    ChildSpec,
    ChildStarted,
    ExitReason,
    GenServer,
    Registry,
    Stop,
    Supervisor,
    Timeout,
)

ERROR = "error"
REASONS = {
    "normal": NORMAL,
    "shutdown": SHUTDOWN,
    "shutdown(term)": ExitReason.shutdown("term"),
    "error": ERROR,
    "killed": KILLED,
}


class World:
    """Makes children that write into one log, and finds them again."""

    def __init__(self) -> None:
        self.log = []
        self.now = {}
        self.made = {}
        self.fail_init = {}
        self.nap = {}

    def child(self, name, **options):
        return ChildSpec(id=name, start=Worker, args=(self, name), **options)

    def end(self, name, reason):
        if reason == ERROR:
            self.now[name].ref.cast(ValueError("crash"))
        elif reason == KILLED:
            self.now[name].ref.kill()
        else:
            self.now[name].ref.cast(Stop(reason))

    def take(self):
        taken, self.log = self.log, []
        return taken


class Worker(GenServer):
    terminate_timeout = math.inf

    def __init__(self, world, name):
        self.world = world
        self.name = name

    async def init(self):
        left = self.world.fail_init.get(self.name, 0)
        if left:
            self.world.fail_init[self.name] = left - 1
            raise ValueError("init failed")
        self.world.now[self.name] = self
        self.world.made[self.name] = self.world.made.get(self.name, 0) + 1
        self.world.log.append(f"+{self.name}")

    async def handle_cast(self, request):
        if isinstance(request, BaseException):
            raise request
        return request

    async def terminate(self, reason):
        self.world.log.append(f"-{self.name}")
        await trio.sleep(self.world.nap.get(self.name, 1))
        self.world.log.append(f"x{self.name}")


@pytest.fixture
def world():
    return World()


async def settle():
    await trio.testing.wait_all_tasks_blocked()


DOWN_IN_ORDER = ["-c", "xc", "-b", "xb", "-a", "xa"]


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
