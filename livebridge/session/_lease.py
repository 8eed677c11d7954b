"""A transport and the task that its own tasks live in: dialled ahead of its use, closed before the next one.

A connection's tasks must not live in the nursery that serves the connection, or a spare one (the ``warm``
handover) could not be dialled while the old one is still in use. So each transport has a task of its own,
which ends when the lease is given back.
"""

from __future__ import annotations

import attrs
import trio

from livebridge.session._handshake import Handshake
from livebridge.transport import CloseInfo, Transport


@attrs.define(eq=False)
class Lease:
    """One dial and what came of it.

    Args:
        handshake: Dials.
        refresh: Ask for new credentials.

    Attributes:
        released: Given back, and the server has let go of the connection as far as one can know: it has ended
            it, or answered our close, or the network is gone. Otherwise it may believe that it goes on.
    """

    handshake: Handshake
    refresh: bool = False
    released: bool = True
    _transport: Transport | None = None
    _error: Exception | None = None
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _patience: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _settled: trio.Event = attrs.field(factory=trio.Event)
    _free: trio.Event = attrs.field(factory=trio.Event)
    _done: trio.Event = attrs.field(factory=trio.Event)

    async def run(self) -> None:
        """Dial, then keep the transport's tasks alive until the lease is given back."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    try:
                        self._transport = await self.handshake.open(nursery, refresh=self.refresh)
                    except Exception as error:  # noqa: BLE001 - raised where the transport is asked for
                        self._error = error
                    self._settled.set()
                    if self._transport is not None:
                        await self._free.wait()
                    nursery.cancel_scope.cancel()
        finally:
            self._settled.set()
            self._done.set()

    async def transport(self) -> Transport:
        """Wait for the dial; if the wait is cancelled, so is the dial.

        Raises:
            ConnectError: The dial failed.
            Exception: Whatever else a dial of the user's has raised.
        """
        try:
            await self._settled.wait()
            if self._transport is None and self._error is None:
                # The dial was interrupted (Ctrl-C, for example), which is about to end whoever asks.
                await trio.sleep_forever()
        except trio.Cancelled:
            if self._transport is None:
                self._scope.cancel()
            raise
        if self._error is not None:
            raise self._error
        assert self._transport is not None
        return self._transport

    @property
    def close_info(self) -> CloseInfo | None:
        """How the transport ended, if there was one and it has."""
        return None if self._transport is None else self._transport.close_info

    def hurry(self, seconds: float) -> None:
        """Let a close that is under way take so many seconds more at most."""
        self._patience.deadline = min(self._patience.deadline, trio.current_time() + seconds)

    async def give_back(self, *, timeout: float) -> None:
        """Close the transport, if there is one, and wait until its tasks are gone.

        Args:
            timeout: Seconds until a server that does not answer the close is cut off.
        """
        with trio.CancelScope(shield=True):
            if self._transport is not None:
                await self._close(self._transport, timeout)
                self._free.set()
            else:
                self._scope.cancel()
            await self._done.wait()

    async def _close(self, transport: Transport, timeout: float) -> None:
        ended = transport.close_info
        deadline = trio.current_time() + timeout
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lose_patience, transport)
            await transport.aclose(timeout=timeout)
            nursery.cancel_scope.cancel()
        by_us = ended is None or ended.initiated_by == "client"
        self.released = not by_us or (ended is None and trio.current_time() < deadline)

    async def _lose_patience(self, transport: Transport) -> None:
        with self._patience:
            await trio.sleep_forever()
        if self._patience.cancelled_caught:
            transport.abort()
