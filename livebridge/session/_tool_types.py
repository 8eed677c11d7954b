"""From type hints to the shape of a value: what a schema is made of, before it is written in either dialect."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated, Final, Literal, get_args, get_origin

import attrs
import docstring_parser

Kind = Literal["any", "string", "integer", "number", "boolean", "null", "array", "object", "ref"]
"""A type as JSON Schema calls it, ``any`` for no restriction, ``ref`` for a class that contains itself."""


@attrs.define(kw_only=True)
class Shape:
    """The shape of a JSON value.

    Attributes:
        kind: Its type; of a union, ``any``.
        description: What it means.
        choices: The only values allowed.
        format: ``date-time``, ``date`` or ``time``.
        items: Shape of the items of an array.
        prefix: Shapes of the items of a tuple.
        size: Exact number of items.
        properties: Shapes of an object's members.
        required: Names of those that must be there.
        values: Shape of the values of an object with free names.
        any_of: The members of a union, ``null`` left out.
        nullable: ``null`` is allowed too.
        default: What is taken if the value is absent; absent itself where there is none or JSON has no word for it.
        ref: Name of the class, for ``ref``.
    """

    kind: Kind = "any"
    description: str | None = None
    choices: tuple[object, ...] = ()
    format: str | None = None
    items: Shape | None = None
    prefix: tuple[Shape, ...] = ()
    size: int | None = None
    properties: dict[str, Shape] = attrs.field(factory=dict)
    required: tuple[str, ...] = ()
    values: Shape | None = None
    any_of: tuple[Shape, ...] = ()
    nullable: bool = False
    default: object = None
    ref: str | None = None


class InexpressibleError(Exception):
    """A type hint has no shape in JSON. It never leaves this package: who knows the parameter translates it."""


_SCALARS: Final[Mapping[object, tuple[Kind, str | None]]] = {
    typing.Any: ("any", None),
    object: ("any", None),
    None: ("null", None),
    types.NoneType: ("null", None),
    str: ("string", None),
    int: ("integer", None),
    float: ("number", None),
    bool: ("boolean", None),
    datetime: ("string", "date-time"),
    date: ("string", "date"),
    time: ("string", "time"),
}

_CHOICE_KINDS: Final[Mapping[type, Kind]] = {str: "string", int: "integer", float: "number", bool: "boolean"}

_UNIONS: Final = (typing.Union, types.UnionType)

_WRAPPERS: Final = (typing.Required, typing.NotRequired, typing.Final, typing.ClassVar)


@attrs.define
class ShapeMaker:
    """Makes shapes; one instance per declaration.

    Attributes:
        classes: Shapes of the classes that contain themselves, by name.
    """

    classes: dict[str, Shape] = attrs.field(factory=dict)
    _open: list[type] = attrs.field(factory=list)
    _recursive: set[type] = attrs.field(factory=set)

    def shape(self, hint: object) -> Shape:
        """The shape of a type hint.

        Raises:
            InexpressibleError: It has none; says which part of the hint and why.
        """
        for known, (kind, form) in _SCALARS.items():
            if hint is known:
                return Shape(kind=kind, format=form)
        inner = _inside(hint)
        if inner is not None:
            return self.shape(inner)
        origin = get_origin(hint)
        if origin is Annotated:
            return self._annotated(hint)
        if origin is Literal:
            return _choices(get_args(hint))
        if origin in _UNIONS:
            return self._union(get_args(hint))
        return self._class(hint, hint if origin is None else origin)

    def _annotated(self, hint: object) -> Shape:
        inner, *notes = get_args(hint)
        shape = self.shape(inner)
        for note in notes:
            text = note if isinstance(note, str) else getattr(note, "documentation", None)
            text = text if text is not None else getattr(note, "description", None)
            if isinstance(text, str):
                shape.description = text
        return shape

    def _union(self, members: tuple[object, ...]) -> Shape:
        shapes = [self.shape(member) for member in members if member is not types.NoneType]
        nullable = types.NoneType in members
        if len(shapes) == 1:
            shapes[0].nullable = nullable
            return shapes[0]
        return Shape(any_of=tuple(shapes), nullable=nullable)

    def _class(self, hint: object, origin: object) -> Shape:
        if not isinstance(origin, type):
            raise InexpressibleError(f"{_name(hint)} is no type that JSON has")
        if issubclass(origin, Enum):
            return _choices([member.value for member in origin])
        if typing.is_typeddict(origin) or is_dataclass(origin) or attrs.has(origin):
            return self._fields(hint, origin)
        arguments = get_args(hint)
        if issubclass(origin, Mapping):
            return self._mapping(hint, arguments)
        if issubclass(origin, tuple):
            return self._tuple(hint, arguments)
        listed = issubclass(origin, Sequence | AbstractSet) or origin is Iterable
        if listed and not issubclass(origin, str | bytes | bytearray | memoryview):
            return Shape(kind="array", items=self.shape(arguments[0]) if arguments else Shape())
        raise InexpressibleError(f"{_name(hint)} has no form in JSON")

    def _mapping(self, hint: object, arguments: tuple[object, ...]) -> Shape:
        if not arguments:
            return Shape(kind="object", values=Shape())
        if arguments[0] is not str:
            raise InexpressibleError(f"the keys of {_name(hint)} are no text")
        return Shape(kind="object", values=self.shape(arguments[1]))

    def _tuple(self, hint: object, arguments: tuple[object, ...]) -> Shape:
        if hasattr(hint, "_fields"):
            raise InexpressibleError(f"{_name(hint)} is a named tuple; use a dataclass")
        if not arguments:
            return Shape(kind="array", items=Shape())
        if len(arguments) == 2 and arguments[1] is ...:  # noqa: PLR2004 - tuple[X, ...]
            return Shape(kind="array", items=self.shape(arguments[0]))
        prefix = tuple(self.shape(argument) for argument in arguments)
        if all(shape == prefix[0] for shape in prefix):
            return Shape(kind="array", items=prefix[0], size=len(prefix))
        return Shape(kind="array", prefix=prefix, size=len(prefix))

    def _fields(self, hint: object, cls: type) -> Shape:
        if cls in self._open:
            self._recursive.add(cls)
            return Shape(kind="ref", ref=cls.__name__)
        if cls in self._recursive:
            return Shape(kind="ref", ref=cls.__name__)
        self._open.append(cls)
        try:
            shape = self._members(cls)
        finally:
            self._open.pop()
        if cls not in self._recursive:
            return shape
        self.classes[cls.__name__] = shape
        return Shape(kind="ref", ref=cls.__name__)

    def _members(self, cls: type) -> Shape:
        hints = resolve(cls)
        notes = described(cls)
        shape = Shape(kind="object", description=notes.get(""))
        required = []
        for name, has_default, default in _listed(cls):
            try:
                member = self.shape(hints[name])
            except InexpressibleError as error:
                raise InexpressibleError(f"{cls.__name__}.{name}: {error}") from None
            member.description = member.description or notes.get(name)
            member.default = default
            shape.properties[name] = member
            if not has_default:
                required.append(name)
        shape.required = tuple(required)
        return shape


def resolve(cls: type) -> dict[str, object]:
    """Type hints of a class, those written as text included.

    Raises:
        InexpressibleError: One names something that is not there.
    """
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise InexpressibleError(f"a type hint of {cls.__name__} cannot be resolved: {error}") from None


def resolve_one(hint: object, names: dict[str, object]) -> object:
    """A type hint that may be written as text.

    Args:
        hint: As it stands in the function.
        names: The globals of the function's module.

    Raises:
        InexpressibleError: It names something that is not there.
    """
    holder = type("Holder", (), {"__annotations__": {"hint": hint}})
    try:
        return typing.get_type_hints(holder, globalns=names, include_extras=True)["hint"]
    except (NameError, TypeError, SyntaxError) as error:
        raise InexpressibleError(f"its type hint cannot be resolved: {error}") from None


def described(owner: object) -> dict[str, str]:
    """What the docstring says: the description under ``""``, and those of arguments or attributes by name."""
    text = getattr(owner, "__doc__", None)
    name = getattr(owner, "__name__", "")
    if not isinstance(text, str) or text.startswith((f"{name}(", "dict(")):
        return {}
    parsed = docstring_parser.parse(text)
    notes = {each.arg_name: " ".join((each.description or "").split()) for each in parsed.params}
    notes[""] = (parsed.description or "").strip()
    return {key: note for key, note in notes.items() if note}


def plain_default(value: object) -> object:
    """A default as JSON has it; ``None`` if it has no word for it."""
    if value is attrs.NOTHING:
        return None
    if isinstance(value, Enum):
        value = value.value
    return value if isinstance(value, str | int | float) else None


def _listed(cls: type) -> list[tuple[str, bool, object]]:
    """Name, whether it may be absent, and default of each member."""
    if typing.is_typeddict(cls):
        needed: frozenset[str] = getattr(cls, "__required_keys__", frozenset())
        return [(name, name not in needed, None) for name in resolve(cls)]
    if attrs.has(cls):
        return [
            (each.name, each.default is not attrs.NOTHING, plain_default(each.default))
            for each in attrs.fields(cls)
            if each.init
        ]
    return [
        (
            each.name,
            each.default is not MISSING or each.default_factory is not MISSING,
            plain_default(each.default),
        )
        for each in fields(cls)
        if each.init
    ]


def _inside(hint: object) -> object:
    """The hint in a new type, an alias or a qualifier; ``None`` for any other."""
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    if get_origin(hint) in _WRAPPERS:
        return get_args(hint)[0]
    alias: object = getattr(hint, "__value__", None)
    return alias


def _choices(values: Iterable[object]) -> Shape:
    plain = [value.value if isinstance(value, Enum) else value for value in values]
    nullable = None in plain
    plain = [value for value in plain if value is not None]
    kinds = {_CHOICE_KINDS.get(type(value)) for value in plain}
    if None in kinds or not kinds:
        raise InexpressibleError(f"the values {', '.join(map(repr, plain))} have no form in JSON")
    kind = kinds.pop() if len(kinds) == 1 else None
    return Shape(kind=kind or "any", choices=tuple(plain), nullable=nullable)


def _name(hint: object) -> str:
    return getattr(hint, "__name__", None) or str(hint)
