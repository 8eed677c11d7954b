"""The way out: messages are accepted into the outbox here, and nowhere else.

Accepting never touches the socket and never goes through the mailbox, so a callback can send without waiting
for itself. A call that is cancelled while it waits for room has accepted nothing; there is no checkpoint
after acceptance. Every call notices a cancellation, but it lets other tasks run only when messages pile up:
whoever sends one now and then wakes the sender and nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import attrs
import trio

from livebridge import wire
from livebridge.auth import EphemeralToken
from livebridge.errors import (
    ConfigError,
    NotConnectedError,
    SendDroppedError,
    SessionClosedError,
    SessionFailedError,
)
from livebridge.protocol import Entry, Kind, Phase, check_message
from livebridge.session import _checks as checks
from livebridge.session._state import SessionState
from livebridge.session._surroundings import check_in_trio
from livebridge.session._tool_gate import AudioGate

YIELD_AT_BACKLOG: Final = 16
"""Messages waiting for the sender, from which on accepting another lets other tasks run first."""

_MEDIA: Final = frozenset({Kind.AUDIO, Kind.VIDEO})

Wait = Literal["accepted", "written", "acked"]
"""How far a send waits: into the outbox, onto the socket, or until a handle covers it."""

_REACHED = {
    "accepted": frozenset({"accepted", "written", "acked"}),
    "written": frozenset({"written", "acked"}),
    "acked": frozenset({"acked"}),
}


@attrs.frozen(kw_only=True)
class SendReceipt:
    """What became of a send.

    Attributes:
        seq: Position in the session's order of acceptance, from 1; 0 for what was withheld: sound while the
            microphone is muted, media during a tool call.
        state: ``accepted``, ``written`` or ``acked`` when the send returned.
    """

    seq: int
    state: str


@attrs.define(eq=False)
class Outgoing:
    """Accepts messages for one session.

    Attributes:
        state: The session's.
        gate: Withholds media from a model that stands still for a function call.
        in_callback: Tells whether a callback of the session is sending.
    """

    state: SessionState
    gate: AudioGate | None = None
    in_callback: Callable[[], bool] = bool
    _lagging: bool = False

    def check_open(self) -> None:
        """See that something can be sent at all.

        Raises:
            NotConnectedError: The session was never connected.
            SessionClosedError: It is closing or closed.
            SessionFailedError: It has failed.
            LocalProtocolError: This is no task of trio.
        """
        check_in_trio()
        state = self.state
        if state.failure is not None:
            raise SessionFailedError(
                f"the session has failed: {state.failure}", phase=state.phase.value, retryable=False
            ) from state.failure
        if state.closing or state.closed or state.phase in (Phase.CLOSING, Phase.CLOSED):
            info = state.close_info
            raise SessionClosedError(
                "the session is closing or closed, for good; to go on with the conversation start a new one, with"
                " resume_handle=session.handle",
                code=info.code if info else None,
                reason=info.reason if info else None,
                phase=state.phase.value,
                initiated_by=info.initiated_by if info else "client",
                retryable=False,
            )
        if state.phase is Phase.IDLE and not state.options.buffer_before_connect:
            raise NotConnectedError("the session was never connected; call connect() first")

    def check(self, message: wire.ClientMessage) -> None:
        """See that the server will not hang up because of a message.

        Raises:
            ConfigError: It would.
        """
        state = self.state
        config = state.options.config
        check_message(
            message,
            backend=state.auth.backend,
            # a token may lock another configuration than the one that was given here
            config=None if isinstance(state.auth, EphemeralToken) else config,
            able=state.capabilities,
            seeding=config.announces_history
            and state.ready_kind != "resumed"
            and state.history_told != state.epoch,
        )

    async def send(
        self,
        message: wire.ClientMessage,
        kind: Kind,
        *,
        wait: Wait = "accepted",
        timeout: float | None = None,
    ) -> SendReceipt:
        """Encode and accept a message.

        Raises:
            ConfigError: `wait` is no known word, or `timeout` no number of seconds; or a callback waits for an
                acknowledgement without a `timeout`: while it does, the inbox may be full, and then nothing is
                acknowledged any more.
            TimeoutError: `timeout` seconds passed; after acceptance this withdraws nothing.
            NotConnectedError: The session was never connected.
            SessionClosedError: It is closing or closed.
            SessionFailedError: It has failed.
            SendDroppedError: The message was accepted and then given up.
        """
        check_in_trio()
        checks.seconds("timeout", timeout)
        if wait not in _REACHED:
            raise ConfigError(f"wait must be accepted, written or acked, not {wait!r}")
        if wait == "acked" and timeout is None and self.in_callback():
            raise ConfigError(
                'wait="acked" inside a callback may wait for the callback itself: give a timeout='
            )
        payload = wire.encode_client(message)
        entry: Entry | None = None
        with trio.move_on_after(float("inf") if timeout is None else timeout):
            entry = await self.accept(kind, payload)
            content = message.client_content
            if message.realtime_input is not None or (content is not None and content.turn_complete):
                self.state.history_told = self.state.epoch
            self.state.expect(entry, message)
            if wait == "accepted":
                return SendReceipt(seq=entry.seq, state=entry.state)
            await self._settled(entry, wait)
            return SendReceipt(seq=entry.seq, state=entry.state)
        how_far = "no room was found for it" if entry is None else f"it is {entry.state}"
        raise TimeoutError(f"the message was not {wait} within {timeout:g} s; {how_far}")

    def send_nowait(self, message: wire.ClientMessage, kind: Kind) -> Entry:
        """Encode and accept a message or raise.

        Raises:
            OutboxFullError: There is no room.
            NotConnectedError: The session was never connected.
            SessionClosedError: It is closing or closed.
            SessionFailedError: It has failed.
        """
        entry = self.accept_nowait(kind, wire.encode_client(message))
        self.state.expect(entry, message)
        return entry

    async def accept(self, kind: Kind, payload: bytes, *, seconds: float = 0.0) -> Entry:
        """Accept an encoded frame, waiting for room.

        Raises:
            NotConnectedError: The session was never connected.
            SessionClosedError: It is closing or closed; also while waiting.
            SessionFailedError: It has failed; also while waiting.
        """
        state = self.state
        self.check_open()
        if state.outbox.backlog < YIELD_AT_BACKLOG:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            await trio.lowlevel.checkpoint()
            self.check_open()
        if (
            kind is not Kind.AUDIO
            and kind is not Kind.VIDEO
            and not state.outbox.has_room(len(payload), kind)
        ):
            await self.wait_for_room(len(payload), kind)
        return self._take(kind, payload, seconds)

    async def wait_for_room(self, size: int, kind: Kind) -> None:
        """Wait until a message of `size` bytes that is no media would be accepted.

        Args:
            size: Bytes.
            kind: A tool's answer is still accepted by a session that closes in order.

        Raises:
            NotConnectedError: The session was never connected.
            SessionClosedError: It is closing or closed; also while waiting.
            SessionFailedError: It has failed; also while waiting.
        """
        state = self.state
        while True:
            if not (kind is Kind.TOOL and state.phase is Phase.CLOSING and state.drain and not state.closed):
                self.check_open()
            if state.outbox.has_room(size, kind):
                return
            await state.room.wait()

    def accept_answer(self, payload: bytes, *, awaited: bool) -> Entry:
        """Accept a tool answer right after `wait_for_room`.

        Args:
            payload: The frame.
            awaited: The model stands still until it comes, and then goes on with the turn it was in.
        """
        entry = self._take(Kind.TOOL, payload, 0.0)
        entry.reply = "none" if awaited else "perhaps"
        if awaited:
            self.state.stall.returned(self.state.now)
            self.state.alert.set()
        return entry

    def is_waiting(self, entry: Entry) -> bool:
        """Whether an accepted message has not begun to be written."""
        return self.state.outbox.is_waiting(entry)

    def withdraw(self, entry: Entry) -> None:
        """Take a waiting message back."""
        self.state.outbox.withdraw(entry)
        self.state.room.set()

    def amend(self, entry: Entry, payload: bytes) -> None:
        """Put a smaller message in the place of a waiting one."""
        self.state.outbox.amend(entry, payload)
        self.state.room.set()

    def accept_nowait(self, kind: Kind, payload: bytes, *, seconds: float = 0.0) -> Entry:
        """Accept an encoded frame or raise.

        Raises:
            OutboxFullError: There is no room.
            NotConnectedError: The session was never connected.
            SessionClosedError: It is closing or closed.
            SessionFailedError: It has failed.
        """
        self.check_open()
        return self._take(kind, payload, seconds)

    def accept_beyond(self, payload: bytes) -> None:
        """Accept a signal at once, beyond the bounds, in what was begun; nothing if the session is ending."""
        state = self.state
        if state.closing or state.closed or state.failure is not None:
            return
        seq = 0
        if self.gate is None or not self.gate.withholds(Kind.SIGNAL, payload, 0.0):
            seq = state.outbox.accept(Kind.SIGNAL, payload, now=state.now, beyond=True).seq
            state.work.set()
        state.stall.ended(state.now, seq)
        state.alert.set()

    def _take(self, kind: Kind, payload: bytes, seconds: float) -> Entry:
        if self.gate is not None and self.gate.withholds(kind, payload, seconds):
            return Entry(0, kind, b"", self.state.now)
        state = self.state
        if kind in _MEDIA:
            state.history_told = state.epoch
        entry = state.outbox.accept(kind, payload, now=state.now, seconds=seconds)
        if kind is Kind.AUDIO:
            state.sounded_at = state.now
        if state.outbox.lagging is not self._lagging:
            self._lagging = state.outbox.lagging
            if self._lagging:
                state.report_lag()
        state.work.set()
        state.dirty.set()
        return entry

    async def _settled(self, entry: Entry, wait: Wait) -> None:
        moved = trio.Event()

        def observe(entry: Entry) -> None:
            if entry.state == "dropped" or entry.state in _REACHED[wait]:
                moved.set()

        entry.observer = observe
        observe(entry)
        try:
            await moved.wait()
        finally:
            entry.observer = None
        if entry.state == "dropped":
            raise SendDroppedError(f"message {entry.seq} was accepted, but given up before it was {wait}")
