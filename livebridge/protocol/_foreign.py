"""Opens objects of other libraries that can list their own fields, as google-genai's and pydantic's can."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class _Listing(Protocol):
    """Pydantic's protocol, as far as it is used."""

    def model_dump(self, *, exclude_none: bool) -> object:
        """List the fields."""


def is_foreign(value: object) -> bool:
    """Whether it is an object (not a class) that lists its fields."""
    return isinstance(value, _Listing) and not isinstance(value, type)


def opened(value: object) -> object:
    """The fields of a foreign object without absent ones; any other value as it is."""
    if isinstance(value, _Listing) and not isinstance(value, type):
        return value.model_dump(exclude_none=True)
    return value
