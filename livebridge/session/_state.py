"""What the parts of one session share. Everything here is changed from the trio thread only.

::

    reader --tap--> SessionState <--reads-- Session (attributes, never a wait)
    manager --phase, epoch-->  |
    send_… --outbox-->         +--notices--> dispatcher --> callbacks
"""

from __future__ import annotations

import logging
import math
from collections import Counter, deque
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import attrs
import trio

from livebridge import wire
from livebridge.auth import Auth
from livebridge.errors import CallbackStalledError, LivebridgeError, SendDroppedError, SendExpiredError
from livebridge.otp import Lane
from livebridge.protocol import (
    CONNECTED,
    CallLedger,
    CloseInfo,
    Entry,
    Event,
    HandleBook,
    History,
    ModelCapabilities,
    Outbox,
    Phase,
    ReadyKind,
    ReconnectingInfo,
    Reconnector,
    StallWatch,
    Turn,
    TurnCollector,
    Unrecognized,
    expects_answer,
    follow,
)
from livebridge.session import _reporting as reporting
from livebridge.session._floor import Floor
from livebridge.session._gauge import Gauge
from livebridge.session._options import Options
from livebridge.session._signal import Signal
from livebridge.session._speech import Speech
from livebridge.telemetry import BUS

_log: Final = logging.getLogger("livebridge.session")

MAX_KEPT_AUDIO: Final = 16 * 2**20
"""Bytes of audio in finished turns that nobody has asked for yet."""


@attrs.frozen
class Envelope:
    """One frame on its way to the dispatcher.

    Attributes:
        message: What it says.
        epoch: The connection it came over.
        received_at: Seconds on trio's clock.
        deadline: Of a GoAway, on trio's clock.
        call_keys: Ledger keys of the function calls in it.
        turn: The model's turn that its content belongs to.
    """

    message: wire.ServerMessage | Unrecognized
    epoch: int
    received_at: float
    deadline: float | None = None
    call_keys: tuple[str, ...] = ()
    turn: int = 0


@attrs.frozen
class Notice:
    """A callback that the runtime causes, on its way to the dispatcher."""

    callback: str
    argument: object


@attrs.frozen
class Ended:
    """The connection manager is done; everything it read is in the queue before this."""

    error: LivebridgeError | None
    fatal: bool = False


@attrs.define
class Counters:
    """What `Session.statistics` counts."""

    messages_received: int = 0
    bytes_received: int = 0
    messages_sent: int = 0
    bytes_sent: int = 0
    reconnects: int = 0
    rotations: int = 0
    callback_errors: int = 0
    undispatched: int = 0
    undelivered: int = 0
    stream_dropped: int = 0
    unrecognized: int = 0
    turns: int = 0
    expired: int = 0
    gate_held: int = 0
    gate_dropped: int = 0
    longest_gap: float = 0.0
    last_gap: float | None = None
    by_callback: Counter[str] = attrs.field(factory=Counter)


