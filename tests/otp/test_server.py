"""What a GenServer class may look like, what its callbacks may return, and the tasks beside it."""

from __future__ import annotations

import logging

import pytest
import trio
import trio.testing

from livebridge.errors import (
    ActorError,
    ActorExitError,
    CallTimeoutError,
    ConfigError,
    NoProcessError,
    StartError,
)
from livebridge.otp import (
    KILLED,
    NOREPLY,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    Continue,
    Down,
    ExitReason,
    GenServer,
    Registry,
    Reply,
    Stop,
    Timeout,
    start,
)


class Script(GenServer):
    """Answers with whatever step the request is."""

    def __init__(self):
        self.seen = []
        self.api_key = "very secret"

    async def init(self, step=None):
        return step

    async def handle_call(self, request, caller):
        self.seen.append(request)
        return await request(caller) if callable(request) else request

    async def handle_cast(self, request):
        self.seen.append(request)
        return await request() if callable(request) else request

    async def handle_info(self, message):
        self.seen.append(message)

    async def handle_continue(self, arg):
        self.seen.append(("continue", arg))
        return Continue(arg - 1) if arg else None

    async def terminate(self, reason):
        self.seen.append(reason)


def test_a_misspelt_callback_fails_when_the_class_is_made():
    with pytest.raises(ConfigError, match=r"Bot.handle_cal is no callback; did you mean handle_call"):
        type("Bot", (GenServer,), {"handle_cal": lambda _self: None})
    with pytest.raises(ConfigError, match="async def"):
        type("Bot", (GenServer,), {"handle_cast": lambda _self, _request: None})


def test_an_actor_needs_no_super_init_and_has_no_ref_before_its_start():
    actor = Script()
    with pytest.raises(ActorError, match="start"):
        _ = actor.ref
    assert set(vars(actor)) == {"seen", "api_key"}


async def test_the_runtime_owns_one_name_and_an_instance_starts_once(nursery):
    actor = Script()
    ref = await start(nursery, actor)
    assert set(vars(actor)) == {"seen", "api_key", "_actor"}
    with pytest.raises(StartError, match="new instance"):
        await start(nursery, actor)
    await ref.stop()


async def test_reply_then_continue_chains_before_any_message(nursery):
    actor = Script()
    ref = await start(nursery, actor)

    async def then(caller):
        ref.cast(None)
        return Reply("now", Continue(2))

    assert await ref.call(then) == "now"
    await ref.stop()
    assert actor.seen[1:] == [("continue", 2), ("continue", 1), ("continue", 0), None, NORMAL]


async def test_an_endless_chain_of_continues_can_be_stopped():
    class Spinner(GenServer):
        async def init(self):
            return Continue()

        async def handle_continue(self, arg):
            return Continue()

    async with trio.open_nursery() as nursery:
        ref = await start(nursery, Spinner())
        for _ in range(5):
            await trio.lowlevel.checkpoint()
        ref.kill()
    assert ref.exit_reason == KILLED


@pytest.mark.parametrize("step", [NOREPLY, Timeout(100), Continue(0)])
async def test_a_reply_may_come_later_from_any_task_and_the_first_wins(nursery, autojump_clock, step):
    actor = Script()
    ref = await start(nursery, actor)

    async def later(caller):
        async def answer():
            await trio.sleep(1)
            caller.reply("first")
            caller.reply("second")
            caller.reply_error(ValueError("third"))

        actor.start_soon(answer)
        return step

    assert await ref.call(later) == "first"
    await ref.stop()
    assert ref.exit_reason == NORMAL


async def test_reply_error_raises_in_the_caller_and_the_actor_lives_on(nursery):
    ref = await start(nursery, Script())

    async def refuse(caller):
        assert "waiting" in repr(caller)
        caller.reply_error(LookupError("no such table"))
        assert "settled" in repr(caller)
        return NOREPLY

    with pytest.raises(LookupError, match="no such table"):
        await ref.call(refuse)
    assert ref.alive
    await ref.stop()


async def test_stop_with_a_reply_runs_terminate_first(nursery):
    actor = Script()
    ref = await start(nursery, actor)
    order = []

    async def watch(caller):
        return Stop(SHUTDOWN, reply=None)

    ref.monitor(order.append)
    assert await ref.call(watch) is None
    assert actor.seen[-1] == SHUTDOWN
    assert order == [Down(ref, SHUTDOWN)]


async def test_stop_without_a_reply_fails_the_caller(nursery):
    ref = await start(nursery, Script())
    with pytest.raises(ActorExitError) as caught:
        await ref.call(Stop(ExitReason.shutdown("full")))
    assert caught.value.reason == ExitReason.shutdown("full")


async def test_a_wrong_return_value_ends_the_actor_and_says_what_is_legal(nursery):
    ref = await start(nursery, Script())
    ref.cast(42)
    reason = await ref.wait_exit()
    assert isinstance(reason.exc, TypeError)
    assert "Continue" in str(reason.exc)
    with pytest.raises(TypeError, match="init returned int"):
        await start(nursery, Script(), 42)
    ref = await start(nursery, Script())
    ref.cast(NOREPLY)
    await ref.stop()


async def test_an_idle_timeout_fires_unless_a_message_comes_and_system_messages_do_not_count(
    nursery, autojump_clock
):
    actor = Script()
    ref = await start(nursery, actor, Timeout(10))
    await trio.sleep(6)
    await ref.sys.get_state()
    await trio.sleep(9)
    assert actor.seen == []
    await trio.sleep(2)
    assert actor.seen == [TIMEOUT]
    ref.cast(Timeout(10))
    await trio.sleep(5)
    ref.send("message")
    await trio.sleep(100)
    assert actor.seen[2:] == ["message"]
    ref.cast(Timeout(0))
    ref.send("first")
    await trio.sleep(1)
    assert actor.seen[4:] == ["first"]
    assert repr(TIMEOUT) == "TIMEOUT"
    await ref.stop()


