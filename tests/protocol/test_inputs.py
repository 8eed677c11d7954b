"""What users hand to the verbs becomes client messages, or errors that teach."""

import array

import numpy as np
import pytest
from google.genai import types

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._inputs import audio_chunk, client_content, realtime_input

PNG = b"\x89PNG\r\n\x1a\n...."
JPEG = b"\xff\xd8\xff...."


def said(*texts, role="user"):
    return wire.Content(role=role, parts=tuple(wire.Part(text=text) for text in texts))


@pytest.mark.parametrize(
    ("given", "turns"),
    [
        (None, None),
        ("hi", (said("hi"),)),
        ("", (said(""),)),
        (wire.Part(text="hi"), (said("hi"),)),
        (said("hi", role="model"), (said("hi", role="model"),)),
        ({"role": "model", "parts": [{"text": "hi"}]}, (said("hi", role="model"),)),
        ({"parts": ["hi"]}, (wire.Content(parts=(wire.Part(text="hi"),)),)),
        ({"text": "hi"}, (said("hi"),)),
        (
            {"inlineData": {"mimeType": "image/png", "data": "AAE="}},
            (
                wire.Content(
                    role="user",
                    parts=(wire.Part(inline_data=wire.Blob(data=b"\0\1", mime_type="image/png")),),
                ),
            ),
        ),
        ([], ()),
        (["a", "b"], (said("a", "b"),)),
        (
            ["a", {"text": "b"}, said("c", role="model"), "d"],
            (said("a", "b"), said("c", role="model"), said("d")),
        ),
        ((said("a"), said("b", role="system")), (said("a"), said("b", role="system"))),
        (types.Content(role="model", parts=[types.Part(text="x")]), (said("x", role="model"),)),
        (types.Part(text="x"), (said("x"),)),
        (
            wire.Part(function_call=wire.FunctionCall(name="f")),
            (wire.Content(role="model", parts=(wire.Part(function_call=wire.FunctionCall(name="f")),)),),
        ),
    ],
)
def test_words_come_in_many_forms(given, turns):
    message = client_content(given)
    assert message == wire.ClientMessage(client_content=wire.ClientContent(turns=turns, turn_complete=True))
    assert wire.encode_client(message).startswith(b'{"clientContent":')


def test_a_turn_may_be_left_open():
    assert wire.encode_client(client_content("x", turn_complete=False)).endswith(b'"turnComplete":false}}')


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (7, "content takes text, a Part"),
        (b"x", "bytes go into a Part"),
        (["a", b"x"], r"content\[1\] takes text"),
        (["a", None], r"content\[1\] takes text"),
        ({}, "content is empty"),
        ({"txet": "x"}, "did you mean 'text'"),
        ({"role": 1, "parts": []}, "content.role: expected text"),
        ([{"parts": [{"text": 1}]}], r"content\[0\].parts\[0\].text"),
        (object(), "content"),
    ],
)
def test_words_in_no_known_form_are_refused_with_the_place(given, text):
    with pytest.raises(ConfigError, match=text):
        client_content(given)


def test_turn_complete_is_a_truth_value():
    with pytest.raises(ConfigError, match="turn_complete is True or False, not 1"):
        client_content("x", turn_complete=1)


class Picture:
    def __init__(self, kind=None, filename="", mode="RGB", error=None):
        self.format = kind
        self.filename = filename
        self.mode = mode
        self.error = error
        self.calls = []

    def save(self, file, kind, **options):
        self.calls.append((kind, options))
        if self.error is not None:
            raise self.error
        file.write(kind.encode())


@pytest.mark.parametrize(
    ("given", "data", "mime_type"),
    [
        (b"\1\2", b"\1\2", "audio/pcm;rate=16000"),
        (bytearray(b"\1\2"), b"\1\2", "audio/pcm;rate=16000"),
        (memoryview(b"\1\2"), b"\1\2", "audio/pcm;rate=16000"),
        (array.array("h", [513]), b"\1\2", "audio/pcm;rate=16000"),
        (np.array([513], dtype=np.int16), b"\1\2", "audio/pcm;rate=16000"),
        ((b"\1\2", "audio/pcm;rate=8000"), b"\1\2", "audio/pcm;rate=8000"),
        ({"data": b"\1\2", "mime_type": "audio/pcm"}, b"\1\2", "audio/pcm"),
        ({"data": "AQI=", "mimeType": "audio/pcm"}, b"\1\2", "audio/pcm"),
        (wire.Blob(data=b"\1\2", mime_type="audio/l16"), b"\1\2", "audio/l16"),
        (types.Blob(data=b"\1\2", mime_type="audio/pcm"), b"\1\2", "audio/pcm"),
    ],
)
def test_sound_comes_in_many_forms(given, data, mime_type):
    message = realtime_input(audio=given)
    assert message.realtime_input == wire.RealtimeInput(audio=wire.Blob(data=data, mime_type=mime_type))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (b"", "audio has no data"),
        (b"\1", "even number of bytes, not 1; keep the odd byte"),
        ((b"\1\2", "video/mp4"), "begins with 'audio/', not 'video/mp4'"),
        ((b"\1\2", "Audio/pcm"), "begins with 'audio/'"),
        ((b"\1\2",), "not a tuple of \\['bytes'\\]"),
        ((b"\1\2", None), "not a tuple of"),
        ({"data": b"\1\2"}, "begins with 'audio/', not None"),
        ({"mime_type": "audio/pcm"}, "audio has no data"),
        ({"dta": b""}, "did you mean 'data'"),
        ("AQI=", "takes bytes of 16-bit PCM.*not str"),
        (np.zeros(2, dtype=np.float32), "16-bit signed samples.*convert floats"),
        (object(), "audio"),
    ],
)
def test_sound_in_no_known_form_is_refused(given, text):
    with pytest.raises(ConfigError, match=text):
        realtime_input(audio=given)


