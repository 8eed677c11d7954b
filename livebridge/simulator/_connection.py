"""One client's connection: a dialogue on a WebSocket, driven by frames, time and commands."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Final, Literal

import attrs
import trio

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._effects import Effects
from livebridge.simulator._faults import What
from livebridge.simulator._frames import FrameStream, GoneError
from livebridge.simulator._gate import Admission, HttpRequest
from livebridge.simulator._refusals import INTERNAL_ERROR, INVALID_JSON, Hangup
from livebridge.simulator._settings import Settings

_log: Final = logging.getLogger("livebridge.simulator")

UNREAD_FRAMES: Final = 64
"""How many client frames wait to be dealt with before the socket is not read any more."""

Direction = Literal["in", "out"]


@attrs.frozen(kw_only=True)
class Frame:
    """One message as it crossed the wire.

    Attributes:
        direction: ``in`` from the client, ``out`` to it.
        at: Clock time, in seconds.
        payload: What was in it.
    """

    direction: Direction
    at: float
    payload: bytes | str = attrs.field(repr=lambda payload: f"<{len(payload)}>")

    @property
    def message(self) -> object:
        """The payload as plain JSON values.

        Raises:
            DecodeError: It is no JSON.
        """
        value: object = wire.loads(self.payload)
        return value


class Connection:
    """A live connection, with the strings to pull for tests.

    The commands return at once; what they ask for happens as soon as the connection's task runs.

    Attributes:
        number: 1 for the first connection of the simulator.
        admission: By which path and credential it came.
        request: The HTTP request it came with.
        frames: Every message so far, in both directions, if the simulator keeps them.
        client_close: Code and reason of the client's close frame, ``None`` if it sent none.
        ended: Set when the connection is over.
    """

    def __init__(
        self,
        frames: FrameStream,
        dialogue: Dialogue,
        effects: Effects,
        *,
        number: int,
        admission: Admission,
        request: HttpRequest,
        settings: Settings,
        changed: Callable[[], None],
    ) -> None:
        self.number: int = number
        self.admission: Admission = admission
        self.request: HttpRequest = request
        self.frames: list[Frame] = []
        self.ended: trio.Event = trio.Event()
        self._frames = frames
        self._dialogue = dialogue
        self._effects = effects
        self._settings = settings
        self._changed = changed
        self._commands: deque[Callable[[], None]] = deque()
        self._raw: deque[bytes] = deque()
        self._end: Literal["reset", "eof"] = "eof"
        self._killed = trio.Event()
        self._send_inbox, self._inbox = trio.open_memory_channel[bytes | str | None](math.inf)
        self._room = trio.Semaphore(UNREAD_FRAMES)

    def __repr__(self) -> str:
        backend = "vertex" if self.admission.vertex else "gemini"
        return f"<Connection {self.number} {backend} {self.admission.version}>"

    @property
    def conversation(self) -> Conversation | None:
        """The conversation it carries, ``None`` before ``setupComplete``."""
        return self._dialogue.conversation

    @property
    def client_close(self) -> tuple[int, str] | None:
        """Code and reason of the client's close frame, ``None`` if it sent none."""
        return self._frames.closed

    @property
    def struck(self) -> tuple[What, ...]:
        """What the fault plan has done to it so far, those faults left out that count bytes of the whole stream."""
        return tuple(self._effects.struck)

    @property
    def open_calls(self) -> int:
        """How many function calls wait for their answers."""
        return self._dialogue.open_calls

    @property
    def busy(self) -> bool:
        """Whether the model is in the middle of an answer."""
        return self._dialogue.busy

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a close frame; during a `stall` of writing, after its end."""
        self._command(lambda: self._dialogue.hang_up(Hangup(code, reason), now=trio.current_time()))

    def drop(self) -> None:
        """Reset the TCP connection without a close frame."""
        self._end_with("reset")

    def end(self) -> None:
        """End the stream (EOF) without a close frame."""
        self._end_with("eof")

    def go_away(self, seconds: float = 10.0) -> None:
        """Send ``goAway`` and close that many seconds later."""
        self._command(lambda: self._dialogue.go_away(seconds, now=trio.current_time()))

    def cancel_tools(self) -> None:
        """Take back every open function call."""
        self._command(lambda: _ignore(self._dialogue.cancel_calls(now=trio.current_time())))

    def send(self, message: wire.ServerMessage) -> None:
        """Send a message of your own."""
        payload = wire.encode_server(message, vertex=self.admission.vertex)
        self.send_raw(payload)

    def send_raw(self, payload: bytes) -> None:
        """Send a message with these bytes, whatever they are."""
        self._command(lambda: self._raw.append(payload))

    def stall(self, *, reading: bool = True, writing: bool = True) -> None:
        """Fall silent: stop reading, writing or both; pings are not answered either. `resume` ends it."""
        self._frames.stall(reading=reading, writing=writing)

    def resume(self) -> None:
        """End a `stall`."""
        self._frames.resume()

    def _command(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        with suppress(trio.ClosedResourceError, trio.BrokenResourceError):
            self._send_inbox.send_nowait(None)

    def _end_with(self, end: Literal["reset", "eof"]) -> None:
        self._end = end
        self._killed.set()

    async def run(self) -> None:
        """Carry the conversation until one side ends it."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                nursery.start_soon(self._await_kill)
                try:
                    await self._drive()
                except GoneError:
                    raise
                except Exception:  # noqa: BLE001  # a brain may raise anything, or say what is no JSON
                    _log.exception("connection %d: the brain or the simulator raised", self.number)
                    await self._frames.close(INTERNAL_ERROR.code, INTERNAL_ERROR.reason)
                finally:
                    nursery.cancel_scope.cancel()
        except* GoneError:
            pass
        finally:
            self._dialogue.close(now=trio.current_time())
            self.ended.set()
            self._changed()
            await self._frames.end()

    async def _await_kill(self) -> None:
        """End the stream when told to, whatever the other tasks wait for."""
        await self._killed.wait()
        if self._end == "reset":
            await self._frames.reset()
        else:
            await self._frames.end()
        raise GoneError("ended on command")

    async def _read(self) -> None:
        async with aclosing(self._frames.messages()) as messages:
            async for message in messages:
                await self._room.acquire()
                self._send_inbox.send_nowait(message)
        self._send_inbox.close()

    async def _drive(self) -> None:
        while await self._flush():
            try:
                item = await self._next()
            except trio.EndOfChannel:
                return
            if item is not None:
                self._room.release()
                await self._take(item)
            while self._commands:
                self._commands.popleft()()
            await self._pass_time()
            self._changed()

    async def _next(self) -> bytes | str | None:
        """The client's next message, or ``None`` for a command or when something is due."""
        try:
            return self._inbox.receive_nowait()
        except trio.WouldBlock:
            pass
        deadlines = (self._dialogue.deadline, self._effects.deadline)
        with trio.move_on_at(min((at for at in deadlines if at is not None), default=math.inf)):
            return await self._inbox.receive()
        return None

    async def _take(self, payload: bytes | str) -> None:
        self._keep("in", payload)
        try:
            plain: object = wire.loads(payload)
        except DecodeError:
            self._dialogue.hang_up(INVALID_JSON, now=trio.current_time())
            return
        if await self._effects.receive(plain):
            self._dialogue.receive(plain, now=trio.current_time())

    async def _pass_time(self) -> None:
        now = trio.current_time()
        await self._effects.pass_time(now)
        if self._dialogue.deadline is not None and self._dialogue.deadline <= now:
            self._dialogue.advance(now)

    async def _flush(self) -> bool:
        """Send what is due; whether the connection goes on."""
        while self._raw:
            await self._send(self._raw.popleft())
        for output in self._dialogue.take():
            if isinstance(output, Hangup):
                await self._frames.close(output.code, output.reason)
                return False
            pretty = self._settings.frames != "compact"
            payload = wire.encode_server(output, vertex=self.admission.vertex, pretty=pretty)
            for sent in await self._effects.send(output, payload):
                await self._send(sent)
        return True

    async def _send(self, payload: bytes) -> None:
        self._keep("out", payload)
        style = self._settings.frames
        await self._frames.send(payload, text=style == "text", fragmented=style == "fragmented")

    def _keep(self, direction: Direction, payload: bytes | str) -> None:
        if self._settings.keep_frames:
            self.frames.append(Frame(direction=direction, at=trio.current_time(), payload=payload))


def _ignore(value: object) -> None:
    """Make a command of a call that returns something."""
    del value
