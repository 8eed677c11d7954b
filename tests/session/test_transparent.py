"""Transparent resumption as a session does it: indices, seeds, bounds, and what happens when the ledger is full."""

import logging

import pytest
import trio

from livebridge.auth import VertexExpress
from livebridge.errors import ConfigError, SendDroppedError
from livebridge.protocol import _outbox as module
from livebridge.session import current_session

UNANNOUNCED = "gemini-live-2.5-flash"
"""A model that is told a history without an announcement in the setup."""

PCM = b"\x00\x00" * 160


@pytest.fixture
def options():
    return {"auth": VertexExpress(api_key="k"), "session_resumption": {"transparent": True}, "stall": None}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, "MAX_LEDGER_MESSAGES", 2)


async def _ready(live, number=None):
    line = await live.line(number)
    line.resumable("h", index=0)
    await trio.testing.wait_all_tasks_blocked()
    return line


async def _settle():
    await trio.testing.wait_all_tasks_blocked()


async def _seeded(live, log, steps, session):
    """Have a talk, and lose it: the next session is told what was said."""
    line = await _ready(live)
    await session.send_text("question")
    await line.next()
    line.turn("answer")
    await session.wait_turn(5)
    live.then(steps.closing(1008), steps.closing(1008))
    line.drop()
    assert (await log.wait("on_resumed")).continuity == "reseeded"
    await trio.sleep(1)
    return live.lines[-1]


async def test_a_seed_is_the_servers_first_message(live, log, steps, options):
    async with live.session(
        model=UNANNOUNCED, reseed_turns=4, **options, **log.callbacks("on_resumed")
    ) as session:
        line = await _seeded(live, log, steps, session)
        assert len(line.received) == 1
        await session.send_text("m1")
        await session.send_text("m2")
        await _settle()
        line.resumable("h2", index=2)
        await _settle()
        assert session.statistics().unacknowledged == 1
        line.drop()
        await log.wait("on_resumed", 2)
        await trio.sleep(1)
        assert live.lines[-1].handle == "h2"
        assert live.lines[-1].texts() == ["m2"]


async def test_what_the_seed_tells_is_not_written_again(live, log, steps, options):
    async with live.session(
        model=UNANNOUNCED, reseed_turns=4, **options, **log.callbacks("on_resumed")
    ) as session:
        line = await _seeded(live, log, steps, session)
        assert line.texts().count("question") == 1
        assert session.statistics().unacknowledged == 0


async def test_what_was_written_is_written_again_into_a_fresh_session(live, log, steps, options):
    acked = []

    async def wait(session):
        acked.append(await session.send_text("first", wait="acked"))

    async with (
        live.session(**options, **log.callbacks("on_resumed", "on_session_lost")) as session,
        trio.open_nursery() as nursery,
    ):
        line = await _ready(live)
        nursery.start_soon(wait, session)
        await line.next()
        live.then(steps.closing(1008), steps.closing(1008))
        line.drop()
        await log.wait("on_resumed")
        fresh = live.lines[-1]
        assert fresh.handle is None
        await fresh.next()
        assert fresh.texts() == ["first"]
        assert acked == []
        fresh.resumable("h2", index=1)
        await _settle()
        assert [receipt.state for receipt in acked] == ["acked"]


async def test_an_index_beyond_what_was_sent_is_taken_for_all_of_it_and_logged(live, options, caplog):
    caplog.set_level(logging.WARNING, logger="livebridge.session")
    async with live.session(**options) as session:
        line = await _ready(live)
        await session.send_text("a")
        await line.next()
        line.resumable("h1", index=1)
        await _settle()
        assert caplog.records == []
        line.resumable("h2", index=99)
        await _settle()
        assert session.statistics().unacknowledged == 0
        assert session.handle is not None
    (record,) = caplog.records
    assert "message 99, which was never sent" in record.getMessage()


async def test_a_full_ledger_lets_the_answer_of_a_tool_through(live, options, small):
    async def f() -> str:
        """Answer."""
        return "ok"

    async with live.session(**options, tools=[f]) as session:
        line = await _ready(live)
        for n in range(3):
            await session.send_text(str(n))
        await _settle()
        assert session.statistics().unacknowledged == 3
        line.unresumable()
        line.call({"name": "f", "id": "1"})
        with trio.fail_after(1):
            assert (await line.next_response())[0]["id"] == "1"


