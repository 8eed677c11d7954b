"""What every message class shares: the members nobody knew, and the annotated scalar kinds."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import attrs

DURATION: Final = "google.protobuf.Duration"
INT64: Final = "int64"
TIMESTAMP: Final = "google.protobuf.Timestamp"

Duration = Annotated[float, DURATION]
"""Seconds. On the wire a string such as ``"9.5s"`` with up to nine fractional digits."""

Int64 = Annotated[int, INT64]
"""A 64-bit integer. On the wire a decimal string; a JSON number is accepted too."""

Timestamp = Annotated[str, TIMESTAMP]
"""A point in time as RFC 3339 text, for example ``"2026-11-20T09:30:00Z"``; kept as it is written."""


def payload_size(data: bytes) -> str:
    """Show a payload in a ``repr`` by its size, for example ``<4800 B>``."""
    return f"<{len(data)} B>"


def member_names(members: Mapping[str, Any]) -> str:
    """Show free-form members in a ``repr`` by their names, since their values may be secrets."""
    return f"<{', '.join(map(str, members))}>"


def concealed(_: Any) -> str:
    """Show of a credential in a ``repr`` only that it is there."""
    return "<concealed>"


@attrs.frozen(kw_only=True, repr=False)
class Message:
    """Base of all wire objects.

    Attributes:
        unknown: Members that the class does not know, or whose value did not fit their field, as they stood
            in the JSON; ``None`` when there were none. They are written back when the object is encoded.
    """

    unknown: Mapping[str, Any] | None = attrs.field(default=None, repr=member_names)

    def __repr__(self) -> str:
        shown = []
        for field in attrs.fields(type(self)):
            value = getattr(self, field.name)
            if value is not None:
                show = field.repr if callable(field.repr) else repr
                shown.append(f"{field.name}={show(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"
