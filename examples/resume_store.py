"""A conversation that survives its process: handle and unsent messages live in an SQLite file.

    GEMINI_API_KEY=… python examples/resume_store.py tell conversation.db
    GEMINI_API_KEY=… python examples/resume_store.py ask conversation.db

``tell`` tells the model a name and stops without closing the conversation; ``ask``, minutes or an hour later, goes on
with it. No handle is passed around: sessions with the same store and the same key are the same conversation. ``both``
runs the two one after the other, which is the only way to try it without a key, since a simulator forgets everything
when its process ends:

    python examples/resume_store.py both conversation.db --simulate

The file holds secrets (whoever has a handle can go on with the conversation) and is readable by you only.
"""

import os
import sys
from pathlib import Path

import trio

from livebridge import Session
from livebridge.protocol import ReadyInfo
from livebridge.session import SqliteResumeStore
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"


async def talk(line: str, file: Path) -> None:
    saved = trio.Event()

    def tell(info: ReadyInfo) -> None:
        print("ready:", info.kind)

    async with Session.start(
        model=MODEL,
        output_audio_transcription={},
        resume_store=SqliteResumeStore(file),
        resume_key="ada",
        forget_on_close=False,
        on_ready=tell,
        on_session_resumption=lambda _: saved.set(),
    ) as session:
        turn = await session.ask(line, timeout=60)
        print(f"you: {line}\nmodel: {turn.text}")
        await saved.wait()


async def both(file: Path) -> None:
    async with connection(simulate="--simulate" in sys.argv) as options:
        environment = dict(os.environ)
        if options:
            environment["GOOGLE_API_KEY"] = str(options["api_key"])
            environment["GOOGLE_GEMINI_BASE_URL"] = str(options["base_url"])
        for verb in LINES:
            command = [sys.executable, __file__, verb, str(file)]
            # a session of its own: Ctrl-C ends this process, and this one ends the other
            await trio.run_process(command, env=environment, start_new_session=True)


LINES = {"tell": "Hello, my name is Ada.", "ask": "What is my name?"}

if __name__ == "__main__":
    verb, path = sys.argv[1], Path(sys.argv[2])
    try:
        if verb == "both":
            trio.run(both, path)
        else:
            trio.run(talk, LINES[verb], path)
    except* KeyboardInterrupt:
        pass
