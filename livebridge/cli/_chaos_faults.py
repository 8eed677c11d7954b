"""What happens to the sessions of a chaos run: kinds of faults, how often each, and the hands that commit them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import attrs
import trio

from livebridge.simulator import (
    Close,
    Connection,
    Drop,
    Fault,
    Faults,
    LiveSimulator,
    RefuseUpgrade,
    Withhold,
)
from livebridge.transport import Transport, dial

MID_FRAME: Final = "reset mid-frame"
"""The one kind that strikes by chance, while the simulator writes an answer."""

GIVEN_UP: Final = "given up by the session"
"""No fault: nothing came in time, and the session took the connection for dead, as it does on a busy machine."""

KINDS: Final[Mapping[str, int]] = {
    "reset": 4,
    "end of stream": 3,
    "close 1000": 2,
    "close 1001": 2,
    "close 1011": 3,
    "close 1012": 2,
    "goAway": 6,
    "goAway, then silence": 2,
    "stall": 3,
    "half-open": 2,
    "reset, upgrade refused (503)": 2,
    "reset, upgrade refused (429)": 1,
    "reset, handle refused once": 2,
    "reset, setup unanswered once": 1,
    "reset, upgrade cut off": 1,
    "reset twice": 2,
}
"""Every kind of fault that is drawn, with its weight."""

MID_FRAME_SHARE: Final = 0.05
"""Chance per scheduled fault that an answer is cut in half instead, roughly."""

HANDLE_WITHHELD: Final = 0.15
"""Chance that a resumption update never reaches the client, so that it resumes with an older handle."""

GO_AWAY_SECONDS: Final = 1.5
"""Notice before the simulator hangs up."""

LONGEST_STALL: Final = 1.0
"""Seconds of silence that a session has to bear without giving the connection up."""

_DECOYS: Final[Mapping[str, Fault]] = {
    "503": Fault(what=RefuseUpgrade(status=503), times=0),
    "429": Fault(what=RefuseUpgrade(status=429, retry_after=1), times=0),
    "1011": Fault(what=Close(code=1011, reason="Internal error encountered."), message="setup", times=0),
    "silent": Fault(what=Withhold(), message="setup", times=0),
    "cut": Fault(what=Drop(), byte=60, times=0),
}
"""Servers beside the real one that do one thing only; dials are led to them."""

_DETOURS: Final[Mapping[str, tuple[str, ...]]] = {
    "reset, upgrade refused (503)": ("503", "503"),
    "reset, upgrade refused (429)": ("429",),
    "reset, handle refused once": ("1011",),
    "reset, setup unanswered once": ("silent",),
    "reset, upgrade cut off": ("cut",),
}

_CODES: Final[Mapping[str, tuple[int, str]]] = {
    "close 1000": (1000, "The operation was cancelled."),
    "close 1001": (1001, ""),
    "close 1011": (1011, "Internal error occurred."),
    "close 1012": (1012, "Service restart"),
}


def standing_faults(*, turns_per_fault: float, seed: int) -> Faults:
    """What goes wrong by chance on the simulator itself."""
    chance = min(1.0, MID_FRAME_SHARE / turns_per_fault)
    return Faults(
        Fault(what=Drop(mid_frame=True), message="modelTurn", probability=chance / 2, times=0),
        Fault(what=Drop(), message="modelTurn", byte=1, probability=chance / 2, times=0),
        Fault(what=Withhold(), message="sessionResumptionUpdate", probability=HANDLE_WITHHELD, times=0),
        seed=seed,
    )


def draw(chance: random.Random) -> str:
    """The next kind of fault."""
    return chance.choices(list(KINDS), weights=list(KINDS.values()))[0]


@attrs.define(eq=False)
class Decoys:
    """Servers that refuse, each in its own way, and how many connections they still have."""

    servers: Mapping[str, LiveSimulator]

    @classmethod
    @asynccontextmanager
    async def serve(cls) -> AsyncIterator[Decoys]:
        """Run them for the time of a block."""
        async with AsyncExitStack() as stack:
            yield cls(
                {
                    name: await stack.enter_async_context(LiveSimulator.serve(faults=Faults(fault)))
                    for name, fault in _DECOYS.items()
                }
            )

    @property
    def open(self) -> int:
        """Connections that have not ended."""
        return sum(len(server.connections) for server in self.servers.values())


@attrs.define(eq=False)
class Detours:
    """Dials for one session; the next ones may be led to servers that refuse.

    Args:
        decoys: Where to.
    """

    decoys: Decoys
    _next: deque[str] = attrs.field(factory=deque)

    def prepare(self, kind: str) -> None:
        """Lead the next dials astray as this kind of fault wants it."""
        self._next.extend(_DETOURS.get(kind, ()))

    async def dial(self, nursery: trio.Nursery, url: str, **options: object) -> Transport:
        """What the session dials with.

        Raises:
            ConnectError: The server refused.
        """
        if self._next:
            port = self.decoys.servers[self._next.popleft()].port
            parts = urlsplit(url)
            url = parts._replace(netloc=f"{parts.hostname}:{port}").geturl()
        return await dial(nursery, url, **options)  # type: ignore[arg-type]  # handed through as they came


async def strike(kind: str, connection: Connection, chance: random.Random) -> None:
    """Do it to a connection; returns when it is done, which for a stall takes as long as the stall."""
    if kind in _CODES:
        connection.close(*_CODES[kind])
    elif kind == "end of stream":
        connection.end()
    elif kind.startswith("goAway"):
        connection.go_away(GO_AWAY_SECONDS)
        if kind.endswith("silence"):
            await trio.sleep(GO_AWAY_SECONDS / 10)
            connection.stall(reading=False, writing=True)
    elif kind == "stall":
        connection.stall()
        try:
            await trio.sleep(chance.uniform(0.1, LONGEST_STALL))
        finally:
            connection.resume()
    elif kind == "half-open":
        connection.stall()
    else:
        connection.drop()
