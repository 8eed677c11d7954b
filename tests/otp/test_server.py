"""What a GenServer class may look like, and what its callbacks may return."""

from __future__ import annotations

import logging

import pytest
import trio
import trio.testing

from livebridge.errors import ActorError, ActorExitError, ConfigError, StartError
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
    Reply,
    Stop,
    Timeout,
    start,
)

from ._actors import Script


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
