"""The one place where `livebridge.otp` admits that messages can be anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

# two actors agree on what they say to each other; the runtime never looks
Term: TypeAlias = Any  # type: ignore[explicit-any]
"""What actors say to each other. A callback may declare the types it understands in its place."""

# a child is started with whatever arguments its spec carries
AnyCallable: TypeAlias = Callable[..., object]  # type: ignore[explicit-any]
"""Something that is called with arguments that were written down elsewhere."""
