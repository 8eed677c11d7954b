"""Type lines, read answers as they stream.

    GEMINI_API_KEY=… python examples/text_chat.py
    python examples/text_chat.py --simulate

The model speaks; what is shown is the transcript of its speech. Ctrl-D or Ctrl-C ends the chat.
"""

import io
import sys

import trio

from livebridge import Session
from livebridge.protocol import Transcript, Turn
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"
KEYBOARD = io.FileIO(0, closefd=False)  # unlike sys.stdin, it can be left while it waits for a line


def show(transcript: Transcript) -> None:
    print(transcript.text, end="", flush=True)


def show_cost(turn: Turn) -> None:
    print(f"\n  ({turn.usage.total_token_count if turn.usage else 0} tokens)")


async def main() -> None:
    async with (
        connection(simulate="--simulate" in sys.argv) as options,
        Session.start(
            model=MODEL,
            output_audio_transcription={},
            on_transcription=show,
            on_turn_complete=show_cost,
            **options,
        ) as session,
    ):
        while line := await trio.to_thread.run_sync(KEYBOARD.readline, abandon_on_cancel=True):
            await session.ask(line.decode().strip(), timeout=60)


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
