"""Leave a conversation, and go on with it in another process.

    GEMINI_API_KEY=… python examples/session_resumption.py begin handle.txt
    GEMINI_API_KEY=… python examples/session_resumption.py resume handle.txt

``begin`` tells the model a name and keeps the resumption handle in a file; ``resume`` asks for the name. ``both``
runs the two one after the other, each in a process of its own. Only so can it be tried without a key, since a
simulator forgets everything when its process ends:

    python examples/session_resumption.py both handle.txt --simulate

A handle is a secret: whoever has it can go on with the conversation.
"""

import os
import sys
from pathlib import Path

import trio

from livebridge import Session
from livebridge.protocol import ResumptionUpdate
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"


async def begin(file: Path) -> None:
    saved = trio.Event()

    def save(update: ResumptionUpdate) -> None:
        file.touch(mode=0o600)
        file.write_text(update.handle)
        saved.set()

    async with Session.start(
        model=MODEL, output_audio_transcription={}, on_session_resumption=save
    ) as session:
        turn = await session.ask("Hello, my name is Ada.", timeout=60)
        print("first process:", turn.text)
        await saved.wait()


async def resume(handle: str) -> None:
    async with Session.start(model=MODEL, output_audio_transcription={}, resume_handle=handle) as session:
        turn = await session.ask("What is my name?", timeout=60)
        print("second process:", turn.text)


async def both(file: Path) -> None:
    async with connection(simulate="--simulate" in sys.argv) as options:
        environment = dict(os.environ)
        if options:
            environment["GOOGLE_API_KEY"] = str(options["api_key"])
            environment["GOOGLE_GEMINI_BASE_URL"] = str(options["base_url"])
        for verb in ("begin", "resume"):
            command = [sys.executable, __file__, verb, str(file)]
            # a session of its own: Ctrl-C ends this process, and this one ends the other
            await trio.run_process(command, env=environment, start_new_session=True)


if __name__ == "__main__":
    verb, path = sys.argv[1], Path(sys.argv[2])
    try:
        if verb == "begin":
            trio.run(begin, path)
        elif verb == "resume":
            trio.run(resume, path.read_text())
        else:
            trio.run(both, path)
    except* KeyboardInterrupt:
        pass
