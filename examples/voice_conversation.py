"""A spoken conversation: what the microphone hears goes to the model, what the model says to the loudspeaker.

    GEMINI_API_KEY=… python examples/voice_conversation.py question.wav answer.wav
    python examples/voice_conversation.py question.wav answer.wav --simulate

Two WAV files (16-bit mono) stand for the devices, and are as slow as these are: the microphone gives 20 ms of sound
every 20 ms, the loudspeaker takes a piece when the one before it has been heard. Cut in, and the loudspeaker is
silent at once: the model's words that were not heard yet are thrown away.

With a sound card (``pip install sounddevice``) the two become::

    async def microphone():
        with sounddevice.RawInputStream(samplerate=16_000, channels=1, dtype="int16") as stream:
            while True:
                pcm, _ = await trio.to_thread.run_sync(stream.read, 320)
                yield bytes(pcm)

    class Loudspeaker:
        def __init__(self):
            self.stream = sounddevice.RawOutputStream(samplerate=24_000, channels=1, dtype="int16", latency=0.1)
            self.stream.start()

        async def play(self, pcm, rate):
            for start in range(0, len(pcm), 960):  # 20 ms, so that an interruption is soon heard
                await trio.to_thread.run_sync(self.stream.write, pcm[start : start + 960])

and the block lasts until Ctrl-C: ``await talk.wait_stopped()``. Use a headset, or ``half_duplex=True``, unless the
sound card removes echoes; the model would hear itself and cut in on itself.
"""

import sys
import wave
from collections.abc import AsyncIterator

import trio

from livebridge import Session
from livebridge.protocol import Interrupted, Transcript
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"
PIECE_SECONDS = 0.02


async def microphone(file: wave.Wave_read) -> AsyncIterator[bytes]:
    due = trio.current_time()
    while pcm := file.readframes(round(file.getframerate() * PIECE_SECONDS)):
        due += PIECE_SECONDS
        await trio.sleep_until(due)
        yield pcm


class Loudspeaker:
    def __init__(self) -> None:
        self.heard = bytearray()
        self.rate = 24_000

    async def play(self, pcm: bytes, rate: int) -> None:
        self.rate = rate
        size = round(rate * PIECE_SECONDS) * 2
        for start in range(0, len(pcm), size):
            piece = pcm[start : start + size]
            self.heard += piece
            await trio.sleep(len(piece) / 2 / rate)


def show(transcript: Transcript) -> None:
    if transcript.text:
        print(f"{transcript.direction}: {transcript.text}")


def show_cut(info: Interrupted) -> None:
    print(f"(you cut in on turn {info.turn})")


async def main() -> None:
    source, target = (argument for argument in sys.argv[1:] if not argument.startswith("--"))
    loudspeaker = Loudspeaker()
    with wave.open(source) as file:
        async with (
            connection(simulate="--simulate" in sys.argv) as options,
            Session.start(
                model=MODEL,
                response_modalities=["AUDIO"],
                input_audio_transcription={},
                output_audio_transcription={},
                on_transcription=show,
                on_interrupted=show_cut,
                **options,
            ) as session,
            session.audio_conversation(
                microphone=microphone(file), speaker=loudspeaker, rate=file.getframerate()
            ) as talk,
        ):
            await session.wait_turn(timeout=60)
            await talk.wait_quiet()  # the model is done before its last words are heard
    with wave.open(target, "wb") as answer:
        answer.setparams((1, 2, loudspeaker.rate, 0, "NONE", ""))
        answer.writeframes(bytes(loudspeaker.heard))
    seconds = len(loudspeaker.heard) / 2 / loudspeaker.rate
    print(f"{talk.sent_seconds:.1f} s sent, {seconds:.1f} s heard")


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