async def test_missing_handlers_end_the_actor_but_an_unexpected_info_is_only_logged(nursery, caplog):
    for verb in ("call", "cast"):
        ref = await start(nursery, GenServer())
        if verb == "cast":
            ref.cast("x")
        else:
            with pytest.raises(ActorExitError):
                await ref.call("x")
        assert isinstance((await ref.wait_exit()).exc, NotImplementedError)

    class Starter(GenServer):
        async def init(self):
            return Continue()

    ref = await start(nursery, Starter())
    assert isinstance((await ref.wait_exit()).exc, NotImplementedError)
    caplog.clear()
    ref = await start(nursery, GenServer())
    ref.send({"password": "hunter2"})
    await ref.stop()
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        f"{ref.name} got a dict, but has no handle_info"
    ]


async def test_tasks_beside_an_actor_live_through_terminate_and_end_with_it(autojump_clock):
    log = []

    class Host(GenServer):
        async def init(self):
            self.start_soon(self.work, "a", name="worker")

        async def work(self, name):
            try:
                while True:
                    log.append(trio.current_time())
                    await trio.sleep(1)
            finally:
                log.append("gone")

        async def terminate(self, reason):
            self.start_soon(trio.sleep_forever)
            await trio.sleep(2.25)
            log.append("terminated")

    with trio.move_on_after(1.5):
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Host())
    assert log == [0, 1, 2, 3, "terminated", "gone"]
    assert ref.exit_reason == SHUTDOWN
    with pytest.raises(NoProcessError):
        ref._cell.start_soon(trio.sleep_forever, "x")


async def test_an_error_in_a_task_beside_an_actor_is_its_exit_reason_and_terminate_runs(nursery):
    error = ValueError("task")

    async def fail():
        raise error

    actor = Script()
    ref = await start(nursery, actor)
    actor.start_soon(fail)
    reason = await ref.wait_exit()
    assert reason.exc is error
    assert actor.seen == [reason]


async def test_an_error_of_a_task_while_it_is_cancelled_at_the_end_is_not_lost(nursery):
    async def stubborn():
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("cleanup")

    actor = Script()
    ref = await start(nursery, actor)
    actor.start_soon(stubborn)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(ActorExitError, match="cleanup"):
        await ref.stop()


async def test_kill_cancels_the_tasks_and_an_actor_that_is_still_starting(nursery, autojump_clock):
    class Hanging(GenServer):
        async def init(self):
            self.start_soon(trio.sleep_forever)
            await trio.sleep_forever()

    actor = Hanging()

    async def killer():
        await trio.sleep(1)
        actor.ref.kill()
        actor.ref.kill()

    nursery.start_soon(killer)
    with pytest.raises(ActorExitError) as caught:
        await start(nursery, actor)
    assert caught.value.reason == KILLED
    actor.ref.kill()


async def test_what_terminate_raises_becomes_the_reason(nursery):
    class Bad(GenServer):
        async def terminate(self, reason):
            raise ValueError("terminate")

    ref = await start(nursery, Bad())
    with pytest.raises(ActorExitError, match="terminate"):
        await ref.stop()


@pytest.mark.parametrize("where", ["handler", "terminate", "task"])
async def test_an_interrupt_leaves_where_the_actor_was_started(where):
    class Interrupted(GenServer):
        async def init(self):
            if where == "task":
                self.start_soon(self.interrupt)

        async def interrupt(self):
            raise KeyboardInterrupt

        async def handle_cast(self, request):
            if where == "handler":
                raise KeyboardInterrupt
            return Stop()

        async def terminate(self, reason):
            if where == "terminate":
                raise KeyboardInterrupt

    with pytest.RaisesGroup(KeyboardInterrupt):
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Interrupted())
            ref.cast("x")
    assert not ref.alive


async def test_stop_times_out_without_killing_and_fails_if_the_reason_differs(nursery, autojump_clock):
    actor = Script()
    ref = await start(nursery, actor)
    gate = trio.Event()
    ref.cast(gate.wait)
    with pytest.raises(CallTimeoutError):
        await ref.stop(timeout=3)
    assert ref.alive
    actor.start_soon(trio.sleep, 1)
    ref.stop_soon(SHUTDOWN)
    gate.set()
    ref2 = await start(nursery, Script())
    ref2.stop_soon(SHUTDOWN)
    with pytest.raises(ActorExitError):
        await ref2.stop(NORMAL)
    assert await ref.wait_exit() == NORMAL


async def test_one_error_record_per_crash_without_secrets_and_none_for_clean_ends(nursery, caplog):
    caplog.set_level(logging.DEBUG, logger="livebridge.otp")
    ref = await start(nursery, Script(), name="till")

    async def boom(caller):
        raise ValueError("boom")

    with pytest.raises(ActorExitError):
        await ref.call(boom)
    clean = await start(nursery, Script())
    await clean.stop()
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    record = errors[0]
    assert (record.actor, record.last_message, record.undelivered) == ("till", "function", 0)
    assert record.exc_info[1].args == ("boom",)
    assert record.caller
    assert "very secret" not in caplog.text
    assert record.actor_state["api_key"] == "'<redacted>'"


async def test_a_broken_format_state_does_not_hide_the_crash(nursery, caplog):
    class Broken(Script):
        def format_state(self):
            raise KeyError("oops")

    ref = await start(nursery, Broken())
    ref.cast(3)
    await ref.wait_exit()
    assert "raised KeyError" in caplog.text


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
