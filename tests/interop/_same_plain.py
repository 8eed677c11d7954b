"""One spelling for what both libraries write, and configurations and messages of every shape, generated."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

import attrs
from hypothesis import strategies as st

from livebridge import wire
from livebridge.wire._kinds import enum_of, is_mapping, is_message, is_open_enum, is_sequence
from livebridge.wire._names import fields_of

# What the user wrote inside these is neither library's to respell.
FREE_FORM = frozenset(
    [
        "args",
        "customConfigs",
        "default",
        "enum",
        "example",
        "headers",
        "labels",
        "parametersJsonSchema",
        "partMetadata",
        "response",
        "responseJsonSchema",
        "additionalProperties",
        "schema",
    ]
)
NAMED_BY_USER = frozenset({"properties", "defs"})
INT64 = frozenset(["triggerTokens", "targetTokens", "lastConsumedClientMessageIndex"])
BYTES = frozenset(["data", "voiceSampleAudio", "consentAudio", "imageData", "thoughtSignature", "sdkBlob"])
DURATIONS = frozenset(["startOffset", "endOffset", "timeout", "sseReadTimeout", "audioOffset", "timeLeft"])
TIMES = frozenset(["startTime", "endTime"])


def normal(value, key="", within=""):
    """Spell keys, base64, 64-bit numbers, durations and times in one way, and leave free maps alone.

    Empty lists and an empty ``generationConfig`` say nothing to a proto3 server, so they are left out, and so is
    a tool without members.
    """
    if key in FREE_FORM and not (key == "response" and within == "functionDeclarations"):
        return value
    if isinstance(value, dict):
        names = {name: name if key in NAMED_BY_USER else camel(name) for name in value}
        items = {names[name]: normal(item, names[name], key) for name, item in value.items()}
        return {name: item for name, item in items.items() if not _says_nothing(name, item)}
    if isinstance(value, list | tuple):
        items = [normal(item, key, within) for item in value]
        return [item for item in items if item != {}] if key == "tools" else items
    read = _READERS.get(key)
    return value if read is None else read(value)


def _seconds(value):
    return float(value.removesuffix("s")) if isinstance(value, str) else value


_READERS = {
    **dict.fromkeys(INT64, int),
    **dict.fromkeys(BYTES, lambda value: base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_"))),
    **dict.fromkeys(DURATIONS, _seconds),
    **dict.fromkeys(TIMES, datetime.fromisoformat),
}


def _says_nothing(name, item):
    return (name == "tools" and item == []) or (name == "generationConfig" and item == {})


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


WORDS = st.sampled_from(["a", "some words", "snake_case", "camelCase", "ünïcode ☃", "x" * 40])
NUMBERS = st.integers(0, 2000)
JSON = st.recursive(
    st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=3,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool: st.booleans(),
    int: NUMBERS,
    float: st.integers(0, 200).map(lambda hundredths: hundredths / 100),
    bytes: st.binary(min_size=1, max_size=9),
    wire.Duration: st.integers(0, 10**6).map(lambda milliseconds: f"{milliseconds / 1000:g}s"),
    wire.Int64: NUMBERS,
    wire.Timestamp: st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.500000+00:00"]),
    Any: JSON,
}
DEEP = 5
VERTEX_USAGE = {
    "responseTokenCount": "candidatesTokenCount",
    "responseTokensDetails": "candidatesTokensDetails",
}


def values(kind, *, skip, depth=0, wire_only=False):
    """What a user may write for a field of this kind, in google-genai's spelling."""
    if is_message(kind):
        return plain(kind, skip=skip, depth=depth + 1, wire_only=wire_only)
    if is_sequence(kind):
        item = values(get_args(kind)[0], skip=skip, depth=depth, wire_only=wire_only)
        return st.lists(item, min_size=1, max_size=2)
    if is_mapping(kind):
        item = get_args(kind)[1]
        inner = JSON if item is Any else values(item, skip=skip, depth=depth, wire_only=wire_only)
        return st.dictionaries(WORDS, inner, max_size=2)
    if is_open_enum(kind):
        names = [member.value for member in enum_of(kind)]
        return st.sampled_from(names if wire_only else [*names, *(name.lower() for name in names)])
    return SCALARS[kind]


def said(cls, *, vertex, skip):
    """A message of the server as it stands on the wire: camelCase, base64, enumerations in upper case."""
    return plain(cls, skip=skip, wire_only=True).map(lambda value: encoded(value, vertex=vertex))


def encoded(value, *, vertex):
    if isinstance(value, dict):
        renamed = VERTEX_USAGE if vertex else {}
        return {renamed.get(name, name): encoded(item, vertex=vertex) for name, item in value.items()}
    if isinstance(value, list):
        return [encoded(item, vertex=vertex) for item in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def differences(ours, theirs, path="message"):
    """Where two readings of one message differ; nothing if they agree."""
    if isinstance(ours, wire.Message):
        names = {"type": "voice_activity_type"} if isinstance(ours, wire.VoiceActivity) else {}
        for field in attrs.fields(type(ours)):
            if field.name != "unknown":
                theirs_name = names.get(field.name, field.name)
                yield from differences(
                    getattr(ours, field.name), getattr(theirs, theirs_name, None), f"{path}.{field.name}"
                )
    elif isinstance(ours, Sequence) and not isinstance(ours, str | bytes) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield path, ours, theirs
        for ours_item, theirs_item in zip(ours, theirs, strict=False):
            yield from differences(ours_item, theirs_item, f"{path}[]")
    elif isinstance(ours, float) and isinstance(theirs, str):
        if ours != float(theirs.removesuffix("s")):
            yield path, ours, theirs
    elif ours != theirs:
        yield path, ours, theirs


@st.composite
def plain(draw, cls, *, skip=frozenset(), depth=0, only=None, most=3, wire_only=False):
    """A mapping of some fields of a message class, without the fields named in `skip`."""
    fields = [
        field
        for field in fields_of(cls)
        if (cls.__name__, field.attribute) not in skip and (only is None or field.attribute in only)
    ]
    if depth > DEEP or not fields:
        return {}
    chosen = draw(st.lists(st.sampled_from(fields), max_size=most, unique=True))
    spell = camel if wire_only else draw(st.sampled_from([str, str, camel]))
    return {
        spell(field.attribute): draw(values(field.kind, skip=skip, depth=depth, wire_only=wire_only))
        for field in chosen
    }
