"""How much of the media that waits is worth keeping: old sound is an answer to nothing, and an old picture too."""

from collections.abc import Iterable, Iterator

from livebridge.protocol._entries import Entry, Kind

_ROUNDING = 1e-9
"""Seconds. Chunks of a tenth of a second do not add up to a whole one in binary."""


def outside_window(media: Iterable[Entry], *, seconds: float) -> list[Entry]:
    """What to give up while there is no connection.

    Args:
        media: What waits, oldest first.
        seconds: How much sound is kept. Of pictures only the newest is.
    """
    waiting = list(media)
    audio = [entry for entry in waiting if entry.kind is Kind.AUDIO]
    return [
        *[entry for entry in waiting if entry.kind is Kind.VIDEO][:-1],
        *_oldest(audio, seconds),
    ]


def too_late(media: Iterable[Entry], *, now: float, seconds: float) -> list[Entry]:
    """What to give up while there is a connection that does not take as much as is sent.

    Much sound at once is no lag: a file that is sent faster than it sounds waits for the network like everything
    else. It is a lag once the oldest of it has waited for longer than `seconds`.

    Args:
        media: What waits, oldest first.
        now: Seconds on the session's clock.
        seconds: How much sound is kept, and how old a picture may be. The newest picture is kept in any case.
    """
    waiting = list(media)
    audio = [entry for entry in waiting if entry.kind is Kind.AUDIO]
    pictures = [entry for entry in waiting if entry.kind is Kind.VIDEO][:-1]
    return [
        entry
        for entry in [*pictures, *_oldest(audio, seconds)]
        if now - entry.accepted_at > seconds + _ROUNDING
    ]


def too_much(media: Iterable[Entry], *, excess: int) -> list[Entry]:
    """The oldest media that makes room for `excess` bytes."""
    found: list[Entry] = []
    for entry in media:
        if excess <= 0:
            break
        excess -= len(entry.payload)
        found.append(entry)
    return found


def _oldest(audio: list[Entry], seconds: float) -> Iterator[Entry]:
    """The oldest of these, without which no more than so much sound is left."""
    left = sum(entry.seconds for entry in audio)
    for entry in audio:
        if left <= seconds + _ROUNDING:
            return
        left -= entry.seconds
        yield entry
