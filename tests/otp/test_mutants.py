"""Each property, checked against a runtime that breaks it on purpose: a test that cannot fail proves nothing.

Every property is a plain function that runs a small world of its own and asserts. The first test runs them all on
the real runtime. The second applies one mutant at a time and expects the named property to fail, or to hang, which
the clock on the wall notices.
"""

from __future__ import annotations

from collections import Counter, deque

import pytest
import trio
import trio.testing

from livebridge.errors import ActorExitError, CallSelfError, RestartIntensityError
from livebridge.otp import (
    KILLED,
    NORMAL,
    Backoff,
    ChildExited,
    ChildSpec,
    ChildStarted,
    GenServer,
    Registry,
    RestartWindow,
    Stop,
    Supervisor,
    start,
)
from livebridge.otp._backoff import Backoff as PureBackoff
from livebridge.otp._cell import LOOPS, Cell
from livebridge.otp._mailbox import Mailbox
from livebridge.otp._process import Process
from livebridge.otp._strategy import ChildState

GUARD_SECONDS = 10.0


class Worker(GenServer):
    nap = 0.0

    def __init__(self, name="w", log=None):
        self.name = name
        self.log = [] if log is None else log

    async def init(self):
        self.log.append(f"+{self.name}")

    async def handle_call(self, request, caller):
        if request == "bye":
            return Stop(NORMAL, reply="bye")
        if request == "self":
            return await self.ref.call("x")
        if request == "block":
            await trio.sleep_forever()
        return request

    async def handle_cast(self, request):
        if isinstance(request, BaseException):
            raise request
        self.log.append(request)

    async def terminate(self, reason):
        self.log.append(f"-{self.name}")
        await trio.sleep(self.nap)
        self.log.append(f"x{self.name}")


class Slow(Worker):
    nap = 1.0


def run(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def stops_in_reverse_order():
    log = []

    async def main():
        async with Supervisor.open([ChildSpec(id=n, start=Slow, args=(n, log)) for n in "abc"]):
            log.clear()

    run(main)
    assert log == ["-c", "xc", "-b", "xb", "-a", "xa"]


def cancellation_stops_in_order():
    log = []

    async def main():
        with trio.move_on_after(1):
            async with Supervisor.open([ChildSpec(id=n, start=Slow, args=(n, log)) for n in "abc"]):
                log.clear()
                await trio.sleep_forever()

    run(main)
    assert log == ["-c", "xc", "-b", "xb", "-a", "xa"]


def names_are_free_after_the_end():
    async def main():
        registry = Registry()
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Worker(), name="bot", registry=registry)
            await ref.stop()
            assert registry.whereis("bot") is None

    run(main)


def a_reply_of_stop_reaches_its_caller():
    async def main():
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Worker())
            assert await ref.call("bye") == "bye"

    run(main)


def an_old_delay_starts_nothing():
    events = []

    async def main():
        spec = ChildSpec(id="a", start=Worker, backoff=Backoff(initial=10, factor=2, jitter="none"))
        async with Supervisor.open([spec], max_restarts=None, on_event=events.append) as supervisor:
            supervisor.which_children()[0].ref.cast(ValueError("first"))
            await trio.sleep(5)
            await supervisor.terminate_child("a")
            await supervisor.restart_child("a")
            supervisor.which_children()[0].ref.cast(ValueError("second"))
            await trio.sleep(100)

    run(main)
    assert [event.at for event in events if isinstance(event, ChildStarted)] == [0, 5, 25]


def a_crash_of_the_age_of_the_window_counts():
    async def main():
        async with Supervisor.open(
            [ChildSpec(id="a", start=Worker)], max_restarts=1, max_seconds=5
        ) as supervisor:
            for _ in range(2):
                supervisor.which_children()[0].ref.cast(ValueError("crash"))
                await trio.sleep(5)
            await trio.sleep(5)

    with pytest.raises(RestartIntensityError):
        run(main)


def simultaneous_crashes_count_once():
    async def main():
        specs = [ChildSpec(id=n, start=Worker, args=(n,)) for n in "ab"]
        async with Supervisor.open(specs, strategy="one_for_all") as supervisor:
            for info in supervisor.which_children():
                info.ref.cast(ValueError("crash"))
            await trio.sleep(10)
            assert len(supervisor.window.history) == 1
            assert [info.restarts for info in supervisor.which_children()] == [1, 1]

    for _ in range(20):
        run(main)


def no_message_is_lost_between_queue_and_handler():
    for at in range(1, 20):
        actors = []

        async def main(at=at, actors=actors):
            async with trio.open_nursery() as nursery:
                actor = Worker()
                actors.append(actor)
                ref = await start(nursery, actor)
                for number in range(5):
                    ref.cast(number)
                for _ in range(at):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()

        run(main)
        handled = [entry for entry in actors[0].log if isinstance(entry, int)]
        assert len(handled) + actors[0].ref._cell.leftovers == 5
        assert max(Counter(handled).values(), default=1) == 1


def a_call_to_self_fails_at_once():
    async def main():
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Worker())
            with pytest.raises(ActorExitError) as caught:
                await ref.call("self", timeout=60)
            assert isinstance(caught.value.__cause__, CallSelfError)
            assert trio.current_time() == 0

    run(main)


def queued_callers_fail_with_the_reason():
    async def main():
        failures = []

        async def call(ref):
            try:
                await ref.call("block", timeout=60)
            except ActorExitError as exc:
                failures.append(exc.reason)

        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Worker())
            for _ in range(3):
                nursery.start_soon(call, ref)
            await trio.testing.wait_all_tasks_blocked()
            ref.kill()
        assert failures == [KILLED] * 3
        assert trio.current_time() == 0

    run(main)


