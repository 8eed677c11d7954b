"""Commands, events and odd ends of a supervisor."""

from __future__ import annotations

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
    ChildSpec,
    ChildStarted,
    Escalated,
    ExitReason,
    Stop,
    Supervisor,
    ZombieChild,
    start,
)

from ._actors import settle
from ._children import Worker, fail, hang, ignore, worker


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


async def test_a_supervisor_may_also_be_started_as_an_actor():
    supervisor = Supervisor([worker("a")])
    async with trio.open_nursery() as nursery:
        ref = await start(nursery, supervisor)
        child = supervisor.which_children()[0].ref
        nursery.cancel_scope.cancel()
    assert (ref.exit_reason, child.exit_reason) == (SHUTDOWN, SHUTDOWN)


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
