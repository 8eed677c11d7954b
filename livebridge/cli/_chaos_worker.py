"""One session of a chaos run: it talks all the time, is struck now and then, and keeps the books of both."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.cli._chaos_books import Books, Comparison
from livebridge.cli._chaos_faults import GIVEN_UP, MID_FRAME, Decoys, Detours, draw, strike
from livebridge.errors import LivebridgeError
from livebridge.protocol import CircuitPolicy, ReconnectPolicy, ResumedInfo, SessionLostInfo, Turn
from livebridge.session import Keepalive, Session
from livebridge.simulator import Connection, Conversation, Drop, Heard, LiveSimulator

HEADER: Final = "x-livebridge-chaos"
"""Tells the simulator's side of a connection which session it belongs to."""

TURN_EVERY: Final = 0.4
"""Seconds between two messages, on average."""

BURST_CHANCE: Final = 0.15
"""Chance that three messages go out at once."""

AUDIO_CHANCE: Final = 0.4
"""Chance that a message is followed by a tenth of a second of sound."""

QUIET: Final = bytes(3200)
"""A tenth of a second at 16 kHz in which nobody speaks."""

UNANSWERED: Final = 30
"""So many messages may wait for an answer; then the user waits, too."""

PATIENCE_SECONDS: Final = 5.0
"""But not for ever: if no answer at all comes for so long, another message asks whether anybody is there."""

STUCK_SECONDS: Final = 60.0
"""How long a session may go without any answer, when the faults have ended, before it counts as stuck."""

SETTLE_SECONDS: Final = 600.0
"""How long it may take until everything is delivered, as long as answers come; longer than any replay takes."""

KEPT_HANDLES: Final = 100
"""So many handles of a session stay valid: more than turns can be on their way, of which each brings one."""

FORGET_EVERY: Final = 200
"""The simulator's records are cut each time when they have grown by so many entries."""

NAMED: Final = 10
"""So many lost messages of a session are named in the verdict."""

OPTIONS: Final[Mapping[str, object]] = {
    "response_modalities": ["TEXT"],
    "setup_timeout": 4.0,
    "keepalive": Keepalive(ping_after=1.5, dead_after=4.0),
    "write_timeout": 5.0,
    "close_timeout": 30.0,
    "reconnect": ReconnectPolicy(stable_after=1.0, max_delay=2.0),
    "circuit": CircuitPolicy(failures=20, open_for=1.0, max_open=4.0),
    "content_max_age": None,
}
"""Deadlines shortened as the faults are: what happens in hours to a real session happens here in minutes."""

_TEXT: Final = re.compile(r"s(\d+) m(\d+)")


