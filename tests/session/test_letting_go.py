"""The end of a connection as the server sees it: it may not have noticed, and nobody waits for it for long."""

import pytest
import trio

from livebridge.errors import ConnectError
from livebridge.protocol import Phase

CLOSING = 2.25
"""Seconds until a connection that is to be replaced counts as drained, and its close as unanswered."""


async def _ready(live, number=None, handle="h1"):
    line = await live.line(number)
    line.resumable(handle)
    await trio.testing.wait_all_tasks_blocked()
    return line


def _handles(live):
    return [line.handle for line in live.lines]


async def test_a_resume_waits_a_little_for_a_server_that_has_not_answered_the_close(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.server.answers_close = False
        began = trio.current_time()
        await session.reconnect()
        assert trio.current_time() - began == pytest.approx(CLOSING + 1)
        assert _handles(live) == [None, "h1"]


async def test_a_resume_after_an_answered_close_waits_for_nothing(live):
    async with live.session() as session:
        await _ready(live)
        began = trio.current_time()
        await session.reconnect()
        assert trio.current_time() - began == pytest.approx(0.25)


async def test_a_fresh_session_does_not_wait_for_what_the_server_holds(live):
    async with live.session() as session:
        line = await live.line()
        line.server.answers_close = False
        began = trio.current_time()
        await session.reconnect()
        assert trio.current_time() - began == pytest.approx(CLOSING)
        assert _handles(live) == [None, None]


async def test_a_server_that_still_holds_the_old_connection_has_not_refused_the_handle(live, log, steps):
    """It says so once, then the second try meets another fault, and the third is refused once more."""
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")) as session:
        line = await _ready(live)
        line.server.answers_close = False
        live.then(steps.closing(1011), steps.closing(None), steps.closing(1011))
        await session.reconnect()
        assert _handles(live) == [None, "h1", "h1", "h1", "h1"]
        await log.wait("on_resumed")
        assert log.names == ["on_resumed"]


async def test_that_excuse_holds_once(live, log, steps):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")) as session:
        line = await _ready(live)
        line.server.answers_close = False
        live.then(*[steps.closing(1011)] * 3)
        await session.reconnect()
        assert _handles(live) == [None, "h1", "h1", "h1", None]
        await log.wait("on_resumed")
        assert log.names == ["on_session_lost", "on_resumed"]


async def test_a_refusal_after_an_answered_close_is_one(live, log, steps):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")) as session:
        await _ready(live)
        live.then(*[steps.closing(1011)] * 2)
        await session.reconnect()
        assert _handles(live) == [None, "h1", "h1", None]


async def test_a_setup_whose_close_was_not_answered_may_hold_the_conversation_too(live, log, steps):
    async def deaf(line):
        line.server.answers_close = False

    async with live.session(setup_timeout=6, **log.callbacks("on_resumed", "on_session_lost")):
        line = await _ready(live)
        live.then(deaf, steps.closing(1011), steps.closing(1011))
        line.drop()
        await log.wait("on_resumed")
        assert _handles(live) == [None, "h1", "h1", "h1", "h1"]
        await log.wait("on_resumed")
        assert log.names == ["on_resumed"]


@pytest.mark.parametrize("how", ["dead", "write"])
async def test_nothing_is_said_to_a_connection_that_counts_as_lost(live, log, how):
    callbacks = log.callbacks("on_resumed", "on_reconnecting")
    async with live.session(write_timeout=4, keepalive=10, **callbacks) as session:
        line = await _ready(live)
        await trio.sleep(20)
        line.server.answers_close = line.server.answers_pings = False
        if how == "write":
            line.server.pause_reading()
            await session.send_text("stuck")
        info = await log.wait("on_reconnecting")
        assert line.server.close_info.code is None
        began = trio.current_time()
        await log.wait("on_resumed")
        assert trio.current_time() - began == pytest.approx(max(1.0, info.delay))


async def test_nothing_is_said_to_a_server_that_was_never_heard(live, log, steps):
    async def frozen(line):
        line.server.answers_close = line.server.answers_pings = False

    live.then(frozen)
    async with live.session(setup_timeout=6):
        assert trio.current_time() == pytest.approx(6, abs=0.51)
        assert live.network.servers[0].close_info.code is None


async def test_a_cancellation_shortens_a_close_that_is_not_answered(live, log):
    with trio.CancelScope() as scope:
        async with live.session(**log.callbacks("on_close")) as session:
            line = await live.line()
            line.server.answers_close = False
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.close)
                await trio.sleep(0.2)
                began = trio.current_time()
                scope.cancel()
    assert 0 < trio.current_time() - began <= 1
    assert log.names == ["on_close"]


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("after", [0.1, 0.5, 2.0])
async def test_a_cancellation_shortens_a_rotation(live, log, after, noisy):
    with trio.CancelScope() as scope:
        async with live.session(**log.callbacks("on_close")) as session:
            line = await _ready(live)
            line.server.answers_close = False
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.reconnect)
                for _ in range(int(after * 10)):
                    await trio.sleep(0.1)
                    if noisy:
                        line.text("one more word")
                began = trio.current_time()
                scope.cancel()
    assert trio.current_time() - began <= 1
    assert log.names == ["on_close"]


async def test_reconnect_does_not_wait_for_the_back_off(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_reconnecting")) as session:
        line = await _ready(live)
        live.refuse(ConnectError("later", status=503, phase="dial", retry_after=200.0))
        line.drop()
        await log.wait("on_reconnecting", 2)
        await trio.sleep(1)
        assert session.phase is Phase.BACKOFF
        began = trio.current_time()
        await session.reconnect()
        assert trio.current_time() == began
        assert session.epoch == 2
        assert _handles(live) == [None, "h1"]


async def test_reconnect_does_not_close_the_circuit(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        breaker = session._actor.manager.handshake.endpoint.breaker
        for number in range(5):
            breaker.failed(number, now=trio.current_time())
        line.drop()
        while session.phase is not Phase.CIRCUIT_OPEN:
            await session._state.changed.wait()
        began = trio.current_time()
        await session.reconnect()
        assert 29 < trio.current_time() - began <= 30