@pytest.mark.parametrize(
    ("given", "mime_type"),
    [
        (PNG, "image/png"),
        (bytearray(JPEG), "image/jpeg"),
        (memoryview(PNG), "image/png"),
        ((JPEG, "image/jpeg"), "image/jpeg"),
        ({"data": "/9j/", "mimeType": "image/jpeg"}, "image/jpeg"),
        (types.Blob(data=PNG, mime_type="image/png"), "image/png"),
        (Picture("JPEG", "a.jpg"), "image/jpeg"),
        (Picture("JPEG"), "image/png"),
        (Picture("JPEG", "a.jpg", mode="RGBA"), "image/png"),
        (Picture("GIF", "a.gif"), "image/png"),
    ],
)
def test_pictures_come_in_many_forms(given, mime_type):
    assert realtime_input(video=given).realtime_input.video.mime_type == mime_type


def test_a_jpeg_file_is_not_compressed_once_more():
    picture = Picture("JPEG", "a.jpg")
    realtime_input(video=picture)
    assert picture.calls == [("JPEG", {"quality": "keep"})]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (b"what is this", "no JPEG and no PNG"),
        (array.array("h", [1]), "no JPEG and no PNG"),
        ((b"x", "video/mp4"), "begins with 'image/', not 'video/mp4'"),
        (("x", "image/png"), "not a tuple of"),
        ((b"", "image/png"), "video has no data"),
        ([1], "not list"),
        (Picture(error=OSError("cannot write mode CMYK as PNG")), "cannot be written as PNG: cannot write"),
    ],
)
def test_pictures_in_no_known_form_are_refused(given, text):
    with pytest.raises(ConfigError, match=text):
        realtime_input(video=given)


def test_a_picture_may_stand_among_words():
    message = client_content([Picture(), "what is this?"])
    (turn,) = message.client_content.turns
    assert turn.parts[0].inline_data == wire.Blob(data=b"PNG", mime_type="image/png")
    assert turn.parts[1].text == "what is this?"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"text": ""}, wire.RealtimeInput(text="")),
        ({"activity_start": True}, wire.RealtimeInput(activity_start=wire.ActivityStart())),
        ({"activity_start": {}}, wire.RealtimeInput(activity_start=wire.ActivityStart())),
        ({"activity_end": wire.ActivityEnd()}, wire.RealtimeInput(activity_end=wire.ActivityEnd())),
        ({"activity_end": types.ActivityEnd()}, wire.RealtimeInput(activity_end=wire.ActivityEnd())),
        ({"audio_stream_end": True}, wire.RealtimeInput(audio_stream_end=True)),
    ],
)
def test_text_and_signals(given, made):
    assert realtime_input(**given).realtime_input == made


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "exactly one of audio, video, text.*got none"),
        ({"text": "", "audio_stream_end": False}, "got audio_stream_end, text"),
        ({"text": 7}, "text takes text, not int"),
        ({"activity_start": False}, "activity_start can only be True"),
        ({"activity_end": 1}, "activity_end can only be True"),
        ({"activity_end": "yes"}, "activity_end can only be True"),
        ({"activity_end": object()}, "activity_end can only be True"),
        ({"audio_stream_end": False}, "audio_stream_end can only be True"),
        ({"audio_stream_end": {}}, "audio_stream_end can only be True"),
    ],
)
def test_a_realtime_input_is_exactly_one_thing(given, text):
    with pytest.raises(ConfigError, match=text):
        realtime_input(**given)


def test_the_fast_way_of_sound_gives_the_same_frame_as_the_slow_one():
    chunk = audio_chunk(b"\1\2" * 800)
    assert chunk.frame == wire.encode_client(realtime_input(audio=b"\1\2" * 800))
    assert chunk.seconds == pytest.approx(0.05)
    assert b"rate=8000" in audio_chunk(array.array("h", [1]), 8000).frame


@pytest.mark.parametrize(
    ("given", "rate", "text"),
    [
        (b"", 16000, "no data"),
        (b"\1\2\3", 16000, "even number"),
        ("pcm", 16000, "not str"),
        (b"\1\2", 0, "rate must be a whole number of samples per second from 8000 to 384000, not 0"),
        (b"\1\2", True, "rate must be"),
        (b"\1\2", 16000.0, "rate must be"),
    ],
)
def test_a_chunk_that_is_no_sound_is_refused(given, rate, text):
    with pytest.raises(ConfigError, match=text):
        audio_chunk(given, rate)
