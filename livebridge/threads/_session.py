"""A session for any thread: every verb of `livebridge.Session`, blocking."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar
from weakref import WeakKeyDictionary

import trio

from livebridge.errors import LivebridgeError, LocalProtocolError, SessionClosedError
from livebridge.session import AudioConversation, CloseResult, Session, Speaker
from livebridge.session import current_session as current_async_session
from livebridge.threads._held import Held, hold
from livebridge.threads._playing import BlockingSpeaker, in_worker
from livebridge.threads._portal import Portal, current_portal
from livebridge.threads._verb import Blocking, Reading, Verb, at_once
from livebridge.wire import ServerMessage

T = TypeVar("T")

RESULTS: Final[WeakKeyDictionary[Session, CloseResult]] = WeakKeyDictionary()
"""How sessions ended that were closed with their `LiveBridgeThread`; nobody can ask there any more."""


async def _in_pieces(stream: Iterable[T]) -> AsyncIterator[T]:
    """Take the pieces of a stream that may block, in threads."""
    pieces = iter(stream)
    while True:
        taken = await trio.to_thread.run_sync(partial(_take, pieces), abandon_on_cancel=True)
        if not taken:
            return
        yield taken[0]


def _take(pieces: Iterator[T]) -> tuple[T] | tuple[()]:
    for piece in pieces:
        return (piece,)
    return ()


async def send_media_stream(
    session: Session,
    stream: Iterable[object] | AsyncIterable[object],
    *,
    rate: int = 16_000,
    pace: bool = True,
) -> float:
    """Send pieces of sound as they come, until the stream ends.

    Args:
        session: Where to.
        stream: Yields 16-bit mono PCM. It may block: a plain iterable is iterated in worker threads.
        rate: Samples per second.
        pace: Send no faster than it sounds (a file); a microphone paces itself.

    Returns:
        Seconds of sound sent.

    Raises:
        LivebridgeError: As `BlockingSession.send_audio`.
    """
    pieces = stream if isinstance(stream, AsyncIterable) else _in_pieces(stream)
    return await session.send_media_stream(pieces, rate=rate, pace=pace)


def _result_of(session: object) -> CloseResult:
    assert isinstance(session, Session)
    return RESULTS.get(session, CloseResult(info=session.close_info))


class BlockingSession(Blocking[Session]):
    """A session that any thread can talk to; `livebridge.threads.LiveBridgeThread.start` makes them.

    The methods are those of `livebridge.Session`, with the same arguments, results and errors; each can be
    called, which blocks, or submitted, which gives a `concurrent.futures.Future`::

        turn = session.ask("Hello", timeout=30)
        turn = await asyncio.wrap_future(session.ask.submit("Hello", timeout=30))

    The attributes are read in the trio thread, each at one instant; after the end they can still be read.
    Leaving a ``with`` block of it closes it like `close`, without a drain after an exception, and raises
    `SessionFailedError` if it had failed.
    """

    connect: Final = Verb(Session.connect)
    wait_ready: Final = Verb(Session.wait_ready)
    close: Final = Verb(Session.close, afterwards=_result_of)
    wait_closed: Final = Verb(Session.wait_closed)
    reconnect: Final = Verb(Session.reconnect)
    rotate: Final = Verb(Session.rotate)

    send_text: Final = Verb(Session.send_text)
    send_client_content: Final = Verb(Session.send_client_content)
    send_realtime_input: Final = Verb(Session.send_realtime_input)
    send_audio: Final = Verb(Session.send_audio)
    send_video: Final = Verb(Session.send_video)
    send_media_stream: Final = Verb(send_media_stream)
    send_tool_response: Final = Verb(Session.send_tool_response)
    send_context_update: Final = Verb(Session.send_context_update)
    mute: Final = Verb(Session.mute)
    unmute: Final = Verb(at_once(Session.unmute))

    ask: Final = Verb(Session.ask)
    wait_turn: Final = Verb(Session.wait_turn)
    receive: Final = Verb(Session.receive)
    call: Final = Verb(Session.call)
    cast: Final = Verb(at_once(Session.cast))

    status: Final = Reading(lambda session: session.status, of=Session)
    phase: Final = Reading(lambda session: session.phase, of=Session)
    closed: Final = Reading(lambda session: session.closed, of=Session)
    in_conversation: Final = Reading(lambda session: session.in_conversation, of=Session)
    muted: Final = Reading(lambda session: session.muted, of=Session)
    session_id: Final = Reading(lambda session: session.session_id, of=Session)
    telemetry_id: Final = Reading(lambda session: session.telemetry_id, of=Session)
    handle: Final = Reading(lambda session: session.handle, of=Session)
    resumable: Final = Reading(lambda session: session.resumable, of=Session)
    epoch: Final = Reading(lambda session: session.epoch, of=Session)
    turn_number: Final = Reading(lambda session: session.turn_number, of=Session)
    usage: Final = Reading(lambda session: session.usage, of=Session)
    pending_tool_calls: Final = Reading(lambda session: dict(session.pending_tool_calls), of=Session)
    go_away_deadline: Final = Reading(lambda session: session.go_away_deadline, of=Session)
    close_info: Final = Reading(lambda session: session.close_info, of=Session)
    statistics: Final = Verb(at_once(Session.statistics), afterwards=Session.statistics)

    def __init__(self, portal: Portal, session: Session, held: Held[Session] | None = None) -> None:
        self._portal = portal
        self._session = session
        self._held = held

    @property
    def session(self) -> Session:
        """The async session, for code that runs in the trio thread."""
        return self._session

    def activity(self) -> AbstractContextManager[None]:
        """The user speaks inside this block (manual activity detection): start … end.

        Raises:
            LivebridgeError: As all sends; see `livebridge.Session`.
        """
        return hold(self._portal, self._session.activity(), what="activity()", limit=self._limit)

    def audio_conversation(
        self,
        *,
        microphone: Iterable[bytes] | AsyncIterable[bytes],
        speaker: BlockingSpeaker | Speaker,
        rate: int = 16_000,
        half_duplex: bool = False,
        max_seconds: float = 300.0,
    ) -> AbstractContextManager[AudioConversation]:
        """Connect a microphone and a speaker for the length of a block; see `livebridge.Session`.

        Args:
            microphone: Yields pieces of sound. It may block: a plain iterable is iterated in worker threads.
            speaker: Plays what the model says. Its ``play`` may block: then it is called in worker threads.
            rate: Samples per second of the microphone.
            half_duplex: Send nothing while the model can be heard.
            max_seconds: How much of the model's speech may wait to be played.

        Raises:
            LivebridgeError: As the original.
        """
        talk = self._session.audio_conversation(
            microphone=microphone if isinstance(microphone, AsyncIterable) else _in_pieces(microphone),
            speaker=in_worker(speaker),
            rate=rate,
            half_duplex=half_duplex,
            max_seconds=max_seconds,
        )
        return hold(self._portal, talk, what="audio_conversation()", limit=self._limit)

    @contextmanager
    def messages(self) -> Iterator[Iterator[ServerMessage]]:
        """All server messages from now on; the iterator blocks, and ends when the session does.

        ::

            with session.messages() as messages:
                for message in messages: ...

        Raises:
            AlreadyReceivingError: There is a consumer already.
            TimeoutError: The next message took longer than ``within`` allows.
        """
        with hold(self._portal, self._session.messages(), what="messages()", limit=self._limit) as channel:
            yield self._each(channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        work = partial(_leave, self._session, self._held, drain=error is None)
        try:
            self._portal.run(work, what="close()", limit=self._limit)
        except SessionClosedError:
            return
        except LivebridgeError as failure:
            if error is None:
                raise
            if not isinstance(error, LivebridgeError):
                error.add_note(f"the session had failed as well: {failure}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session.telemetry_id}>"

    def _reach(self) -> tuple[Portal, Session]:
        return self._portal, self._session

    def _each(self, channel: trio.MemoryReceiveChannel[ServerMessage]) -> Iterator[ServerMessage]:
        work = partial(_next, channel)
        while (message := self._portal.run(work, what="the next message", limit=self._limit)) is not None:
            yield message


def current_session() -> BlockingSession:
    """The session whose callback (moved by `in_thread`) or synchronous tool runs in this thread.

    Raises:
        LocalProtocolError: This is no such thread.
    """
    session = current_async_session()
    portal = current_portal()
    if portal is None or not isinstance(session, Session):
        raise LocalProtocolError("the session that runs this was not started by a LiveBridgeThread")
    return BlockingSession(portal, session)


async def _leave(session: Session, held: Held[Session] | None, *, drain: bool) -> None:
    await session.close(drain=drain)
    if held is not None:
        await held.leave()


async def _next(channel: trio.MemoryReceiveChannel[ServerMessage]) -> ServerMessage | None:
    try:
        return await channel.receive()
    except (trio.EndOfChannel, trio.ClosedResourceError):
        return None
