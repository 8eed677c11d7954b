"""Tasks beside an actor, the ways it ends, and what the log says of that."""

from __future__ import annotations

import logging

import pytest
import trio
import trio.testing

from livebridge.errors import ActorExitError, CallTimeoutError, NoProcessError
from livebridge.otp import KILLED, NORMAL, SHUTDOWN, GenServer, Stop, start

from ._actors import Script


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
