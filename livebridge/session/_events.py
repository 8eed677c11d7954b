"""What one frame means to the user of a session: the callbacks it leads to, and what only the session knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from livebridge import wire
from livebridge.protocol import AudioDelta, Transcript, message_events
from livebridge.session._state import Envelope, SessionState

_SOUND: Final = frozenset({"on_audio"})

Events = Sequence[tuple[str, object]]


def events_of(envelope: Envelope, message: wire.ServerMessage, state: SessionState) -> Events:
    """The callbacks of a frame in order, ``on_tool_call`` left out: that one has a task of its own.

    Sound that was cut off while it waited here is not given to ``on_audio`` any more.
    """
    wanted = state.wanted
    speech = state.speech
    if speech.listener is not None:
        wanted |= _SOUND
    if envelope.turn <= speech.cut and wanted & _SOUND:
        speech.stale += _count_sound(message)
        wanted -= _SOUND
    events = message_events(message, wanted, epoch=envelope.epoch, turn=envelope.turn)
    if message.tool_call is not None:
        events = [event for event in events if event[0] != "on_tool_call"]
    if message.server_content is not None and "on_transcription" in wanted:
        _insert(events, _finished(message.server_content, envelope, state))
    if speech.listener is not None:
        for _, argument in events:
            if isinstance(argument, AudioDelta):
                speech.listener(argument)
    return events


async def finish_transcripts(state: SessionState) -> None:
    """Finish utterances of which no further piece comes."""
    speech = state.speech
    while True:
        due = speech.utterances.due
        if due is None:
            await speech.opened.wait()
            continue
        await trio.sleep_until(due)
        for transcript in speech.utterances.expire(now=state.now):
            state.notify("on_transcription", transcript)


def _finished(content: wire.ServerContent, envelope: Envelope, state: SessionState) -> list[Transcript]:
    utterances = state.speech.utterances
    idle = utterances.due is None
    over = utterances.feed(content, now=state.now, turn=envelope.turn, epoch=envelope.epoch)
    if idle and utterances.due is not None:
        state.speech.opened.set()
    return over


def _insert(events: list[tuple[str, object]], finished: Sequence[Transcript]) -> None:
    """Put the ends of utterances right before the end of the turn."""
    if finished:
        names = [name for name, _ in events]
        at = names.index("on_turn_complete") if "on_turn_complete" in names else len(events)
        events[at:at] = [("on_transcription", transcript) for transcript in finished]


def _count_sound(message: wire.ServerMessage) -> int:
    content = message.server_content
    turn = None if content is None else content.model_turn
    parts = () if turn is None else turn.parts or ()
    return sum(1 for part in parts if part.inline_data is not None and part.inline_data.data)
