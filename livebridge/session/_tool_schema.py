"""Writes the shape of a tool's arguments as a schema, in the dialect that every Live server knows if it can.

``parameters`` (`wire.Schema`, a subset of OpenAPI) is understood everywhere, so it is used wherever it says
all there is to say. What it has no word for (free-form objects, numbers as the only values allowed, tuples of
different types, classes that contain themselves) goes out as ``parametersJsonSchema``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from livebridge import wire
from livebridge.session._tool_types import Shape

_TYPES: Final[Mapping[str, wire.Type]] = {
    "string": wire.Type.STRING,
    "integer": wire.Type.INTEGER,
    "number": wire.Type.NUMBER,
    "boolean": wire.Type.BOOLEAN,
    "array": wire.Type.ARRAY,
    "object": wire.Type.OBJECT,
}

_FORMATS: Final = (None, "date-time")


def as_schema(shape: Shape) -> wire.Schema | None:
    """Write a shape as an OpenAPI schema; ``None`` if there is something in it that the subset cannot say."""
    if not _fits(shape):
        return None
    items = None if shape.items is None else as_schema(shape.items)
    any_of = [as_schema(member) for member in shape.any_of]
    properties = {name: as_schema(member) for name, member in shape.properties.items()}
    if None in any_of or None in properties.values() or (shape.items is not None and items is None):
        return None
    return wire.Schema(
        type=_TYPES.get(shape.kind),
        description=shape.description,
        enum=tuple(str(choice) for choice in shape.choices) or None,
        format=shape.format,
        items=items,
        min_items=shape.size,
        max_items=shape.size,
        any_of=tuple(member for member in any_of if member is not None) or None,
        nullable=True if shape.nullable else None,
        default=shape.default,
        properties={name: member for name, member in properties.items() if member is not None} or None,
        required=shape.required or None,
    )


def _fits(shape: Shape) -> bool:
    if shape.kind not in _TYPES and not shape.any_of:
        return False
    free = shape.kind == "object" and not shape.properties
    numbers = any(not isinstance(choice, str) for choice in shape.choices)
    return not (free or numbers or shape.prefix or shape.format not in _FORMATS)


def as_json_schema(shape: Shape, classes: Mapping[str, Shape]) -> dict[str, object]:
    """Write a shape as JSON Schema.

    Args:
        shape: The shape.
        classes: Those of the classes that contain themselves, by name.
    """
    schema = _plain(shape)
    if classes:
        schema["$defs"] = {name: _plain(each) for name, each in classes.items()}
    return schema


def _plain(shape: Shape) -> dict[str, object]:
    schema: dict[str, object] = {}
    if shape.ref is not None:
        schema["$ref"] = f"#/$defs/{shape.ref}"
    if shape.kind not in ("any", "ref"):
        schema["type"] = shape.kind
    if shape.choices:
        schema["enum"] = list(shape.choices)
    if shape.any_of:
        schema["anyOf"] = [_plain(member) for member in shape.any_of]
    if shape.format is not None:
        schema["format"] = shape.format
    schema.update(_array(shape) if shape.kind == "array" else _object(shape))
    if shape.nullable:
        schema = {"anyOf": [*_alternatives(schema), {"type": "null"}]}
    if shape.description is not None:
        schema["description"] = shape.description
    if shape.default is not None:
        schema["default"] = shape.default
    return schema


def _alternatives(schema: dict[str, object]) -> list[object]:
    members = schema.get("anyOf")
    return members if isinstance(members, list) else [schema]


def _array(shape: Shape) -> dict[str, object]:
    schema: dict[str, object] = {}
    if shape.items is not None:
        schema["items"] = _plain(shape.items)
    if shape.prefix:
        schema["prefixItems"] = [_plain(member) for member in shape.prefix]
    if shape.size is not None:
        schema["minItems"] = schema["maxItems"] = shape.size
    return schema


def _object(shape: Shape) -> dict[str, object]:
    schema: dict[str, object] = {}
    if shape.properties:
        schema["properties"] = {name: _plain(member) for name, member in shape.properties.items()}
    if shape.required:
        schema["required"] = list(shape.required)
    if shape.values is not None and shape.values != Shape():
        schema["additionalProperties"] = _plain(shape.values)
    return schema
