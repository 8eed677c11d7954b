"""Who listens to what, and the one place from which handlers are called."""

from __future__ import annotations

import difflib
import inspect
import logging
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final

import attrs

from livebridge.errors import ConfigError
from livebridge.telemetry._events import EVENTS, Event

_log: Final = logging.getLogger("livebridge.telemetry")

Handler = Callable[[Event, Mapping[str, float], Mapping[str, object], object], object]
"""Takes event, measurements, metadata and the config of its attachment; what it returns is ignored."""

_KNOWN: Final = {".".join(event): event for event in EVENTS}


@attrs.frozen(kw_only=True)
class Attachment:
    """A handler and what it listens to.

    Attributes:
        id: Its name.
        events: What it listens to.
        handler: What is called.
        config: What it is called with as its fourth argument.
    """

    id: Hashable
    events: tuple[Event, ...]
    handler: Handler = attrs.field(repr=False)
    config: object = attrs.field(default=None, repr=False)


class Bus:
    """Attachments, by event. Attaching and detaching is safe from any thread, while events are emitted.

    Attributes:
        active: Whether anybody listens to anything. Look at it before an event is made.
    """

    __slots__ = ("_attachments", "_by_event", "_lock", "active")

    def __init__(self) -> None:
        self.active: bool = False
        self._attachments: dict[Hashable, Attachment] = {}
        self._by_event: dict[Event, tuple[Attachment, ...]] = {}
        self._lock = threading.Lock()

    def attach(self, attachment: Attachment) -> None:
        """Add a listener.

        Raises:
            ConfigError: Its name is taken.
        """
        with self._lock:
            if attachment.id in self._attachments:
                raise ConfigError(
                    f"a telemetry handler {attachment.id!r} is attached already; detach it first"
                )
            self._change({**self._attachments, attachment.id: attachment})

    def detach(self, id: Hashable) -> bool:  # noqa: A002 - the word of the original
        """Remove a listener; whether there was one."""
        with self._lock:
            rest = dict(self._attachments)
            removed = rest.pop(id, None)
            self._change(rest)
        return removed is not None

    def attachments(self) -> tuple[Attachment, ...]:
        """Everybody who listens, in the order of attachment."""
        return tuple(self._attachments.values())

    def wants(self, event: Event) -> bool:
        """Whether anybody listens to this event."""
        return event in self._by_event

    def emit(self, event: Event, measurements: Mapping[str, float], metadata: Mapping[str, object]) -> None:
        """Call everybody who listens to this event. Nothing a handler does wrong comes out."""
        for attachment in self._by_event.get(event, ()):
            try:
                attachment.handler(event, measurements, metadata, attachment.config)
            except Exception as error:  # noqa: BLE001 - handlers are other people's code
                self.detach(attachment.id)
                _log.error(
                    "telemetry handler %r raised %s on %s and was detached",
                    attachment.id,
                    type(error).__name__,
                    ".".join(event),
                    exc_info=error,
                )

    def _change(self, attachments: dict[Hashable, Attachment]) -> None:
        """Put new tables in the place of the old ones, which an `emit` may be walking through."""
        by_event: dict[Event, tuple[Attachment, ...]] = {}
        for attachment in attachments.values():
            for event in attachment.events:
                by_event[event] = (*by_event.get(event, ()), attachment)
        self._attachments = attachments
        self._by_event = by_event
        self.active = bool(by_event)


BUS: Final = Bus()
"""Where every session of this process emits."""


def attach(
    id: Hashable,  # noqa: A002 - the word of the original
    events: Event | Iterable[Event],
    handler: Handler,
    config: object = None,
) -> None:
    """Listen to events, of all sessions of this process, from now on.

    Args:
        id: A name of your choice, for `detach`.
        events: One event, or several; `EVENTS` for all.
        handler: Called as ``handler(event, measurements, metadata, config)``, in the session's task, so it must
            not block. If it raises, it is detached and the log says so.
        config: Passed to the handler as it is.

    Raises:
        ConfigError: The name is taken, an event does not exist (the nearest one is named), or the handler does
            not take four arguments.
    """
    given = tuple(dict.fromkeys(_events(events)))
    _check_handler(handler)
    BUS.attach(Attachment(id=id, events=given, handler=handler, config=config))


def detach(id: Hashable) -> bool:  # noqa: A002 - the word of the original
    """Stop listening.

    Returns:
        Whether there was such a handler; one that raised has been detached already.
    """
    return BUS.detach(id)


def list_handlers(prefix: Event = ()) -> tuple[Attachment, ...]:
    """List who listens.

    Args:
        prefix: Only those who listen to an event that begins so: ``("gemini", "live", "websocket")``.
    """
    return tuple(
        attachment
        for attachment in BUS.attachments()
        if any(event[: len(prefix)] == tuple(prefix) for event in attachment.events)
    )


def _events(given: object) -> tuple[Event, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigError(f"events takes tuples of words, not {given!r}")
    items: list[object] = list(given)
    single = bool(items) and all(isinstance(item, str) for item in items)
    events = [_known(item) for item in ([items] if single else items)]
    if not events:
        raise ConfigError("there is no event to listen to; livebridge.telemetry.EVENTS has them all")
    return tuple(events)


def _known(event: object) -> Event:
    if not isinstance(event, tuple | list) or not all(isinstance(word, str) for word in event):
        raise ConfigError(f"an event is a tuple of words, not {event!r}")
    name = ".".join(event)
    if name in _KNOWN:
        return _KNOWN[name]
    near = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.0)
    raise ConfigError(f"there is no telemetry event {tuple(event)}; did you mean {_KNOWN[near[0]]}?")


def _check_handler(handler: object) -> None:
    if not callable(handler):
        raise ConfigError(f"a telemetry handler is a function of four arguments, not {handler!r}")
    try:
        inspect.signature(handler).bind((), {}, {}, None)
    except TypeError as error:
        raise ConfigError(
            f"a telemetry handler is called with event, measurements, metadata and config, but {error}"
        ) from error
    except ValueError:
        return
