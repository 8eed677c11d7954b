"""What becomes of accepted messages: written, acknowledged, or given up and reported."""

import pytest
import trio

from livebridge.errors import SendDroppedError, SendExpiredError

PCM = b"\x01\x00" * 1600  # a tenth of a second at 16 kHz


async def _drop(line):
    line.drop()


async def test_receipts_tell_how_far_a_message_came(live, log):
    async def acked(session):
        receipt = await session.send_text("c", wait="acked", timeout=5)
        log.add(receipt.state, receipt.seq)

    async with live.session() as session:
        line = await live.line()
        one = await session.send_text("a")
        assert (one.seq, one.state) == (1, "accepted")
        two = await session.send_text("b", wait="written")
        assert (two.seq, two.state) == (2, "written")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(acked, session)
            for _ in range(3):
                await line.next()
                line.turn("yes")
            assert log.events == []
            line.resumable()
    assert log.events == [("acked", 3)]


async def test_a_receipt_that_does_not_come_in_time_is_a_timeout_and_withdraws_nothing(live):
    async with live.session() as session:
        line = await live.line()
        with pytest.raises(TimeoutError, match="it is written"):
            await session.send_text("a", wait="acked", timeout=2)
        line.server.pause_reading()
        with pytest.raises(TimeoutError, match="it is accepted"):
            await session.send_text("b", wait="written", timeout=2)
        line.server.resume_reading()
        await trio.sleep(1)
        assert line.texts() == ["a", "b"]


async def test_no_room_within_the_timeout_is_a_timeout_too(live):
    async with live.session(outbox_messages=1) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("a")
        with pytest.raises(TimeoutError, match="no room"):
            await session.send_text("b", timeout=2)
        line.server.resume_reading()


@pytest.mark.parametrize("how_far", ["written", "acked"])
async def test_whoever_waits_for_a_receipt_is_woken_when_the_session_ends(live, log, how_far):
    async def wait(session):
        with pytest.raises(SendDroppedError):
            await session.send_text("a", wait=how_far)
        log.add("woken", None)

    async with live.session(close_timeout=2) as session:
        line = await live.line()
        if how_far == "written":
            line.server.pause_reading()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, session)
            await trio.testing.wait_all_tasks_blocked()
            await session.close()
    assert log.names == ["woken"]


async def test_whoever_waits_for_an_acknowledgement_is_told_that_the_connection_took_it_away(live, log):
    async def wait(session):
        with pytest.raises(SendDroppedError, match="before it was acked"):
            await session.send_text("a", wait="acked")
        log.add("woken", None)

    async with live.session() as session:
        line = await live.line()
        line.resumable()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, session)
            await line.next()
            line.drop()
    assert log.names == ["woken"]


async def test_invariant_29_media_of_an_outage_is_bounded_and_signals_are_never_dropped(live, steps):
    manual = {"automatic_activity_detection": {"disabled": True}}
    async with live.session(media_buffer=1.0, realtime_input_config=manual) as session:
        line = await live.line()
        line.resumable()
        live.then(steps.silence)
        line.drop()
        line = await live.line(2)
        await session.send_realtime_input(activity_start=True)
        for _ in range(50):
            await session.send_audio(PCM)
        for n in range(4):
            await session.send_video(b"\xff\xd8\xff" + bytes([n] * 3), "image/jpeg")
        await session.send_realtime_input(activity_end=True)
        line.complete()
        await trio.sleep(1)
        inputs = [message["realtimeInput"] for message in line.received]
        assert sum("audio" in each for each in inputs) == 10
        assert [each["video"]["data"] for each in inputs if "video" in each] == ["/9j/AwMD"]
        assert "activityStart" in inputs[0]
        assert "activityEnd" in inputs[-1]
        assert session.statistics().dropped_media == 43
        assert session.statistics().dropped_media_seconds == pytest.approx(4.0)


async def test_content_that_waited_too_long_for_a_connection_is_given_up_and_reported(live, log):
    async def wait(session):
        with pytest.raises(SendDroppedError):
            await session.send_text("too old as well", wait="written")
        log.add("woken", None)

    callbacks = log.callbacks("on_error", "on_resumed")
    async with live.session(content_max_age=10, dial_timeout=50, **callbacks) as session:
        line = await live.line()
        line.resumable()
        live.dial_delays.extend([40, 0])
        live.then(_drop)
        line.drop()
        await trio.sleep(5)
        await session.send_text("old")
        await trio.sleep(20)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, session)
            await log.wait("on_error")
        await session.send_text("new")
        assert isinstance(log.of("on_error")[0], SendExpiredError)
        await log.wait("on_resumed")
        line = await live.line(3)
        await line.next()
        assert line.texts() == ["new"]
        assert log.of("woken") == [None]
        assert session.statistics().expired == 2
