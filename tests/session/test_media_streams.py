"""A stream of media: sound and pictures in any form, and nothing left open behind it."""

import base64
import gc

import numpy as np
import pytest
import trio

from livebridge import wire
from livebridge.errors import ConfigError

PCM = b"\1\0" * 160  # a hundredth of a second
JPEG = b"\xff\xd8\xff...."


def sound(data=PCM, rate=16_000):
    return wire.Blob(data=data, mime_type=f"audio/pcm;rate={rate}")


def picture():
    return wire.Blob(data=JPEG, mime_type="image/jpeg")


async def stream(*pieces):
    for piece in pieces:
        yield piece


async def sent(line, count):
    """What was sent: kind, type and bytes of each piece."""
    found = []
    for _ in range(count):
        ((kind, blob),) = (await line.next())["realtimeInput"].items()
        found.append((kind, blob["mimeType"], base64.b64decode(blob["data"])))
    return found


async def test_blobs_of_sound_and_pictures_go_out_in_order(live):
    async with live.session() as session:
        line = await live.line()
        pieces = [sound(), picture(), (JPEG, "image/jpeg"), sound(PCM * 2, 8000), PCM]
        assert await session.send_media_stream(stream(*pieces)) == pytest.approx(0.06)
        assert await sent(line, 5) == [
            ("audio", "audio/pcm;rate=16000", PCM),
            ("video", "image/jpeg", JPEG),
            ("video", "image/jpeg", JPEG),
            ("audio", "audio/pcm;rate=8000", PCM * 2),
            ("audio", "audio/pcm;rate=16000", PCM),
        ]


@pytest.mark.parametrize(
    "given", [sound(), (PCM, "audio/pcm;rate=16000"), {"data": PCM, "mimeType": "audio/pcm"}]
)
async def test_one_blob_of_sound_is_sent_as_sound(live, given):
    async with live.session() as session:
        line = await live.line()
        await session.send_audio(given)
        ((kind, _, data),) = await sent(line, 1)
        assert (kind, data) == ("audio", PCM)


@pytest.mark.parametrize("pieces", [[PCM, PCM], (PCM, PCM), iter([PCM, PCM]), (each for each in [PCM, PCM])])
async def test_an_iterable_is_a_stream_as_well(live, pieces):
    async with live.session() as session:
        line = await live.line()
        assert await session.send_media_stream(pieces, pace=False) == pytest.approx(0.02)
        assert len(await sent(line, 2)) == 2


async def test_an_iterable_lets_others_run_even_if_nothing_is_sent(live):
    ran = []

    async def other():
        ran.append(True)

    async with live.session() as session, trio.open_nursery() as nursery:
        await session.mute()
        nursery.start_soon(other)
        await session.send_media_stream([PCM] * 3, pace=False)
        assert ran == [True]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (PCM, "this bytes is one piece: send_audio"),
        (sound(), "this Blob is one piece"),
        ((PCM, "audio/pcm"), "this tuple is one piece"),
        ({"data": PCM, "mime_type": "audio/pcm"}, "this dict is one piece"),
        (np.zeros(4, dtype=np.int16), "this ndarray is one piece"),
        (stream, "not function; call it, and give what it returns"),
        (7, "async iterable of sound or pictures, or a list, not int$"),
        ([7], "audio takes"),
        ([wire.Blob(data=b"x", mime_type="video/mp4")], "begins with 'audio/', not 'video/mp4'"),
    ],
)
async def test_what_is_no_stream_is_refused(live, given, text):
    async with live.session() as session:
        line = await live.line()
        with pytest.raises(ConfigError, match=text):
            await session.send_media_stream(given)
        assert line.received == []


async def test_a_generator_is_closed_when_its_stream_is_cancelled(live):
    closed = []

    async def microphone():
        try:
            while True:
                yield PCM
        finally:
            closed.append(True)

    async with live.session() as session:
        with trio.move_on_after(0.055):
            await session.send_media_stream(microphone())
        assert closed == [True]
        gc.collect()


async def test_a_generator_is_closed_when_one_of_its_pieces_is_refused(live):
    closed = []

    async def microphone():
        try:
            yield "no sound"
        finally:
            closed.append(True)

    async with live.session() as session:
        with pytest.raises(ConfigError, match="audio"):
            await session.send_media_stream(microphone())
    assert closed == [True]


async def test_a_channel_stays_open_for_the_next_stream(live):
    send, receive = trio.open_memory_channel(9)
    async with live.session() as session:
        line = await live.line()
        send.send_nowait(PCM)
        with trio.move_on_after(1):
            await session.send_media_stream(receive)
        send.send_nowait(PCM)
        send.close()
        assert await session.send_media_stream(receive) == pytest.approx(0.01)
        assert len(await sent(line, 2)) == 2
    receive.close()


async def test_a_list_of_sounds_in_one_message_is_refused_with_what_to_do(live):
    async with live.session() as session:
        with pytest.raises(ConfigError, match="send_media_stream"):
            await session.send_realtime_input(audio=[sound(), sound()])
