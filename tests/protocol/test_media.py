"""Sound that is no sound and pictures that are none are found before they cost the conversation."""

import array
import io
import wave

import numpy as np
import pytest
from google.genai import types

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import audio_chunk, is_picture, realtime_input

PNG = b"\x89PNG\r\n\x1a\n...."
JPEG = b"\xff\xd8\xff...."


def wav_file(samples=b"\0\0" * 100):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(samples)
    return file.getvalue()


def blob(data, mime_type):
    return wire.Blob(data=data, mime_type=mime_type)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((b"ab", "audio/mp3"), r"takes raw 16-bit PCM \(audio/pcm;rate=16000\), not audio/mp3: decode it"),
        (blob(b"Ogg", "audio/ogg;codecs=opus"), "not audio/ogg: decode it first"),
        ((b"ab", "audio/pcm;rate=1000"), "rate must be .* from 8000 to 384000, not 1000"),
        ((b"ab", "audio/pcm;rate=9000000"), "not 9000000"),
        (wav_file(), "this is a WAV file; send its samples .*wave module"),
        ((wav_file(), "audio/pcm"), "this is a WAV file"),
        (np.zeros((100, 2), dtype=np.int16), r"one channel; these samples have the shape \(100, 2\)"),
        ([blob(b"ab", "audio/pcm")] * 2, r"not a list of 2: send them one by one, .*send_media_stream"),
    ],
)
def test_sound_that_the_server_would_hang_up_on_is_refused(given, text):
    with pytest.raises(ConfigError, match=text):
        realtime_input(audio=given)
    with pytest.raises(ConfigError, match=text):
        audio_chunk(given)


@pytest.mark.parametrize("rate", [7_999, 384_001, 10**9, "16000", None])
def test_a_rate_that_nobody_records_with_is_refused(rate):
    with pytest.raises(ConfigError, match="samples per second"):
        audio_chunk(b"ab", rate)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (1, 4)])
def test_one_channel_may_stand_in_a_table(shape):
    assert audio_chunk(np.ones(shape, dtype=np.int16)).frame == audio_chunk(b"\1\0" * 4).frame


def test_one_channel_of_two_is_taken_out_of_them():
    both = np.array([[1, 9], [2, 9]], dtype=np.int16)
    assert audio_chunk(both[:, 0]).frame == audio_chunk(b"\1\0\2\0").frame


@pytest.mark.parametrize(
    "given",
    [
        blob(b"\1\2" * 80, "audio/pcm;rate=8000"),
        (b"\1\2" * 80, "audio/pcm;rate=8000"),
        {"data": b"\1\2" * 80, "mimeType": "audio/pcm;rate=8000"},
        types.Blob(data=b"\1\2" * 80, mime_type="audio/pcm;rate=8000"),
    ],
)
def test_a_chunk_that_names_its_rate_keeps_it(given):
    chunk = audio_chunk(given, 24_000)
    assert chunk.frame == wire.encode_client(realtime_input(audio=given))
    assert chunk.seconds == pytest.approx(0.01)


def test_a_chunk_whose_type_names_no_rate_sounds_as_the_models_hear_it():
    chunk = audio_chunk(blob(b"\1\2" * 160, "audio/pcm"))
    assert chunk.seconds == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((b"abc", "image/jpeg"), "no JPEG and no PNG"),
        ((b"GIF89a", "image/gif"), "takes image/jpeg or image/png, not image/gif$"),
        (b"GIF89a", "no JPEG and no PNG"),
        ((b"x", "image/heic"), "not image/heic"),
        ((JPEG, "image/jpg"), "not image/jpg; did you mean image/jpeg"),
        ((JPEG, "image/png"), "said to be image/png, but its bytes are image/jpeg"),
        (blob(PNG, "image/jpeg"), "said to be image/jpeg, but its bytes are image/png"),
        ({"mime_type": "image/png"}, "no data"),
    ],
)
def test_a_picture_that_is_none_is_refused(given, text):
    with pytest.raises(ConfigError, match=text):
        realtime_input(video=given)


class Drawing:
    format = None
    mode = "RGB"

    def save(self, file, kind, **options):
        file.write(b"")


@pytest.mark.parametrize(
    ("given", "so"),
    [
        (blob(JPEG, "image/jpeg"), True),
        ((JPEG, "image/jpeg"), True),
        ({"data": JPEG, "mime_type": "image/jpeg"}, True),
        ({"data": JPEG, "mimeType": "image/jpeg"}, True),
        (types.Blob(data=PNG, mime_type="image/png"), True),
        (Drawing(), True),
        (blob(b"ab", "audio/pcm"), False),
        ((b"ab", "audio/pcm"), False),
        ((), False),
        ({}, False),
        (b"ab", False),
        (array.array("h", [1]), False),
        (None, False),
    ],
)
def test_what_is_meant_as_a_picture_is_told_from_sound(given, so):
    assert is_picture(given) is so