def kill_skips_terminate():
    log = []

    async def main():
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, Worker("a", log))
            ref.kill()

    run(main)
    assert log == ["+a"]


def a_healthy_life_resets_the_back_off():
    events = []

    async def main():
        spec = ChildSpec(id="a", start=Worker, backoff=Backoff(initial=1, jitter="none", reset_after=50))
        async with Supervisor.open([spec], max_restarts=None, on_event=events.append) as supervisor:
            for wait in (1, 60):
                await trio.sleep(wait)
                supervisor.which_children()[0].ref.cast(ValueError("crash"))
                await trio.testing.wait_all_tasks_blocked()
            await trio.sleep(10)

    run(main)
    starts = [event.at for event in events if isinstance(event, ChildStarted)]
    ends = [event.at for event in events if isinstance(event, ChildExited)]
    assert [starts[1] - ends[0], starts[2] - ends[1]] == [1, 1]


PROPERTIES = [
    stops_in_reverse_order,
    cancellation_stops_in_order,
    names_are_free_after_the_end,
    a_reply_of_stop_reaches_its_caller,
    an_old_delay_starts_nothing,
    a_crash_of_the_age_of_the_window_counts,
    simultaneous_crashes_count_once,
    no_message_is_lost_between_queue_and_handler,
    a_call_to_self_fails_at_once,
    queued_callers_fail_with_the_reason,
    kill_skips_terminate,
    a_healthy_life_resets_the_back_off,
]


def forward_stop_order(patch):
    async def forwards(self):
        for child in self.children():
            await self.stop_child(child)

    patch.setattr(Supervisor, "stop_in_order", forwards)


def no_shield(patch):
    patch.setattr(Cell, "shield", lambda _self: None)


def no_unregister(patch):
    patch.setattr(Registry, "release", lambda *_: None)


def late_reply_lost(patch):
    finish = Cell.finish
    patch.setattr(Cell, "finish", lambda self, reason, _late: finish(self, reason, None))


def epoch_unchecked(patch):
    async def bring_back(self, epoch):
        for child in self.children():
            if child.state is ChildState.RESTARTING:
                child.restarts += 1
                await self.launch(child)

    patch.setattr(Supervisor, "_bring_back", bring_back)


def exclusive_window(patch):
    def record(self, now):
        self._times = deque([t for t in self._times if t > now - self.max_seconds] + [now])
        return len(self._times) <= self.max_restarts

    patch.setattr(RestartWindow, "record", record)


def incarnation_unchecked(patch):
    ended = Supervisor._ended

    async def believe_all(self, message):
        message.child.state = ChildState.RUNNING
        return await ended(self, type(message)(message.child, message.child.process, message.reason))

    patch.setattr(Supervisor, "_ended", believe_all)


def checkpoint_after_the_pop(patch):
    get_entry = Mailbox.get_entry

    async def late_checkpoint(self):
        entry = await get_entry(self)
        await trio.lowlevel.checkpoint()
        return entry

    patch.setattr(Mailbox, "get_entry", late_checkpoint)


def no_check_for_circles(patch):
    patch.setattr("livebridge.otp._cell.waiting_source", lambda target, _verb: LOOPS.get(target.task))


def only_the_caller_in_flight_fails(patch):
    fail = Cell._fail_callers
    patch.setattr(
        Cell, "_fail_callers", lambda self, reason, _leftovers, spared: fail(self, reason, [], spared)
    )


def kill_runs_terminate(patch):
    live = Process._run_loop

    async def polite(self, step):
        await live(self, step)
        with trio.CancelScope(shield=True):
            await self.actor.terminate(self._reason)

    patch.setattr(Process, "_run_loop", polite)


def back_off_never_resets(patch):
    patch.setattr(PureBackoff, "attempt_after", lambda _self, attempt, _lived: attempt)


MUTANTS = [
    (forward_stop_order, stops_in_reverse_order),
    (no_shield, cancellation_stops_in_order),
    (no_unregister, names_are_free_after_the_end),
    (late_reply_lost, a_reply_of_stop_reaches_its_caller),
    (epoch_unchecked, an_old_delay_starts_nothing),
    (exclusive_window, a_crash_of_the_age_of_the_window_counts),
    (incarnation_unchecked, simultaneous_crashes_count_once),
    (checkpoint_after_the_pop, no_message_is_lost_between_queue_and_handler),
    (no_check_for_circles, a_call_to_self_fails_at_once),
    (only_the_caller_in_flight_fails, queued_callers_fail_with_the_reason),
    (kill_runs_terminate, kill_skips_terminate),
    (back_off_never_resets, a_healthy_life_resets_the_back_off),
]


@pytest.mark.parametrize("check", PROPERTIES, ids=lambda check: check.__name__)
def test_the_runtime_has_the_property(check, wall_clock):
    with wall_clock(GUARD_SECONDS):
        outcome = check()
    assert outcome is None


@pytest.mark.parametrize(
    ("mutate", "check"), MUTANTS, ids=[f"{mutate.__name__}-{check.__name__}" for mutate, check in MUTANTS]
)
def test_the_property_kills_the_mutant(mutate, check, wall_clock, monkeypatch):
    mutate(monkeypatch)
    with pytest.raises(BaseException) as caught, wall_clock(GUARD_SECONDS):
        check()
    assert not isinstance(caught.value, KeyboardInterrupt)
