"""The names of all events."""

from __future__ import annotations

from typing import Final

Event = tuple[str, ...]
"""The name of an event: ``("gemini", "live", "session", "ready")``."""

PREFIX: Final[Event] = ("gemini", "live")
"""How every name begins."""

_NAMES: Final = (
    "session init",
    "session ready",
    "session status",
    "session message received",
    "session message sent",
    "session tool_call",
    "session tool_call_cancellation",
    "session resumption_update",
    "session voice_activity",
    "session usage",
    "session unrecognized",
    "session go_away",
    "session callback_error",
    "session error",
    "session close",
    "websocket connect start",
    "websocket connect stop",
    "websocket connect exception",
    "websocket send",
    "websocket receive",
    "websocket close",
    "websocket retry",
)

EVENTS: Final[tuple[Event, ...]] = tuple((*PREFIX, *name.split()) for name in _NAMES)
"""Every event there is; ``attach("all", EVENTS, handler)`` hears everything."""
