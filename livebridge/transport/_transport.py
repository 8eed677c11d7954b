"""What a transport is: the seam between a session and whatever carries its frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ssl import SSLContext
from typing import Final, Literal, Protocol, runtime_checkable

import attrs
import trio

from livebridge.errors import ConnectionLostError, InitiatedBy

# The official Python client stops at 1 MiB, which generated images and video exceed.
MAX_MESSAGE_BYTES: Final = 16 * 2**20

# One read takes several audio messages; 4 KiB reads double the cost of each.
RECEIVE_BUFFER_BYTES: Final = 64 * 2**10

# About two seconds of audio at 25 messages a second may wait before reading pauses.
MESSAGE_QUEUE_SIZE: Final = 64

# Name lookup, TCP, proxy, TLS and upgrade together.
DIAL_TIMEOUT_SECONDS: Final = 10.0

# A healthy peer answers a close frame within one round trip.
CLOSE_TIMEOUT_SECONDS: Final = 2.0

ProxySetting = str | None
"""A proxy URL, ``None`` for a direct connection, or ``"env"`` for the environment's rules."""


_ENDINGS: Final[Mapping[InitiatedBy, str]] = {
    "client": "the connection was closed by this side",
    "server": "the server closed the connection",
    "network": "the connection broke without a close frame",
}


@attrs.frozen(kw_only=True)
class CloseInfo:
    """How a connection ended.

    Attributes:
        code: WebSocket close code that was sent or received; ``None`` when there was no close frame
            (reset, end of file, abort); 1005 when the server's close frame carried no code.
        reason: The text of the close frame, often the only explanation there is.
        initiated_by: ``client`` (we closed, or refused what came), ``server`` (its close frame came
            first) or ``network`` (neither said goodbye).
    """

    code: int | None = None
    reason: str = ""
    initiated_by: InitiatedBy = "network"

    def to_error(self, cause: BaseException | None = None) -> ConnectionLostError:
        """Build the error that a transport raises for this end.

        Args:
            cause: What the operating system or TLS said, if anything.

        Returns:
            A new `ConnectionLostError` with code, reason and initiator.
        """
        error = ConnectionLostError(
            _describe(self), code=self.code, reason=self.reason, initiated_by=self.initiated_by
        )
        error.__cause__ = cause
        return error


def _describe(info: CloseInfo) -> str:
    detail = "" if info.code is None else f" with {info.code}"
    text = f": {info.reason}" if info.reason else ""
    return f"{_ENDINGS[info.initiated_by]}{detail}{text}"


@runtime_checkable
class Transport(Protocol):
    """One established connection that carries whole messages, in both directions.

    One task receives and one task sends; `ping`, `aclose` and `abort` may be called from any task.
    """

    async def receive(self) -> Sequence[bytes]:
        """Wait for messages and take every one that is ready.

        Text arrives as UTF-8 bytes. Cancelling this call loses nothing.

        Returns:
            One message or more, in order.

        Raises:
            ConnectionLostError: The connection has ended and every message before its end was taken.
        """
        ...

    async def send(self, frames: Sequence[bytes]) -> None:
        """Write the frames as text messages, in order, in as few writes as possible.

        A call cancelled before it writes writes nothing. A call cancelled in the middle leaves a torn
        frame, so the connection is aborted: shield it.

        Args:
            frames: UTF-8 text, one message each.

        Raises:
            ConnectionLostError: The connection has ended or is closing; how much of the last write
                arrived is unknown.
        """
        ...

    async def ping(self) -> None:
        """Write a ping and do not wait for its answer, which shows in `last_heard`.

        Raises:
            ConnectionLostError: The connection has ended or is closing.
        """
        ...

    async def aclose(
        self, code: int = 1000, reason: str = "", *, timeout: float = CLOSE_TIMEOUT_SECONDS
    ) -> None:
        """Say goodbye, take what still arrives, close. Idempotent; never raises.

        Shielded from cancellation and over after ``timeout`` seconds whatever the peer does. Messages that
        arrived before the end can still be received afterwards.

        Args:
            code: WebSocket close code.
            reason: At most 123 bytes of UTF-8; more is cut.
            timeout: Seconds until the connection is aborted instead.
        """
        ...

    def abort(self) -> None:
        """Drop the connection now, without a close frame. Synchronous and idempotent."""
        ...

    @property
    def last_heard(self) -> float:
        """When the peer was last heard, by any kind of frame or part of one (`trio.current_time`)."""
        ...

    @property
    def close_info(self) -> CloseInfo | None:
        """How the connection ended, ``None`` while it has not."""
        ...


Sink = Callable[[Sequence[bytes]], bool]
"""Takes messages, or says ``False`` and takes none of them; it never waits and never raises."""


@runtime_checkable
class Forwarding(Protocol):
    """What a transport may offer beside `Transport`: messages without a task switch."""

    def forward(self, sink: Sink | None) -> None:
        """Give messages to a function, in the task that reads them, as soon as they arrive.

        What the function refuses, and all that comes while there is none, waits for `Transport.receive`; it
        is offered again together with what comes next. Order is kept either way, as long as the function
        refuses while its owner has not dealt with everything that `Transport.receive` gave.

        Args:
            sink: Gets everything that waits, in order; ``None``: no more.
        """
        ...


class Dial(Protocol):
    """What opens a transport: `dial`, `MemoryNetwork.dial` or a faster one of your own."""

    async def __call__(
        self,
        nursery: trio.Nursery,
        url: str,
        *,
        headers: Mapping[str, str],
        ssl_context: SSLContext | None = None,
        proxy: ProxySetting | Literal["env"] = "env",
        dial_timeout: float = DIAL_TIMEOUT_SECONDS,
        max_message_size: int = MAX_MESSAGE_BYTES,
        receive_buffer_size: int = RECEIVE_BUFFER_BYTES,
        message_queue_size: int = MESSAGE_QUEUE_SIZE,
    ) -> Transport: ...
