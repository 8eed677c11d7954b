"""What users hand in as tools becomes `Tool` messages; Python functions are kept aside for the session.

The server wants all function declarations in one `Tool`; the others stay as they are, in order, before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._foreign import opened

Function = Callable[..., object]  # type: ignore[explicit-any]  # its signature is the user's
"""A Python function that the model may call."""

_FORMS: Final = "a list of Tool, FunctionDeclaration, mappings of their fields, or Python functions"

_DECLARATION: Final = frozenset(
    {
        "name",
        "description",
        "parameters",
        "parameters_json_schema",
        "parametersJsonSchema",
        "response",
        "response_json_schema",
        "responseJsonSchema",
        "behavior",
    }
)

# MCP servers describe a tool with these; the rest of their fields means nothing to the Live API.
_MCP_SCHEMA: Final = ("inputSchema", "input_schema")


def tool_items(value: object, where: str = "tools") -> tuple[wire.Tool | Function, ...]:
    """Make the items of a configuration's ``tools``, one for each that was given.

    Args:
        value: A list. Its items are a `Tool`, a mapping of its fields (``{"google_search": {}}``), a
            `FunctionDeclaration` or a mapping of its fields, an MCP tool description, an object with
            ``model_dump()`` that gives one of these, or a Python function, which stays as it is.
        where: The option's name for error texts.

    Raises:
        ConfigError: It is no list, or an item is none of these.
    """
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | bytearray | Mapping):
        raise ConfigError(f"{where} takes {_FORMS}, not {type(value).__name__}")
    return tuple(_item(item, f"{where}[{index}]") for index, item in enumerate(value))


def tool_list(value: object, where: str = "tools") -> tuple[tuple[wire.Tool, ...], tuple[Function, ...]]:
    """Make tools ready to be sent, and the Python functions among them.

    Args:
        value: See `tool_items`.
        where: The option's name for error texts.

    Returns:
        The tools, all function declarations merged into the last one, and the functions.

    Raises:
        ConfigError: See `tool_items`.
    """
    items = tool_items(value, where)
    return merged(items), tuple(item for item in items if not isinstance(item, wire.Tool))


def merged(items: Iterable[wire.Tool | Function]) -> tuple[wire.Tool, ...]:
    """Put all function declarations into one last `Tool`; functions and tools without content fall out."""
    declarations: list[wire.FunctionDeclaration] = []
    tools: list[wire.Tool] = []
    for item in items:
        if isinstance(item, wire.Tool):
            declarations.extend(item.function_declarations or ())
            rest = attrs.evolve(item, function_declarations=None)
            if rest != wire.Tool():
                tools.append(rest)
    if declarations:
        tools.append(wire.Tool(function_declarations=tuple(declarations)))
    return tuple(tools)


def _item(value: object, where: str) -> wire.Tool | Function:
    if isinstance(value, wire.Tool):
        return value
    if isinstance(value, wire.FunctionDeclaration):
        return wire.Tool(function_declarations=(value,))
    value = opened(value)
    if isinstance(value, Mapping):
        return _from_mapping(value, where)
    if callable(value) or _lists_tools(value):
        return value  # type: ignore[return-value]  # an MCP session is no function; it stands for several
    raise ConfigError(f"{where}: tools take {_FORMS}, not {type(value).__name__}")


def _lists_tools(value: object) -> bool:
    """Whether it is a client session of an MCP server."""
    return all(callable(getattr(value, name, None)) for name in ("list_tools", "call_tool"))


def _from_mapping(value: Mapping[str, object], where: str) -> wire.Tool:
    for key in _MCP_SCHEMA:
        if key in value:
            value = {
                "name": value.get("name"),
                "description": value.get("description"),
                "parameters_json_schema": value[key],
            }
    if "name" in value or (value and _DECLARATION.issuperset(value)):
        declaration = wire.from_user(wire.FunctionDeclaration, value, where=where)
        return wire.Tool(function_declarations=(declaration,))
    return wire.from_user(wire.Tool, value, where=where)
