"""What the model is told about a tool that failed."""

from __future__ import annotations

from typing import Literal

from livebridge.errors import ToolError

ErrorDetail = Literal["message", "type", "generic"]
"""How much of an exception the model is told: all of it, its class, or only that there was one."""


def failure_text(error: BaseException, detail: str) -> str:
    """Put an exception into words for the model.

    A `ToolError` is written for the model on purpose, and is told whatever `detail` says.

    Args:
        error: What the tool raised.
        detail: How much of it may leave the house.
    """
    if isinstance(error, ToolError):
        return str(error)
    if detail == "message":
        return f"{type(error).__name__}: {error}"
    return type(error).__name__ if detail == "type" else "the tool failed"
