"""A TCP stream on which something goes wrong after a given number of bytes, whatever they mean."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import attrs
import trio

from livebridge.simulator._fault_plan import ByteFault
from livebridge.simulator._faults import Delay, Drop, Freeze, Garble
from livebridge.simulator._sockets import end, wait_unless_hung_up


@attrs.define(eq=False)
class _Side:
    """One direction of a stream.

    Attributes:
        due: What goes wrong, by position.
        count: How many bytes have passed.
        to_garble: How many of the next ones are spoilt.
    """

    due: deque[ByteFault]
    count: int = 0
    to_garble: int = 0

    @property
    def left(self) -> int | None:
        """Bytes until the next fault, ``None`` if there is none."""
        return max(0, self.due[0].byte - self.count) if self.due else None

    def passed(self, data: bytes) -> bytes:
        """Count what passes, and spoil what is to be spoilt."""
        spoilt = min(self.to_garble, len(data))
        self.to_garble -= spoilt
        self.count += len(data)
        return garbled(data, 0, spoilt)


class FaultyStream(trio.abc.Stream):
    """Counts what passes, and misbehaves when it has been told to.

    It stands below TLS, so that the handshake can be hit, and below the upgrade.

    Attributes:
        transport_stream: The stream below.

    Args:
        stream: The stream below.
        faults: What goes wrong, by position.
    """

    def __init__(self, stream: trio.SocketStream, faults: Sequence[ByteFault]) -> None:
        self.transport_stream = stream
        self._outbound = _Side(deque(fault for fault in faults if not fault.inbound))
        self._inbound = _Side(deque(fault for fault in faults if fault.inbound))
        self._deaf = False
        self._dumb = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write, up to the next fault, and beyond it if the connection survives."""
        rest, side = bytes(data), self._outbound
        while (left := side.left) is not None and left <= len(rest) and not self._dumb:
            await self.transport_stream.send_all(side.passed(rest[:left]))
            rest = rest[left:]
            await self._strike(side)
        if self._dumb:
            await self._until_hung_up()
        await self.transport_stream.send_all(side.passed(rest))

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read, up to the next fault; beyond it if the connection survives."""
        side = self._inbound
        while side.left == 0 and not self._deaf:
            await self._strike(side)
        if self._deaf:
            await self._until_hung_up()
        limits = [limit for limit in (side.left, max_bytes) if limit is not None]
        data = await self.transport_stream.receive_some(min(limits, default=None))
        if self._deaf:
            await self._until_hung_up()
        return side.passed(bytes(data))

    async def _strike(self, side: _Side) -> None:
        fault = side.due.popleft()
        if not fault.strikes():
            return
        match fault.what:
            case Drop(how=how):
                await end(self, reset=how == "reset")
                raise trio.BrokenResourceError("dropped by a fault")
            case Freeze(reading=reading, writing=writing):
                self._deaf, self._dumb = reading, writing
            case Delay(seconds=seconds):
                await trio.sleep(seconds)
            case Garble(size=size):
                side.to_garble = size

    async def _until_hung_up(self) -> None:
        await wait_unless_hung_up(self.transport_stream, trio.Event())
        raise trio.BrokenResourceError("the client has hung up during a stall")

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for more."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream below."""
        await self.transport_stream.aclose()


def garbled(data: bytes, start: int, size: int) -> bytes:
    """Data with every bit turned over in ``size`` bytes from ``start`` on."""
    spoilt = bytes(byte ^ 0xFF for byte in data[start : start + size])
    return data[:start] + spoilt + data[start + len(spoilt) :]
