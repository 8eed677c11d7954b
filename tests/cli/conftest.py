import math
import os
import struct
import wave

import pytest


@pytest.fixture
def write_wav():
    """Writes a WAV file of tone bursts: 0.6 s of sound between silences."""

    def write(path, *, rate=16_000, channels=1, seconds=0.6, silence=0.2, amplitude=9000):
        count = int(seconds * rate)
        quiet = [0] * int(silence * rate)
        loud = [int(amplitude * math.sin(2 * math.pi * 330 * n / rate)) for n in range(count)]
        samples = [value for value in quiet + loud + quiet for _ in range(channels)]
        with wave.open(str(path), "wb") as file:
            file.setparams((channels, 2, rate, 0, "NONE", ""))
            file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
        return path

    return write


@pytest.fixture
def typed(monkeypatch):
    """Makes standard input a pipe that holds a text."""

    def type_in(text):
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        stream = os.fdopen(reader)
        monkeypatch.setattr("sys.stdin", stream)

    return type_in
