"""What can be done with an address: watch, look inside, feed a lane, find by name."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from livebridge.errors import ActorExitError, CallTimeoutError, NoProcessError
from livebridge.otp import KILLED, NORMAL, SHUTDOWN, Down, Registry, start

from ._actors import Script


async def test_a_monitor_is_told_once_in_order_and_a_late_one_at_once(nursery, caplog):
    watcher = Script()
    watching = await start(nursery, watcher)
    ref = await start(nursery, Script())
    told = []

    def bad(down):
        raise ValueError("monitor")

    ref.monitor(bad)
    ref.monitor(told.append)
    ref.monitor(lambda _down: told.append("never")).cancel()
    ref.monitor_into(watching)
    await ref.stop()
    assert told == [Down(ref, NORMAL)]
    ref.monitor(told.append)
    assert told[1].reason.kind == "noproc"
    await watching.stop()
    ref.monitor_into(watching)
    assert watcher.seen[0] == Down(ref, NORMAL)
    assert "a monitor raised" in caplog.text


async def test_a_name_has_the_verbs_of_a_ref_and_finds_the_present_incarnation(nursery):
    registry = Registry()
    name = registry.via("bot")
    told = []
    name.cast("nobody")
    await name.acast("nobody")
    name.stop_soon()
    name.monitor(told.append)
    assert told[0].reason.kind == "noproc"
    assert (name.alive, name.exit_reason.kind, name.name) == (False, "noproc", "bot")
    for verb in (lambda: name.send(1), name.kill, lambda: name.ref, lambda: name.id, lambda: name.sys):
        with pytest.raises(NoProcessError):
            verb()
    with pytest.raises(NoProcessError):
        await name.call(1)
    for _ in range(2):
        actor = Script()
        ref = await start(nursery, actor, name="bot", registry=registry)
        assert (name.alive, name.exit_reason, name.id, name.ref) == (True, None, ref.id, ref)
        name.cast(None)
        await name.acast(None)
        name.send("info")
        assert await name.call("x") == "x"
        assert (await name.sys.get_status()).name == "bot"
        watching = await start(nursery, Script())
        name.monitor(told.append)
        name.monitor_into(watching)
        await watching.stop()
        assert registry.names() == ("bot",)
        assert "bot" in repr(name)
        assert "1" in repr(registry)
        assert "running" in repr(ref)
        name.stop_soon(SHUTDOWN)
        with pytest.raises(ActorExitError):
            await name.stop()
        assert actor.seen == [None, None, "info", "x", SHUTDOWN]
    ref = await start(nursery, Script(), name="bot", registry=registry)
    async with trio.open_nursery() as inner:
        inner.start_soon(name.wait_exit)
        await trio.testing.wait_all_tasks_blocked()
        name.kill()
    assert "killed" in repr(ref)


async def test_a_lane_delivers_in_order_with_casts_and_gives_its_cost_back(nursery):
    actor = Script()
    ref = await start(nursery, actor)
    lane = actor.open_lane(capacity=4, max_cost=100)
    lane.put_nowait("frame 1", cost=60)
    ref.cast(None)
    lane.put_nowait("frame 2", cost=60)
    assert (lane.depth, lane.cost, lane.full) == (2, 120, True)
    await lane.wait_capacity()
    await ref.call("x")
    assert (lane.depth, lane.cost, lane.peak) == (0, 0, 2)
    assert actor.seen[:3] == ["frame 1", None, "frame 2"]
    await ref.stop()
    with pytest.raises(NoProcessError):
        lane.put_nowait("late")


async def test_waiting_verbs_are_checkpoints(nursery):
    ref = await start(nursery, Script())
    for wait in (lambda: ref.call("x"), lambda: ref.acast(None), ref.sys.get_status, ref.sys.get_state):
        with trio.testing.assert_checkpoints():
            await wait()
    await ref.stop()
    for wait in (lambda: ref.acast(None), ref.wait_exit):
        with trio.testing.assert_checkpoints():
            await wait()


async def test_sys_shows_traces_counts_and_changes_an_actor(nursery, autojump_clock):
    actor = Script()
    ref = await start(nursery, actor)
    events = []

    def broken(event):
        raise ValueError("hook")

    await ref.sys.trace(events.append)
    await ref.sys.trace(broken)
    assert await ref.sys.log(3) == ()
    await ref.call("x")
    ref.cast(None)
    await trio.testing.wait_all_tasks_blocked()
    await ref.sys.untrace(events.append)
    await ref.call("y")
    assert [(event.direction, event.kind, event.message) for event in events] == [
        ("in", "call", "x"), ("out", "call", "x"), ("noreply", "call", "x"),
        ("in", "cast", None), ("noreply", "cast", None),
    ]  # fmt: skip
    kept = await ref.sys.log(0)
    assert [event.direction for event in kept] == ["in", "out", "noreply"]
    assert not actor.ref._cell.meter.tracing
    await ref.sys.untrace(print)
    await ref.sys.trace(kept_only := [].append)
    await ref.call("unlogged")
    await ref.sys.untrace(kept_only)
    statistics = await ref.sys.statistics()
    assert (statistics.accepted, statistics.handled, statistics.replies) == (4, 4, 3)
    state = await ref.sys.replace_state(lambda it: setattr(it, "seen", ["replaced"]))
    assert state["seen"] == ["replaced"]
    with pytest.raises(ZeroDivisionError):
        await ref.sys.replace_state(lambda _it: 1 / 0)

    async def nap():
        await trio.sleep(20)

    ref.cast(nap)
    await trio.sleep(4)
    status = await ref.sys.get_status()
    assert (status.current, status.handler_age) == ("function", 4)
    with pytest.raises(CallTimeoutError):
        await ref.sys.get_state()
    await ref.stop()
    with pytest.raises(NoProcessError):
        await ref.sys.get_state()
    with pytest.raises(NoProcessError):
        await ref.sys.get_status()


async def test_a_question_to_an_actor_that_ends_meanwhile_fails_with_its_reason(nursery):
    actor = Script()
    ref = await start(nursery, actor)
    gate = trio.Event()
    failures = []

    async def ask():
        try:
            await ref.sys.get_state()
        except ActorExitError as exc:
            failures.append(exc.reason)

    ref.cast(gate.wait)
    async with trio.open_nursery() as askers:
        await trio.testing.wait_all_tasks_blocked()
        askers.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        ref.kill()
    assert failures == [KILLED]
