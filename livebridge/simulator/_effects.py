"""Carries out faults on a live connection."""

from collections.abc import Sequence

import trio

from livebridge import wire
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._fault_plan import FaultRun, Torn
from livebridge.simulator._faults import (
    CancelTools,
    Close,
    Delay,
    Distort,
    Drop,
    Freeze,
    Garble,
    GoAway,
    Inject,
    LateAudio,
    Mute,
    NoPongs,
    Repeat,
    RevokeHandles,
    What,
    Withhold,
)
from livebridge.simulator._faulty_stream import garbled
from livebridge.simulator._frames import FrameStream, GoneError
from livebridge.simulator._mischief import BINARY_OPCODE, distorted, frame, injected, silence
from livebridge.simulator._voices import MODEL_RATE_HZ


class Effects:
    """The faults of one connection, and the hands that commit them.

    Args:
        frames: Where bytes go.
        dialogue: The conversation that is disturbed.
        run: Which faults strike.
        vertex: Whether the client came by the Vertex AI path.
    """

    def __init__(self, frames: FrameStream, dialogue: Dialogue, run: FaultRun, *, vertex: bool) -> None:
        self._frames = frames
        self._dialogue = dialogue
        self._run = run
        self._vertex = vertex
        self._muted = False

    @property
    def struck(self) -> Sequence[What]:
        """What has struck so far."""
        return self._run.struck

    @property
    def deadline(self) -> float | None:
        """When the next timed fault strikes, ``None`` if there is none."""
        return self._run.deadline

    async def pass_time(self, now: float) -> None:
        """Let the timed faults strike.

        Raises:
            GoneError: One of them ended the connection.
        """
        for what in self._run.due(now):
            await self._strike(what)

    async def receive(self, plain: object) -> bool:
        """Let the faults strike that a client's message sets off.

        Returns:
            Whether the message is to be dealt with.

        Raises:
            GoneError: One of them ended the connection.
        """
        passes = True
        for what in self._run.received(plain):
            if isinstance(what, Withhold):
                passes = False
            else:
                await self._strike(what)
        return passes

    async def send(self, message: wire.ServerMessage, payload: bytes) -> list[bytes]:
        """Let the faults strike that a message to the client sets off.

        Args:
            message: The message.
            payload: Its encoding.

        Returns:
            What is to be sent instead of the payload: usually just that.

        Raises:
            GoneError: One of them ended the connection.
        """
        payloads = [payload]
        for what in self._run.sent(message):
            match what:
                case Withhold():
                    payloads = []
                case Repeat():
                    payloads = payloads * 2
                case Distort():
                    payloads = [distorted(one) for one in payloads]
                case LateAudio():
                    payloads.append(self._late(what))
                case Torn():
                    await self._tear(frame(BINARY_OPCODE, payload), what)
                    payloads = []
                case Drop(mid_frame=True):
                    whole = frame(BINARY_OPCODE, payload)
                    await self._tear(whole, Torn(what, len(whole) // 2))
                case _:
                    await self._strike(what)
        answers = message.server_content is not None or message.tool_call is not None
        return [] if self._muted and answers else payloads

    async def _tear(self, whole: bytes, torn: Torn) -> None:
        """Send a frame with something going wrong in the middle of it."""
        what, head, rest = torn.what, whole[: torn.byte], whole[torn.byte :]
        if isinstance(what, Garble):
            rest = garbled(rest, 0, what.size)
        await self._frames.write(head)
        if not isinstance(what, Garble):
            await self._strike(what)
        await self._frames.write(rest)

    async def _strike(self, what: What) -> None:
        match what:
            case Close():
                await self._frames.close(what.code, what.reason)
                raise GoneError("closed by a fault")
            case Drop():
                await self._drop(what)
            case Delay():
                await trio.sleep(what.seconds)
            case Inject():
                await self._frames.write(injected(what))
            case GoAway():
                await self._go_away(what)
            case LateAudio():
                await self._frames.send(self._late(what))
            case _:
                self._disturb(what)

    def _disturb(self, what: What) -> None:
        """Carry out what needs no waiting; what needs a message to work on does nothing here."""
        match what:
            case Freeze():
                self._frames.stall(reading=what.reading, writing=what.writing)
            case NoPongs():
                self._frames.pongs = False
            case Mute():
                self._muted = True
            case CancelTools():
                self._dialogue.cancel_calls(now=trio.current_time())
            case RevokeHandles():
                self._dialogue.revoke_handles()

    def _late(self, what: LateAudio) -> bytes:
        message = silence(what.seconds, rate=MODEL_RATE_HZ, vertex=self._vertex)
        return wire.encode_server(message, vertex=self._vertex)

    async def _drop(self, what: Drop) -> None:
        if what.how == "reset":
            await self._frames.reset()
        else:
            await self._frames.end()
        raise GoneError("dropped by a fault")

    async def _go_away(self, what: GoAway) -> None:
        message = self._dialogue.announce_end(what.seconds, now=trio.current_time())
        await self._frames.send(wire.encode_server(message, vertex=self._vertex))
        if what.silent:
            self._frames.stall(reading=False, writing=True)
