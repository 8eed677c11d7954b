"""What turns are made of: contents, their parts, and what parts carry."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from livebridge.wire._base import Duration, Message, payload_size
from livebridge.wire._content_enums import (
    DocumentMetadataContentLayer,
    FunctionResponseScheduling,
    Language,
    MediaProcessing,
    Outcome,
    PartMediaResolutionLevel,
    SpreadsheetMetadataContentLayer,
    ToolType,
    VideoMetadataContentLayer,
)


@attrs.frozen(kw_only=True, repr=False)
class AudioMetadata(Message):
    """Which stretch of an audio part is meant, in seconds from its start."""

    start_offset: Duration | None = None
    end_offset: Duration | None = None


@attrs.frozen(kw_only=True, repr=False)
class Blob(Message):
    """Media inside a message.

    Attributes:
        data: The bytes; base64 on the wire.
        mime_type: What they are. Audio input is raw 16-bit little-endian PCM, mono, for example
            ``audio/pcm;rate=16000``; audio output is the same at 24 kHz. Video input is single JPEG or PNG
            images, about one per second.
        display_name: A name to refer to it by.
    """

    data: bytes | None = attrs.field(default=None, repr=payload_size)
    display_name: str | None = None
    mime_type: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class CodeExecutionResult(Message):
    """What running an `ExecutableCode` came to."""

    outcome: Outcome | str | None = None
    output: str | None = None
    id: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class PartMediaResolution(Message):
    """How finely the media of one part is looked at: a level, or a number of tokens."""

    level: PartMediaResolutionLevel | str | None = None
    num_tokens: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class ExecutableCode(Message):
    """Code that the model wrote to be run by the server."""

    code: str | None = None
    language: Language | str | None = None
    id: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class FileData(Message):
    """Media that lies elsewhere, by its URI."""

    display_name: str | None = None
    file_uri: str | None = None
    mime_type: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class PartialArg(Message):
    """One piece of a function call's arguments while they are still being written. Vertex only.

    Attributes:
        json_path: Where in the arguments the value belongs, as a JSONPath such as ``$.people[0]``.
        null_value: ``NULL_VALUE`` when the value is null.
        will_continue: Whether more text of a string value follows.
    """

    bool_value: bool | None = None
    json_path: str | None = None
    null_value: str | None = None
    number_value: float | None = None
    string_value: str | None = None
    will_continue: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class FunctionCall(Message):
    """One function that the model wants called.

    Attributes:
        id: What the response refers to. The Gemini API always gives one, Vertex not always.
        args: Arguments by name, free-form JSON.
        partial_args: Arguments so far, where they are streamed. Vertex only.
        will_continue: Whether more `partial_args` follow. Vertex only.
    """

    id: str | None = None
    args: Mapping[str, Any] | None = None
    name: str | None = None
    partial_args: Sequence[PartialArg] | None = None
    will_continue: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class FunctionResponseBlob(Message):
    """Media inside a function's response."""

    mime_type: str | None = None
    data: bytes | None = attrs.field(default=None, repr=payload_size)
    display_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class FunctionResponseFileData(Message):
    """Media of a function's response that lies elsewhere, by its URI."""

    file_uri: str | None = None
    mime_type: str | None = None
    display_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class VideoMetadata(Message):
    """Which stretch of a video is meant, in seconds from its start, and how it is looked at.

    Attributes:
        fps: Frames per second to sample.
    """

    end_offset: Duration | None = None
    fps: float | None = None
    start_offset: Duration | None = None
    content_layers: Sequence[VideoMetadataContentLayer | str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class DocumentMetadata(Message):
    """Which pages and layers of a document are meant."""

    start_page: int | None = None
    end_page: int | None = None
    content_layers: Sequence[DocumentMetadataContentLayer | str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class SpreadsheetMetadata(Message):
    """Which cells, sheet and layers of a spreadsheet are meant."""

    visible_cells: str | None = None
    sheet_index: int | None = None
    content_layers: Sequence[SpreadsheetMetadataContentLayer | str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class FunctionResponsePart(Message):
    """Media that belongs to a function's response."""

    inline_data: FunctionResponseBlob | None = None
    file_data: FunctionResponseFileData | None = None
    media_processing: MediaProcessing | str | None = None
    media_resolution: PartMediaResolution | None = None
    video_metadata: VideoMetadata | None = None
    document_metadata: DocumentMetadata | None = None
    spreadsheet_metadata: SpreadsheetMetadata | None = None
    audio_metadata: AudioMetadata | None = None


@attrs.frozen(kw_only=True, repr=False)
class FunctionResponse(Message):
    """The answer to one `FunctionCall`.

    Attributes:
        id: The call's ``id``. The Gemini API requires it.
        response: The result, free-form JSON. ``output`` and ``error`` are the customary keys; without them
            the whole object counts as output.
        scheduling: When the model takes it up; for ``NON_BLOCKING`` functions only.
        will_continue: Whether more responses to the same call follow; for ``NON_BLOCKING`` functions on the
            Gemini API only.
        parts: Media that belongs to the result.
    """

    will_continue: bool | None = None
    scheduling: FunctionResponseScheduling | str | None = None
    parts: Sequence[FunctionResponsePart] | None = None
    id: str | None = None
    name: str | None = None
    response: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True, repr=False)
class ServerSideToolCall(Message):
    """A call, told for information, of a tool that the server runs by itself. Gemini API only."""

    id: str | None = None
    tool_type: ToolType | str | None = None
    args: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True, repr=False)
class ServerSideToolResponse(Message):
    """What a tool that the server runs by itself came to. Gemini API only."""

    id: str | None = None
    tool_type: ToolType | str | None = None
    response: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True, repr=False)
