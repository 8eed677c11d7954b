"""One connection as the server sees it, and what a server may do after a setup."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs
import trio

from livebridge.transport import MemoryServer


@attrs.define(eq=False)
class Line:
    """One connection, as the server sees it."""

    server: MemoryServer
    number: int
    forwards: bool
    offer: Callable[[Sequence[bytes]], bool]
    setup: dict[str, object] | None = None
    received: list[dict[str, object]] = attrs.field(factory=list)
    _unread: deque[dict[str, object]] = attrs.field(factory=deque)
    _changed: trio.Event = attrs.field(factory=trio.Event)

    @property
    def handle(self) -> str | None:
        """The handle in the setup."""
        assert self.setup is not None
        return self.setup.get("sessionResumption", {}).get("handle")

    def say(self, *messages: object) -> None:
        """Send messages: JSON objects, or bytes as they are, all in one read."""
        frames = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        for frame in frames if self.forwards else ():
            if not self.offer([frame]):
                self.server.send([frame])
        if not self.forwards:
            self.server.send(frames)

    def complete(self) -> None:
        self.say({"setupComplete": {}})

    def text(self, *texts: str) -> None:
        self.say(*({"serverContent": {"modelTurn": {"parts": [{"text": text}]}}} for text in texts))

    def turn(self, text: str = "") -> None:
        """A whole turn of the model in one message."""
        content: dict[str, object] = {"turnComplete": True}
        if text:
            content["modelTurn"] = {"parts": [{"text": text}]}
        self.say({"serverContent": content})

    def resumable(self, handle: str = "h1", *, index: int | None = None) -> None:
        update: dict[str, object] = {"newHandle": handle, "resumable": True}
        if index is not None:
            update["lastConsumedClientMessageIndex"] = str(index)
        self.say({"sessionResumptionUpdate": update})

    def unresumable(self) -> None:
        self.say({"sessionResumptionUpdate": {"resumable": False}})

    def go_away(self, time_left: str | None = "50s") -> None:
        self.say({"goAway": {} if time_left is None else {"timeLeft": time_left}})

    def call(self, *calls: Mapping[str, object]) -> None:
        self.say({"toolCall": {"functionCalls": list(calls)}})

    def cancel(self, *ids: str) -> None:
        self.say({"toolCallCancellation": {"ids": list(ids)}})

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.server.close(code, reason)

    def drop(self) -> None:
        self.server.drop()

    async def next(self) -> dict[str, object]:
        """The next client message after the setup that no `next` has returned yet."""
        while not self._unread:
            await self._changed.wait()
        return self._unread.popleft()

    async def next_response(self) -> list[dict[str, object]]:
        """The next tool response's answers."""
        while True:
            message = await self.next()
            if "toolResponse" in message:
                return message["toolResponse"]["functionResponses"]

    async def ended(self) -> None:
        """Wait until the connection is over."""
        while self.server.close_info is None:
            await self._changed.wait()

    def texts(self) -> list[str]:
        """All texts received, by either channel, in order."""
        return [text for message in self.received for text in text_of(message)]

    def responses(self) -> list[dict[str, object]]:
        return [
            answer
            for message in self.received
            if "toolResponse" in message
            for answer in message["toolResponse"]["functionResponses"]
        ]

    def note(self, message: dict[str, object]) -> None:
        self.received.append(message)
        self._unread.append(message)
        self.wake()

    def wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def text_of(message: Mapping[str, object]) -> list[str]:
    """The words of a client message."""
    if "realtimeInput" in message:
        text = message["realtimeInput"].get("text")
        return [] if text is None else [text]
    turns = message.get("clientContent", {}).get("turns", [])
    return [part["text"] for turn in turns for part in turn["parts"]]


Step = Callable[[Line], Awaitable[None]]
"""What happens after the setup of a connection was read."""


async def silence(line: Line) -> None:
    """Withhold ``setupComplete``."""


async def complete(line: Line) -> None:
    """Complete the setup."""
    line.complete()


def closing(code: int | None, reason: str = "") -> Step:
    """Close (``None``: drop) in place of ``setupComplete``."""

    async def step(line: Line) -> None:
        if code is None:
            line.drop()
        else:
            line.close(code, reason)

    return step


def saying(*messages: object) -> Step:
    """Send this in place of ``setupComplete``."""

    async def step(line: Line) -> None:
        line.say(*messages)

    return step
