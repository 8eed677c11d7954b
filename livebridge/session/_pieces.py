"""Where the pieces of a media stream come from: any iterable, closed when its reader is done with it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final

import trio

from livebridge import wire
from livebridge.errors import ConfigError

_ONE_PIECE: Final = (str, bytes, bytearray, memoryview, Mapping, wire.Blob)

_PAIR: Final = 2


@asynccontextmanager
async def pieces_of(stream: object) -> AsyncIterator[AsyncIterable[object]]:
    """Read a stream inside a block.

    Args:
        stream: An async iterable, or an iterable that does not block. An async generator is closed at the end of
            the block, however that comes: one that is left hanging would be ended by the garbage collector.
            Anything else, a memory channel for example, stays open.

    Raises:
        ConfigError: It is no stream but one piece, or nothing that has pieces.
    """
    if isinstance(stream, AsyncGenerator):
        async with aclosing(stream):
            yield stream
    elif isinstance(stream, AsyncIterable):
        yield stream
    else:
        async with aclosing(_one_by_one(_checked(stream))) as pieces:
            yield pieces


async def _one_by_one(stream: Iterable[object]) -> AsyncGenerator[object]:
    for piece in stream:
        await trio.lowlevel.checkpoint()
        yield piece


def _checked(stream: object) -> Iterable[object]:
    what = type(stream).__name__
    if isinstance(stream, _ONE_PIECE) or _is_pair(stream) or hasattr(stream, "dtype"):
        raise ConfigError(
            f"send_media_stream takes a stream of pieces; this {what} is one piece: send_audio() sends it"
        )
    if not isinstance(stream, Iterable):
        hint = "; call it, and give what it returns" if inspect.isroutine(stream) else ""
        raise ConfigError(
            f"send_media_stream takes an async iterable of sound or pictures, or a list, not {what}{hint}"
        )
    return stream


def _is_pair(stream: object) -> bool:
    """``(bytes, mime_type)`` is one piece, not two."""
    return isinstance(stream, tuple) and len(stream) == _PAIR and isinstance(stream[1], str)
