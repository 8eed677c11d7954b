"""Invariants 7 to 12: the end of an actor, and what it means for everybody else."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import trio
import trio.testing

from livebridge.errors import ActorExitError, MailboxFullError, NoProcessError
from livebridge.otp import (
    KILLED,
    NORMAL,
    SHUTDOWN,
    ExitReason,
    GenServer,
    Ignore,
    Registry,
    Stop,
    start,
    start_link,
)

from ._actors import Probe, outcome_of, settle


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
