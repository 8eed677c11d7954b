"""Reads the keys of a configuration, whatever their spelling, and says which one was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import ConfigError

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")

# A setup names the model; in a session it is an option of its own.
_NOT_OURS: Final = "model"

_GENERATION: Final = frozenset(field.name for field in attrs.fields(wire.GenerationConfig)) - {"unknown"}


@attrs.frozen(kw_only=True)
class HttpOptions:
    """The part of google-genai's ``http_options`` that means something to a WebSocket.

    Attributes:
        base_url: Another server.
        api_version: Version of the API.
        headers: Headers of the upgrade request; they may hold credentials.
    """

    base_url: str | None = None
    api_version: str | None = None
    headers: Mapping[str, str] | None = attrs.field(default=None, repr=False)


def given(config: object, names: Iterable[str], *, where: str) -> dict[str, object]:
    """Read a configuration's keys.

    Args:
        config: A mapping, a `Setup`, or an object of google-genai's kind.
        names: The known names, in snake_case.
        where: What it is, for error texts.

    Returns:
        Its values by their names in snake_case; nothing is left out, ``None`` is kept.

    Raises:
        ConfigError: It is no such thing, a key is unknown, or a key is there in two spellings.
    """
    members = _members(config)
    if set(members) == {"setup"}:
        return given(members["setup"], names, where=where)
    known = set(names)
    values: dict[str, object] = {}
    for key, value in members.items():
        name = _HUMP.sub(r"_\1", str(key)).lower()
        if name == _NOT_OURS:
            continue
        if name not in known:
            raise ConfigError(f"{where} {key!r} is unknown; {_nearest(name, known)}")
        if name in values:
            raise ConfigError(f"{where} {key!r} is given twice, in two spellings")
        values[name] = value
    return values


def _members(config: object) -> Mapping[str, object]:
    if isinstance(config, Mapping):
        return config
    if isinstance(config, wire.Setup):
        fields = {field.name: getattr(config, field.name) for field in attrs.fields(wire.Setup)}
        return {name: value for name, value in fields.items() if value is not None}
    # pydantic tells what was set on purpose: an explicit None switches a default off
    chosen = getattr(config, "model_fields_set", None)
    if chosen is not None:
        return {name: getattr(config, name) for name in chosen}
    raise ConfigError(
        "config takes a LiveConfig, a mapping or google-genai's LiveConnectConfig,"
        f" not {type(config).__name__}"
    )


def _nearest(name: str, known: set[str]) -> str:
    if name in _GENERATION:
        return f"write generation_config={{{name!r}: …}}"
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"


def http_options(value: object) -> HttpOptions:
    """Make `HttpOptions` of a mapping or of google-genai's class.

    Raises:
        ConfigError: It has other members than a Live session can use, or one has the wrong type.
    """
    if isinstance(value, HttpOptions):
        return value
    names = [field.name for field in attrs.fields(HttpOptions)]
    values = {
        name: item for name, item in given(value, names, where="http_options").items() if item is not None
    }
    headers = values.pop("headers", None)
    if headers is not None and not (
        isinstance(headers, Mapping)
        and all(isinstance(text, str) for pair in headers.items() for text in pair)
    ):
        raise ConfigError("http_options headers take a mapping of texts")
    for name, item in values.items():
        if not isinstance(item, str):
            raise ConfigError(f"http_options {name} takes text, not {type(item).__name__}")
    return HttpOptions(headers=headers, **values)  # type: ignore[arg-type]  # checked above
