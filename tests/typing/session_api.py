"""Checked by mypy, never run: what a user's editor knows about the types of the public API."""

from typing import Any, assert_type

import trio

import livebridge
from livebridge import ConfigError, Handler, LivebridgeError, Session, Status, Turn, wire
from livebridge.protocol import (
    AudioDelta,
    CloseInfo,
    Direction,
    GoAwayInfo,
    Phase,
    ReadyInfo,
    Transcript,
    Usage,
)
from livebridge.session import CloseResult, SendReceipt, Statistics
from livebridge.simulator import Conversation, LiveSimulator, Script


class Bot(Handler):
    """Callbacks may be async or not, and take the class that the manual names."""

    async def on_ready(self, info: ReadyInfo) -> None:
        assert_type(info.epoch, int)
        await self.session.send_text("Hello")

    def on_audio(self, delta: AudioDelta) -> None:
        assert_type(delta.data, bytes)
        assert_type(delta.rate, int)

    def on_transcription(self, transcript: Transcript) -> None:
        assert_type(transcript.direction, Direction)
        assert_type(transcript.text, str)

    def on_go_away(self, info: GoAwayInfo) -> None:
        assert_type(info.time_left, float | None)

    async def on_tool_call(self, tool_call: wire.ToolCall) -> list[dict[str, object]]:
        return [{"id": call.id, "name": call.name, "response": {}} for call in tool_call.function_calls or ()]

    def on_error(self, error: LivebridgeError) -> None:
        assert_type(error.code, int | None)
        assert_type(error.retryable, bool | None)

    def on_turn_complete(self, turn: Turn) -> None:
        assert_type(turn.usage, Usage | None)
        assert_type(turn.audio, bytes)


async def use_a_session() -> None:
    async with Session.start(Bot(), model="gemini-3.1-flash-live-preview") as session:
        assert_type(session, Session)
        assert_type(session.status, Status)
        assert_type(session.phase, Phase)
        assert_type(session.handle, str | None)
        assert_type(session.closed, bool)
        assert_type(await session.send_text("Hello"), SendReceipt)
        assert_type(await session.ask("Hello", timeout=3), Turn)
        assert_type(await session.wait_turn(), Turn)
        assert_type(await session.receive(), wire.ServerMessage | None)
        assert_type(session.statistics(), Statistics)
        async with session.messages() as messages:
            async for message in messages:
                assert_type(message, wire.ServerMessage)
        assert_type(await session.wait_closed(), CloseInfo)
        assert_type(await session.close(), CloseResult)


async def use_a_simulator() -> None:
    async with LiveSimulator.serve(brain=Script(["Hello"])) as simulator:
        assert_type(simulator, LiveSimulator)
        assert_type(simulator.connection, dict[str, Any])
        assert_type(simulator.conversations, list[Conversation])


def run_a_script() -> None:
    assert_type(livebridge.run(model="gemini-3.1-flash-live-preview", on_audio=print), CloseInfo)


def what_is_no_option_is_found_at_run_time() -> None:
    try:
        trio.run(use_a_session)
    except ConfigError as error:
        assert_type(error.status, int | None)
