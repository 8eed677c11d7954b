"""Every object, field and enumeration value that the Live API can carry has its place in livebridge.wire."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest

from livebridge import wire
from livebridge.wire._kinds import is_open_enum, is_sequence
from livebridge.wire._names import fields_of

TABLE = json.loads(Path(__file__).with_name("wire_types.json").read_text(encoding="utf-8"))
ROOTS = ("LiveClientMessage", "LiveServerMessage", "LiveConnectConfig", "Tool")
SETUP_IS_FLAT = "LiveConnectConfig"  # its fields are spread over Setup and GenerationConfig
RENAMED_CLASSES = {"ToolCall": "ServerSideToolCall", "ToolResponse": "ServerSideToolResponse"}
RENAMED_FIELDS = {("VoiceActivity", "voiceActivityType"): "type"}
SCALARS = {
    "string": {str, wire.Duration, wire.Int64},
    "timestamp": {wire.Timestamp},
    "int": {int, wire.Int64},
    "number": {float},
    "bool": {bool},
    "bytes(base64)": {bytes},
}


def reachable(kind_of_thing: str) -> list[str]:
    messages, enums, queue = set(), set(), list(ROOTS)
    while queue:
        name = queue.pop()
        if name in messages:
            continue
        messages.add(name)
        for kind in TABLE["messages"][name].values():
            enums.update(re.findall(r"enum:(\w+)", kind))
            names = re.findall(r"\w+", re.sub(r"enum:\w+|literal:.*", "", kind))
            queue.extend(name for name in names if name in TABLE["messages"])
    messages -= {SETUP_IS_FLAT, "HttpOptions", "HttpRetryOptions"}
    return sorted(messages if kind_of_thing == "messages" else enums)


def class_for(name: str) -> type[wire.Message]:
    if name in ("LiveClientMessage", "LiveServerMessage", "LiveClientContent", "LiveServerContent"):
        return getattr(wire, name.removeprefix("Live"))
    return getattr(wire, RENAMED_CLASSES.get(name) or re.sub(r"^Live(Client|Server)(?=[A-Z])", "", name))


@pytest.mark.parametrize("name", reachable("messages"))
def test_every_object_has_a_class_with_every_field(name: str) -> None:
    spellings = {spelling: field for field in fields_of(class_for(name)) for spelling in field.spellings}
    for wire_name, kind in TABLE["messages"][name].items():
        field = spellings[RENAMED_FIELDS.get((name, wire_name), wire_name)]
        declared = get_args(field.kind)[0] if is_sequence(field.kind) else field.kind
        assert is_sequence(field.kind) is (kind.endswith("[]") and not kind.startswith("Content|"))
        if kind.removesuffix("[]") in SCALARS:
            assert declared in SCALARS[kind.removesuffix("[]")]
        assert is_open_enum(declared) is kind.startswith("enum:")


def test_a_class_has_no_field_that_the_live_api_does_not_have() -> None:
    added = set()
    for name in reachable("messages"):
        known = {RENAMED_FIELDS.get((name, wire_name), wire_name) for wire_name in TABLE["messages"][name]}
        for field in fields_of(class_for(name)):
            if not field.spellings & known:
                added.add((name, field.wire))
    # the SDK's own type lacks it, although it sends it
    assert added == {("LiveClientSetup", "realtimeInputConfig")}


@pytest.mark.parametrize("name", reachable("enums"))
def test_every_enumeration_has_every_value(name: str) -> None:
    enum = getattr(wire, name)
    assert issubclass(enum, StrEnum)
    assert [member.value for member in enum] == TABLE["enums"][name]


def test_every_option_of_a_session_has_a_place_in_its_setup() -> None:
    places = {
        spelling
        for cls in (wire.Setup, wire.GenerationConfig)
        for f in fields_of(cls)
        for spelling in f.spellings
    }
    places.add("generationConfig")
    client_side = {"httpOptions"}
    assert set(TABLE["messages"]["LiveConnectConfig"]) - client_side <= places


def test_the_package_exports_every_class_in_alphabetical_order() -> None:
    assert wire.__all__ == sorted(wire.__all__)
    names = {cls.__name__ for cls in wire.Message.__subclasses__()}
    assert names <= set(wire.__all__)
    assert all(hasattr(wire, name) for name in wire.__all__)
    assert len(set(wire.__all__)) == len(wire.__all__)


@pytest.mark.parametrize("name", reachable("messages"))
def test_every_class_says_what_it_is_and_can_be_empty(name: str) -> None:
    cls = class_for(name)
    assert cls.__doc__
    assert repr(cls()) == f"{cls.__name__}()"
    assert {cls(): "hashable"}[cls()] == "hashable"
