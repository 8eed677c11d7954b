"""Three bots under a supervisor; one of them breaks and comes back in the same conversation.

    GEMINI_API_KEY=… python examples/supervised_bots.py
    python examples/supervised_bots.py --simulate

Each bot remembers its guest's name in the conversation, not in Python: when Grace's bot crashes, its object and
all its attributes are gone, but the supervisor starts a new one, whose session resumes with the handle that the
resume store kept, and the model still knows the name. ``on_ready`` says so (``resumed``), so nobody is greeted
twice. The crash is on purpose, so its log is kept quiet here; a bot of yours should log it.
"""

import logging
import sys
from functools import partial

import trio

from livebridge import Handler, Session, Supervisor
from livebridge.protocol import ReadyInfo, ResumptionUpdate, Turn
from livebridge.testing import connection

MODEL = "gemini-3.1-flash-live-preview"
GUESTS = ("Ada", "Grace", "Barbara")


class Concierge(Handler):
    """One bot for one guest; it is made anew for each incarnation."""

    def __init__(self, guest: str, safe: trio.MemorySendChannel[str]) -> None:
        self.guest = guest
        self.safe = safe

    async def on_ready(self, info: ReadyInfo) -> None:
        print(f"{self.guest}'s bot is ready ({info.kind})")
        if info.kind == "new":
            await self.session.send_text(f"My name is {self.guest}.")
        else:
            await self.session.send_text("What is my name?")

    def on_turn_complete(self, turn: Turn) -> None:
        print(f"{self.guest}'s bot: {turn.text}")

    def on_session_resumption(self, update: ResumptionUpdate) -> None:
        self.safe.send_nowait(self.guest)

    def handle_cast(self, request: object) -> None:
        if request == "crash":
            raise RuntimeError("a bug in the bot")


async def main() -> None:
    safe, whose_conversation_is_safe = trio.open_memory_channel[str](100)
    async with (
        connection(simulate="--simulate" in sys.argv) as options,
        Supervisor.open(max_restarts=5, max_seconds=300) as supervisor,
    ):
        for guest in GUESTS:
            spec = Session.child_spec(
                partial(Concierge, guest, safe),
                id=guest,
                model=MODEL,
                output_audio_transcription={},
                on_callback_error="crash",
                **options,
            )
            bot = await supervisor.start_child(spec)
            assert await whose_conversation_is_safe.receive() == guest
            if guest == "Grace" and bot.ref is not None:
                print("Grace's bot crashes, on purpose")
                bot.ref.cast("crash")
                assert await whose_conversation_is_safe.receive() == guest
        print("restarts:", {child.id: child.restarts for child in supervisor.which_children()})


if __name__ == "__main__":
    logging.getLogger("livebridge").setLevel(logging.CRITICAL)
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
