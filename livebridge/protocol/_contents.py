"""What users hand in as words becomes `Content`: text, parts, turns, and lists of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._blobs import Picture, image_blob

_TURN_KEYS: Final = frozenset({"parts", "role"})

_FORMS: Final = "text, a Part, a Content, a mapping of the fields of one, a picture, or a list of these"


def instruction(value: object, where: str = "system_instruction") -> wire.Content:
    """Make the system instruction.

    Args:
        value: Text, a list of texts (one paragraph each), a `Part`, or a `Content`, which is taken as it is.
        where: The option's name for error texts.

    Raises:
        ConfigError: It is none of these.
    """
    return wire.from_user(wire.Content, value, where=where)


def turns(value: object, where: str = "content") -> tuple[wire.Content, ...]:
    """Make turns for the conversation.

    Neighbouring texts and parts of a list make up one turn of the user; a `Content` is a turn by itself and
    its role is neither checked nor changed.

    Args:
        value: Text, a `Part`, a `Content`, mappings of their fields, or a list of these.
        where: The argument's name for error texts.

    Raises:
        ConfigError: It is none of these.
    """
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        return (_turn(value, where),)
    if isinstance(value, bytes | bytearray | memoryview):
        raise ConfigError(f"{where} takes {_FORMS}, not {type(value).__name__}; bytes go into a Part")
    return tuple(_grouped(value, where))


def _grouped(items: Sequence[object], where: str) -> Iterator[wire.Content]:
    waiting: list[wire.Part] = []
    for index, item in enumerate(items):
        turn = _turn(item, f"{where}[{index}]")
        if _is_turn(item):
            if waiting:
                yield _said(waiting)
                waiting = []
            yield turn
        else:
            waiting.extend(turn.parts or ())
    if waiting:
        yield _said(waiting)


def _turn(value: object, where: str) -> wire.Content:
    if value is None or isinstance(value, bytes | bytearray | memoryview | int | float):
        raise ConfigError(f"{where} takes {_FORMS}, not {type(value).__name__}")
    if _is_turn(value):
        return wire.from_user(wire.Content, value, where=where)
    if isinstance(value, Mapping) and not value:
        raise ConfigError(f"{where} is empty; it takes {_FORMS}")
    if isinstance(value, Picture):
        return _said([wire.Part(inline_data=image_blob(value, where))])
    return _said([wire.from_user(wire.Part, value, where=where)])


def _said(parts: Sequence[wire.Part]) -> wire.Content:
    """Give parts a role: only the model calls functions."""
    role = "model" if any(part.function_call is not None for part in parts) else "user"
    return wire.Content(parts=tuple(parts), role=role)


def _is_turn(value: object) -> bool:
    """Whether it is a `Content`, in whatever form; foreign ones are known by their field."""
    if isinstance(value, Mapping):
        return not _TURN_KEYS.isdisjoint(value)
    return isinstance(value, wire.Content) or hasattr(value, "parts")
