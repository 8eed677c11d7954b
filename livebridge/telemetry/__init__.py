"""What sessions do, told to whoever measures: events with measurements and metadata, and nothing secret.

Example::

    from livebridge import telemetry

    def report(event, measurements, metadata, config):
        statsd.timing(".".join(event), measurements["duration_ms"], tags={"model": metadata["model"]})

    telemetry.attach("dials", ("gemini", "live", "websocket", "connect", "stop"), report)
    ...
    telemetry.detach("dials")

The names are those of the Elixir original, as tuples, and a few that it lacks; `EVENTS` has them all. A handler
takes four arguments, as there: the event, its measurements (numbers), its metadata and the ``config`` given to
`attach`. The way of an event::

    session ──emit──► BUS ──► handlers of this event, in the order of their attachment, in the session's task
                      │
                      └─ a handler that raises is detached, and the log says so

What they carry. Every event has the measurement ``system_time`` (seconds since 1970) and the metadata
``session_id`` (a UUID made for the session; `Session.telemetry_id`, not the server's name for it), ``model`` and
``epoch`` (the connection: 1, 2, 3 …; 0 before the first). Beside them:

=================================  ===================================  ======================================
event (after ``gemini, live``)     measurements                         metadata
=================================  ===================================  ======================================
session, init                                                           auth
session, ready                     gap (after a reconnect)              kind
session, status                                                         phase, before
session, message, received         size                                 message_type
session, message, sent             size, response_count                 message_type
session, tool_call                                                      call_id, function_name
session, tool_call_cancellation    count                                call_ids
session, resumption_update                                              resumable
session, voice_activity            audio_offset                         type
session, usage                     the six token counts
session, unrecognized              size
session, go_away                   time_left, time_left_ms
session, callback_error                                                 callback, error
session, error                                                          error, code, status, phase, retryable
session, close                                                          reason, code
websocket, connect, start                                               auth_strategy, location
websocket, connect, stop           duration, duration_ms                auth_strategy, location
websocket, connect, exception      duration, duration_ms                auth_strategy, location, error
websocket, send                    size                                 auth_strategy, message_type
websocket, receive                 size                                 auth_strategy
websocket, close                                                        close_reason, code
websocket, retry                   delay, delay_ms, attempts_remaining  error
=================================  ===================================  ======================================

Sizes are bytes, durations seconds (``…_ms``: the same in milliseconds, as the original counts). ``error`` is the
name of an error's class.

Guarantees: no key, token, handle, header, content or text of an error is in any event; an event that
nobody is attached to is not even made, and where nobody is attached at all the cost is the reading of one
attribute; what a handler raises never reaches the session.

Not guaranteed: a handler runs inside the session, between two of its steps. It must be quick and must not
block; one that wants to wait hands the numbers over to a task or a thread of its own.

When not to use it: to react to a conversation. Callbacks (``on_…``) are for that; they may be asynchronous, and
they see what was said.
"""

from livebridge.telemetry._bus import BUS, Attachment, Bus, Handler, attach, detach, list_handlers
from livebridge.telemetry._events import EVENTS, PREFIX, Event

__all__ = [
    "BUS",
    "EVENTS",
    "PREFIX",
    "Attachment",
    "Bus",
    "Event",
    "Handler",
    "attach",
    "detach",
    "list_handlers",
]
