"""The only module that reads and writes a TCP socket below trio's streams: one system call and no switch each.

trio's own stream tries to read before it waits, and lets other tasks run after every write. A connection that
mostly waits for the next message pays for both with each message: a read that finds nothing, and a task
switch after a write that did not block. Here a read waits first, and a write that the socket takes at once is
over at once.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import trio

_READ_BYTES: Final = 64 * 2**10


class DirectSocket(trio.abc.Stream):
    """A connected TCP socket; one task reads, one writes.

    Args:
        stream: Owns the socket, and closes it.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._socket = stream.socket

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for data and take what is there.

        Args:
            max_bytes: At most so many; 64 KiB by default.

        Returns:
            Some bytes; none at the end of the stream.

        Raises:
            trio.BrokenResourceError: The connection broke.
            trio.ClosedResourceError: It was closed on this side.
        """
        while True:
            await trio.lowlevel.wait_readable(self._descriptor())
            try:
                return os.read(self._descriptor(), max_bytes or _READ_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from error

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write everything; waits only while the socket takes no more.

        Args:
            data: What to write.

        Raises:
            trio.BrokenResourceError: The connection broke.
            trio.ClosedResourceError: It was closed on this side.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor(), left) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._descriptor())
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from error

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the socket takes something.

        Raises:
            trio.ClosedResourceError: It was closed on this side.
        """
        await trio.lowlevel.wait_writable(self._descriptor())

    async def aclose(self) -> None:
        """Close the socket."""
        self._socket.close()
        await trio.lowlevel.checkpoint()

    def _descriptor(self) -> int:
        descriptor = self._socket.fileno()
        if descriptor < 0:
            raise trio.ClosedResourceError("this socket was closed")
        return descriptor


def direct(stream: trio.SocketStream) -> trio.abc.Stream:
    """Make reads and writes direct where the system can: not on Windows, whose sockets are no files."""
    return stream if sys.platform == "win32" else DirectSocket(stream)
