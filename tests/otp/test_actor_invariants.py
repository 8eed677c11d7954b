"""Invariants 1 to 6: starting an actor, and talking to it."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from livebridge.errors import (
    ActorExitError,
    AlreadyStartedError,
    CallSelfError,
    CallTimeoutError,
    NoProcessError,
    StartError,
)
from livebridge.otp import NORMAL, SHUTDOWN, Continue, Ignore, Registry, StopInit, start

from ._actors import Probe, outcome_of, settle


async def test_invariant_01_start_returns_only_after_init(nursery, autojump_clock):
    async def slow(probe):
        await trio.sleep(3)
        probe.seen.append("slow init done")

    probe = Probe()
    before = trio.current_time()
    ref = await start(nursery, probe, slow)
    assert trio.current_time() == before + 3
    assert probe.seen == ["init", "slow init done"]
    assert ref is probe.ref
    ref.kill()


async def test_invariant_01_an_init_exception_is_raised_raw_and_the_name_is_free(nursery):
    registry = Registry()
    error = ValueError("no")

    async def fail(probe):
        probe.start_soon(trio.sleep_forever)
        raise error

    probe = Probe()
    with pytest.raises(ValueError) as caught:
        await start(nursery, probe, fail, name="bot", registry=registry)
    assert caught.value is error
    assert registry.whereis("bot") is None
    assert probe.terminated == []
    assert probe.ref.exit_reason.exc is error
    with pytest.raises(NoProcessError):
        await probe.ref.call("x")


async def test_invariant_01_a_taken_name_raises_before_init(nursery):
    registry = Registry()
    ref = await start(nursery, Probe(), name="bot", registry=registry)
    second = Probe()
    with pytest.raises(AlreadyStartedError) as caught:
        await start(nursery, second, name="bot", registry=registry)
    assert caught.value.name == "bot"
    assert caught.value.ref is ref
    assert second.seen == []
    await ref.stop()


async def test_invariant_01_init_timeout_raises_start_error_and_leaves_nothing(nursery, autojump_clock):
    registry = Registry()

    async def hang(probe):
        await trio.sleep_forever()

    with pytest.raises(StartError, match="timeout"):
        await start(nursery, Probe(), hang, name="bot", registry=registry, timeout=2)
    assert trio.current_time() == 2
    assert len(registry) == 0


async def test_invariant_01_stop_init_and_ignore_are_quiet_and_leave_no_actor(nursery, caplog):
    async def refuse(probe):
        raise StopInit("not today")

    async def ignore(probe):
        raise Ignore

    probe = Probe()
    with pytest.raises(StopInit) as caught:
        await start(nursery, probe, refuse)
    assert caught.value.reason == "not today"
    ignored = Probe()
    assert await start(nursery, ignored, ignore) is None
    assert ignored.ref.exit_reason == NORMAL
    assert probe.terminated == ignored.terminated == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_invariant_02_continue_from_init_precedes_messages_sent_during_init(nursery):
    async def init(probe):
        probe.ref.cast("early cast")
        probe.ref.send("early info")
        return Continue("boot")

    probe = Probe()
    ref = await start(nursery, probe, init)
    await ref.stop()
    assert probe.seen == ["init", ("continue", "boot"), "early cast", "early info"]


@pytest.mark.parametrize("round_", range(20))
async def test_invariant_03_messages_of_one_sender_are_handled_in_order(nursery, round_):
    probe = Probe()
    ref = await start(nursery, probe)

    async def sender(letter):
        for number in range(10):
            verb = (number + round_) % 4
            message = (letter, number)
            if verb == 0:
                ref.cast(message)
            elif verb == 1:
                ref.send(message)
            elif verb == 2:
                assert await ref.call(message) == message
            else:
                await ref.acast(message)

    async with trio.open_nursery() as senders:
        for letter in "abc":
            senders.start_soon(sender, letter)
    await ref.stop()
    for letter in "abc":
        assert [n for item in probe.seen[1:] for (who, n) in [item] if who == letter] == list(range(10))


async def test_invariant_04_call_times_out_exactly_and_a_late_reply_answers_nobody(nursery, autojump_clock):
    probe = Probe()
    ref = await start(nursery, probe)
    with pytest.raises(CallTimeoutError) as caught:
        await ref.call("defer")
    assert trio.current_time() == 5.0
    assert isinstance(caught.value, TimeoutError)
    assert probe.callers[0].abandoned
    probe.callers[0].reply("late")
    assert await ref.call("next") == "next"
    await ref.stop()


async def test_invariant_04_a_reply_wins_a_tie_with_the_deadline(nursery, autojump_clock):
    probe = Probe()
    ref = await start(nursery, probe)
    for _ in range(20):
        replies = []
        probe.callers.clear()

        async def answer(probe=probe):
            await trio.sleep(5)
            probe.callers[0].reply("in time")

        async with trio.open_nursery() as both:
            both.start_soon(answer)
            both.start_soon(outcome_of, ref, "defer", replies, 5)
        assert replies[0] == "in time" or isinstance(replies[0], CallTimeoutError)
        assert (replies[0] == "in time") == (not probe.callers[0].abandoned)
    await ref.stop()


async def test_invariant_04_an_abandoned_request_is_still_handled(nursery, autojump_clock):
    probe = Probe()
    ref = await start(nursery, probe)
    with pytest.raises(CallTimeoutError):
        await ref.call("wait", timeout=1)
    with pytest.raises(CallTimeoutError):
        await ref.call("queued", timeout=1)
    probe.gate.set()
    await ref.stop()
    assert probe.seen == ["init", "wait", "queued"]


@pytest.mark.parametrize("end", ["crash", "kill", "stop"])
async def test_invariant_05_all_callers_fail_with_the_exit_reason(nursery, mock_clock, end):
    class Small(Probe):
        mailbox_capacity = 2

    probe = Small()
    ref = await start(nursery, probe)
    outcomes = []
    async with trio.open_nursery() as callers:
        callers.start_soon(outcome_of, ref, "defer", outcomes)
        await settle()
        callers.start_soon(outcome_of, ref, "wait", outcomes)  # in flight
        await settle()
        if end == "crash":
            ref.cast(ValueError("boom"))
        elif end == "stop":
            ref.stop_soon(SHUTDOWN)
        for _ in range(3):  # queued, and blocked for want of room
            callers.start_soon(outcome_of, ref, "queued", outcomes)
        await settle()
        if end == "kill":
            ref.kill()
        probe.gate.set()
    reason = ref.exit_reason
    failures = [item for item in outcomes if isinstance(item, Exception)]
    assert len(outcomes) == 5
    assert len(failures) == (5 if end == "kill" else 4)
    assert all(type(item) is ActorExitError and item.reason is reason for item in failures)
    assert all(item.__cause__ is reason.exc for item in failures)
    assert mock_clock.current_time() == 0


async def test_invariant_06_a_call_to_self_raises_at_once(nursery, mock_clock):
    probe = Probe()
    ref = await start(nursery, probe)
    for verb in ("call", "stop", "wait_exit", "sys"):

        async def to_self(probe, verb=verb):
            try:
                if verb == "call":
                    await probe.ref.call("x")
                elif verb == "stop":
                    await probe.ref.stop()
                elif verb == "sys":
                    await probe.ref.sys.get_state()
                else:
                    await probe.ref.wait_exit()
            except CallSelfError as exc:
                return exc

        assert isinstance(await ref.call(to_self), CallSelfError)
    await ref.stop()
    assert mock_clock.current_time() == 0


async def test_invariant_06_a_circle_of_calls_raises_instead_of_timing_out(nursery, mock_clock):
    refs = [await start(nursery, Probe()) for _ in range(3)]

    async def third(probe):
        try:
            return await refs[0].call("back to the first")
        except CallSelfError as exc:
            return exc

    async def second(probe):
        return await refs[2].call(third)

    async def first(probe):
        return await refs[1].call(second)

    error = await refs[0].call(first)
    assert isinstance(error, CallSelfError)
    assert str(error).count("->") == 3
    for ref in refs:
        await ref.stop()
    assert mock_clock.current_time() == 0


async def test_invariant_06_a_deferred_reply_is_no_circle(nursery, autojump_clock):
    a, b = Probe(), Probe()
    ref_a, ref_b = await start(nursery, a), await start(nursery, b)

    async def ask_b(probe):
        return await ref_b.call("defer")

    async def answer_then_ask_a(probe):
        probe.callers.pop().reply("answered")
        return await ref_a.call("fine")

    replies = []
    async with trio.open_nursery() as callers:
        callers.start_soon(outcome_of, ref_a, ask_b, replies)
        await settle()
        assert await ref_b.call(answer_then_ask_a) == "fine"
    assert replies == ["answered"]
    await ref_a.stop()
    await ref_b.stop()