@attrs.define(eq=False)
class Worker:
    """One session under fire.

    Args:
        number: From 0.
        simulator: Whom it talks to.
        decoys: Servers that refuse.
        vertex: By which path.
        handover: As the session's option.
        fault_every: Seconds between two faults, on average.
        seed: Of the whole run.

    Attributes:
        books: What it sent, and what became of it.
        audio_seconds: Sound sent.
        struck: Faults so far, by kind.
        recoveries: Seconds from a fault until ready, by kind.
        gaps: Seconds without a connection after faults.
        rotation_gaps: The same for planned replacements.
        lost_conversations: How often the model had forgotten everything, by reason.
        connections: Connections that became ready.
        undelivered: Messages given up at the end.
        failure: Why it failed, if it did.
        comparison: Of what was sent with what the model knows, once that has settled.
        lost: The numbers of the messages that are lost, once that has settled.
        connected: Set when it is ready for the first time, or has failed.
        settled: Set when `comparison` is there, or it has failed.
    """

    number: int
    simulator: LiveSimulator
    decoys: Decoys
    vertex: bool
    handover: str
    fault_every: float
    seed: int
    books: Books = attrs.field(factory=Books)
    audio_seconds: float = 0.0
    struck: Counter[str] = attrs.field(factory=Counter)
    recoveries: defaultdict[str, list[float]] = attrs.field(factory=lambda: defaultdict(list))
    gaps: list[float] = attrs.field(factory=list)
    rotation_gaps: list[float] = attrs.field(factory=list)
    lost_conversations: Counter[str] = attrs.field(factory=Counter)
    connections: int = 0
    undelivered: int = 0
    failure: LivebridgeError | None = None
    comparison: Comparison | None = None
    lost: list[int] = attrs.field(factory=list)
    connected: trio.Event = attrs.field(factory=trio.Event)
    settled: trio.Event = attrs.field(factory=trio.Event)
    _rotations: int = 0
    _fault: tuple[str, float] | None = None
    _session: Session | None = None
    _conversation: Conversation | None = None
    _remembered: int = 0
    _turned: trio.Event = attrs.field(factory=trio.Event)
    _stuck: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _nursery: trio.Nursery | None = None
    _detours: Detours = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._detours = Detours(self.decoys)

    async def run(self, stop: trio.Event, close: trio.Event) -> None:
        """Talk and be struck until ``stop``, see that all is delivered, stay until ``close``.

        Nothing is raised: a failure is kept in `failure`.
        """
        try:
            async with trio.open_nursery() as self._nursery:
                async with Session.start(**self._options()) as self._session:
                    await self._live(self._session, stop)
                    await close.wait()
                    self.undelivered = (await self._session.close()).undelivered
                self._nursery.cancel_scope.cancel()
        except* LivebridgeError as group:
            self.failure = next(error for error in group.exceptions if isinstance(error, LivebridgeError))
        finally:
            self.connected.set()
            self.settled.set()

    async def _live(self, session: Session, stop: trio.Event) -> None:
        chance = random.Random(f"{self.seed} talk {self.number}")  # noqa: S311 - chances, not secrets
        self.connected.set()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._suffer)
            nursery.start_soon(self._talk, session, chance)
            await stop.wait()
            nursery.cancel_scope.cancel()
        with trio.move_on_after(SETTLE_SECONDS):
            await self._settle(session)
        self.settled.set()

    def _options(self) -> dict[str, object]:
        where = self.simulator.vertex_connection if self.vertex else self.simulator.connection
        resumption = {"transparent": True} if self.vertex else {}
        return {
            **OPTIONS,
            **where,
            "model": "gemini-live-2.5-flash" if self.vertex else "gemini-2.0-flash-live-001",
            "session_resumption": resumption,
            "handover": self.handover,
            "headers": {HEADER: str(self.number)},
            "dial": self._detours.dial,
            "on_ready": self._on_ready,
            "on_resumed": self._on_resumed,
            "on_session_lost": self._on_session_lost,
            "on_turn_complete": self._on_turn_complete,
        }

    @property
    def is_ready(self) -> bool:
        """Whether it has a connection now."""
        return self._session is not None and self._session.status == "ready"

    def failures(self) -> list[str]:
        """What went wrong for good."""
        found = []
        if self.failure is not None:
            found.append(f"session {self.number} failed: {self.failure}")
        elif self.comparison is None:
            found.append(
                f"session {self.number} did not come to rest: no answer for {STUCK_SECONDS:g} s, or not all of "
                f"them within {SETTLE_SECONDS:g} s"
            )
        if self.undelivered:
            found.append(f"session {self.number} gave {self.undelivered} messages up at its close")
        return found

    def losses(self) -> list[str]:
        """Which messages were lost."""
        if not self.lost:
            return []
        named = ", ".join(map(str, self.lost[:NAMED]))
        more = ", …" if len(self.lost) > NAMED else ""
        return [f"session {self.number} lost {len(self.lost)} of {self.books.sent} messages: {named}{more}"]

    # what it says

    async def _talk(self, session: Session, chance: random.Random) -> None:
        while True:
            await self._wait_for_answers()
            for _ in range(3 if chance.random() < BURST_CHANCE else 1):
                await self._say(session)
            if chance.random() < AUDIO_CHANCE:
                await session.send_audio(QUIET)
                self.audio_seconds += len(QUIET) / 32_000
            await trio.sleep(chance.uniform(0.2, 1.8) * TURN_EVERY)

    async def _say(self, session: Session) -> None:
        await session.send_client_content(f"s{self.number} m{self.books.sent}")
        self.books.sent += 1

    async def _wait_for_answers(self) -> None:
        """Do what a user does whom nobody answers: wait a little."""
        with trio.move_on_after(PATIENCE_SECONDS) as patience:
            while self.books.unanswered > UNANSWERED:
                await self._turned.wait()
                patience.deadline = trio.current_time() + PATIENCE_SECONDS

    async def _settle(self, session: Session) -> None:
        """Send a last message until an answer to one comes: the server has read everything before it."""
        with trio.move_on_after(STUCK_SECONDS) as self._stuck:
            while True:
                await session.wait_ready()
                last, epoch = self.books.sent, session.epoch
                await self._say(session)
                with trio.move_on_after(PATIENCE_SECONDS) as patience:
                    while last not in self.books.answered:
                        await self._turned.wait()
                        patience.deadline = trio.current_time() + PATIENCE_SECONDS
                    if session.epoch == epoch and session.phase == "ready":
                        self.comparison, self.lost = self.compare()
                        return

    # what is done to it

    async def _suffer(self) -> None:
        chance = random.Random(f"{self.seed} fault {self.number}")  # noqa: S311 - chances, not secrets
        while True:
            await trio.sleep(chance.uniform(0.5, 1.5) * self.fault_every)
            kind = draw(chance)
            await self._strike(kind, chance)
            if kind == "reset twice":
                await self._strike(kind, chance)

    async def _strike(self, kind: str, chance: random.Random) -> None:
        connection = await self.simulator.wait_for(lambda _: self.is_ready and self._connection())
        assert isinstance(connection, Connection)
        self._detours.prepare(kind)
        self.struck[kind] += 1
        if kind != "stall" and not kind.startswith("goAway"):
            self._note_fault(kind)
        await strike(kind, connection, chance)

    def _note_fault(self, kind: str) -> None:
        if self._fault is None:
            self._fault = (kind, trio.current_time())

    def _connection(self) -> Connection | None:
        """The simulator's side of the connection, once its setup is complete."""
        mine = str(self.number)
        for connection in self.simulator.connections:
            if connection.request.headers.get(HEADER) == mine and connection.conversation is not None:
                return None if connection.ended.is_set() else connection
        return None

    async def _watch(self, connection: Connection) -> None:
        """Notice an end that was neither ours nor ordered."""
        await connection.ended.wait()
        if connection.client_close is None and self._fault is None and not self._is_planned:
            dropped = any(isinstance(what, Drop) for what in connection.struck)
            kind = MID_FRAME if dropped else GIVEN_UP
            self.struck[kind] += 1
            self._note_fault(kind)

    @property
    def _is_planned(self) -> bool:
        return self._session is None or self._session.phase in ("goaway", "rotating", "closing", "closed")

    # what it notices

    def _on_ready(self, info: object) -> None:
        del info
        self.connections += 1
        connection = self._connection()
        if self._nursery is not None and connection is not None:
            self._conversation, self._remembered = connection.conversation, 0
            self._nursery.start_soon(self._watch, connection)

    def _on_resumed(self, info: ResumedInfo) -> None:
        for message in info.uncertain:
            self._report(message)
        rotations = 0 if self._session is None else self._session.statistics().rotations
        planned, self._rotations = rotations > self._rotations, rotations
        (self.rotation_gaps if planned else self.gaps).append(info.gap)
        fault, self._fault = self._fault, None
        if fault is not None:
            self.recoveries[fault[0]].append(trio.current_time() - fault[1])

    def _on_session_lost(self, info: SessionLostInfo) -> None:
        """The model has forgotten everything, and we are told.

        Transparent resumption without any handle yet is no loss: everything is in the ledger and written again.
        """
        if not (self.vertex and info.reason == "no_handle"):
            because = "" if info.error is None else f": {info.error}"
            self.lost_conversations[f"{info.reason}{because}"] += 1
            self.books.conversation_lost()

    def _report(self, message: object) -> None:
        if isinstance(message, wire.ClientMessage) and message.client_content is not None:
            for turn in message.client_content.turns or ():
                self.books.reported.update(_numbers(turn))

    def _on_turn_complete(self, turn: Turn) -> None:
        self.books.answered.update(int(match[2]) for match in _TEXT.finditer(turn.text or ""))
        self._stuck.deadline = trio.current_time() + STUCK_SECONDS
        self._turned.set()
        self._turned = trio.Event()
        self._forget()

    # the books

    def _forget(self) -> None:
        """Let the simulator drop what nothing can need any more; what it had heard of that is final."""
        conversation = self._conversation
        if conversation is not None and conversation.length >= self._remembered + FORGET_EVERY:
            self._remembered = conversation.length
            dropped = self.simulator.forget(conversation, keep_handles=KEPT_HANDLES)
            self.books.known.take(_numbers_of(dropped))

    def compare(self) -> tuple[Comparison, list[int]]:
        """What was sent against what the model knows now, and the numbers that are lost."""
        connection = self._connection()
        if connection is not None:
            self._conversation = connection.conversation
        heard = () if self._conversation is None else _numbers_of(self._conversation.heard)
        return self.books.close(heard)


def _numbers_of(heard: Heard) -> Iterator[int]:
    return (number for turn in heard.turns for number in _numbers(turn))


def _numbers(turn: wire.Content) -> list[int]:
    return [int(match[2]) for part in turn.parts or () if part.text for match in _TEXT.finditer(part.text)]