async def test_a_full_ledger_lets_signals_through(live, options, small):
    manual = {"automatic_activity_detection": {"disabled": True}}
    async with live.session(**options, realtime_input_config=manual) as session:
        await _ready(live)
        for n in range(3):
            await session.send_text(str(n))
        await _settle()
        with trio.fail_after(1):
            await session.send_realtime_input(activity_start=True)
            await session.send_realtime_input(activity_end=True)


async def test_a_full_ledger_keeps_content_back_until_a_handle_covers_some(live, options, small):
    async with live.session(**options, keepalive=None) as session, trio.open_nursery() as nursery:
        line = await _ready(live)
        for n in range(3):
            await session.send_text(str(n))
            await _settle()
        nursery.start_soon(session.send_text, "blocked")
        await trio.sleep(5)
        assert line.texts() == ["0", "1", "2"]
        line.resumable("h1", index=3)
        await _settle()
        assert line.texts() == ["0", "1", "2", "blocked"]


async def test_sound_that_did_not_fit_into_the_ledger_is_told_as_a_loss(live, log, options, small):
    async with live.session(**options, **log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        for _ in range(6):
            await session.send_audio(PCM)
        await _settle()
        line.resumable("h1", index=0)
        await _settle()
        line.drop()
        info = await log.wait("on_resumed")
        assert info.lossy
        assert info.replayed == 2


async def test_an_invalid_argument_costs_the_sound_and_not_the_words(live, log, options):
    async with live.session(**options, **log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        await session.send_audio(PCM)
        await session.send_text("t")
        await _settle()
        line.close(1007, "Request contains an invalid argument.")
        await log.wait("on_resumed")
        await trio.sleep(1)
        assert live.lines[1].texts() == ["t"]
        assert len(live.lines[1].received) == 1


async def test_what_was_written_but_not_consumed_counts_as_undelivered(live, options, steps):
    async with live.session(close_timeout=6, **options) as session:
        line = await _ready(live)
        await session.send_text("written")
        await line.next()
        line.server.pause_reading()
        await session.send_text("stuck")
        await _settle()
        live.default = steps.silence
        results = []
        async with trio.open_nursery() as nursery:

            async def close():
                results.append(await session.close())

            nursery.start_soon(close)
            await _settle()
            line.drop()
        assert results[0].undelivered == 2


async def test_a_message_that_the_ledger_has_no_room_for_is_no_longer_waited_for(live, log, small):
    async def wait(session):
        with pytest.raises(SendDroppedError, match="message 1 was accepted"):
            await session.send_text("first", wait="acked")
        log.add("woken", None)

    async with live.session() as session, trio.open_nursery() as nursery:
        await live.line()
        nursery.start_soon(wait, session)
        await _settle()
        await session.send_text("second")
        await _settle()
        assert log.names == []
        await session.send_text("one too many")
        await _settle()
        assert log.names == ["woken"]


async def test_a_callback_that_waits_for_an_acknowledgement_has_to_say_how_long(live, log):
    async def on_text(delta):
        session = current_session()
        for timeout in (None, 3.0):
            try:
                await session.send_text("x", wait="acked", timeout=timeout)
            except (ConfigError, TimeoutError) as error:
                log.add("refused", error)

    async with live.session(on_text=on_text) as session:
        line = await live.line()
        line.text("a")
        await log.wait("refused", 2)
        assert trio.current_time() == pytest.approx(3)
        first, second = log.of("refused")
        assert isinstance(first, ConfigError)
        assert "timeout=" in str(first)
        assert isinstance(second, TimeoutError)
        assert line.texts() == ["x"]
        line.resumable("h1")
        await trio.sleep(10)
        line.resumable("h2")
        assert (await session.send_text("y", wait="written")).state == "written"


async def test_signals_of_an_outage_do_not_expire(live, log):
    manual = {"automatic_activity_detection": {"disabled": True}}
    callbacks = log.callbacks("on_resumed", "on_error")
    async with live.session(
        realtime_input_config=manual, content_max_age=5, dial_timeout=50, **callbacks
    ) as s:
        line = await _ready(live)
        await s.send_realtime_input(activity_start=True)
        await line.next()
        line.resumable("h1")
        await _settle()
        live.dial_delays.append(40)
        live.then(_drop)
        line.drop()
        await _settle()
        await s.send_realtime_input(activity_end=True)
        await log.wait("on_resumed")
        await trio.sleep(1)
        sent = [next(iter(message["realtimeInput"])) for message in live.lines[-1].received]
        assert sent[-1] == "activityEnd"
        assert log.of("on_error") == []


async def _drop(line):
    line.drop()
