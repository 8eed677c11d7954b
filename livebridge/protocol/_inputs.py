"""What users hand to the verbs of a session becomes one client message, or a `ConfigError` that teaches.

One function per member of the client message. Nothing here waits or remembers; a wrong argument is found
before anything is queued.
"""

from __future__ import annotations

from collections.abc import Mapping

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._blobs import AudioChunk, audio_blob, audio_chunk, image_blob
from livebridge.protocol._config_tools import tool_list
from livebridge.protocol._contents import instruction, turns
from livebridge.protocol._foreign import is_foreign
from livebridge.protocol._responses import function_responses

__all__ = [
    "AudioChunk",
    "audio_chunk",
    "client_content",
    "context_update",
    "realtime_input",
    "tool_response",
]


def client_content(content: object = None, *, turn_complete: bool = True) -> wire.ClientMessage:
    """Make a ``clientContent`` message: words for the conversation, in order.

    Args:
        content: Text, a `Part`, a `Content`, mappings of their fields (snake_case or camelCase), or a list of
            these; ``None`` to say no more than that the turn is complete (or not).
        turn_complete: The model shall answer now.

    Raises:
        ConfigError: ``content`` is none of these, or ``turn_complete`` is no truth value.
    """
    if not isinstance(turn_complete, bool):
        raise ConfigError(f"turn_complete is True or False, not {turn_complete!r}")
    said = None if content is None else turns(content)
    return wire.ClientMessage(client_content=wire.ClientContent(turns=said, turn_complete=turn_complete))


def realtime_input(
    *,
    audio: object = None,
    video: object = None,
    text: str | None = None,
    activity_start: object = None,
    activity_end: object = None,
    audio_stream_end: bool | None = None,
) -> wire.ClientMessage:
    """Make a ``realtimeInput`` message of exactly one thing.

    Args:
        audio: See `audio_blob`.
        video: One picture; see `image_blob`.
        text: Text; the empty text counts as given.
        activity_start: ``True``: the user begins to speak. Only with automatic detection switched off.
        activity_end: ``True``: the user has ended.
        audio_stream_end: ``True``: the microphone is off for now. Only with automatic detection.

    Raises:
        ConfigError: Not exactly one was given, or it is not what the Live API takes.
    """
    arguments = {
        "audio": audio,
        "video": video,
        "text": text,
        "activity_start": activity_start,
        "activity_end": activity_end,
        "audio_stream_end": audio_stream_end,
    }
    given = sorted(name for name, value in arguments.items() if value is not None)
    if len(given) != 1:
        raise ConfigError(
            f"a realtime input is exactly one of {', '.join(arguments)}; got {', '.join(given) or 'none'}"
        )
    return wire.ClientMessage(realtime_input=_one(given[0], arguments[given[0]]))


def _one(name: str, value: object) -> wire.RealtimeInput:
    match name:
        case "audio":
            return wire.RealtimeInput(audio=audio_blob(value))
        case "video":
            return wire.RealtimeInput(video=image_blob(value))
        case "text":
            if not isinstance(value, str):
                raise ConfigError(f"text takes text, not {type(value).__name__}")
            return wire.RealtimeInput(text=value)
        case "activity_start":
            _signal(name, value)
            return wire.RealtimeInput(activity_start=wire.ActivityStart())
        case "activity_end":
            _signal(name, value)
            return wire.RealtimeInput(activity_end=wire.ActivityEnd())
        case _:
            _signal(name, value)
            return wire.RealtimeInput(audio_stream_end=True)


def _signal(name: str, value: object) -> None:
    """A signal is given or not; the SDK's empty objects count as given."""
    empty_object = not isinstance(value, bool | int | float | str | list) and (
        value == {} or isinstance(value, wire.ActivityStart | wire.ActivityEnd) or is_foreign(value)
    )
    if value is not True and not (empty_object and name != "audio_stream_end"):
        raise ConfigError(f"{name} can only be True (or left out), not {value!r}")


def tool_response(
    responses: object, *, require_ids: bool, known: Mapping[str, str] | None = None
) -> wire.ClientMessage:
    """Make a ``toolResponse`` message.

    Args:
        responses: See `function_responses`.
        require_ids: The backend demands the id of the call.
        known: Names of open calls by id.

    Raises:
        ConfigError: See `function_responses`.
    """
    made = function_responses(responses, require_ids=require_ids, known=known or {})
    return wire.ClientMessage(tool_response=wire.ToolResponse(function_responses=made))


def context_update(*, system_instruction: object = None, tools: object = None) -> wire.ClientMessage:
    """Make a ``contextUpdate`` message: other instructions or tools from here on.

    Args:
        system_instruction: As in the configuration; ``None`` keeps the present one.
        tools: As in the configuration; ``None`` keeps the present ones, ``[]`` removes them.

    Raises:
        ConfigError: Neither was given, or one of them is malformed.
    """
    if system_instruction is None and tools is None:
        raise ConfigError("a context update needs system_instruction, tools, or both")
    new_tools = None
    if tools is not None:
        declared, functions = tool_list(tools)
        if functions:
            raise ConfigError("tools of a context update are declarations, not Python functions")
        new_tools = wire.ContextUpdateTools(tools=declared)
    words = None if system_instruction is None else instruction(system_instruction)
    return wire.ClientMessage(context_update=wire.ContextUpdate(system_instruction=words, tools=new_tools))
