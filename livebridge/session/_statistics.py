"""What a session can be asked about itself: one frozen value, taken at one instant."""

from __future__ import annotations

import attrs

from livebridge.session._state import SessionState


@attrs.frozen(kw_only=True)
class Statistics:
    """Figures of a session's life so far. Bytes are those of frames; durations are seconds.

    Attributes:
        epoch: Connections so far.
        messages_received: Frames read.
        bytes_received: Bytes of them.
        messages_sent: Frames written.
        bytes_sent: Bytes of them.
        pending_sends: Accepted and not yet written.
        unacknowledged: Written and covered by no handle yet.
        inbox_depth: Frames read and not yet dispatched.
        inbox_peak: The most there have been.
        reconnects: Connections after the first.
        rotations: Of those, planned ones.
        last_gap: Time without a connection, the last time; ``None`` if there was none.
        longest_gap: The longest one.
        dropped_media: Media messages given up.
        dropped_media_seconds: Playing time of those that were audio.
        expired: Messages that waited too long for a connection.
        tool_calls_answered: Calls answered, by whom ever.
        tool_calls_cancelled: Calls that the server took back.
        tool_answers_suppressed: Answers to calls that were cancelled or answered already.
        tool_calls_orphaned: Calls whose connection was replaced before they were answered.
        tools_running: Tools at work, and those that wait for a free place.
        tool_gate_closed: Media is withheld now, because the model stands still for a tool call.
        tool_gate_held: Messages behind the gate.
        tool_gate_dropped: Media messages given up there.
        callback_errors: Callbacks and tools that raised.
        unrecognized: Frames that no message class fits.
        stream_dropped: Messages given up because nobody read the stream.
        undispatched: Frames that were not dispatched when the session ended.
    """

    epoch: int
    messages_received: int
    bytes_received: int
    messages_sent: int
    bytes_sent: int
    pending_sends: int
    unacknowledged: int
    inbox_depth: int
    inbox_peak: int
    reconnects: int
    rotations: int
    last_gap: float | None
    longest_gap: float
    dropped_media: int
    dropped_media_seconds: float
    expired: int
    tool_calls_answered: int
    tool_calls_cancelled: int
    tool_answers_suppressed: int
    tool_calls_orphaned: int
    tools_running: int
    tool_gate_closed: bool
    tool_gate_held: int
    tool_gate_dropped: int
    callback_errors: int
    unrecognized: int
    stream_dropped: int
    undispatched: int


def statistics_of(state: SessionState) -> Statistics:
    """Take the figures of a session now."""
    counters = state.counters
    outbox = state.outbox
    inbox = state.inbox
    return Statistics(
        epoch=state.epoch,
        messages_received=counters.messages_received,
        bytes_received=counters.bytes_received,
        messages_sent=counters.messages_sent,
        bytes_sent=counters.bytes_sent,
        pending_sends=outbox.pending,
        unacknowledged=outbox.unacknowledged,
        inbox_depth=inbox.depth if inbox else 0,
        inbox_peak=inbox.peak if inbox else 0,
        reconnects=counters.reconnects,
        rotations=counters.rotations,
        last_gap=counters.last_gap,
        longest_gap=counters.longest_gap,
        dropped_media=outbox.dropped_media,
        dropped_media_seconds=outbox.dropped_media_seconds,
        expired=counters.expired,
        tool_calls_answered=state.ledger.answered,
        tool_calls_cancelled=state.ledger.cancelled,
        tool_answers_suppressed=state.ledger.suppressed,
        tool_calls_orphaned=state.ledger.orphaned,
        tools_running=state.tools_running,
        tool_gate_closed=state.is_gated(),
        tool_gate_held=counters.gate_held,
        tool_gate_dropped=counters.gate_dropped,
        callback_errors=counters.callback_errors,
        unrecognized=counters.unrecognized,
        stream_dropped=counters.stream_dropped,
        undispatched=counters.undispatched,
    )
