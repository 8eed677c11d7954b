"""Speak to the model and keep what it says: a WAV file in, a WAV file out.

    GEMINI_API_KEY=… python examples/audio_streaming.py question.wav answer.wav
    python examples/audio_streaming.py question.wav answer.wav --simulate

The file must be 16-bit mono. It is sent at the pace at which it sounds, in pieces of 40 ms, as a microphone
would; the server hears by itself when the speaker has finished.
"""

import sys
import wave
from collections.abc import AsyncIterator

import trio

from livebridge import Session
from livebridge.protocol import AudioDelta, Transcript
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"


async def microphone(file: wave.Wave_read) -> AsyncIterator[bytes]:
    frames = file.getframerate() // 25
    while piece := file.readframes(frames):
        yield piece


async def main() -> None:
    source, target = (argument for argument in sys.argv[1:] if not argument.startswith("--"))
    answer = bytearray()

    def keep(delta: AudioDelta) -> None:
        answer.extend(delta.data)

    def show(transcript: Transcript) -> None:
        if transcript.text:
            print(f"{transcript.direction}: {transcript.text}")

    with wave.open(source) as file:
        async with (
            connection(simulate="--simulate" in sys.argv) as options,
            Session.start(
                model=MODEL,
                input_audio_transcription={},
                output_audio_transcription={},
                on_audio=keep,
                on_transcription=show,
                **options,
            ) as session,
        ):
            await session.send_media_stream(microphone(file), rate=file.getframerate())
            await session.send_realtime_input(audio_stream_end=True)
            turn = await session.wait_turn(timeout=60)
    with wave.open(target, "wb") as reply:
        reply.setparams((1, 2, turn.audio_rate, 0, "NONE", ""))
        reply.writeframes(bytes(answer))
    print(f"{len(answer) / 2 / turn.audio_rate:.1f} s of speech in {target}")


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
