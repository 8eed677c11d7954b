import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge.simulator._detector import Detector, Sensitivity, SpeechEnd, SpeechStart, loudness

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)

RATE = 16000


def sound(seconds, level=3000):
    pair = level.to_bytes(2, "little", signed=True) + (-level).to_bytes(2, "little", signed=True)
    return pair * int(seconds * RATE / 2)


def silence(seconds):
    return bytes(2 * int(seconds * RATE))


def listen(pcm, chunk=640, **sensitivity):
    detector = Detector(Sensitivity(**sensitivity), rate=RATE)
    events = []
    for start in range(0, len(pcm), chunk):
        events += detector.feed(pcm[start : start + chunk])
    return detector, events


def test_speech_begins_and_ends_with_silence_long_enough():
    _, (start, end) = listen(silence(1) + sound(1) + silence(1), silence_seconds=0.5)
    assert start == SpeechStart(offset=pytest.approx(1.0))
    assert end.offset == pytest.approx(2.5)
    assert end.seconds == pytest.approx(0.2 + 1.0 + 0.5, abs=0.05)


def test_a_pause_shorter_than_the_silence_duration_does_not_end_the_activity():
    _, events = listen(sound(0.5) + silence(0.4) + sound(0.5) + silence(0.6), silence_seconds=0.5)
    assert [type(event) for event in events] == [SpeechStart, SpeechEnd]


def test_a_click_shorter_than_the_prefix_padding_is_no_speech():
    detector, events = listen(silence(0.2) + sound(0.1) + silence(1), prefix_seconds=0.2)
    assert events == []
    assert not detector.speaking


def test_a_low_sensitivity_does_not_hear_whispers():
    whisper = sound(1, level=400) + silence(1)
    assert len(listen(whisper, threshold=250.0)[1]) == 2
    assert listen(whisper, threshold=900.0)[1] == []


def test_flushing_ends_an_open_activity_and_forgets_anything_else():
    detector, _ = listen(sound(0.5) + b"\x01\x02")
    (end,) = detector.flush()
    assert end.seconds == pytest.approx(0.5, abs=0.001)
    assert detector.flush() == []
    quiet, _ = listen(silence(0.3))
    assert quiet.flush() == []


@CALMLY
@given(st.lists(st.integers(0, 500), min_size=1, max_size=40))
def test_how_audio_is_cut_into_chunks_does_not_matter(cuts):
    pcm = silence(0.3) + sound(0.4) + silence(0.7) + sound(0.2) + silence(0.6)
    expected = listen(pcm)[1]
    detector = Detector(Sensitivity(), rate=RATE)
    events, at = [], 0
    for cut in cuts:
        events += detector.feed(pcm[at : at + 2 * cut])
        at += 2 * cut
    events += detector.feed(pcm[at:])
    assert events == expected


def test_nothing_has_no_loudness():
    assert loudness(b"") == 0.0
    assert loudness(sound(0.1, level=100)) == pytest.approx(100.0)


def test_an_event_does_not_show_its_samples():
    assert repr(SpeechEnd(offset=1.0, pcm=b"\0" * 8, rate=RATE)).count("<8 bytes>") == 1