class WordInfo(Message):
    """One transcribed word and when it was said, in seconds from the start of the audio."""

    word: str | None = None
    start_offset: Duration | None = None
    end_offset: Duration | None = None


@attrs.frozen(kw_only=True, repr=False)
class Transcription(Message):
    """What was said, in writing. It keeps no particular order with the audio it belongs to, and may be empty.

    Attributes:
        text: A piece of text; pieces follow each other.
        finished: Whether this is the last piece.
        language_code: BCP-47.
        start_offset: Seconds from the start of the audio.
        end_offset: Seconds from the start of the audio.
    """

    text: str | None = None
    finished: bool | None = None
    language_code: str | None = None
    speaker_label: str | None = None
    words: Sequence[WordInfo] | None = None
    start_offset: Duration | None = None
    end_offset: Duration | None = None


@attrs.frozen(kw_only=True, repr=False)
class SpeechMetadata(Message):
    """Who speaks a part, and in which style."""

    speaker: str | None = None
    style: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class Part(Message):
    """One piece of a turn: exactly one of text, media, a function call and so on, with remarks on it.

    Attributes:
        thought: Whether it is the model's thinking rather than its answer.
        thought_signature: Opaque; give it back with the part.
        part_metadata: Free-form JSON of the caller's. Gemini API only.
    """

    media_resolution: PartMediaResolution | None = None
    code_execution_result: CodeExecutionResult | None = None
    executable_code: ExecutableCode | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: Blob | None = None
    text: str | None = None
    thought: bool | None = None
    thought_signature: bytes | None = attrs.field(default=None, repr=payload_size)
    video_metadata: VideoMetadata | None = None
    tool_call: ServerSideToolCall | None = None
    tool_response: ServerSideToolResponse | None = None
    part_metadata: Mapping[str, Any] | None = None
    audio_transcription: Transcription | None = None
    media_processing: MediaProcessing | str | None = None
    speech_metadata: SpeechMetadata | None = None
    document_metadata: DocumentMetadata | None = None
    spreadsheet_metadata: SpreadsheetMetadata | None = None
    audio_metadata: AudioMetadata | None = None


@attrs.frozen(kw_only=True, repr=False)
class Content(Message):
    """What one side says in one turn.

    Attributes:
        parts: Its pieces, in order.
        role: ``user`` or ``model``. The Gemini API leaves it out in answers. Whether ``system`` means
            anything in the middle of a session depends on backend and model, so it is neither checked nor
            rewritten.
    """

    parts: Sequence[Part] | None = None
    role: str | None = None
