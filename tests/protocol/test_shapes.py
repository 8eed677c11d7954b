"""The values that callbacks receive."""

import attrs
import pytest

from livebridge import wire
from livebridge.protocol import _shapes
from livebridge.protocol._mime import audio_rate, pcm_type
from livebridge.protocol._shapes import (
    AudioDelta,
    Direction,
    GoAwayInfo,
    Phase,
    ResumptionUpdate,
    Status,
    Turn,
    Unrecognized,
)

SECRET = "handle-of-somebody"


def test_every_phase_is_covered_by_one_of_the_five_words():
    assert {phase.status for phase in Phase} == set(Status)
    assert Phase.GOAWAY.status is Status.READY
    assert Phase.BACKOFF.status is Status.DISCONNECTED


def test_a_direction_is_the_word_itself():
    assert [str(direction) for direction in Direction] == ["input", "output"]


@pytest.mark.parametrize(
    "value",
    [
        ResumptionUpdate(handle=SECRET),
        GoAwayInfo(time_left=9.5, deadline=100.0, handle=SECRET),
        Unrecognized(raw={"token": SECRET}),
    ],
)
def test_no_repr_shows_a_handle(value):
    assert SECRET not in repr(value)


def test_a_repr_shows_the_size_of_sound_instead_of_the_sound():
    assert repr(AudioDelta(data=b"\1" * 4800)).startswith("AudioDelta(data=<4800 bytes>")
    assert "<4 bytes>" in repr(Turn(audio=b"\1\2\3\4"))


def test_shapes_cannot_be_changed():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Turn().text = "x"


def test_everything_the_module_offers_exists():
    assert all(hasattr(_shapes, name) for name in _shapes.__all__)
    assert _shapes.Usage(prompt_token_count=1).prompt_token_count == 1
    assert _shapes.Turn(usage=None, complete_reason=wire.TurnCompleteReason.BLOCKLIST).usage is None


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [
        ("audio/pcm;rate=24000", 24000),
        ("audio/pcm; rate=16000; channels=1", 16000),
        ("AUDIO/PCM;RATE=8000", 8000),
        ("audio/pcm", 24000),
        ("audio/pcm;rate=0", 24000),
        ("audio/pcm;rate=fast", 24000),
        ("audio/pcm;bitrate=9", 24000),
        (None, 24000),
        ("image/jpeg", None),
        ("", None),
    ],
)
def test_the_rate_of_sound_is_read_from_its_type(mime_type, rate):
    assert audio_rate(mime_type) == rate


def test_a_pcm_type_is_read_back():
    assert audio_rate(pcm_type(16000)) == 16000
