"""The verbs that send. Everything is checked before anything is accepted."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager

import trio

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import (
    INPUT_RATE_HZ,
    Kind,
    audio_chunk,
    audio_rate,
    client_content,
    context_update,
    is_picture,
    realtime_input,
    tool_response,
)
from livebridge.session._outgoing import SendReceipt, Wait
from livebridge.session._pieces import pieces_of
from livebridge.session._view import View


class Senders(View):
    """The sending half of `Verbs`."""

    async def send_text(
        self,
        text: str,
        turn_complete: bool = True,  # noqa: FBT001, FBT002 - the original's signature
        *,
        wait: Wait = "accepted",
        timeout: float | None = None,
    ) -> SendReceipt:
        """Send words of the user, on the channel that the model takes text from.

        Args:
            text: What the user says.
            turn_complete: The model shall answer now. Models that take text as realtime input answer always.
            wait: How far to wait: ``accepted``, ``written``, or ``acked`` (covered by a resumption handle).
            timeout: Seconds for that.

        Raises:
            ConfigError: `text` is no string.
            LivebridgeError: As all sends; see `Session`.
        """
        if not isinstance(text, str):
            raise ConfigError(f"text must be a str, not {type(text).__name__}")
        self._state.history.user_said(text)
        if self._state.capabilities.text_input == "realtime_input":
            message = realtime_input(text=text)
        else:
            message = client_content(text, turn_complete=turn_complete)
        return await self._actor.outgoing.send(message, Kind.CONTENT, wait=wait, timeout=timeout)

    async def send_client_content(
        self,
        content: object = None,
        turn_complete: bool = True,  # noqa: FBT001, FBT002 - the original's signature
        *,
        wait: Wait = "accepted",
        timeout: float | None = None,
    ) -> SendReceipt:
        """Append turns to the conversation, in order; interrupts a generation.

        Args:
            content: Text, a `Part`, a `Content`, mappings of their fields, a list of turns; nothing: the turn
                is complete.
            turn_complete: The model shall answer now.
            wait: See `send_text`.
            timeout: See `send_text`.

        Raises:
            ConfigError: `content` is none of these, or the model takes its words by `send_text` only (the 3.x
                models, but for the history that ``history_config`` announces).
            LivebridgeError: As all sends; see `Session`.
        """
        message = client_content(content, turn_complete=turn_complete)
        self._actor.outgoing.check(message)
        return await self._actor.outgoing.send(message, Kind.CONTENT, wait=wait, timeout=timeout)

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
            audio: Bytes of 16-bit mono PCM (16 kHz), ``(bytes, mime_type)``, a `Blob` or a mapping.
            video: One picture: a `Blob`, ``(bytes, mime_type)`` or a Pillow image.
            text: Words of the user.
            activity_start: ``True``: the user begins (manual activity detection).
            activity_end: ``True``: the user has ended.
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
        if given.activity_start is not None or given.activity_end is not None:
            self._state.speaking = given.activity_start is not None
        if given.audio is not None:
            return await self._send_media(Kind.AUDIO, message, _audio_seconds(given.audio))
        if given.video is not None:
            return await self._send_media(Kind.VIDEO, message, 0.0)
        kind = Kind.SIGNAL if given.text is None else Kind.CONTENT
        return await self._actor.outgoing.send(message, kind)

    async def send_audio(self, pcm: object, rate: int = 16_000) -> None:
        """Send a piece of microphone sound; the fast way.

        Args:
            pcm: 16-bit signed little-endian mono samples: bytes, or a buffer of 16-bit integers; or what
                `send_realtime_input` takes as ``audio``.
            rate: Samples per second; 16,000 is what the models hear natively. A `Blob` says its rate itself.

        Raises:
            ConfigError: No samples, half a sample, several channels, a WAV file, or no sensible rate.
            LivebridgeError: As all sends; see `Session`.
        """
        chunk = audio_chunk(pcm, rate)
        if self._state.muted:
            await trio.lowlevel.checkpoint()
            return
        await self._actor.outgoing.accept(Kind.AUDIO, chunk.frame, seconds=chunk.seconds)

    async def mute(self) -> None:
        """Turn the microphone off: `send_audio` and `send_media_stream` send nothing until `unmute`.

        The server is told, so that the user's turn does not stay open: ``audioStreamEnd`` with automatic
        activity detection, ``activityEnd`` with manual detection if an activity is open. Idempotent.

        Raises:
            LivebridgeError: As all sends; see `Session`.
        """
        state = self._state
        if state.muted:
            await trio.lowlevel.checkpoint()
            return
        if not state.options.config.is_activity_manual:
            await self.send_realtime_input(audio_stream_end=True)
        elif state.speaking:
            await self.send_realtime_input(activity_end=True)
        state.muted = True

    def unmute(self) -> None:
        """Turn the microphone on again. With manual detection a new activity begins with ``activity_start``."""
        self._state.muted = False

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
                if its type says so (a `Blob`, ``(bytes, "image/…")``, a Pillow image). An iterable that does
                not block does as well. An async generator is closed, also on cancellation.
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
        async with pieces_of(stream) as pieces:
            async for piece in pieces:
                if is_picture(piece):
                    await self.send_video(piece)
                    continue
                chunk = audio_chunk(piece, rate)
                if not self._state.muted:
                    await self._actor.outgoing.accept(Kind.AUDIO, chunk.frame, seconds=chunk.seconds)
                seconds += chunk.seconds
                if pace:
                    await trio.sleep_until(began + seconds)
        return seconds

    @asynccontextmanager
    async def activity(self) -> AsyncIterator[None]:
        """The user speaks inside this block (manual activity detection): start … end.

        Raises:
            ConfigError: Activity detection is automatic, as it is by default; switch it off with
                ``realtime_input_config={"automatic_activity_detection": {"disabled": True}}``.
            LivebridgeError: As all sends; see `Session`.
        """
        await self.send_realtime_input(activity_start=True)
        try:
            yield
        finally:
            self._state.speaking = False
            self._actor.outgoing.accept_end(wire.encode_client(realtime_input(activity_end=True)))

    async def send_tool_response(self, responses: object) -> int:
        """Answer tool calls by hand.

        Args:
            responses: A `FunctionResponse`, a mapping of its fields, or a list of these. The Gemini API needs
                the id of each call.

        Returns:
            How many were sent: an answer to a call that was cancelled or answered already is left out.

        Raises:
            ConfigError: There is none, or one is malformed.
            LivebridgeError: As all sends; see `Session`.
        """
        known = {key: call.name or "" for key, call in self.pending_tool_calls.items()}
        require_ids = self._state.auth.backend == "gemini"
        message = tool_response(responses, require_ids=require_ids, known=known)
        self._actor.outgoing.check_open()
        await trio.lowlevel.checkpoint()
        assert message.tool_response is not None
        return await self._actor.tools.answer(message.tool_response)

    async def send_context_update(
        self, *, system_instruction: object = None, tools: object = None
    ) -> SendReceipt:
        """Change instructions or tools from here on (models of the 3.8 generation).

        Args:
            system_instruction: New instructions; ``None`` keeps the present ones.
            tools: New tools; ``None`` keeps the present ones, ``[]`` removes them.

        Raises:
            ConfigError: Neither was given, one is malformed, or the model takes no updates.
            LivebridgeError: As all sends; see `Session`.
        """
        message = context_update(system_instruction=system_instruction, tools=tools)
        self._actor.outgoing.check(message)
        if message.context_update is not None and message.context_update.tools is not None:
            self._actor.tools.declare(message.context_update.tools.tools or ())
        return await self._actor.outgoing.send(message, Kind.CONTENT)

    async def _send_media(self, kind: Kind, message: wire.ClientMessage, seconds: float) -> SendReceipt:
        frame = wire.encode_client(message)
        entry = await self._actor.outgoing.accept(kind, frame, seconds=seconds)
        return SendReceipt(seq=entry.seq, state=entry.state)


def _audio_seconds(blob: wire.Blob) -> float:
    """Playing time of raw PCM; 0 for anything whose rate is not known."""
    rate = audio_rate(blob.mime_type, default=INPUT_RATE_HZ)
    return len(blob.data or b"") / 2 / rate if rate else 0.0
