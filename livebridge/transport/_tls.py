"""The only module that speaks TLS over a stream: everything ready is decrypted at once, and nothing is locked.

::

    stream --receive_some--> incoming --decrypt--> receive_some()   all records that are complete
    stream <----send_all---- outgoing <--encrypt-- send_all()       one write, whatever the number of records

It differs from trio's general TLS stream in what a client of long conversations can do without: there is no
end of TLS apart from the end of the connection, and one task reads while one writes, so that a message costs
no lock and no switch between tasks.
"""

from __future__ import annotations

import ssl
from typing import Final

import trio

_READ_BYTES: Final = 64 * 2**10


class TlsStream(trio.abc.Stream):
    """TLS for the client's side of a stream; `do_handshake` comes first.

    An end of the stream without TLS's goodbye counts as an end: WebSocket has a goodbye of its own.

    Args:
        stream: Carries the records.
        context: Verifies the server.
        server_hostname: Whom the certificate must name.
    """

    def __init__(self, stream: trio.abc.Stream, context: ssl.SSLContext, *, server_hostname: str) -> None:
        self._stream = stream
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._flushing = False
        self._flushed = trio.lowlevel.ParkingLot()

    async def do_handshake(self) -> None:
        """Agree on keys and verify the server.

        Raises:
            trio.BrokenResourceError: It failed; the ``ssl.SSLError`` is its cause, if there is one.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill(_READ_BYTES):
                    raise trio.BrokenResourceError("the peer hung up during the handshake") from None
            except (ssl.SSLError, ssl.CertificateError) as error:
                await self._flush()
                raise trio.BrokenResourceError("the handshake failed") from error
            else:
                await self._flush()
                return

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for data and take all that is there.

        Args:
            max_bytes: How much is read from the stream below at once; 64 KiB by default.

        Returns:
            Some bytes; none at the end of the stream.

        Raises:
            trio.BrokenResourceError: The connection broke, or what came is no TLS.
            trio.ClosedResourceError: It was closed on this side.
        """
        while not (data := self._decrypt()):
            if data is None or not await self._fill(max_bytes or _READ_BYTES):
                return b""
            if self._outgoing.pending and not self._flushing:
                await self._flush()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write everything.

        Args:
            data: What to write; not empty.

        Raises:
            trio.BrokenResourceError: The connection broke.
            trio.ClosedResourceError: It was closed on this side.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while self._flushing:
            await self._flushed.park()
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise trio.BrokenResourceError("TLS cannot write") from error
        await self._flush()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the stream below takes something."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream below."""
        await self._stream.aclose()

    def _decrypt(self) -> bytes | None:
        """Everything that can be decrypted now; ``None`` when the peer has ended TLS and nothing is left."""
        found: list[bytes] = []
        try:
            while not found or self._incoming.pending or self._tls.pending():
                found.append(self._tls.read(_READ_BYTES))
                if not found[-1]:
                    return b"".join(found) or None
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if not found:
                raise trio.BrokenResourceError("what came is no TLS") from error
        return b"".join(found)

    async def _fill(self, max_bytes: int) -> bool:
        data = await self._stream.receive_some(max_bytes)
        self._incoming.write(data)
        return bool(data)

    async def _flush(self) -> None:
        """Write all records there are, also those that the reading side adds meanwhile (a change of keys)."""
        self._flushing = True
        try:
            while self._outgoing.pending:
                await self._stream.send_all(self._outgoing.read())
        finally:
            self._flushing = False
            self._flushed.unpark_all()
