"""``livebridge demo --crash``: a supervised bot breaks, and comes back in the same conversation."""

from __future__ import annotations

from typing import Final

import trio

from livebridge.cli._concierge import Concierge
from livebridge.cli._console import Console
from livebridge.errors import LivebridgeError
from livebridge.otp import Backoff, ChildExited, ChildStarted, Supervisor, SupervisorEvent
from livebridge.protocol import ReadyInfo, ResumptionUpdate, Turn
from livebridge.session import Handler, Session
from livebridge.simulator import LiveSimulator

MODEL: Final = "gemini-3.1-flash-live-preview"
FIRST_WORDS: Final = "My name is Ada."
QUESTION: Final = "What is my name?"
TIME_LIMIT: Final = 20.0
"""Seconds. The demo takes about three; no step of it can wait for ever."""


class Bot(Handler):
    """One incarnation; whatever it remembers in Python is gone with it.

    Args:
        console: Where to show what happens.
        kept: Set when the conversation can be resumed.
        answered: Set when the question after the crash was answered.
    """

    def __init__(self, console: Console, kept: trio.Event, answered: trio.Event) -> None:
        self.console = console
        self.kept = kept
        self.answered = answered
        self.asked = False

    async def on_ready(self, info: ReadyInfo) -> None:
        """Introduce the user to a new conversation; ask the resumed one what it still knows."""
        self.console.row("ready", f"{info.kind}, in the bot object at {id(self):#x}")
        self.asked = info.kind != "new"
        words = QUESTION if self.asked else FIRST_WORDS
        self.console.row("you", f'(typed) "{words}"')
        await self.session.send_text(words)

    def on_turn_complete(self, turn: Turn) -> None:
        """Show the answer."""
        self.console.row("model", turn.text)
        if self.asked:
            self.answered.set()

    def on_session_resumption(self, update: ResumptionUpdate) -> None:
        """Show that there is a handle, and not the handle: it is a secret."""
        self.console.row("handle", f"kept in the resume store ({len(update.handle)} characters)")
        self.kept.set()

    def on_error(self, error: LivebridgeError) -> None:
        """Show it."""
        self.console.row("error", str(error))

    def handle_cast(self, request: object) -> None:
        """Break on command, as any bot's code may.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError(f"a bug in the bot, on command ({request})")


async def play(console: Console) -> int:
    """Show it.

    Returns:
        The exit status.
    """
    console.line(console.strong("livebridge demo --crash: let it crash, and go on with the conversation"))
    console.line()
    kept, answered = trio.Event(), trio.Event()
    with trio.move_on_after(TIME_LIMIT) as scope:
        async with (
            LiveSimulator.serve(brain=Concierge()) as simulator,
            Supervisor.open(on_event=lambda event: _show(console, event)) as supervisor,
        ):
            spec = Session.child_spec(
                lambda: Bot(console, kept, answered),
                id="concierge",
                model=MODEL,
                output_audio_transcription={},
                on_callback_error="crash",
                backoff=Backoff(initial=0.5, jitter="none"),
                **simulator.connection,
            )
            bot = await supervisor.start_child(spec)
            await kept.wait()
            assert bot.ref is not None
            bot.ref.cast("crash")
            await answered.wait()
    if scope.cancelled_caught:
        console.row("error", f"the demo was not over after {TIME_LIMIT:.0f} s and was stopped")
        return 1
    return 0


def _show(console: Console, event: SupervisorEvent) -> None:
    if isinstance(event, ChildStarted):
        again = f" again (restart {event.restarts})" if event.restarts else ""
        console.row("supervisor", f"{event.id} started{again}")
    elif isinstance(event, ChildExited):
        console.row("supervisor", f"{event.id} ended after {event.lived:.1f} s: {event.reason}")
