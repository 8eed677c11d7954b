"""An activity outlives its connection: on the next one it begins anew, before what belongs to it."""

import pytest
import trio

from livebridge.auth import VertexExpress
from livebridge.errors import SendDroppedError

PCM = b"\0\1" * 1600
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
TRANSPARENT = {
    "auth": VertexExpress(api_key="k"),
    "model": "gemini-live-2.5-flash-native-audio",
    "session_resumption": {"transparent": True},
}


def heard(line):
    return [next(iter(message.get("realtimeInput", message))) for message in line.received]


async def settle():
    await trio.testing.wait_all_tasks_blocked()


@pytest.fixture
async def resumable(live):
    async def ready():
        line = await live.line()
        line.resumable("h1")
        await settle()
        return line

    return ready


async def test_an_activity_in_which_the_connection_breaks_begins_anew(live, log, resumable):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await resumable()
        async with session.activity():
            await session.send_audio(PCM)
            await settle()
            live.dial_delays.append(1)
            line.drop()
            await settle()
            await session.send_text("by the way")
            await session.send_audio(PCM)
            await log.wait("on_resumed")
            await session.send_audio(PCM)
        await settle()
        assert heard(line) == ["activityStart", "audio"]
        assert heard(await live.line()) == ["text", "activityStart", "audio", "audio", "activityEnd"]


async def test_an_activity_that_ends_in_the_outage_begins_anew_too(live, log, resumable):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await resumable()
        live.dial_delays.append(1)
        async with session.activity():
            await session.send_audio(PCM)
            await settle()
            line.drop()
            await settle()
            await session.send_audio(PCM)
        await log.wait("on_resumed")
        await settle()
        assert heard(await live.line()) == ["activityStart", "audio", "activityEnd"]


async def test_activities_that_begin_in_the_outage_begin_once(live, log, resumable):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await resumable()
        live.dial_delays.append(1)
        line.drop()
        await settle()
        async with session.activity():
            await session.send_audio(PCM)
        await session.send_realtime_input(activity_start=True)
        await log.wait("on_resumed")
        await settle()
        speech = ["activityStart", "audio", "activityEnd"]
        assert heard(await live.line()) == [*speech, "activityStart"]


async def test_an_activity_that_is_cut_by_the_deadline_of_a_rotation_begins_anew(live, log, resumable):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await resumable()
        async with session.activity():
            await session.send_audio(PCM)
            line.go_away("20s")
            info = await log.wait("on_resumed")
            await session.send_audio(PCM)
        await settle()
        assert (info.lossy, info.lost_audio_seconds) == (True, pytest.approx(0.1))
        assert heard(await live.line()) == ["activityStart", "audio", "activityEnd"]


async def test_what_is_replayed_is_not_begun_twice(live, log, resumable):
    async with live.session(**MANUAL, **TRANSPARENT, **log.callbacks("on_resumed")) as session:
        line = await resumable()
        async with session.activity():
            await session.send_audio(PCM)
            await settle()
            line.drop()
            info = await log.wait("on_resumed")
        await settle()
        assert heard(await live.line()) == ["activityStart", "audio", "activityEnd"]
        assert (info.lossy, info.lost_audio_seconds) == (False, 0.0)


async def test_what_is_written_again_because_it_is_uncertain_is_not_begun_twice(live, log, resumable):
    options = {"replay": "uncertain", **MANUAL, **log.callbacks("on_resumed")}
    async with live.session(**options) as session:
        line = await resumable()
        async with session.activity():
            await settle()
            line.drop()
            await log.wait("on_resumed")
        await settle()
        assert heard(await live.line()) == ["activityStart", "activityEnd"]


async def test_a_muted_activity_is_not_begun_anew(live, log, resumable):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await resumable()
        async with session.activity():
            await session.mute()
            await settle()
            line.drop()
            await log.wait("on_resumed")
            await settle()
            line = await live.line()
            assert heard(line) == []
            session.unmute()
        await settle()
        assert heard(line) == ["activityStart", "activityEnd"]


async def speak(session, seconds):
    for _ in range(round(seconds * 10)):
        await session.send_audio(PCM)
        await trio.sleep(0.1)


async def test_a_network_that_does_not_keep_up_lags_by_seconds_and_it_is_told_once(live, log):
    async with live.session(max_media_lag=2.0, **log.callbacks("on_error")) as session:
        line = await live.line()
        line.server.pause_reading()
        await speak(session, 10)
        (error,) = log.of("on_error")
        assert isinstance(error, SendDroppedError)
        assert "2 s" in str(error)
        assert session.statistics().dropped_media_seconds == pytest.approx(10 - 2, abs=1.6)
        line.server.resume_reading()
        await settle()
        dropped = session.statistics().dropped_media
        await speak(session, 10)
        assert session.statistics().dropped_media == dropped
        assert len(line.received) == 200 - dropped
        line.server.pause_reading()
        await speak(session, 5)
        assert len(log.of("on_error")) == 2


async def test_a_file_that_is_sent_at_once_is_no_lag(live, log):
    async with live.session(max_media_lag=2.0, **log.callbacks("on_error")) as session:
        line = await live.line()
        for _ in range(300):
            await session.send_audio(PCM)
        await settle()
        assert len(line.received) == 300
        assert log.of("on_error") == []


async def test_the_bound_can_be_taken_away(live, log):
    async with live.session(max_media_lag=None, **log.callbacks("on_error")) as session:
        line = await live.line()
        line.server.pause_reading()
        await speak(session, 14)
        assert log.of("on_error") == []
        line.server.resume_reading()
        await settle()
        assert len(line.received) == 140
