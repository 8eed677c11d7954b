"""Mute, activities and pieces of sound: what the server hears of a microphone that is switched on and off."""

import pytest
import trio

from livebridge import wire
from livebridge.errors import ConfigError, SessionClosedError

PCM = b"\0\1" * 160
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}


def heard(line):
    return [next(iter(message["realtimeInput"])) for message in line.received]


async def settle():
    await trio.testing.wait_all_tasks_blocked()


async def test_muting_inside_an_activity_ends_it_and_unmuting_begins_another(live):
    async with live.session(**MANUAL) as session:
        line = await live.line()
        async with session.activity():
            await session.send_audio(PCM)
            await session.mute()
            await session.send_audio(PCM)
            session.unmute()
            await session.send_audio(PCM)
        await settle()
        speech = ["activityStart", "audio", "activityEnd"]
        assert heard(line) == speech * 2


async def test_an_activity_that_ends_while_the_microphone_is_muted_has_ended_already(live):
    async with live.session(**MANUAL) as session:
        line = await live.line()
        async with session.activity():
            await session.mute()
        session.unmute()
        await settle()
        assert heard(line) == ["activityStart", "activityEnd"]


async def test_an_activity_of_a_muted_microphone_begins_when_it_is_unmuted_or_not_at_all(live):
    async with live.session(**MANUAL) as session:
        line = await live.line()
        await session.mute()
        async with session.activity():
            await session.send_audio(PCM)
        async with session.activity():
            session.unmute()
            session.unmute()
            await session.send_audio(PCM)
        await settle()
        assert heard(line) == ["activityStart", "audio", "activityEnd"]


async def test_an_activity_by_hand_is_ended_by_muting_and_not_once_more(live):
    async with live.session(**MANUAL) as session:
        line = await live.line()
        await session.send_realtime_input(activity_start=True)
        await session.mute()
        assert (await session.send_realtime_input(activity_end=True)).seq == 0
        session.unmute()
        await settle()
        assert heard(line) == ["activityStart", "activityEnd"]


async def test_an_activity_by_hand_goes_on_after_unmuting(live):
    async with live.session(**MANUAL) as session:
        line = await live.line()
        await session.send_realtime_input(activity_start=True)
        await session.mute()
        session.unmute()
        await session.send_realtime_input(activity_end=True)
        await settle()
        assert heard(line) == ["activityStart", "activityEnd"] * 2


async def test_no_verb_sends_sound_of_a_muted_microphone(live):
    async with live.session() as session:
        line = await live.line()
        await session.mute()
        await session.send_audio(PCM)
        receipt = await session.send_realtime_input(audio=PCM)
        assert (receipt.seq, receipt.state) == (0, "accepted")
        with pytest.raises(ConfigError):
            await session.send_realtime_input(audio=b"")
        await session.send_video(b"\xff\xd8\xff", "image/jpeg")
        await session.send_realtime_input(text="can you hear me?")
        await settle()
        assert heard(line) == ["video", "text"]
        await session.close()
        with pytest.raises(SessionClosedError):
            await session.send_audio(PCM)


async def test_the_end_of_the_stream_is_told_once_for_each_stream(live):
    async with live.session() as session:
        line = await live.line()
        await session.mute()
        session.unmute()
        await session.send_audio(PCM)
        await session.mute()
        session.unmute()
        await session.mute()
        session.unmute()
        await session.send_realtime_input(audio=PCM)
        await session.send_realtime_input(audio_stream_end=True)
        await session.mute()
        await settle()
        assert heard(line) == ["audio", "audioStreamEnd"] * 2


async def test_a_stream_may_be_cut_within_a_sample(live):
    sound = bytes(range(1, 241)) * 2 + b"\7"

    async def pieces():
        for at in range(0, len(sound), 37):
            yield sound[at : at + 37]

    async with live.session() as session:
        line = await live.line()
        seconds = await session.send_media_stream(pieces(), pace=False)
        await settle()
        blobs = [message["realtimeInput"]["audio"] for message in line.received]
        assert b"".join(wire.decode_base64(blob["data"]) for blob in blobs) == sound[:-1]
        assert seconds == pytest.approx(240 / 16_000)


async def test_a_piece_of_less_than_a_sample_is_waited_out(live):
    async def pieces():
        for byte in b"abcd":
            yield bytes([byte])

    async with live.session() as session:
        line = await live.line()
        await session.send_media_stream(pieces())
        await settle()
        sent = [wire.decode_base64(message["realtimeInput"]["audio"]["data"]) for message in line.received]
        assert sent == [b"ab", b"cd"]


async def test_a_stream_that_is_muted_in_the_middle_of_a_sample_stays_in_step(live):
    async with live.session() as session:
        line = await live.line()

        async def pieces():
            await session.mute()
            yield b"\1\2\3"
            session.unmute()
            yield b"\4\5\6"

        await session.send_media_stream(pieces(), pace=False)
        await settle()
        sent = [wire.decode_base64(message["realtimeInput"]["audio"]["data"]) for message in line.received]
        assert sent == [b"\0\4\5\6"]


async def test_a_session_that_was_never_connected_can_be_muted(live):
    async with live.session(connect=False) as session:
        await session.mute()
        assert session.muted
