"""Telling a silent connection from a dead one."""

import pytest
import trio

from livebridge.session import Keepalive

PINGS = Keepalive(ping_after=10, dead_after=25)


async def test_a_silent_connection_is_pinged_and_lives_while_pongs_come(live):
    async with live.session(keepalive=PINGS) as session:
        line = await live.line()
        await trio.sleep(105)
        assert line.server.pings == 10
        assert session.epoch == 1


async def test_a_connection_from_which_nothing_comes_is_lost_after_dead_after(live, log):
    async with live.session(keepalive=PINGS, **log.callbacks("on_resumed", "on_reconnecting")):
        line = await live.line()
        line.resumable()
        line.server.answers_pings = False
        before = trio.current_time()
        info = await log.wait("on_reconnecting")
        assert trio.current_time() - before == pytest.approx(25, abs=0.5)
        assert "nothing was heard for 25 s" in str(info.error)
        await log.wait("on_resumed")
        assert live.lines[1].handle == "h1"


async def test_any_inbound_frame_is_a_sign_of_life(live):
    async with live.session(keepalive=PINGS) as session:
        line = await live.line()
        line.server.answers_pings = False
        for _ in range(30):
            await trio.sleep(9)
            line.text("still here")
        assert session.epoch == 1
        assert line.server.pings == 0


async def test_one_lost_ping_is_no_death(live):
    async with live.session(keepalive=PINGS) as session:
        line = await live.line()
        line.server.answers_pings = False
        await trio.sleep(12)
        assert line.server.pings == 1
        line.server.answers_pings = True
        await trio.sleep(100)
        assert session.epoch == 1


async def test_while_the_inbox_is_full_nobody_counts_as_dead(live, log):
    gate = trio.Event()

    async def on_text(delta):
        log.add("on_text", delta)
        await gate.wait()

    async with live.session(keepalive=PINGS, inbox_frames=2, on_text=on_text) as session:
        line = await live.line()
        line.server.answers_pings = False
        line.text(*"abcdefgh")
        await trio.sleep(500)
        assert session.epoch == 1
        line.server.answers_pings = True
        gate.set()
        await log.wait("on_text", 8)
        await trio.sleep(100)
        assert session.epoch == 1


async def test_without_keepalive_a_dead_connection_is_not_noticed(live):
    async with live.session(keepalive=None) as session:
        line = await live.line()
        line.server.answers_pings = False
        await trio.sleep(5000)
        assert (session.epoch, line.server.pings) == (1, 0)


async def test_keepalive_as_a_number_is_the_silence_before_a_ping(live):
    async with live.session(keepalive=7) as session:
        line = await live.line()
        await trio.sleep(7.5)
        assert line.server.pings == 1
        assert session._state.options.keepalive == Keepalive(ping_after=7.0, dead_after=17.5)


async def test_a_connection_that_ends_during_a_ping_is_lost_once(live, log, monkeypatch):
    from livebridge.errors import ConnectionLostError  # noqa: PLC0415 - this test's own fault

    async with live.session(keepalive=PINGS, **log.callbacks("on_resumed", "on_reconnecting")):
        line = await live.line()
        line.resumable()
        transport = live._transports[0]

        async def ping():
            await trio.lowlevel.checkpoint()
            line.drop()
            raise ConnectionLostError("gone")

        monkeypatch.setattr(transport.inner, "ping", ping)
        await log.wait("on_resumed")
        assert len(log.of("on_reconnecting")) == 1


async def test_a_connection_that_reached_its_age_limit_is_rotated_at_a_good_moment(live, log):
    async with live.session(max_connection_age=60, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable()
        before = trio.current_time()
        await log.wait("on_resumed")
        assert trio.current_time() - before == pytest.approx(60, abs=1)
        assert session.statistics().rotations == 1
        assert live.lines[1].handle == "h1"


async def test_at_the_age_limit_a_turn_is_awaited_for_a_while(live, log):
    async with live.session(max_connection_age=60, **log.callbacks("on_resumed")):
        line = await live.line()
        line.resumable()
        line.text("speaking")
        before = trio.current_time()
        await trio.sleep(70)
        assert log.of("on_resumed") == []
        line.turn()
        line.resumable("h2")
        await log.wait("on_resumed")
        assert 70 <= trio.current_time() - before <= 72
