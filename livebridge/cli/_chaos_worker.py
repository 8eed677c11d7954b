"""One session of a chaos run: it talks all the time, is struck now and then, and keeps the books of both."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.cli._chaos_faults import MID_FRAME, Decoys, Detours, draw, strike
from livebridge.cli._chaos_tally import Comparison, compare
from livebridge.errors import LivebridgeError
from livebridge.protocol import CircuitPolicy, ReconnectPolicy, ResumedInfo, SessionLostInfo, Turn
from livebridge.session import Keepalive, Session
from livebridge.simulator import Connection, Conversation, LiveSimulator

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

SETTLE_SECONDS: Final = 60.0
"""How long a session may take, when the faults have ended, to be ready with nothing left to write."""

ANSWER_SECONDS: Final = 5.0
"""How long it waits for the answer to its last message before it sends another last one."""

OPTIONS: Final[Mapping[str, object]] = {
    "response_modalities": ["TEXT"],
    "setup_timeout": 2.0,
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
        sent: Messages accepted so far.
        answered: Numbers of those whose answer came.
        audio_seconds: Sound sent.
        struck: Faults so far, by kind.
        recoveries: Seconds from a fault until ready, by kind.
        gaps: Seconds without a connection after faults.
        rotation_gaps: The same for planned replacements.
        lost_conversations: How often the model had forgotten everything.
        connections: Connections that became ready.
        undelivered: Messages given up at the end.
        failure: Why it failed, if it did.
        comparison: Of what was sent with what the model knows, once that has settled.
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
    sent: int = 0
    answered: set[int] = attrs.field(factory=set)
    audio_seconds: float = 0.0
    struck: Counter[str] = attrs.field(factory=Counter)
    recoveries: defaultdict[str, list[float]] = attrs.field(factory=lambda: defaultdict(list))
    gaps: list[float] = attrs.field(factory=list)
    rotation_gaps: list[float] = attrs.field(factory=list)
    lost_conversations: int = 0
    connections: int = 0
    undelivered: int = 0
    failure: LivebridgeError | None = None
    comparison: Comparison | None = None
    connected: trio.Event = attrs.field(factory=trio.Event)
    settled: trio.Event = attrs.field(factory=trio.Event)
    _reported: set[int] = attrs.field(factory=set)
    _rotations: int = 0
    _fault: tuple[str, float] | None = None
    _session: Session | None = None
    _conversation: Conversation | None = None
    _turned: trio.Event = attrs.field(factory=trio.Event)
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
            found.append(f"session {self.number} did not come to rest within {SETTLE_SECONDS:g} s")
        if self.undelivered:
            found.append(f"session {self.number} gave {self.undelivered} messages up at its close")
        return found

    # what it says

    async def _talk(self, session: Session, chance: random.Random) -> None:
        while True:
            for _ in range(3 if chance.random() < BURST_CHANCE else 1):
                await session.send_client_content(f"s{self.number} m{self.sent}")
                self.sent += 1
            if chance.random() < AUDIO_CHANCE:
                await session.send_audio(QUIET)
                self.audio_seconds += len(QUIET) / 32_000
            await trio.sleep(chance.uniform(0.2, 1.8) * TURN_EVERY)

    async def _settle(self, session: Session) -> None:
        """Send a last message until an answer to one comes: the server has read everything before it."""
        while True:
            await session.wait_ready()
            last, epoch = self.sent, session.epoch
            await session.send_client_content(f"s{self.number} m{last}")
            self.sent += 1
            with trio.move_on_after(ANSWER_SECONDS):
                while last not in self.answered:
                    await self._turned.wait()
                if session.epoch == epoch and session.phase == "ready":
                    self.comparison = self.compare()
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
        if connection.client_close is None and self._fault is None and not self._is_planned(connection):
            self.struck[MID_FRAME] += 1
            self._note_fault(MID_FRAME)

    def _is_planned(self, connection: Connection) -> bool:
        del connection
        return self._session is None or self._session.phase in ("goaway", "rotating", "closing", "closed")

    # what it notices

    def _on_ready(self, info: object) -> None:
        del info
        self.connections += 1
        connection = self._connection()
        if self._nursery is not None and connection is not None:
            self._conversation = connection.conversation
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
            self.lost_conversations += 1
            self._reported.update(range(self.sent))

    def _report(self, message: object) -> None:
        if isinstance(message, wire.ClientMessage) and message.client_content is not None:
            for turn in message.client_content.turns or ():
                self._reported.update(_numbers(turn))

    def _on_turn_complete(self, turn: Turn) -> None:
        self.answered.update(int(match[2]) for match in _TEXT.finditer(turn.text or ""))
        self._turned.set()
        self._turned = trio.Event()

    # the books

    def compare(self) -> Comparison:
        """What was sent against what the model knows now."""
        connection = self._connection()
        if connection is not None:
            self._conversation = connection.conversation
        turns = [] if self._conversation is None else self._conversation.heard.turns
        heard = [number for turn in turns for number in _numbers(turn)]
        return compare(self.sent, heard, reported=self._reported)


def _numbers(turn: wire.Content) -> list[int]:
    return [int(match[2]) for part in turn.parts or () if part.text for match in _TEXT.finditer(part.text)]
