"""From plain JSON values to the types a user's function is annotated with: strict, and with paths in its errors.

The messages of the Live API have hooks of their own (see the reader); this is for everything else: dataclasses,
attrs classes, ``TypedDict``, enumerations, unions, collections. JSON has one kind of number, so ``2.0`` is taken
for an ``int``; nothing else is converted into anything it is not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from datetime import date, datetime, time
from enum import Enum
from types import GenericAlias, NoneType
from typing import Any, Final, Literal, get_args, get_origin, is_typeddict

import attrs
import cattrs

from livebridge.errors import DecodeError
from livebridge.wire._kinds import UNIONS
from livebridge.wire._misfit import MisfitError

Take = Callable[[Any, Any], Any]


def structure(value: Any, kind: Any, *, where: str) -> Any:
    """Make a value of an annotated type from plain JSON values.

    Args:
        value: As JSON gives it.
        kind: The type: a class, or anything that can stand in a type hint.
        where: What it is, for error texts.

    Returns:
        An instance of `kind`.

    Raises:
        DecodeError: It does not fit, or the type cannot be made from JSON. The text lists all places that do not
            fit, with their paths, what was expected and what was there.
    """
    try:
        return CONVERTER.structure(value, kind)
    except Exception as error:
        raise DecodeError("; ".join(_misfits(error, where))) from error


def _misfits(error: Exception, where: str) -> list[str]:
    """All that is wrong, one text each, the path in front."""
    told = cattrs.transform_error(error, where, _told)
    return [f"{path}: {text}" for text, _, path in (line.rpartition(" @ ") for line in told)]


def _told(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    if isinstance(error, cattrs.errors.ForbiddenExtraKeysError):
        return f"has no field {', '.join(map(repr, sorted(error.extra_fields)))}"
    return str(error)


class Strict(cattrs.Converter):
    """Looks at the form of a JSON value before anything is made of it: an object, a list, or one of a few values."""

    def get_structure_hook(self, type: Any, cache_result: bool = True) -> Take:  # noqa: A002, FBT001, FBT002 - cattrs'
        """Find the hook for a type and put the check in front."""
        if _is_choice(type):
            # not registered: cattrs would take an IntEnum for the int that it is, too
            return _choice_taker(type)
        hook: Take = super().get_structure_hook(type, cache_result)
        fits, expected = _form(type)
        if fits is None:
            return hook

        def take(value: Any, kind: Any) -> Any:
            if not fits(value):
                raise MisfitError(expected, value)
            return hook(value, kind)

        return take

    def structure(self, obj: Any, cl: Any) -> Any:
        """Make a value of a type."""
        return self.get_structure_hook(cl)(obj, cl)


def _form(kind: Any) -> tuple[Callable[[Any], bool] | None, str]:
    """What JSON must look like for a type, as a test and in words; no test where its hook makes one."""
    origin = get_origin(kind) or kind
    if kind is None or kind is NoneType:
        return lambda value: value is None, "null"
    if is_typeddict(origin) or attrs.has(origin) or is_dataclass(origin):
        return lambda value: isinstance(value, Mapping), f"an object with the fields of {origin.__name__}"
    if not isinstance(origin, type) or issubclass(origin, str | bytes | Enum):
        return None, ""
    if issubclass(origin, Mapping):
        return lambda value: isinstance(value, Mapping), "an object"
    if issubclass(origin, Sequence | AbstractSet) or origin is Iterable:
        return lambda value: isinstance(value, list | tuple), "a list"
    return None, ""


def _exactly(expected: str, *classes: type) -> Take:
    def take(value: Any, _: Any) -> Any:
        if type(value) not in classes:
            raise MisfitError(expected, value)
        return value

    return take


def _integer(value: Any, _: Any) -> int:
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(value)
    raise MisfitError("an integer", value)


def _number(value: Any, _: Any) -> float:
    if type(value) in (int, float):
        return float(value)
    raise MisfitError("a number", value)


def _moment(kind: Any) -> Take:
    def take(value: Any, _: Any) -> Any:
        try:
            return kind.fromisoformat(value)
        except (TypeError, ValueError):
            raise MisfitError(f"a {kind.__name__} in ISO 8601 form", value) from None

    return take


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum))


def _choice_taker(kind: Any) -> Take:
    """Take one of a few values: those of an enumeration, or those that are written in the hint."""
    choices: list[Any] = list(get_args(kind) or kind)
    plain = [choice.value if isinstance(choice, Enum) else choice for choice in choices]

    def take(value: Any, _: Any) -> Any:
        for choice, known in zip(choices, plain, strict=True):
            if value == known and isinstance(value, bool) is isinstance(known, bool):
                return choice
        raise ChoiceError(f"expected one of {', '.join(map(repr, plain))}", value)

    return take


class ChoiceError(MisfitError):
    """A value is none of those allowed, or fits no member of a union. Like its base it never leaves the package.

    Args:
        expected: What is allowed, as a clause.
        value: What was there; a short text or number is told, since the one who sent it can then correct it.
    """

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__("another value", value)
        short = isinstance(value, str | int | float) and len(str(value)) <= MAX_TOLD
        self.args = (f"{expected}, got {repr(value) if short else type(value).__name__}",)


MAX_TOLD: Final = 40
"""Characters of a wrong value in an error text."""


def _is_union(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin in UNIONS


def _union_taker(kind: Any) -> Take:
    """Try the members in the order in which they are written, those of exactly the value's class first."""
    members = [member for member in get_args(kind) if member is not NoneType]
    optional = NoneType in get_args(kind)

    def take(value: Any, _: Any) -> Any:
        if value is None and optional:
            return None
        misfits: list[str] = []
        for member in sorted(members, key=lambda member: member is not type(value)):
            try:
                return CONVERTER.structure(value, member)
            except Exception as error:  # noqa: BLE001 - a misfit of any kind; the next member may fit
                last = error
                misfits.extend(_misfits(error, getattr(member, "__name__", str(member))))
        if len(members) == 1:
            raise last
        raise ChoiceError(f"fits none of its types ({'; '.join(misfits)})", value)

    return take


def _is_iterable(kind: Any) -> bool:
    return Iterable in (kind, get_origin(kind))


def _take_iterable(value: Any, kind: Any) -> Any:
    whole: Any = GenericAlias(list, get_args(kind) or (Any,))
    return CONVERTER.structure(value, whole)


SCALARS: Final[Mapping[Any, Take]] = {
    str: _exactly("text", str),
    bool: _exactly("true or false", bool),
    int: _integer,
    float: _number,
    bytes: _exactly("bytes", bytes),
    date: _moment(date),
    time: _moment(time),
    datetime: _moment(datetime),
}


def _converter() -> cattrs.Converter:
    converter = Strict(detailed_validation=True, forbid_extra_keys=True)
    for kind, take in SCALARS.items():
        converter.register_structure_hook(kind, take)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    converter.register_structure_hook_func(_is_iterable, _take_iterable)
    converter.register_structure_hook_factory(_is_union, _union_taker)
    return converter


CONVERTER: Final = _converter()
