"""Use a session from an asyncio program.

    GEMINI_API_KEY=… python examples/from_asyncio.py
    python examples/from_asyncio.py --simulate

Every blocking method can be submitted; its future is awaited by ``asyncio.wrap_future``. The transcript of the
model's speech goes from the callback, which runs in the bridge's thread, into an asyncio queue.
"""

import asyncio
import sys
from contextlib import suppress

from livebridge import LiveBridgeThread
from livebridge.protocol import Transcript
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"


async def show(transcripts: asyncio.Queue[str]) -> None:
    while True:
        print(await transcripts.get(), end="", flush=True)
        transcripts.task_done()


async def main(bridge: LiveBridgeThread, options: dict[str, object]) -> None:
    loop = asyncio.get_running_loop()
    transcripts: asyncio.Queue[str] = asyncio.Queue()

    def note(transcript: Transcript) -> None:
        with suppress(RuntimeError):  # after Ctrl-C the loop is closed before the session
            loop.call_soon_threadsafe(transcripts.put_nowait, transcript.text)

    printer = asyncio.create_task(show(transcripts))
    session = await asyncio.wrap_future(
        bridge.start.submit(model=MODEL, output_audio_transcription={}, on_transcription=note, **options)
    )
    for question in ("My name is Ada.", "What is my name?"):
        turn = await asyncio.wrap_future(session.ask.submit(question, timeout=60))
        tokens = turn.usage.total_token_count if turn.usage else 0
        transcripts.put_nowait(f"\n  ({tokens} tokens)\n")
    await asyncio.wrap_future(session.close.submit())
    await transcripts.join()
    printer.cancel()


if __name__ == "__main__":
    with (
        suppress(KeyboardInterrupt),
        LiveBridgeThread() as bridge,
        bridge.hold(connection(simulate="--simulate" in sys.argv)) as options,
    ):
        asyncio.run(main(bridge, dict(options)))
