"""Commands, events and odd ends of the three supervisors."""

from __future__ import annotations

import logging
import signal

import pytest
import trio
import trio.testing

from livebridge.errors import (
    ActorError,
    ActorExitError,
    AlreadyStartedError,
    CallSelfError,
    ConfigError,
    NoProcessError,
    RestartIntensityError,
    StartError,
)
from livebridge.otp import (
    KILLED,
    NORMAL,
    SHUTDOWN,
    Backoff,
    ChildBackingOff,
    ChildExited,
    ChildGivenUp,
    ChildKilled,
    ChildSpec,
    ChildStarted,
    DynamicSupervisor,
    Escalated,
    ExitReason,
    GenServer,
    Ignore,
    Registry,
    Stop,
    Supervisor,
    TaskSupervisor,
    ZombieChild,
    start,
)


class Worker(GenServer):
    def __init__(self, script=None):
        self.script = script
        self.ended = None

    async def init(self):
        if self.script is not None:
            await self.script(self)

    async def handle_call(self, request, caller):
        return await request(self) if callable(request) else request

    async def handle_cast(self, request):
        if isinstance(request, BaseException):
            raise request
        return request

    async def terminate(self, reason):
        self.ended = reason


def worker(name=None, script=None, **options):
    return ChildSpec(id=name, start=Worker, args=(script,), **options)


async def settle():
    await trio.testing.wait_all_tasks_blocked()


async def ignore(actor):
    raise Ignore


async def fail(actor):
    raise ValueError("init failed")


async def hang(actor):
    await trio.sleep_forever()


async def test_commands_answer_by_the_state_of_the_child():
    async with Supervisor.open([worker("a")]) as supervisor:
        with pytest.raises(AlreadyStartedError, match="already started") as caught:
            await supervisor.start_child(worker("a"))
        assert caught.value.ref.alive
        for command in (supervisor.restart_child, supervisor.delete_child):
            with pytest.raises(ActorError, match="running"):
                await command("a")
            with pytest.raises(ActorError, match="no child"):
                await command("z")
        await supervisor.terminate_child("a")
        await supervisor.terminate_child("a")
        with pytest.raises(AlreadyStartedError, match="already present"):
            await supervisor.start_child(worker("a"))
        handle = await supervisor.restart_child("a")
        assert handle.id == "a"
        assert handle.restarts == 1
        assert (await handle.wait_ready()) is handle.ref
        assert "running" in repr(handle)
        await supervisor.terminate_child("a")
        await supervisor.delete_child("a")
        with pytest.raises(NoProcessError):
            await handle.wait_ready()
        with pytest.raises(StartError):
            await supervisor.start_child(worker("bad", fail))
        with pytest.raises(ConfigError):
            await supervisor.start_child(worker())
        with pytest.raises(ActorError, match="understands no str"):
            await supervisor.ref.call("x")
        await supervisor.start_child(worker("t", restart="temporary"))
        await supervisor.terminate_child("t")
        assert supervisor.which_children() == ()
        supervisor.ref.send("noise")
        assert (await supervisor.ref.sys.get_state()) == {"children": (), "restarts": ()}


async def test_a_child_that_ignores_is_kept_without_address_unless_it_is_temporary():
    async with Supervisor.open(
        [worker("a", ignore), worker("t", ignore, restart="temporary"), worker("b")]
    ) as sup:
        assert [(info.id, info.state, info.ref is None) for info in sup.which_children()] == [
            ("a", "stopped", True), ("b", "running", False),
        ]  # fmt: skip
        counts = sup.count_children()
        assert (counts.specs, counts.active, counts.workers, counts.supervisors) == (2, 1, 2, 0)


async def test_an_async_function_is_a_child_like_any_other(autojump_clock):
    runs = []

    async def job(gap, *, times):
        runs.append(trio.current_time())
        await trio.sleep(gap)
        if len(runs) < times:
            raise ValueError("again")

    spec = ChildSpec(id="job", start=job, args=(1,), kwargs={"times": 3}, restart="transient")
    events = []
    async with Supervisor.open([spec], on_event=events.append) as supervisor:
        supervisor.which_children()[0].ref.send("ignored")
        await trio.sleep(10)
        assert runs == [0, 1, 2]
        assert supervisor.which_children()[0].state == "stopped"
        await supervisor.start_child(ChildSpec(id="long", start=trio.sleep, args=(999,)))
    assert [event.reason.kind for event in events if isinstance(event, ChildExited)] == [
        "error", "error", "normal", "shutdown",
    ]  # fmt: skip


