"""Invariants 1 to 12: what every actor guarantees."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import trio
import trio.testing

from livebridge.errors import (
    ActorExitError,
    AlreadyStartedError,
    CallSelfError,
    CallTimeoutError,
    MailboxFullError,
    NoProcessError,
    StartError,
)
from livebridge.otp import (
    KILLED,
    NOREPLY,
    NORMAL,
    SHUTDOWN,
    Caller,
    Continue,
    ExitReason,
    GenServer,
    Ignore,
    Ref,
    Registry,
    Stop,
    StopInit,
    start,
    start_link,
)


class Probe(GenServer):
    """Does what it is told, and keeps a record."""

    def __init__(self) -> None:
        self.seen = []
        self.terminated = []
        self.callers = []
        self.gate = trio.Event()

    async def init(self, behave=None):
        self.seen.append("init")
        if behave is not None:
            return await behave(self)
        return None

    async def handle_continue(self, arg):
        self.seen.append(("continue", arg))

    async def handle_call(self, request, caller: Caller):
        self.seen.append(request)
        if callable(request):
            return await request(self)
        if request == "defer":
            self.callers.append(caller)
            return NOREPLY
        if request == "wait":
            await self.gate.wait()
        return request

    async def handle_cast(self, request):
        self.seen.append(request)
        if isinstance(request, BaseException):
            raise request
        if isinstance(request, Stop):
            return request
        return None

    async def handle_info(self, message):
        self.seen.append(message)

    async def terminate(self, reason):
        self.terminated.append(reason)


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def outcome_of(ref: Ref, request: object, into: list, timeout: float | None = None) -> None:
    try:
        into.append(await ref.call(request, timeout=timeout))
    except Exception as exc:
        into.append(exc)


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


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("stop", NORMAL),
        ("stop now", SHUTDOWN),
        ("Stop", ExitReason.shutdown("done")),
        ("exception", "error"),
        ("cancel", SHUTDOWN),
        ("kill", None),
        ("init", None),
        ("ignore", None),
    ],
)
async def test_invariant_07_terminate_runs_exactly_once_or_never(end, reason):
    async def behave(probe):
        if end == "init":
            raise ValueError("init")
        if end == "ignore":
            raise Ignore

    probe = Probe()
    async with trio.open_nursery() as nursery:
        try:
            ref = await start(nursery, probe, behave)
        except ValueError:
            ref = None
        if end == "stop":
            await ref.stop()
        elif end == "stop now":
            await ref.stop(SHUTDOWN, drain=False)
        elif end == "Stop":
            ref.cast(Stop(ExitReason.shutdown("done")))
        elif end == "exception":
            ref.cast(KeyError("x"))
        elif end == "cancel":
            nursery.cancel_scope.cancel()
        elif end == "kill":
            ref.kill()
    expected = [] if reason is None else [probe.ref.exit_reason if reason == "error" else reason]
    assert probe.terminated == expected
    if reason == "error":
        assert probe.ref.exit_reason.kind == "error"
    if end == "kill":
        assert probe.ref.exit_reason == KILLED


class SlowToGo(Probe):
    terminate_timeout = 4.0

    async def terminate(self, reason):
        self.terminated.append(reason)
        await trio.sleep(self.nap)
        self.seen.append("cleaned up")


@pytest.mark.parametrize(("nap", "after", "reason"), [(3.0, 3.0, SHUTDOWN), (9.0, 4.0, KILLED)])
async def test_invariant_08_terminate_may_wait_and_is_cut_off(autojump_clock, nap, after, reason):
    probe = SlowToGo()
    probe.nap = nap
    async with trio.open_nursery() as nursery:
        ref = await start(nursery, probe)
        nursery.cancel_scope.cancel()
    assert trio.current_time() == after
    assert ref.exit_reason == reason
    assert ("cleaned up" in probe.seen) == (nap < 4)


async def test_invariant_08_kill_pierces_a_running_terminate(nursery, autojump_clock):
    probe = SlowToGo()
    probe.nap = 3
    ref = await start(nursery, probe)
    ref.stop_soon()
    await trio.sleep(1)
    ref.kill()
    assert await ref.wait_exit() == KILLED
    assert trio.current_time() == 1


async def test_invariant_09_whoever_observes_an_exit_finds_the_name_free_and_the_reason_set(nursery):
    registry = Registry()
    probe = Probe()
    ref = await start(nursery, probe, name="bot", registry=registry)
    views = []

    def look(who):
        views.append((who, registry.whereis("bot"), ref.exit_reason, ref.alive))

    async def wait():
        await ref.wait_exit()
        look("wait_exit")

    async def call():
        with pytest.raises(ActorExitError):
            await ref.call("wait", timeout=None)
        look("call")

    ref.monitor(lambda _down: look("monitor"))
    async with trio.open_nursery() as observers:
        observers.start_soon(wait)
        observers.start_soon(call)
        await settle()
        ref.kill()
    assert sorted(view[0] for view in views) == ["call", "monitor", "wait_exit"]
    assert all(view[1:] == (None, KILLED, False) for view in views)


def test_invariant_10_cancelling_at_any_step_loses_and_duplicates_no_message(cancel_everywhere):
    def make():
        accepted, handled, refs = [], [], []

        class Taker(GenServer):
            async def init(self):
                self.lane = self.open_lane(capacity=2, max_cost=5)

            async def handle_info(self, message):
                handled.append(message)
                await trio.lowlevel.checkpoint()

            async def handle_cast(self, request):
                handled.append(request)

            async def terminate(self, reason):
                await trio.lowlevel.checkpoint()

        async def scenario():
            async with trio.open_nursery() as nursery:
                actor = Taker()
                ref = await start(nursery, actor)
                refs.append(ref)
                for number in range(3):
                    await actor.lane.wait_capacity()
                    actor.lane.put_nowait(("lane", number), cost=3)
                    accepted.append(("lane", number))
                    ref.cast(("cast", number))
                    accepted.append(("cast", number))
                await ref.stop()

        def verify():
            left = sum(ref._cell.leftovers for ref in refs)
            assert max(Counter(handled).values(), default=0) <= 1
            assert handled == accepted[: len(handled)]
            assert len(handled) + left == len(accepted)
            assert all(not ref.alive for ref in refs)

        return scenario, verify

    assert cancel_everywhere(make) > 20


async def test_invariant_11_a_crash_of_a_started_actor_raises_nothing(nursery):
    ref = await start(nursery, Probe())
    ref.cast(ValueError("boom"))
    assert (await ref.wait_exit()).kind == "error"
    assert nursery.child_tasks is not None
    assert not nursery.cancel_scope.cancel_called


async def test_invariant_11_a_crash_of_a_linked_actor_raises_actor_exit_error_in_its_nursery():
    cause = ValueError("boom")
    with pytest.RaisesGroup(ActorExitError) as caught:
        async with trio.open_nursery() as nursery:
            ref = await start_link(nursery, Probe())
            ref.cast(cause)
            await trio.sleep_forever()
    assert caught.value.exceptions[0].__cause__ is cause
    async with trio.open_nursery() as nursery:
        ref = await start_link(nursery, Probe())
        await ref.stop(SHUTDOWN)
    assert ref.exit_reason == SHUTDOWN


async def test_invariant_11_a_group_raised_by_a_handler_is_one_reason_and_cancelled_travels_on(nursery):
    async def both(probe):
        async with trio.open_nursery() as inner:
            inner.start_soon(trio.sleep_forever)
            await trio.lowlevel.checkpoint()
            raise ValueError("boom")

    ref = await start(nursery, Probe())
    with pytest.raises(ActorExitError) as caught:
        await ref.call(both)
    assert isinstance(caught.value.reason.exc, ExceptionGroup)

    async def crash_while_cancelled(probe):
        async with trio.open_nursery() as inner:
            inner.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("cleanup failed")

    probe = Probe()
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as outer:
            ref = await start(outer, probe)
            outer.start_soon(outcome_of, ref, crash_while_cancelled, [])
            await settle()
            scope.cancel()
    assert scope.cancelled_caught
    assert ref.exit_reason.kind == "error"
    assert len(probe.terminated) == 1


async def test_invariant_12_cast_to_the_dead_is_silent_and_a_full_mailbox_raises(nursery):
    class Small(Probe):
        mailbox_capacity = 1

    probe = Small()
    ref = await start(nursery, probe)
    outcomes = []
    nursery.start_soon(outcome_of, ref, "wait", outcomes)
    await settle()
    ref.cast(1)
    with pytest.raises(MailboxFullError):
        ref.cast(2)
    with pytest.raises(MailboxFullError):
        ref.send(2)
    assert (await ref.sys.get_status()).depth == 1
    probe.gate.set()
    await ref.stop(drain=False)
    ref.cast(3)
    await ref.acast(4)
    with pytest.raises(NoProcessError):
        ref.send(5)
    with pytest.raises(NoProcessError):
        await ref.stop()
    assert probe.seen == ["init", "wait"]


async def test_invariant_12_a_suspended_actor_serves_only_the_system_lane(nursery):
    probe = Probe()
    ref = await start(nursery, probe)
    await ref.sys.suspend()
    ref.cast("later")
    await settle()
    assert probe.seen == ["init"]
    assert (await ref.sys.get_state())["seen"] == ["init"]
    assert (await ref.sys.get_status()).phase == "suspended"
    await ref.sys.resume()
    await settle()
    assert probe.seen == ["init", "later"]
    await ref.sys.suspend()
    ref.cast("never")
    await ref.stop(drain=False, timeout=math.inf)
    assert probe.seen == ["init", "later"]
