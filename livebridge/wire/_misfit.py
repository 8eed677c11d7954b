"""The one internal error of the codec: a value that does not fit the place where it stands."""

from typing import Any


class MisfitError(Exception):
    """A value does not fit. It never leaves the package: its callers keep the value raw, or translate it.

    Args:
        expected: What would have fitted.
        value: What was there. Only its type is told: the value may be a secret.
    """

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(f"expected {expected}, got {'None' if value is None else type(value).__name__}")
        self.path = ""

    def under(self, step: str) -> "MisfitError":
        """Put one step, such as ``.parts`` or ``[2]``, in front of the path to the value."""
        self.path = step + self.path
        return self
