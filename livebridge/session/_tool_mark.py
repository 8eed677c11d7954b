"""The ``@tool`` decorator: it marks a function or a `Handler` method as one that the model may call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeVar, overload

import attrs

from livebridge.errors import ConfigError

Behavior = Literal["blocking", "non_blocking"]
"""Whether the model stands still until the answer."""

Scheduling = Literal["interrupt", "when_idle", "silent"]
"""When the model takes up the answer to a non-blocking call: at once, when it has finished speaking, or without
speaking about it."""

MARK: Final = "__livebridge_tool__"
"""Attribute of a marked function; its value is a `ToolSettings`."""

_BEHAVIORS: Final = (None, "blocking", "non_blocking")
_SCHEDULINGS: Final = (None, "interrupt", "when_idle", "silent")

_F = TypeVar("_F")


@attrs.frozen(kw_only=True)
class ToolSettings:
    """What ``@tool`` says about a function.

    Attributes:
        name: What the model calls it; the function's own name if absent.
        description: What it does, for the model; the docstring's if absent.
        behavior: ``blocking``, ``non_blocking``, or as the model has it if absent.
        scheduling: When the answer is taken up; for ``non_blocking`` only.
        timeout: Seconds for one call; the session's ``tool_timeout`` if absent.
    """

    name: str | None = None
    description: str | None = None
    behavior: Behavior | None = None
    scheduling: Scheduling | None = None
    timeout: float | None = None

    def __attrs_post_init__(self) -> None:
        if self.behavior not in _BEHAVIORS:
            raise ConfigError(f"behavior must be 'blocking' or 'non_blocking', not {self.behavior!r}")
        if self.scheduling not in _SCHEDULINGS:
            raise ConfigError(
                f"scheduling must be 'interrupt', 'when_idle' or 'silent', not {self.scheduling!r}"
            )
        if self.scheduling is not None and self.behavior != "non_blocking":
            raise ConfigError("scheduling is for tools with behavior='non_blocking'")
        if self.timeout is not None and not self.timeout > 0:
            raise ConfigError(f"timeout must be a number of seconds above 0, not {self.timeout!r}")


@overload
def tool(function: _F, /) -> _F: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    behavior: Behavior | None = None,
    scheduling: Scheduling | None = None,
    timeout: float | None = None,
) -> Callable[[_F], _F]: ...


def tool(
    function: _F | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    behavior: Behavior | None = None,
    scheduling: Scheduling | None = None,
    timeout: float | None = None,
) -> _F | Callable[[_F], _F]:
    """Mark a function as a tool, with or without settings.

    The function itself is not changed and can be called as before. Methods of a `Handler` need the mark to become
    tools; plain functions in ``tools=[…]`` need it only for the settings.

    Args:
        function: An ``async`` function, a plain one (it runs in a worker thread), or an ``async`` generator (what
            it yields is sent as progress).
        name: What the model calls it; the function's own name by default.
        description: What it does, for the model; by default the docstring's first part.
        behavior: ``non_blocking``: the model goes on talking while the tool runs.
        scheduling: When the model takes up the answer of a ``non_blocking`` tool: ``interrupt`` (at once),
            ``when_idle`` (the default of the API) or ``silent``.
        timeout: Seconds for one call; by default the session's ``tool_timeout``.

    Raises:
        ConfigError: A setting is none of the words above, or they contradict each other.

    Example::

        @tool(behavior="non_blocking", scheduling="when_idle", timeout=300)
        async def search_archive(query: str) -> list[str]:
            "Search the archive; takes a few minutes."
    """
    settings = ToolSettings(
        name=name, description=description, behavior=behavior, scheduling=scheduling, timeout=timeout
    )

    def mark(function: _F) -> _F:
        setattr(function, MARK, settings)
        return function

    return mark if function is None else mark(function)
