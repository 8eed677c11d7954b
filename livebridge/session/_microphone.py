"""The verbs of the microphone and the camera: sound, pictures, and where the user's speech begins and ends.

What is *open* is a matter of the wire (an ``activityStart`` without its ``activityEnd``; sound without an
``audioStreamEnd``); whether the user is inside an activity is a matter of the program. The two differ while the
microphone is muted: muting ends what is open, once, and unmuting inside an activity begins it anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager

import trio

from livebridge import wire
from livebridge.protocol import (
    INPUT_RATE_HZ,
    Entry,
    Kind,
    audio_chunk,
    audio_rate,
    is_picture,
    realtime_input,
)
from livebridge.session._frames import ACTIVITY_END, ACTIVITY_START
from livebridge.session._outgoing import SendReceipt
from livebridge.session._pieces import pieces_of
from livebridge.session._samples import WholeSamples
from livebridge.session._view import View


class Microphone(View):
    """The half of `Verbs` that hears and sees."""

    async def send_realtime_input(
        self,
        *,
        audio: object = None,
        video: object = None,
        text: str | None = None,
        activity_start: object = None,
        activity_end: object = None,
        audio_stream_end: bool | None = None,
    ) -> SendReceipt:
        """Send exactly one piece of realtime input.

        Args:
            audio: Bytes of 16-bit mono PCM (16 kHz), ``(bytes, mime_type)``, a `Blob` or a mapping. Not sent while
                the microphone is muted.
            video: One picture: a `Blob`, ``(bytes, mime_type)`` or a Pillow image.
            text: Words of the user.
            activity_start: ``True``: the user begins (manual activity detection).
            activity_end: ``True``: the user has ended. Not sent a second time if `mute` has ended the activity.
            audio_stream_end: ``True``: the microphone is off (automatic activity detection).

        Raises:
            ConfigError: Not exactly one was given, it is not what it should be, or it is a signal of the other way
                to detect activity.
            LivebridgeError: As all sends; see `Session`.
        """
        message = realtime_input(
            audio=audio,
            video=video,
            text=text,
            activity_start=activity_start,
            activity_end=activity_end,
            audio_stream_end=audio_stream_end,
        )
        self._actor.outgoing.check(message)
        given = message.realtime_input
        assert given is not None
        if given.audio is not None:
            frame = wire.encode_client(message)
            return _receipt(await self._accept_sound(frame, _audio_seconds(given.audio)))
        if given.video is not None:
            return _receipt(await self._actor.outgoing.accept(Kind.VIDEO, wire.encode_client(message)))
        if given.text is not None:
            return await self._actor.outgoing.send(message, Kind.CONTENT)
        if given.activity_end is not None and self._ended_by_mute:
            self._state.speaking = False
            return _receipt(await self._withhold(Kind.SIGNAL))
        receipt = await self._signal(message)
        if given.audio_stream_end is None:
            self._state.speaking = given.activity_start is not None
        return receipt

    async def send_audio(self, pcm: object, rate: int = 16_000) -> None:
        """Send a piece of microphone sound; the fast way. Nothing is sent while the microphone is muted.

        Args:
            pcm: 16-bit signed little-endian mono samples: bytes, or a buffer of 16-bit integers; or what
                `send_realtime_input` takes as ``audio``.
            rate: Samples per second; 16,000 is what the models hear natively. A `Blob` says its rate itself.

        Raises:
            ConfigError: No samples, half a sample, several channels, a WAV file, or no sensible rate.
            LivebridgeError: As all sends; see `Session`.
        """
        chunk = audio_chunk(pcm, rate)
        await self._accept_sound(chunk.frame, chunk.seconds)

    async def mute(self) -> None:
        """Turn the microphone off: no sound is sent until `unmute`, by whichever verb.

        The server is told, so that the user's turn does not stay open: ``audioStreamEnd`` with automatic
        activity detection if sound was sent since the last one, ``activityEnd`` with manual detection if an
        activity is open. Idempotent.

        Raises:
            LivebridgeError: As all sends; see `Session`.
        """
        state = self._state
        if state.muted:
            await trio.lowlevel.checkpoint()
            return
        await self._end_of_sound()
        state.muted = True

    def unmute(self) -> None:
        """Turn the microphone on again; inside an activity that `mute` has ended a new one begins."""
        state = self._state
        state.muted = False
        if state.speaking and not state.floor.activity:
            self._actor.outgoing.accept_beyond(ACTIVITY_START)
            state.floor.begin_activity()

    @property
    def muted(self) -> bool:
        """Whether the microphone is off."""
        return self._state.muted

    async def send_video(self, frame: object, mime_type: str | None = None) -> None:
        """Send one picture (about one a second is what the models look at).

        Args:
            frame: Encoded JPEG or PNG bytes with `mime_type`, a `Blob`, or a Pillow image.
            mime_type: ``image/jpeg`` or ``image/png`` where `frame` is bytes.

        Raises:
            ConfigError: It is no picture.
            LivebridgeError: As all sends; see `Session`.
        """
        video = frame if mime_type is None else (frame, mime_type)
        await self.send_realtime_input(video=video)

    async def send_media_stream(
        self,
        stream: AsyncIterable[object] | Iterable[object],
        *,
        rate: int = 16_000,
        pace: bool = True,
    ) -> float:
        """Send pieces of sound, and pictures between them, as they come, until the stream ends.

        Args:
            stream: Yields what `send_audio` takes (16-bit mono PCM, a `Blob` of it), or what `send_video` takes
                if its type says so (a `Blob`, ``(bytes, "image/…")``, a Pillow image). An iterable that does not
                block does as well. An async generator is closed, also on cancellation. Pieces of bytes may end
                within a sample: the odd byte is carried over to the next piece (one that is left at the end is no
                sample and is left out).
            rate: Samples per second of sound that does not say so itself.
            pace: Send no faster than it sounds (a file); a microphone paces itself.

        Returns:
            Seconds of sound sent.

        Raises:
            ConfigError: It is no stream, or a piece is neither sound nor a picture.
            LivebridgeError: As `send_audio`.
        """
        began = trio.current_time()
        seconds = 0.0
        samples = WholeSamples()
        async with pieces_of(stream) as pieces:
            async for piece in pieces:
                if is_picture(piece):
                    await self.send_video(piece)
                    continue
                pcm = samples.take(piece, silent=self._state.muted)
                if pcm is None:
                    continue
                chunk = audio_chunk(pcm, rate)
                await self._accept_sound(chunk.frame, chunk.seconds)
                seconds += chunk.seconds
                if pace:
                    await trio.sleep_until(began + seconds)
        return seconds

    @asynccontextmanager
    async def activity(self) -> AsyncIterator[None]:
        """The user speaks inside this block (manual activity detection): start … end.

        While the microphone is muted there is no activity; one begins with `unmute`, or not at all.

        Raises:
            ConfigError: Activity detection is automatic, as it is by default; switch it off with
                ``realtime_input_config={"automatic_activity_detection": {"disabled": True}}``.
            LivebridgeError: As all sends; see `Session`.
        """
        state = self._state
        start = realtime_input(activity_start=True)
        self._actor.outgoing.check(start)
        if state.muted:
            await self._withhold(Kind.SIGNAL)
        else:
            await self._signal(start)
        state.speaking = True
        try:
            yield
        finally:
            state.speaking = False
            if state.floor.activity:
                state.floor.end_activity(state.now)
                self._actor.outgoing.accept_beyond(ACTIVITY_END)

    async def _end_of_sound(self) -> None:
        """The microphone is gone, for now: tell the server, if anything is open."""
        floor = self._state.floor
        if floor.manual and floor.activity:
            await self._signal(realtime_input(activity_end=True))
        elif not floor.manual and floor.streaming:
            await self._signal(realtime_input(audio_stream_end=True))
        else:
            await trio.lowlevel.checkpoint()

    @property
    def _ended_by_mute(self) -> bool:
        state = self._state
        return state.muted and state.speaking and not state.floor.activity

    async def _signal(self, message: wire.ClientMessage) -> SendReceipt:
        """Send a signal and note what it begins or ends; no checkpoint lies between its acceptance and that."""
        receipt = await self._actor.outgoing.send(message, Kind.SIGNAL)
        given, floor, now = message.realtime_input, self._state.floor, self._state.now
        assert given is not None
        if given.activity_start is not None:
            floor.begin_activity()
        elif given.activity_end is not None:
            floor.end_activity(now)
        else:
            floor.streaming = False
        return receipt

    async def _accept_sound(self, frame: bytes, seconds: float) -> Entry:
        state = self._state
        if state.muted:
            return await self._withhold(Kind.AUDIO)
        entry = await self._actor.outgoing.accept(Kind.AUDIO, frame, seconds=seconds)
        state.floor.streaming = True
        return entry

    async def _withhold(self, kind: Kind) -> Entry:
        """Send nothing, and behave as if it had been sent."""
        self._actor.outgoing.check_open()
        await trio.lowlevel.checkpoint()
        return Entry(0, kind, b"", self._state.now)


def _receipt(entry: Entry) -> SendReceipt:
    return SendReceipt(seq=entry.seq, state=entry.state)


def _audio_seconds(blob: wire.Blob) -> float:
    """Playing time of raw PCM; 0 for anything whose rate is not known."""
    rate = audio_rate(blob.mime_type, default=INPUT_RATE_HZ)
    return len(blob.data or b"") / 2 / rate if rate else 0.0
