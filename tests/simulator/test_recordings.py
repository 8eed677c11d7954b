import math
import random

import pytest

from livebridge.simulator import Recordings, ToneVoice
from livebridge.simulator._recordings import envelope

RATE = 16000


@pytest.fixture
def voice_like():
    """Sound with the rhythm of words: bursts of noise of different loudness with short pauses."""

    def make(seed, seconds=3.0):
        chance = random.Random(seed)
        samples = []
        while len(samples) < seconds * RATE:
            level = chance.choice([0.02, 0.2, 0.5, 1.0]) * 8000
            length = chance.randrange(800, 4000)
            samples += [
                int(level * math.sin(math.pi * n / length) * chance.uniform(-1, 1)) for n in range(length)
            ]
        return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)

    return make


def test_tone_speech_is_understood():
    pcm = ToneVoice(rate=RATE).speak("What is the weather?") + bytes(3200)
    assert Recordings().recognise(pcm, rate=RATE) == "What is the weather?"


def test_a_recording_is_known_again_with_silence_around_it(voice_like):
    recordings = Recordings()
    recordings.add(voice_like(1), "What is the weather in Paris?", rate=RATE)
    recordings.add(voice_like(2), "Book a table", rate=RATE)
    heard = bytes(4321 * 2) + voice_like(1) + bytes(8000 * 2)
    assert recordings.recognise(heard, rate=RATE) == "What is the weather in Paris?"


def test_a_part_of_a_recording_gives_its_share_of_the_words(voice_like):
    recordings = Recordings()
    recordings.add(voice_like(3, seconds=4.0), "one two three four five six seven eight", rate=RATE)
    half = voice_like(3, seconds=4.0)[: 2 * 2 * RATE]
    assert recordings.recognise(half, rate=RATE).split()[:3] == ["one", "two", "three"]
    assert "eight" not in recordings.recognise(half, rate=RATE)


def test_a_recording_is_known_at_another_rate(voice_like):
    pcm = voice_like(4)
    samples = memoryview(pcm).cast("h")
    half_rate = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples[::2])
    recordings = Recordings()
    recordings.add(pcm, "Hello there", rate=RATE)
    assert recordings.recognise(half_rate, rate=RATE // 2) == "Hello there"


def test_unknown_speech_is_told_by_its_length(voice_like):
    recordings = Recordings()
    recordings.add(voice_like(5), "Hello", rate=RATE)
    other = voice_like(99, seconds=2.4)
    assert recordings.recognise(other[: int(2.4 * RATE) * 2], rate=RATE) == "(speech, 2.4 s)"
    assert Recordings().recognise(bytes(RATE), rate=RATE) == "(speech, 0.5 s)"
    assert recordings.recognise(voice_like(5)[:3200], rate=RATE) == "(speech, 0.1 s)"


def test_silence_has_no_envelope():
    assert envelope(bytes(32000), rate=RATE) == ()
    assert envelope(b"", rate=RATE) == ()


def test_a_guess_at_unfinished_speech_is_a_part_of_it_or_its_length():
    recordings = Recordings()
    pcm = ToneVoice(rate=16_000).speak("Hello there")
    parts = [recordings.guess(pcm[: 2 * 640 * blocks], rate=16_000) for blocks in range(1, 18)]
    assert parts[0] == ""
    assert all("Hello there".startswith(part) for part in parts)
    assert parts[-1] == "Hello there"
    assert recordings.guess(bytes(3200), rate=16_000) == "(speech, 0.1 s)"
