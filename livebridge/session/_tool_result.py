"""What a tool returned becomes a `FunctionResponse`: JSON in ``response``, media in ``parts``.

A mapping is the response; anything else becomes ``{"result": …}``. Media may stand anywhere in the result; it
travels as a part with a name, and ``{"$ref": name}`` takes its place, which is how the API refers to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import ConfigError, ToolError
from livebridge.protocol import tool_response

MAX_DEPTH: Final = 64
"""A result nested deeper contains itself, or is nothing a model would read."""


class UnsendableError(ToolError):
    """What a tool returned cannot be written as JSON. Its text tells types and places, and quotes no text."""


def response_of(
    result: object,
    call: wire.FunctionCall,
    *,
    max_bytes: int | None = None,
    scheduling: str | None = None,
    will_continue: bool | None = None,
) -> wire.FunctionResponse:
    """Make the answer to a call.

    Args:
        result: What the tool returned: plain values, attrs classes, dataclasses, enumerations, dates, media (a
            `wire.Blob`, a `wire.FunctionResponseBlob` or ``(bytes, mime_type)``), or a whole
            `wire.FunctionResponse` or a mapping that is none.
        call: Whose answer it is.
        max_bytes: Largest answer, as JSON.
        scheduling: When the model takes it up, unless the result says so itself.
        will_continue: Whether further answers follow.

    Raises:
        ToolError: It cannot be written as JSON, or is larger than `max_bytes`.
    """
    try:
        given = _given(result)
        word = given.scheduling if given.scheduling is not None else _scheduling(scheduling)
        response = attrs.evolve(
            given, id=call.id, name=call.name, scheduling=word, will_continue=will_continue
        )
        made = tool_response(response, require_ids=False).tool_response
    except ConfigError as error:
        why = str(error).removeprefix("responses[0].response.")
        raise UnsendableError(
            f"tool {call.name} returned an object that cannot be sent as the result: {why}"
        ) from error
    assert made is not None
    assert made.function_responses
    (checked,) = made.function_responses
    if max_bytes is not None and (size := len(wire.dumps(checked))) > max_bytes:
        raise UnsendableError(
            f"tool {call.name} returned an object that cannot be sent as the result: it has {size} bytes,"
            f" more than the {max_bytes} that are allowed"
        )
    return checked


def _given(result: object) -> wire.FunctionResponse:
    """Put a result into a response, without the call's part of it.

    Raises:
        ConfigError: It is nested too deeply.
    """
    if isinstance(result, wire.FunctionResponse):
        return result
    media: list[wire.FunctionResponsePart] = []
    plain = _plain(result, media, 0)
    content = plain if isinstance(plain, Mapping) else {"result": plain}
    return wire.FunctionResponse(response=content, parts=tuple(media) or None)


def error_response(
    call: wire.FunctionCall, text: str, *, scheduling: str | None = None
) -> wire.FunctionResponse:
    """Make the answer that tells the model what went wrong."""
    return wire.FunctionResponse(
        id=call.id, name=call.name, response={"error": text}, scheduling=_scheduling(scheduling)
    )


def _scheduling(word: str | None) -> wire.FunctionResponseScheduling | None:
    return None if word is None else wire.FunctionResponseScheduling(word.upper())


def _plain(value: object, media: list[wire.FunctionResponsePart], depth: int) -> object:
    """Open classes and take media out; what is left over is checked by `tool_response`."""
    if depth > MAX_DEPTH:
        raise ConfigError("the result is nested too deeply (or contains itself)")
    blob = _blob(value)
    if blob is not None:
        named = attrs.evolve(blob, display_name=blob.display_name or f"media-{len(media) + 1}")
        media.append(wire.FunctionResponsePart(inline_data=named))
        return {"$ref": named.display_name}
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, wire.Message):
        value = wire.to_plain(value)
    elif is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif attrs.has(cls := type(value)):
        value = {field.name: getattr(value, field.name) for field in attrs.fields(cls)}
    if isinstance(value, Mapping):
        return {key: _plain(item, media, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [_plain(item, media, depth + 1) for item in value]
    return value


def _blob(value: object) -> wire.FunctionResponseBlob | None:
    if isinstance(value, wire.FunctionResponseBlob):
        return value
    if isinstance(value, wire.Blob):
        return wire.FunctionResponseBlob(data=value.data, mime_type=value.mime_type)
    if isinstance(value, tuple) and len(value) == 2:  # noqa: PLR2004 - (bytes, mime_type)
        data, mime_type = value
        if (
            isinstance(data, bytes | bytearray | memoryview)
            and isinstance(mime_type, str)
            and "/" in mime_type
        ):
            return wire.FunctionResponseBlob(data=bytes(data), mime_type=mime_type)
    return None
