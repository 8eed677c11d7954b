"""A moment of silence, now and then, keeps a connection alive that proxies would reap although pings flow."""

import pytest
import trio

from livebridge import wire
from livebridge.session import Keepalive

PCM = b"\0\1" * 160
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
HUMMING = {"keepalive": Keepalive(silence_after=20.0), "stall": None}


def heard(line):
    return [next(iter(message["realtimeInput"])) for message in line.received]


async def test_a_moment_of_silence_is_sent_whenever_nothing_was_written_for_long(live):
    async with live.session(**HUMMING) as session:
        line = await live.line()
        await session.send_audio(PCM)
        await trio.sleep(30)
        assert len(line.received) == 2
        await session.send_audio(PCM)
        await trio.sleep(19)
        assert len(line.received) == 3
        await trio.sleep(42)
        assert len(line.received) == 6
        blob = line.received[-1]["realtimeInput"]["audio"]
        assert blob["mimeType"] == "audio/pcm;rate=16000"
        assert wire.decode_base64(blob["data"]) == bytes(3200)


async def test_silence_is_never_sent_unasked(live):
    async with live.session(stall=None) as session:
        line = await live.line()
        await session.send_audio(PCM)
        await trio.sleep(300)
        assert len(line.received) == 1


@pytest.mark.parametrize("options", [{}, MANUAL])
async def test_before_the_first_sound_and_with_manual_detection_there_is_no_silence(live, options):
    async with live.session(**HUMMING, **options) as session:
        line = await live.line()
        if options:
            await session.send_audio(PCM)
        await trio.sleep(300)
        assert len(line.received) == len(options)


async def test_a_microphone_that_is_off_stays_off(live):
    async with live.session(**HUMMING) as session:
        line = await live.line()
        await session.send_audio(PCM)
        await session.mute()
        await trio.sleep(300)
        session.unmute()
        await trio.sleep(300)
        assert heard(line) == ["audio", "audioStreamEnd"]


async def test_a_model_that_stands_still_for_a_tool_hears_no_silence(live):
    async def look() -> str:
        await trio.sleep(50)
        return "seen"

    async with live.session(**HUMMING, tools=[look]) as session:
        line = await live.line()
        await session.send_audio(PCM)
        line.call({"id": "1", "name": "look", "args": {}})
        assert (await line.next_response())[0]["id"] == "1"
        assert len(line.received) == 2


async def test_silence_is_no_speech(live, log):
    async with live.session(**HUMMING, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        await session.send_audio(PCM)
        await trio.sleep(1)
        line.turn("hello")
        await trio.sleep(100)
        line.resumable("h1")
        line.go_away("50s")
        began = trio.current_time()
        info = await log.wait("on_resumed")
        assert trio.current_time() - began < 1
        assert not info.lossy
        second = await live.line(2)
        await trio.sleep(21)
        assert heard(second) == ["audio"]


async def test_nothing_is_sent_into_a_session_that_closes(live):
    async with live.session(**HUMMING, tool_grace=60.0, close_timeout=100.0, tools=[_slow]) as session:
        line = await live.line()
        await session.send_audio(PCM)
        line.call({"id": "1", "name": "_slow", "args": {}})
        await trio.sleep(1)
        line.cancel("1")
        line.call({"id": "2", "name": "_slow", "args": {}})
        await trio.sleep(1)
        await session.close()
        assert [next(iter(message)) for message in line.received] == ["realtimeInput", "toolResponse"]


async def _slow() -> str:
    await trio.sleep(50)
    return "done"
