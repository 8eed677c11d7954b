"""An audio conversation: microphone to model, model to speaker, and silence when the user cuts in.

::

    microphone ──send_audio──▶ session ──AudioDelta──▶ PlayoutBuffer ──play──▶ speaker
                                   │                        ▲                    ▲
                                   └── interrupted (read) ──┴─────── flush ──────┘

The interruption is acted upon when it is read, not when its turn comes in the queue of callbacks. The session
is not the conversation's: stopping leaves it as it was, and its callbacks go on as before.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Final, Protocol, runtime_checkable

import attrs
import trio

from livebridge.errors import ConfigError, LivebridgeError
from livebridge.protocol import AudioDelta, Interrupted, PlayoutBuffer, playing_time
from livebridge.session._signal import Signal
from livebridge.session._speech import Speech

ECHO_TAIL: Final = 0.3
"""Seconds for which a room still echoes what a speaker has played."""

_LOOK_AGAIN: Final = 0.02
"""Seconds. A speaker that holds back tells nobody when it takes the next piece."""

Send = Callable[[object], Awaitable[object]]


class Speaker(Protocol):
    """Where the model's speech goes.

    Optional is a method ``flush()``, plain and not blocking: throw away what was taken and is not heard yet.
    It is called when the user cuts in.
    """

    async def play(self, pcm: bytes, rate: int) -> None:
        """Take a piece of sound: 16-bit little-endian mono samples, `rate` of them a second.

        Return when the next piece is wanted, not when this one was heard to its end. A call may be cancelled.
        """


@runtime_checkable
class _Flushes(Protocol):
    def flush(self) -> object: ...


@attrs.define(eq=False)
class AudioConversation:
    """Connects a microphone and a speaker with a session; made by `Session.audio_conversation`.

    Attributes:
        buffer: What the model has said and the speaker has not taken yet.
        sent_seconds: Sound of the microphone that was sent.
        withheld_seconds: Sound of the microphone that was not, because the model was speaking (half duplex).
    """

    _speech: Speech
    _send: Send
    _finish: Callable[[], Awaitable[object]]
    _microphone: AsyncIterable[bytes]
    _speaker: Speaker
    _rate: int
    _half_duplex: bool
    buffer: PlayoutBuffer
    sent_seconds: float = 0.0
    withheld_seconds: float = 0.0
    _more: Signal = attrs.field(factory=Signal)
    _stop: trio.Event = attrs.field(factory=trio.Event)
    _playing: trio.CancelScope | None = None
    _audible_until: float = -math.inf

    @property
    def is_speaking(self) -> bool:
        """Whether the model can be heard now, as far as pieces taken by the speaker tell."""
        return trio.current_time() < self._audible_until or len(self.buffer) > 0

    def stop(self) -> None:
        """End the conversation; the session lives on. Nothing more is sent or played."""
        self._stop.set()

    async def wait_stopped(self) -> None:
        """Wait until `stop` was called, or the session has ended."""
        await self._stop.wait()

    async def wait_quiet(self) -> None:
        """Wait until the model has been heard to the end of what it has said so far, or the conversation stops.

        "Heard" is reckoned from what the speaker has taken, as in `is_speaking`.
        """
        await trio.lowlevel.checkpoint()
        while self.is_speaking and not self._stop.is_set():
            with trio.move_on_at(max(self._audible_until, trio.current_time() + _LOOK_AGAIN)):
                await self._stop.wait()

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Get the model's sound, and interruptions, for the length of a block."""
        self._speech.listener = self._heard
        self._speech.urgent.append(self._cut_off)
        try:
            yield
        finally:
            self._speech.listener = None
            self._speech.urgent.remove(self._cut_off)

    async def run(self, ended: Callable[[], Awaitable[object]]) -> None:
        """Talk until stopped, or until `ended` returns.

        The microphone's end does not end it: what the model says is still played.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen)
                nursery.start_soon(self._play)
                nursery.start_soon(self._stop_after, ended)
                await self._stop.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._stop.set()
            self._flush_speaker()

    async def _stop_after(self, ended: Callable[[], Awaitable[object]]) -> None:
        await ended()
        self.stop()

    async def _listen(self) -> None:
        """Send what the microphone hears, and its end."""
        microphone = self._microphone
        try:
            if isinstance(microphone, AsyncGenerator):
                async with aclosing(microphone):
                    await self._send_all(microphone)
            else:
                await self._send_all(microphone)
        finally:
            with trio.move_on_after(1.0, shield=True):
                await self._end_sound()

    async def _send_all(self, microphone: AsyncIterable[bytes]) -> None:
        async for pcm in microphone:
            seconds = len(pcm) / 2 / self._rate
            if self._half_duplex and trio.current_time() < self._audible_until + ECHO_TAIL:
                self.withheld_seconds += seconds
            else:
                await self._send(pcm)
                self.sent_seconds += seconds

    async def _end_sound(self) -> None:
        if self.sent_seconds:
            try:
                await self._finish()
            except LivebridgeError:
                return  # the session is ending; there is nobody to tell

    async def _play(self) -> None:
        while True:
            delta = self.buffer.get()
            if delta is None:
                await self._more.wait()
                continue
            start = max(trio.current_time(), self._audible_until)
            self._audible_until = start + playing_time(delta)
            with trio.CancelScope() as self._playing:
                await self._speaker.play(delta.data, delta.rate)
            self._playing = None

    def _heard(self, delta: AudioDelta) -> None:
        if self.buffer.put(delta):
            self._more.set()

    def _cut_off(self, info: Interrupted) -> None:
        self.buffer.flush(info.turn)
        if self._playing is not None:
            self._playing.cancel()
        self._audible_until = -math.inf
        self._flush_speaker()

    def _flush_speaker(self) -> None:
        if isinstance(self._speaker, _Flushes):
            self._speaker.flush()


@asynccontextmanager
async def under_way(
    conversation: AudioConversation, ended: Callable[[], Awaitable[object]]
) -> AsyncIterator[AudioConversation]:
    """Run a conversation beside a block.

    Args:
        conversation: Which one.
        ended: Returns when the session has ended.

    Raises:
        Exception: What the block raised, or what microphone or speaker raised; the latter cancels the block.
    """
    failure: Exception | None = None
    body_error: BaseException | None = None
    with conversation.attached():
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as body:

                async def talk() -> None:
                    nonlocal failure
                    try:
                        await conversation.run(ended)
                    except Exception as error:  # noqa: BLE001 - raised again below, outside the nursery
                        failure = _alone(error)
                        body.cancel()

                nursery.start_soon(talk)
                try:
                    yield conversation
                except trio.Cancelled:
                    raise
                except BaseException as error:  # noqa: BLE001 - raised again below, outside the nursery
                    body_error = error
            conversation.stop()
    if body_error is not None:
        raise body_error
    if failure is not None:
        raise failure


def _alone(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def check_parts(microphone: object, speaker: object, rate: int) -> None:
    """See that a conversation can be had with these.

    Raises:
        ConfigError: The microphone is no async iterable, the speaker has no ``play``, or the rate is none.
    """
    if not isinstance(microphone, AsyncIterable):
        raise ConfigError(f"microphone must be an async iterable of bytes, not {type(microphone).__name__}")
    if not callable(getattr(speaker, "play", None)):
        raise ConfigError(
            f"speaker must have an async method play(pcm, rate); {type(speaker).__name__} has none"
        )
    if rate <= 0:
        raise ConfigError(f"rate must be a positive number of samples per second, not {rate!r}")
