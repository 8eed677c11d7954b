import threading
import time

import pytest

from livebridge.errors import ConfigError


class Loudspeaker:
    def __init__(self):
        self.heard = b""
        self.threads = set()
        self.flushes = 0

    def play(self, pcm, rate):
        self.threads.add(threading.current_thread())
        self.heard += pcm


class FlushedLoudspeaker(Loudspeaker):
    def flush(self):
        self.flushes += 1


def microphone(stop):
    while not stop.is_set():
        time.sleep(0.01)
        yield bytes(640)


@pytest.mark.parametrize("kind", [Loudspeaker, FlushedLoudspeaker])
def test_devices_that_block_work_in_threads(start, options, kind):
    speaker, stop = kind(), threading.Event()
    with start(**{**options, "response_modalities": ["AUDIO"]}) as session:
        with session.audio_conversation(microphone=microphone(stop), speaker=speaker):
            assert session.in_conversation
            turn = session.ask("My name is Ada.", timeout=10)
            deadline = time.monotonic() + 10
            while len(speaker.heard) < len(turn.audio) and time.monotonic() < deadline:
                time.sleep(0.01)
            stop.set()
        assert not session.in_conversation
        assert speaker.heard == turn.audio
        assert session.turn_number >= 2
    assert threading.main_thread() not in speaker.threads
    assert speaker.flushes == (kind is FlushedLoudspeaker)


def test_what_is_no_speaker_is_refused(start, options):
    with (
        start(**options) as session,
        pytest.raises(ConfigError, match="play"),
        session.audio_conversation(microphone=iter([b""]), speaker=object()),
    ):
        raise AssertionError