async def test_a_start_that_makes_no_actor_is_refused():
    with pytest.raises(StartError) as caught:
        async with Supervisor.open([ChildSpec(id="x", start=dict)]):
            pass
    assert isinstance(caught.value.__cause__, ConfigError)


async def test_events_tell_the_whole_story_of_a_crash_loop(autojump_clock, caplog):
    events = []

    def on_event(event):
        events.append(event)
        raise ValueError("a broken hook")

    spec = worker("a", backoff=Backoff(initial=1, jitter="none"))
    with pytest.raises(RestartIntensityError):
        async with Supervisor.open([spec], max_restarts=1, max_seconds=60, on_event=on_event) as supervisor:
            for _ in range(2):
                supervisor.which_children()[0].ref.cast(ValueError("crash"))
                await trio.sleep(2)
    kinds = [ChildStarted, ChildExited, ChildBackingOff, ChildStarted, ChildExited, ChildGivenUp, Escalated]
    assert [type(event) for event in events] == kinds
    assert all(event.supervisor == supervisor.ref.name for event in events)
    assert "on_event of" in caplog.text


async def test_a_backoff_longer_than_the_window_is_warned_of(caplog):
    Supervisor([worker("a", backoff=Backoff())])
    assert "outlasts the window" in caplog.text
    caplog.clear()
    Supervisor([worker("a", backoff=Backoff())], max_restarts=None)
    assert caplog.text == ""


async def test_a_zombie_is_named_with_its_await_stack(autojump_clock):
    async def stubborn_sleep():
        with trio.CancelScope(shield=True):
            await trio.sleep(100)

    async def stubborn(actor):
        actor.start_soon(stubborn_sleep)

    events = []
    async with Supervisor.open([worker("z", stubborn, shutdown="brutal_kill")], on_event=events.append):
        await settle()
    zombies = [event for event in events if isinstance(event, ZombieChild)]
    assert [event.waited for event in zombies] == [10, 70]
    assert any("stubborn_sleep" in line for line in zombies[0].stack)
    assert trio.current_time() == 100


async def test_a_nested_supervisor_that_gives_up_is_restarted_only_if_permanent(autojump_clock):
    for restart, alive in (("permanent", 2), ("transient", 1)):
        made = []

        def tree(made=made):
            made.append(Supervisor([worker("leaf")], max_restarts=0))
            return made[-1]

        spec = ChildSpec(id="sub", start=tree, type="supervisor", restart=restart)
        async with Supervisor.open([spec]) as root:
            made[0].which_children()[0].ref.cast(ValueError("crash"))
            await trio.sleep(1)
            assert len(made) == alive
            assert root.count_children().supervisors == 1
            assert made[0].ref.exit_reason == ExitReason.shutdown("max_restarts")


async def test_killing_a_supervisor_kills_the_whole_tree_without_terminate():
    leaves = []

    async def note(actor):
        leaves.append(actor)

    sub = ChildSpec(
        id="sub", start=Supervisor, kwargs={"children": [worker("leaf", note)]}, type="supervisor"
    )
    async with Supervisor.open([sub, worker("b", note)]) as supervisor:
        supervisor.kill()
        assert await supervisor.wait() == KILLED
    assert [leaf.ref.exit_reason for leaf in leaves] == [KILLED, KILLED]
    assert [leaf.ended for leaf in leaves] == [None, None]


async def test_a_child_cannot_wait_for_its_supervisor(mock_clock):
    async with Supervisor.open([worker("a")]) as supervisor:
        ref = supervisor.which_children()[0].ref

        async def stop_it(actor):
            with pytest.raises(CallSelfError):
                await supervisor.stop()
            return "refused"

        async def ask_in_init(actor):
            with pytest.raises(CallSelfError):
                await supervisor.terminate_child("a")

        assert await ref.call(stop_it) == "refused"
        await supervisor.start_child(worker("b", ask_in_init))
    await supervisor.stop()
    assert mock_clock.current_time() == 0