@attrs.define(eq=False)
class SessionState:
    """The shared state of one session.

    Attributes:
        options: What it was started with.
        auth: Resolved credentials.
        capabilities: What the model can do.
        wanted: Names of the callbacks that exist.
        phase: The connection manager's state.
        epoch: Number of the current (or last) connection.
        muted: The microphone is off: sound is not sent.
        speaking: The program is inside an activity (manual activity detection), muted or not.
        generating: The model has begun a turn and not ended it.
        floor: Who speaks, and what stands unanswered.
        closing: ``close`` was asked for.
        drain: Whether that close delivers what was accepted.
        close_deadline: On trio's clock.
        sounded_at: When sound of the user was last accepted, on trio's clock.
        history_told: The connection over which the history that was announced is complete, or too late.
        trouble: When a connection last failed, on trio's clock, and how.
        awaited: Tasks that wait until the session is ready.
        slow_warned_at: When a slow callback or tool was last complained about, on trio's clock.
        told: One of them was told why it never will be.
        is_gated: Tells whether media is withheld during a tool call.
        is_blocked: Tells whether the model stands still for a tool call.
        discard_held: Gives up what is withheld.
    """

    options: Options
    auth: Auth
    capabilities: ModelCapabilities
    outbox: Outbox
    handles: HandleBook
    reconnector: Reconnector
    wanted: frozenset[str]
    turns: TurnCollector
    phase: Phase = Phase.IDLE
    epoch: int = 0
    session_id: str | None = None
    ready_kind: ReadyKind = "new"
    generating: bool = False
    muted: bool = False
    speaking: bool = False
    history_told: int = -1
    trouble: tuple[float, LivebridgeError] | None = None
    awaited: int = 0
    told: bool = False
    slow_warned_at: float = -math.inf
    go_away_deadline: float | None = None
    go_away_received: float | None = None
    close_info: CloseInfo | None = None
    failure: LivebridgeError | None = None
    closing: bool = False
    closed: bool = False
    drain: bool = True
    close_deadline: float = math.inf
    grace_until: float = -math.inf
    tools_running: int = 0
    ever_connected: bool = False
    ledger: CallLedger = attrs.field(factory=CallLedger)
    counters: Counters = attrs.field(factory=Counters)
    completed: deque[Turn] = attrs.field(factory=lambda: deque[Turn](maxlen=32))
    work: Signal = attrs.field(factory=Signal)
    room: Signal = attrs.field(factory=Signal)
    changed: Signal = attrs.field(factory=Signal)
    alert: Signal = attrs.field(factory=Signal)
    dirty: Signal = attrs.field(factory=Signal)
    turned: Signal = attrs.field(factory=Signal)
    inbox: Lane | None = None
    gauge: Gauge = attrs.field(factory=Gauge)
    notices: Lane | None = None
    stall: StallWatch = attrs.field(factory=lambda: StallWatch(None))
    sounded_at: float = -math.inf
    history: History = attrs.field(factory=History)
    speech: Speech = attrs.field(factory=Speech)
    telemetry_id: str = attrs.field(factory=lambda: str(uuid4()))
    on_phase: Callable[[Phase], None] | None = None
    is_gated: Callable[[], bool] = bool
    is_blocked: Callable[[], bool] = bool
    discard_held: Callable[[], object] = bool
    floor: Floor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.floor = Floor.of(self.options.config)

    @property
    def now(self) -> float:
        """Seconds on trio's clock."""
        return trio.current_time()

    @property
    def is_ready(self) -> bool:
        """Whether what is sent now goes straight to the server."""
        return self.phase in CONNECTED

    def move(self, event: Event) -> None:
        """Follow the table of phases and tell those who wait and those who listen."""
        before = self.phase
        self.phase = follow(before, event)
        if self.phase.status is not before.status:
            self.notify("on_status", self.phase.status)
        if BUS.active:
            reporting.moved(self, before, self.phase)
        self.changed.set()
        self.work.set()

    def expect(self, entry: Entry, message: wire.ClientMessage) -> None:
        """A message of the user was accepted: note its words, and whether the model should answer it."""
        if expects_answer(message):
            entry.reply = "turn"
            self.floor.asked(self.now)
        self.history.sent(message, seq=entry.seq)
        self.stall.sent(message, entry, self.now)
        self.alert.set()

    def expect_repair(self) -> None:
        """The model has forgotten what it was doing, and the user waits for it."""
        self.stall.ask(self.now, kind="resume", here=False)
        self.alert.set()

    def drop_media(self) -> None:
        """Give up all media that waits, wherever it waits: the server would refuse it once more."""
        self.outbox.drop_media()
        self.discard_held()

    def notify(self, callback: str, argument: object) -> None:
        """Queue a callback behind everything that has been read so far."""
        if isinstance(argument, ReconnectingInfo) and argument.error is not None:
            self.trouble = self.now, argument.error
        if BUS.active and callback == "on_error":
            reporting.failed(self, argument)
        if callback in self.wanted and self.notices is not None:
            self.notices.put_nowait(Notice(callback, argument))

    def complete(self, turn: Turn) -> None:
        """Keep a turn for `wait_turn`, within bounds."""
        self.counters.turns += 1
        asked = self.stall.asked
        self.history.completed(turn, open_from=asked[0].seq if asked else None)
        self.completed.append(turn)
        size = sum(len(kept.audio) for kept in self.completed)
        while size > MAX_KEPT_AUDIO and len(self.completed) > 1:
            size -= len(self.completed.popleft().audio)
        self.turned.set()

    def report_expired(self, count: int, max_age: float) -> None:
        """Tell the user that messages waited too long."""
        self.notify(
            "on_error",
            SendExpiredError(f"{count} messages were given up after {max_age:g} s without a connection"),
        )

    def report_lag(self) -> None:
        """Tell the user that the network does not take as much as is sent."""
        _log.warning("the network does not keep up; sound and pictures that wait for too long are given up")
        self.notify(
            "on_error",
            SendDroppedError(
                "the network does not keep up with what is sent: sound and pictures that waited for more than "
                f"{self.options.max_media_lag or math.inf:g} s are given up until it has caught up"
            ),
        )

    def report_stall(self, seconds: float) -> None:
        """Tell the user that a callback blocks the queue."""
        self.notify("on_error", CallbackStalledError(f"a callback has kept the inbox full for {seconds:g} s"))

    def end(self, error: LivebridgeError | None, *, fatal: bool = False) -> None:
        """Queue the end of the session behind everything that has been read so far."""
        if self.notices is not None:
            self.notices.put_nowait(Ended(error, fatal))
