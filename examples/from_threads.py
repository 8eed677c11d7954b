"""Use sessions from plain threads, as a web application or a script without trio does.

    GEMINI_API_KEY=… python examples/from_threads.py
    python examples/from_threads.py --simulate

Three threads share one bridge, and each holds a conversation of its own. What the callbacks get is put into a queue
and printed by the main thread.
"""

import queue
import sys
import threading
from contextlib import suppress

from livebridge import LiveBridgeThread
from livebridge.errors import SessionClosedError
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"

bridge = LiveBridgeThread()  # cheap: its thread starts with the first use


def converse(name: str, options: dict[str, object], lines: queue.Queue[str]) -> None:
    with bridge.start(
        model=MODEL,
        output_audio_transcription={},
        on_turn_complete=lambda turn: lines.put(f"{name}'s model says: {turn.text}"),
        **options,
    ) as session:
        session.ask(f"My name is {name}.", timeout=60)
        session.ask("What is my name?", timeout=60)


def work(name: str, options: dict[str, object], lines: queue.Queue[str]) -> None:
    with suppress(
        SessionClosedError
    ):  # after Ctrl-C the main thread leaves the bridge, which closes the sessions
        converse(name, options, lines)


def main() -> None:
    lines: queue.Queue[str] = queue.Queue()
    with bridge, bridge.hold(connection(simulate="--simulate" in sys.argv)) as options:
        threads = [
            threading.Thread(target=work, args=(name, dict(options), lines))
            for name in ("Ada", "Grace", "Barbara")
        ]
        for thread in threads:
            thread.start()
        for _ in range(2 * len(threads)):
            print(lines.get(timeout=60))
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