async def test_stop_cuts_off_a_start_that_hangs():
    async with Supervisor.open() as supervisor, trio.open_nursery() as nursery:

        async def start_hanging():
            with pytest.raises(ActorExitError):
                await supervisor.start_child(worker("h", hang))

        nursery.start_soon(start_hanging)
        await settle()
        supervisor.ref.stop_soon(SHUTDOWN, drain=False)
        assert await supervisor.wait() == SHUTDOWN


async def test_leaving_the_block_cuts_off_a_restart_that_hangs(autojump_clock):
    behaviour = [None, hang]

    def make():
        return Worker(behaviour.pop(0))

    async with Supervisor.open([ChildSpec(id="h", start=make)]) as supervisor:
        supervisor.which_children()[0].ref.cast(ValueError("crash"))
        await settle()
        assert supervisor.which_children()[0].ref is None
    assert supervisor.ref.exit_reason == SHUTDOWN


async def test_a_failed_body_carries_a_note_about_a_supervisor_that_failed_too():
    with pytest.raises(KeyError) as caught:
        async with Supervisor.open([worker("a")], max_restarts=0) as supervisor:
            supervisor.which_children()[0].ref.cast(ValueError("crash"))
            try:
                await trio.sleep_forever()
            finally:
                raise KeyError("body")
    assert "RestartIntensityError" in caught.value.__notes__[0]


async def test_a_bug_in_a_supervisor_leaves_its_block():
    def broken(reason):
        raise ZeroDivisionError

    with pytest.raises(ActorExitError) as caught:
        async with Supervisor.open([worker("a", restart_if=broken)]) as supervisor:
            supervisor.which_children()[0].ref.cast(Stop(NORMAL))
            with pytest.raises(ActorExitError):
                await supervisor.wait()
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_a_group_from_the_body_is_raised_as_it_is_while_cancelled():
    with trio.CancelScope() as scope, pytest.RaisesGroup(ValueError):
        async with (
            Supervisor.open([worker("a")], max_restarts=0) as supervisor,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(trio.sleep_forever)
            await settle()
            supervisor.which_children()[0].ref.cast(ValueError("crash"))
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("body")
    assert not scope.cancel_called


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


async def test_an_interrupt_in_a_task_leaves_the_block():
    async def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with TaskSupervisor.open() as tasks:
            tasks.spawn(interrupt)
            await trio.sleep_forever()


async def test_a_supervisor_may_also_be_started_as_an_actor():
    supervisor = Supervisor([worker("a")])
    async with trio.open_nursery() as nursery:
        ref = await start(nursery, supervisor)
        child = supervisor.which_children()[0].ref
        nursery.cancel_scope.cancel()
    assert (ref.exit_reason, child.exit_reason) == (SHUTDOWN, SHUTDOWN)


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


async def test_a_retry_does_not_revive_a_child_stopped_meanwhile_but_brings_back_the_others(autojump_clock):
    go = trio.Event()

    async def fail_late(actor):
        go.set()
        await trio.sleep(1)
        raise ValueError("init failed")

    scripts = {"a": [None, fail_late], "b": [None, None]}

    def make(name):
        return Worker(scripts[name].pop(0))

    specs = [ChildSpec(id=name, start=make, args=(name,)) for name in "ab"]
    async with Supervisor.open(specs, strategy="rest_for_one") as supervisor:
        supervisor.which_children()[0].ref.cast(ValueError("crash"))
        await go.wait()
        await supervisor.terminate_child("a")
        await settle()
        assert [(info.id, info.state) for info in supervisor.which_children()] == [
            ("a", "stopped"), ("b", "running"),
        ]  # fmt: skip
        assert len(supervisor.window.history) == 1


async def test_an_open_lane_and_a_task_need_a_running_actor():
    actor = Worker()
    with pytest.raises(ActorError):
        actor.open_lane()
    with pytest.raises(ActorError):
        actor.start_soon(trio.sleep_forever)


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
