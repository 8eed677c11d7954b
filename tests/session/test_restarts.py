"""A restarted bot as others see it: references, names, calls that waited, and the last words of the one before."""

import pytest
import trio

from livebridge import Registry, Supervisor
from livebridge.errors import ActorExitError, NoProcessError
from livebridge.session import Handler, Session


class Bot(Handler):
    """Answers slowly, and breaks when the model speaks."""

    async def handle_call(self, request, caller):
        await trio.sleep(1)
        return request

    async def on_text(self, delta):
        await trio.sleep(5)
        raise ZeroDivisionError("the bot's own bug")


@pytest.fixture
def bots():
    """Every bot that was made."""
    return []


@pytest.fixture
def spec(live, log, bots):
    def make():
        bots.append(Bot())
        return bots[-1]

    options = live.options(**log.callbacks("on_ready", "on_close"))
    return Session.child_spec(make, id="bot", on_callback_error="crash", backoff=None, **options)


async def test_invariant_37_a_name_works_across_a_restart_and_a_reference_does_not(live, log, spec):
    registry = Registry()
    async with Supervisor.open(children=[spec], registry=registry) as supervisor:
        line = await live.line()
        name = registry.via("bot")
        ref = supervisor.which_children()[0].ref
        assert await ref.call("one", timeout=5) == await name.call("one", timeout=5) == "one"
        line.text("break")
        await ref.wait_exit()
        await live.line(2)
        await log.wait("on_ready", 2)
        assert await name.call("two", timeout=5) == "two"
        with pytest.raises(NoProcessError):
            await ref.call("two", timeout=5)
        assert supervisor.which_children()[0].ref is name.ref
        assert name.ref is not ref


async def test_calls_that_wait_when_a_bot_breaks_fail_at_that_moment_and_the_next_one_serves(live, log, spec):
    failed = []

    async def call(ref, number):
        with pytest.raises(ActorExitError) as caught:
            await ref.call(number, timeout=60)
        failed.append((trio.current_time(), caught.value.reason.kind))

    async with Supervisor.open(children=[spec]) as supervisor:
        line = await live.line()
        ref = supervisor.which_children()[0].ref
        line.text("break")
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(call, ref, number)
        assert failed == [(5.0, "error")] * 3
        await log.wait("on_ready", 2)
        assert await supervisor.which_children()[0].ref.call("again", timeout=5) == "again"


async def test_a_supervisors_stop_lets_a_bot_deliver_what_it_accepted(live, log, spec, bots):
    async with Supervisor.open(children=[spec]) as supervisor:
        line = await live.line()
        await log.wait("on_ready")
        line.server.pause_reading()
        await bots[-1].session.send_text("last")
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.stop)
            await trio.sleep(1)
            assert log.of("on_close") == []
            line.server.resume_reading()
    assert line.texts() == ["last"]
    assert len(log.of("on_close")) == 1
