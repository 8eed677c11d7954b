"""Holds what users write into faults and settings against the types of the fields, and says what was expected."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Final, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from livebridge.errors import ConfigError


@attrs.frozen(kw_only=True)
class Bounds:
    """What a number must lie between.

    Attributes:
        low: The smallest value.
        high: The greatest.
        above: Whether it must be greater than ``low``.
        even: Whether it must be even.
        endless: Whether infinity is as good as a number.
    """

    low: float
    high: float = math.inf
    above: bool = False
    even: bool = False
    endless: bool = False

    def hold(self, value: float) -> bool:
        """Whether the value lies between them. What is no number (NaN) does not."""
        if not (self.low < value if self.above else self.low <= value):
            return False
        return value <= self.high and (self.endless or value < math.inf) and not (self.even and value % 2)

    def describe(self) -> str:
        """The bounds in words."""
        if self.above:
            return f"above {self.low:g}"
        return f"from {self.low:g} {'on' if math.isinf(self.high) else f'to {self.high:g}'}"


Ordinal = Annotated[int, Bounds(low=1)]
"""The n-th of something."""

Number = Annotated[int, Bounds(low=0)]
"""How many of something."""

Seconds = Annotated[float, Bounds(low=0)]
"""How long."""

Limit = Annotated[float, Bounds(low=0, endless=True)]
"""How long at most; infinity is no limit."""

Chance = Annotated[float, Bounds(low=0, high=1)]
"""How likely."""

QUOTED_CHARACTERS: Final = 60
"""Enough to recognise what was written."""

_WORDS: Final[Mapping[object, str]] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
}


def check_fields(instance: attrs.AttrsInstance, *, absent: str) -> None:
    """Hold every field of an instance against its type.

    Args:
        instance: Of an attrs class whose hints are classes, unions, literals, ``tuple[X, …]``, mappings and numbers
            with `Bounds`.
        absent: How to say in words that a field may be ``None``.

    Raises:
        ConfigError: A field holds something else; the error names it. A field that is left out of the ``repr`` is
            not quoted.
    """
    for name, hint in _hints(type(instance)).items():
        value: object = getattr(instance, name)
        if not _fits(value, hint):
            field = attrs.fields_dict(type(instance))[name]
            got = f"; got {_quoted(value)}" if field.repr else ""
            raise ConfigError(f"{name} must be {_described(hint, absent)}{got}")


def check_value(name: str, value: object, hint: object) -> None:
    """Hold one value against a type.

    Raises:
        ConfigError: It is something else.
    """
    if not _fits(value, hint):
        raise ConfigError(f"{name} must be {_described(hint, 'None')}; got {_quoted(value)}")


@cache
def _hints(kind: type[attrs.AttrsInstance]) -> Mapping[str, object]:
    hints: dict[str, object] = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in attrs.fields_dict(kind)}


def _fits(value: object, hint: object) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _fits(value, inner[0]) and all(bounds.hold(value) for bounds in inner[1:])
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in inner)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(one, inner[0]) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(one, inner[1]) for key, one in value.items()
        )
    return _is_a(value, hint)


def _is_a(value: object, kind: object) -> bool:
    if kind is int or kind is float:
        return isinstance(value, int | kind) and not isinstance(value, bool)
    # a class has the methods of its instances, and is none of them
    return isinstance(kind, type) and isinstance(value, kind) and not isinstance(value, type)


def _described(hint: object, absent: str) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        bounds: Bounds = inner[1]
        words = _described(inner[0], absent)
        if bounds.even:
            words = words.replace("a whole", "an even")
        return f"{words} {bounds.describe()}"
    if origin in (Union, types.UnionType):
        words = _listed([_described(one, absent) for one in inner if one is not types.NoneType])
        return f"{words}, or {absent}" if types.NoneType in inner else words
    if origin is Literal:
        return _listed([str(one) for one in inner])
    if origin is tuple:
        return f"a tuple of {_described(inner[0], absent)}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping of {_described(inner[0], absent)} to {_described(inner[1], absent)}"
    return _WORDS.get(hint) or f"an instance of {getattr(hint, '__name__', hint)}"


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _quoted(value: object) -> str:
    """A value, or its beginning: a wrong one may be anything."""
    text = repr(value)
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}…"
