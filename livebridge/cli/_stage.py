"""What the demonstration shows: every row of it is written by a callback of the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import trio

from livebridge import wire
from livebridge.cli._console import Console
from livebridge.errors import LivebridgeError
from livebridge.protocol import (
    AudioDelta,
    CloseInfo,
    Direction,
    GoAwayInfo,
    Interrupted,
    ReadyInfo,
    ReconnectingInfo,
    ResumedInfo,
    ResumptionUpdate,
    SessionLostInfo,
    Status,
    Transcript,
    Turn,
    Usage,
)

LOOKUP_SECONDS: Final = 0.6
"""How long the weather service takes to answer; long enough to see the model wait for it."""

WEATHER_TOOL: Final[Mapping[str, object]] = {
    "function_declarations": [
        {
            "name": "get_weather",
            "description": "The weather of today in a city.",
            "parameters": {
                "type": "OBJECT",
                "properties": {"city": {"type": "STRING"}},
                "required": ["city"],
            },
        }
    ]
}

_SKIES: Final = ("sunny", "cloudy", "windy", "clear", "foggy")


class Stage:
    """Callbacks that show what happens, and remember what the play needs to know.

    Attributes:
        reply: All that the model said, as PCM.
        reply_rate: Its rate.
        listening: Whether the microphone is still open.
        answering: Set when, after that, the model speaks.
        resumed: Set when a second connection continues the conversation.
        begun: Activities of the user that the server has heard begin.
        ended: Activities that it has heard to their end.
        turns: Turns of the model that are over.
    """

    def __init__(self, console: Console) -> None:
        self.reply = bytearray()
        self.reply_rate = 0
        self.listening = True
        self.answering = trio.Event()
        self.resumed = trio.Event()
        self.begun = 0
        self.ended = 0
        self.turns: list[Turn] = []
        self._console = console
        self._changed = trio.Event()

    @property
    def callbacks(self) -> dict[str, object]:
        """Every callback by its name, for `livebridge.Session.start`."""
        return {name: getattr(self, name) for name in dir(self) if name.startswith("on_")}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until activities or turns are as they should be."""
        while not condition():
            await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def on_status(self, status: Status) -> None:
        """Show it."""
        self._console.row("status", status)

    def on_ready(self, info: ReadyInfo) -> None:
        """Show how the session came to be ready."""
        self._console.row("ready", f"{info.kind}, connection {info.epoch}")

    def on_voice_activity(self, activity: wire.VoiceActivity) -> None:
        """Show when the server hears speech begin and end."""
        ended = activity.type == wire.VoiceActivityType.ACTIVITY_END
        self.ended += ended
        self.begun += not ended
        self._note_change()
        where = "" if activity.audio_offset is None else f" at {activity.audio_offset:.2f} s of the sound"
        self._console.row("activity", f"{'speech ended' if ended else 'speech began'}{where}")

    def on_transcription(self, transcript: Transcript) -> None:
        """Show words as they come; one without any only says that an utterance is over."""
        if not transcript.text:
            return
        label = "you said" if transcript.direction is Direction.INPUT else "model"
        self._console.piece(label, transcript.text)

    async def on_tool_call(self, tool_call: wire.ToolCall) -> list[dict[str, object]]:
        """Look the weather up, which takes a while."""
        calls = tool_call.function_calls or ()
        for call in calls:
            arguments = ", ".join(f"{name}={value!r}" for name, value in (call.args or {}).items())
            self._console.row("tool call", f"{call.name}({arguments})")
        await trio.sleep(LOOKUP_SECONDS)
        return [self._answer(call) for call in calls]

    def _answer(self, call: wire.FunctionCall) -> dict[str, object]:
        report = weather(str((call.args or {}).get("city", "")))
        self._console.row("tool answer", ", ".join(f"{name} {value}" for name, value in report.items()))
        return {"id": call.id, "name": call.name, "response": report}

    def on_audio(self, delta: AudioDelta) -> None:
        """Collect the model's speech."""
        self.reply += delta.data
        self.reply_rate = delta.rate
        if not self.listening:
            self.answering.set()

    def on_interrupted(self, info: Interrupted) -> None:
        """Show that the user cut in."""
        self._console.row("interrupted", f"you cut in on connection {info.epoch}")

    def on_usage(self, usage: Usage) -> None:
        """Show the tokens."""
        self._console.row(
            "usage",
            f"{usage.prompt_token_count} tokens in, {usage.output_token_count} out, "
            f"{usage.total_token_count} in all",
        )

    def on_turn_complete(self, turn: Turn) -> None:
        """Show that the model is done, and keep its turn."""
        self.turns.append(turn)
        self._note_change()
        seconds = len(turn.audio) / 2 / turn.audio_rate
        self._console.row("turn", f"complete: {seconds:.1f} s of speech")

    def on_session_resumption(self, update: ResumptionUpdate) -> None:
        """Show that there is a new handle, and not the handle: it is a secret."""
        self._console.row("handle", f"a new one to resume with ({len(update.handle)} characters)")

    def on_go_away(self, info: GoAwayInfo) -> None:
        """Show the server's announcement."""
        when = "soon" if info.time_left is None else f"in {info.time_left:.1f} s"
        self._console.row("go away", f"the server will hang up {when}; the conversation goes on")

    def on_reconnecting(self, info: ReconnectingInfo) -> None:
        """Show that another connection is coming."""
        how = "with the handle" if info.resuming else "without a handle"
        self._console.row("reconnect", f"leaving connection {info.epoch}, dialling again {how}")

    def on_resumed(self, info: ResumedInfo) -> None:
        """Show what the new connection knows."""
        self._console.row(
            "resumed", f"{info.continuity} on connection {info.epoch}, {info.gap * 1000:.0f} ms gap"
        )
        self.resumed.set()

    def on_session_lost(self, info: SessionLostInfo) -> None:
        """Show that the model has forgotten."""
        self._console.row("lost", f"the conversation could not be resumed: {info.reason}")
        self.resumed.set()

    def on_error(self, error: LivebridgeError) -> None:
        """Show it."""
        self._console.row("error", str(error))

    def on_close(self, info: CloseInfo) -> None:
        """Show how it ended."""
        self._console.row("status", f"closed by the {info.initiated_by}, code {info.code}")


def weather(city: str) -> dict[str, object]:
    """The weather in a city, made up, but always the same for the same city."""
    seed = sum(map(ord, city))
    return {"city": city, "sky": _SKIES[seed % len(_SKIES)], "celsius": 12 + seed % 17}
