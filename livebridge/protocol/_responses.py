"""What users hand in as results of function calls becomes `FunctionResponse`, checked before it is sent.

The model waits for the answer to every call; an answer that cannot be written, or that names no call, would
leave it waiting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._foreign import is_foreign, opened

_FORMS: Final = "a FunctionResponse, a mapping with id, name and response, or a list of these"

# JSON nested deeper than this is a cycle, or nothing a model would read.
_MAX_DEPTH: Final = 64

_INT_LIMIT: Final = 2**63


def function_responses(
    value: object, *, require_ids: bool, known: Mapping[str, str]
) -> tuple[wire.FunctionResponse, ...]:
    """Make the responses of one ``toolResponse`` message.

    A response whose value is no mapping is sent as ``{"result": value}``. A missing name is filled in from
    the call.

    Args:
        value: A `FunctionResponse`, a mapping of its fields, a `ToolResponse`, or a list of responses.
        require_ids: The backend demands the id of the call (the Gemini API does, Vertex does not).
        known: Names of the calls that are open, by id.

    Raises:
        ConfigError: There is no response, one has no id where one is needed, or one holds what JSON cannot
            hold; the text says where.
    """
    given = _listed(value)
    if not given:
        raise ConfigError(f"a tool response takes {_FORMS}; it is empty")
    return tuple(
        _response(item, f"responses[{index}]", require_ids=require_ids, known=known)
        for index, item in enumerate(given)
    )


def _listed(value: object) -> Sequence[object]:
    if isinstance(value, wire.ToolResponse):
        return value.function_responses or ()
    if isinstance(value, Mapping):
        for key in ("function_responses", "functionResponses"):
            if key in value:
                return _listed(value[key])
        return [value] if value else []
    if isinstance(value, wire.FunctionResponse):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return value
    if is_foreign(value):
        return _listed(opened(value))
    raise ConfigError(f"a tool response takes {_FORMS}, not {type(value).__name__}")


def _response(
    value: object, where: str, *, require_ids: bool, known: Mapping[str, str]
) -> wire.FunctionResponse:
    if isinstance(value, Mapping):
        value = {key: _mapping(item) if key == "response" else item for key, item in value.items()}
    response = wire.from_user(wire.FunctionResponse, value, where=where)
    if response.id is None and require_ids:
        raise ConfigError(
            f"{where} has no id: the Gemini API needs the id of the call that it answers"
            " (FunctionCall.id of the tool call)"
        )
    if response.response is None and not response.parts and response.will_continue is None:
        raise ConfigError(f"{where} has no response; expected for example response={{'output': …}}")
    name = response.name
    if name is None and response.id is not None:
        name = known.get(response.id)
    content = response.response
    if content is not None:
        content = {key: json_value(item, f"{where}.response.{key}") for key, item in _pairs(content, where)}
    return attrs.evolve(response, name=name, response=content)


def _mapping(value: object) -> object:
    """Wrap what is no mapping; an object that lists its own fields is one."""
    if isinstance(value, Mapping) or is_foreign(value):
        return value
    return {"result": value}


def _pairs(value: Mapping[str, object], where: str) -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        if not isinstance(key, str):
            raise ConfigError(f"{where}: keys of JSON objects are text, not {key!r}")
        yield key, item


def json_value(value: object, where: str, depth: int = 0) -> object:
    """Turn a value into what JSON can hold.

    Enumerations become their values, tuples become lists, and objects with ``model_dump()`` become mappings.

    Args:
        value: The value.
        where: The path to it for error texts.
        depth: How deep it is nested.

    Raises:
        ConfigError: JSON cannot hold it; the text says which key.
    """
    if depth > _MAX_DEPTH:
        raise ConfigError(f"{where} is nested too deeply (or contains itself)")
    if isinstance(value, Enum):
        value = value.value
    value = opened(value)
    if isinstance(value, Mapping):
        return {key: json_value(item, f"{where}.{key}", depth + 1) for key, item in _pairs(value, where)}
    if isinstance(value, list | tuple):
        return [json_value(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _scalar(value, where)


def _scalar(value: object, where: str) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"{where} is no valid Unicode text: {error.reason}") from None
        return value
    if isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise ConfigError(f"{where} has more than 64 bits; send it as text")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"{where} is {value}, which JSON cannot hold")
        return value
    hint = "; put bytes into parts" if isinstance(value, bytes | bytearray | memoryview) else ""
    kind = type(value).__name__
    article = "an" if kind[0] in "aeiouAEIOU" else "a"
    raise ConfigError(
        f"{where} is {article} {kind}, which JSON cannot hold; expected text, a number,"
        f" a truth value, None, a list or a mapping{hint}"
    )
