"""What a client says: one setup, then content, realtime input, tool responses, context updates."""

from collections.abc import Sequence

import attrs

from livebridge.wire._base import Message
from livebridge.wire._content import Blob, Content, FunctionResponse
from livebridge.wire._setup import Setup
from livebridge.wire._tools import Tool


@attrs.frozen(kw_only=True, repr=False)
class ActivityEnd(Message):
    """The user has stopped speaking; only when automatic detection is disabled."""


@attrs.frozen(kw_only=True, repr=False)
class ActivityStart(Message):
    """The user has begun to speak; only when automatic detection is disabled."""


@attrs.frozen(kw_only=True, repr=False)
class ClientContent(Message):
    """Turns in order, appended to the history. It interrupts what the model is saying.

    Attributes:
        turn_complete: Whether the model may answer now; otherwise it waits for more.
    """

    turns: Sequence[Content] | None = None
    turn_complete: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class ContextUpdateTools(Message):
    """The tools that replace the present ones; an empty sequence leaves none."""

    tools: Sequence[Tool] | None = None


@attrs.frozen(kw_only=True, repr=False)
class ContextUpdate(Message):
    """Replace instructions or tools in the middle of a session; what is absent stays.

    Attributes:
        tools: A wrapper, so that "no change" and "no tools" differ.
    """

    system_instruction: Content | None = None
    tools: ContextUpdateTools | None = None


@attrs.frozen(kw_only=True, repr=False)
class RealtimeInput(Message):
    """Media and text as they happen. Order is kept within each kind, not among them.

    Attributes:
        media_chunks: Deprecated: servers take the first one only.
        audio_stream_end: The microphone is off for now; only with automatic activity detection.
    """

    media_chunks: Sequence[Blob] | None = None
    audio: Blob | None = None
    audio_stream_end: bool | None = None
    video: Blob | None = None
    text: str | None = None
    activity_start: ActivityStart | None = None
    activity_end: ActivityEnd | None = None


@attrs.frozen(kw_only=True, repr=False)
class ToolResponse(Message):
    """The answers to a `ToolCall`. Each of its calls is to be answered."""

    function_responses: Sequence[FunctionResponse] | None = None


@attrs.frozen(kw_only=True, repr=False)
class ClientMessage(Message):
    """One message from the client; exactly one member is set."""

    setup: Setup | None = None
    client_content: ClientContent | None = None
    realtime_input: RealtimeInput | None = None
    tool_response: ToolResponse | None = None
    context_update: ContextUpdate | None = None
