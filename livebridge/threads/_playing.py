"""Lets a speaker that blocks play in worker threads."""

from __future__ import annotations

import inspect
from typing import Protocol, cast

import attrs
import trio

from livebridge.session import Speaker


class BlockingSpeaker(Protocol):
    """Where the model's speech goes, for programs without trio; see `livebridge.session.Speaker`."""

    def play(self, pcm: bytes, rate: int) -> object:
        """Take a piece of sound; block until the next piece is wanted."""


@attrs.frozen(eq=False)
class _InWorker:
    speaker: BlockingSpeaker

    async def play(self, pcm: bytes, rate: int) -> None:
        await trio.to_thread.run_sync(self.speaker.play, pcm, rate, abandon_on_cancel=True)


@attrs.frozen(eq=False)
class _InWorkerFlushed(_InWorker):
    def flush(self) -> None:
        self.speaker.flush()  # type: ignore[attr-defined]  # looked for before this class was chosen


def in_worker(speaker: BlockingSpeaker | Speaker) -> Speaker:
    """A speaker for the trio thread: the same if its ``play`` is async, or is nothing that plays."""
    play = getattr(speaker, "play", None)
    if not callable(play) or inspect.iscoroutinefunction(play):
        return cast("Speaker", speaker)
    return _InWorkerFlushed(speaker) if hasattr(speaker, "flush") else _InWorker(speaker)
