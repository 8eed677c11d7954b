"""Collects the messages of one turn into a `Turn`.

When is a turn over? ``turnComplete`` says so; but a model that goes on thinking in the background completes
several turns before its task is done, and says where it stands in ``interactionStatus``. Where that is
present and specified it decides: over is ``IDLE`` and nothing else. Neither ``interrupted`` nor a tool call
ends a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from livebridge import wire
from livebridge.protocol._mime import OUTPUT_RATE_HZ, audio_rate
from livebridge.protocol._shapes import Turn
from livebridge.protocol._usage import Usage, UsageMeter

# 8 MiB is nearly three minutes of speech at 24 kHz, 16 bit: longer than any turn one listens to.
MAX_AUDIO_BYTES: Final = 8 * 1024 * 1024

# One million characters is a thousand times the longest answer seen; it only stops a turn that never ends.
MAX_TEXT_CHARS: Final = 1_000_000


def ends_turn(content: wire.ServerContent | None) -> bool:
    """Whether this is the last message of a turn."""
    if content is None:
        return False
    status = content.interaction_status
    if status is not None and status != wire.InteractionStatus.INTERACTION_STATUS_UNSPECIFIED:
        return status == wire.InteractionStatus.IDLE
    return bool(content.turn_complete)


class _Bounded:
    """Room for so much and no more."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.overflow = False

    def take(self, size: int) -> bool:
        """Reserve room; once something did not fit, nothing does, so that what is kept has no holes."""
        if self.overflow or size > self._left:
            self.overflow = True
            return False
        self._left -= size
        return True


class TurnCollector:
    """Feed it every server message in order; it returns a `Turn` for each message that ends one.

    Args:
        keep_audio: Collect speech. A voice session that plays it as it comes need not.
        max_audio_bytes: How much speech of one turn is kept; the rest is left out and the turn is marked
            ``truncated``.
        max_text_chars: The same for text, thoughts and transcripts together.
    """

    def __init__(
        self,
        *,
        keep_audio: bool = True,
        max_audio_bytes: int = MAX_AUDIO_BYTES,
        max_text_chars: int = MAX_TEXT_CHARS,
    ) -> None:
        self._keep_audio = keep_audio
        self._max_audio_bytes = max_audio_bytes
        self._max_text_chars = max_text_chars
        self._meter = UsageMeter()
        self._begun = False
        self._told = False
        self._number = 0
        self._clear()

    @property
    def total_usage(self) -> Usage:
        """Token counts of the whole session, the turn in progress included."""
        return self._meter.total

    @property
    def usage(self) -> Usage | None:
        """Token counts of the turn in progress, as far as reported."""
        return self._meter.open

    @property
    def in_progress(self) -> bool:
        """Something of a turn has been seen that has not ended."""
        return self._begun

    @property
    def heard(self) -> str:
        """What the user was heard to say in the turn in progress."""
        return "".join(self._input)

    def abandon(self, *, epoch: int = 0) -> Turn | None:
        """Forget the turn in progress (its connection is gone); what it has cost so far stays counted.

        Returns:
            What there was of it, if anything.
        """
        begun = self._begun
        self._told = True
        turn = self._finish(wire.ServerContent(), epoch)
        self._clear()
        return turn if begun else None

    def feed(self, message: wire.ServerMessage, *, epoch: int = 0, turn: int = 0) -> Turn | None:
        """Take one message.

        Args:
            message: The message.
            epoch: The connection it came over.
            turn: The number of the turn it belongs to.

        Returns:
            The turn, if this message ended it.
        """
        content = message.server_content
        calls = message.tool_call
        if (content is not None or calls is not None) and not self._begun:
            self._begun = True
            self._number = turn
        if message.usage_metadata is not None:
            self._meter.report(message.usage_metadata, trailing=not self._begun)
        self._told = message.usage_metadata is not None
        if calls is not None:
            self._tool_calls.extend(calls.function_calls or ())
        if content is None:
            return None
        self._collect(content)
        if not ends_turn(content):
            return None
        whole = self._finish(content, epoch)
        self._clear()
        return whole

    def _clear(self) -> None:
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._audio: list[bytes] = []
        self._input: list[str] = []
        self._output: list[str] = []
        self._tool_calls: list[wire.FunctionCall] = []
        self._audio_room = _Bounded(self._max_audio_bytes)
        self._text_room = _Bounded(self._max_text_chars)
        self._audio_rate = OUTPUT_RATE_HZ
        self._grounding: wire.GroundingMetadata | None = None
        self._url_context: wire.UrlContextMetadata | None = None
        self._reason: wire.TurnCompleteReason | str | None = None
        self._interrupted = False
        self._generated = False
        self._begun = False
        self._number = 0

    def _collect(self, content: wire.ServerContent) -> None:
        model_turn = content.model_turn
        if model_turn is not None and model_turn.parts:
            self._parts(model_turn.parts)
        if content.input_transcription is not None:
            self._say(self._input, content.input_transcription.text)
        if content.output_transcription is not None:
            self._say(self._output, content.output_transcription.text)
        if content.interrupted:
            self._interrupted = True
        if content.generation_complete:
            self._generated = True
        self._grounding = content.grounding_metadata or self._grounding
        self._url_context = content.url_context_metadata or self._url_context
        self._reason = content.turn_complete_reason or self._reason

    def _parts(self, parts: Sequence[wire.Part]) -> None:
        for part in parts:
            if part.text:
                self._say(self._thoughts if part.thought else self._text, part.text)
            blob = part.inline_data
            if not self._keep_audio or blob is None or not blob.data:
                continue
            rate = audio_rate(blob.mime_type)
            if rate is not None and self._audio_room.take(len(blob.data)):
                self._audio.append(blob.data)
                self._audio_rate = rate

    def _say(self, pieces: list[str], text: str | None) -> None:
        if text and self._text_room.take(len(text)):
            pieces.append(text)

    def _finish(self, content: wire.ServerContent, epoch: int) -> Turn:
        said = "".join(self._output)
        return Turn(
            text="".join(self._text) or said,
            thoughts="".join(self._thoughts),
            audio=b"".join(self._audio),
            audio_rate=self._audio_rate,
            input_transcript="".join(self._input),
            output_transcript=said,
            usage=self._meter.end_turn(final=self._told),
            complete_reason=self._reason,
            interrupted=self._interrupted,
            tool_calls=tuple(self._tool_calls),
            grounding=self._grounding,
            url_context=self._url_context,
            waiting_for_input=bool(content.waiting_for_input),
            generation_complete=self._generated,
            truncated=self._audio_room.overflow or self._text_room.overflow,
            epoch=epoch,
            turn=self._number,
        )
