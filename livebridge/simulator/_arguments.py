"""Fills a function's arguments from what the user said, guided by its schema."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._words import CAPITALS, IN_A_NAME, words

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_TIME: Final = re.compile(r"\b\d{1,2}:\d{2}\b|\b\d{1,2} ?[ap]m\b", re.IGNORECASE)
_LATER_NAMES: Final = rf"(?:\s+[{CAPITALS}][{IN_A_NAME}]*)*"
_AFTER_WORD: Final = re.compile(
    rf"\b(?:in|for|to|at|from|about|of|called|named)\s+((?:the\s+)?[{IN_A_NAME}]+{_LATER_NAMES})"
)
_CAPITALISED: Final = re.compile(rf"(?<!^)(?<![.!?] )\b[{CAPITALS}][{IN_A_NAME}]*{_LATER_NAMES}")
_QUOTED: Final = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|»([^«]+)«|「([^」]+)」"
    r"|(?<!\w)'([^']+)'(?!\w)|(?<!\w)[\u2018\u201a]([^\u2019\u2018]+)[\u2019\u2018](?!\w)"
)
_TRUE: Final = re.compile(r"\b(?:yes|on|true|please do|enable)\b", re.IGNORECASE)

_SMALL_NUMBERS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Parameter:
    """One argument of a function, as either way of declaring it says."""

    name: str
    kind: str = "string"
    choices: tuple[str, ...] = ()
    required: bool = False


def parameters_of(declaration: wire.FunctionDeclaration) -> list[Parameter]:
    """The arguments of a declared function, from ``parameters`` or ``parametersJsonSchema``."""
    if declaration.parameters is not None:
        schema = declaration.parameters
        required = set(schema.required or ())
        return [
            Parameter(
                name=name,
                kind=_kind(member.type),
                choices=tuple(member.enum or ()),
                required=name in required,
            )
            for name, member in (schema.properties or {}).items()
        ]
    plain: object = declaration.parameters_json_schema
    if not isinstance(plain, Mapping):
        return []
    members: object = plain.get("properties")
    if not isinstance(members, Mapping):
        return []
    required = set(_strings(plain.get("required")))
    return [
        Parameter(
            name=str(name),
            kind=_kind(member.get("type")) if isinstance(member, Mapping) else "string",
            choices=_strings(member.get("enum")) if isinstance(member, Mapping) else (),
            required=name in required,
        )
        for name, member in members.items()
    ]


def fill(declaration: wire.FunctionDeclaration, text: str) -> dict[str, object]:
    """Arguments for a call that the text asks for.

    Numbers, times, quoted or capitalised words and words after a preposition are found in the text; each is used
    once, in the order of the parameters. A required argument that is not found gets a plain default; an optional
    one is left out.
    """
    finder = _Finder(text)
    arguments: dict[str, object] = {}
    for parameter in parameters_of(declaration):
        value = finder.find(parameter)
        if value is None and parameter.required:
            value = _default(parameter, text)
        if value is not None:
            arguments[parameter.name] = value
    return arguments


class _Finder:
    def __init__(self, text: str) -> None:
        self._text = text
        self._times = _TIME.findall(text)
        without_times = _TIME.sub(" ", text)
        self._numbers = [_number(word) for word in _NUMBER.findall(without_times)]
        self._numbers += [
            float(_SMALL_NUMBERS.index(word)) for word in words(text.lower()) if word in _SMALL_NUMBERS
        ]
        quoted = [found[found.lastindex or 0] for found in _QUOTED.finditer(text)]
        names = quoted + _CAPITALISED.findall(without_times) + _AFTER_WORD.findall(without_times)
        self._names = list(dict.fromkeys(name for name in names if not _NUMBER.fullmatch(name)))

    def find(self, parameter: Parameter) -> object | None:
        if parameter.choices:
            lowered = self._text.lower()
            return next((choice for choice in parameter.choices if choice.lower() in lowered), None)
        value: object | None = None
        match parameter.kind:
            case "integer":
                value = int(self._numbers.pop(0)) if self._numbers else None
            case "number":
                value = self._numbers.pop(0) if self._numbers else None
            case "boolean":
                value = True if _TRUE.search(self._text) else None
            case "array":
                value, self._names = self._names or None, []
            case "string":
                value = self._word(parameter)
        return value

    def _word(self, parameter: Parameter) -> str | None:
        if self._times and re.search(r"time|when|\bat\b|hour|until", parameter.name, re.IGNORECASE):
            return str(self._times.pop(0))
        if re.search(r"query|text|message|question|prompt|content", parameter.name, re.IGNORECASE):
            return self._text
        return self._names.pop(0) if self._names else None


def _number(word: str) -> float:
    return float(word)


def _kind(kind: object) -> str:
    if isinstance(kind, Sequence) and not isinstance(kind, str):
        kind = next((one for one in kind if one != "null"), "string")
    return "string" if kind is None else str(kind).rpartition(".")[2].lower()


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(str(item) for item in value)
    return ()


def _default(parameter: Parameter, text: str) -> object:
    if parameter.choices:
        return parameter.choices[0]
    defaults: dict[str, object] = {"integer": 1, "number": 1.0, "boolean": False, "array": [], "object": {}}
    return defaults.get(parameter.kind, text)
