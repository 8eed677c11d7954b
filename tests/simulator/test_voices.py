import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge.simulator import ToneError, ToneVoice
from livebridge.simulator._tones import tone_block

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)

TEXTS = st.text(max_size=12)
BLOCK_BYTES = 1920


@CALMLY
@given(text=TEXTS, rate=st.sampled_from([8000, 16000, 24000, 48000]))
def test_what_the_tone_voice_says_can_be_read_back(text, rate):
    assert ToneVoice.decode(ToneVoice(rate=rate).speak(text), rate=rate) == text


@CALMLY
@given(first=TEXTS, second=TEXTS, lead=st.integers(0, 3000), gap=st.integers(0, 9000))
def test_silence_around_and_between_utterances_does_not_matter(first, second, lead, gap):
    voice = ToneVoice()
    pcm = bytes(2 * lead) + voice.speak(first) + bytes(2 * gap) + voice.speak(second) + bytes(2 * gap)
    assert ToneVoice.decode(pcm) == first + second


@pytest.mark.parametrize("rate", [11025, 22050, 44100])
def test_a_rate_that_is_no_multiple_of_8_khz_is_resampled(rate):
    step = 24000 / rate
    pcm = memoryview(ToneVoice().speak("Hello, world")).cast("h")
    resampled = [pcm[int(index * step)] for index in range(int(len(pcm) / step))]
    data = b"".join(sample.to_bytes(2, "little", signed=True) for sample in resampled)
    assert ToneVoice.decode(data, rate=rate) == "Hello, world"


@CALMLY
@given(data=st.data())
def test_a_block_that_is_lost_doubled_or_moved_is_noticed(data):
    pcm = ToneVoice().speak("abcdefghijkl")
    blocks = [pcm[start : start + BLOCK_BYTES] for start in range(0, len(pcm), BLOCK_BYTES)]
    damaged = list(blocks)
    match data.draw(st.sampled_from(["lose", "double", "move"])):
        case "lose":
            del damaged[data.draw(st.integers(1, len(blocks) - 1))]
        case "double":
            index = data.draw(st.integers(1, len(blocks) - 2))
            damaged.insert(index, damaged[index])
        case "move":
            index = data.draw(st.integers(1, len(blocks) - 3))
            damaged[index], damaged[index + 1] = damaged[index + 1], damaged[index]
    with pytest.raises(ToneError, match="not whole"):
        ToneVoice.decode(b"".join(damaged))


def test_an_interrupted_utterance_is_read_as_far_as_it_goes():
    pcm = ToneVoice().speak("Hello world")
    (reading,) = ToneVoice.readings(pcm[: BLOCK_BYTES * 6])
    assert (reading.text, reading.complete, reading.intact) == ("Hello", False, True)


def test_noise_in_the_middle_is_counted_as_damage():
    pcm = ToneVoice().speak("Hello")
    chance = random.Random(1)
    noise = b"".join(chance.randrange(-3000, 3000).to_bytes(2, "little", signed=True) for _ in range(960))
    (reading,) = ToneVoice.readings(pcm[: BLOCK_BYTES * 2] + noise + pcm[BLOCK_BYTES * 3 :])
    assert reading.damaged == 1
    assert not reading.intact


def test_silence_has_no_utterance():
    assert ToneVoice.readings(bytes(9600)) == []
    with pytest.raises(ToneError, match="found none"):
        ToneVoice.decode(b"")


def test_a_new_start_ends_an_utterance_without_an_end():
    pcm = ToneVoice().speak("Hello")
    first, second = ToneVoice.readings(pcm[: BLOCK_BYTES * 3] + pcm)
    assert (first.text, first.complete) == ("He", False)
    assert (second.text, second.complete) == ("Hello", True)


def test_the_sound_is_soft_and_as_long_as_announced():
    voice = ToneVoice()
    pcm = voice.speak("Hello, Zoë")
    samples = memoryview(pcm).cast("h")
    assert max(map(abs, samples)) < 32767 * 0.2
    assert len(pcm) / 2 / voice.rate == pytest.approx(voice.seconds("Hello, Zoë"))


def test_blocks_join_without_a_click():
    block = memoryview(tone_block((400, 1200, 2000), 24000, 0.06)).cast("h")
    assert block[0] == 0
    assert abs(block[-1]) < max(map(abs, block))


def test_an_utterance_that_breaks_off_into_silence_ends_there():
    pcm = ToneVoice().speak("Hello world")
    first, second = ToneVoice.readings(pcm[: BLOCK_BYTES * 3] + bytes(BLOCK_BYTES * 4) + pcm)
    assert (first.text, first.complete, first.intact) == ("He", False, True)
    assert second.complete
