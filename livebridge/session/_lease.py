"""A transport and the task that its own tasks live in: dialled ahead of its use, closed before the next one.

A connection's tasks must not live in the nursery that serves the connection, or a spare one (the ``warm``
handover) could not be dialled while the old one is still in use. So each transport has a task of its own,
which ends when the lease is given back.
"""

from __future__ import annotations

import attrs
import trio

from livebridge.errors import ConnectionFailureError
from livebridge.session._handshake import Handshake
from livebridge.transport import CloseInfo, Transport


@attrs.define(eq=False)
class Lease:
    """One dial and what came of it.

    Args:
        handshake: Dials.
        refresh: Ask for new credentials.
    """

    handshake: Handshake
    refresh: bool = False
    _transport: Transport | None = None
    _error: ConnectionFailureError | None = None
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _settled: trio.Event = attrs.field(factory=trio.Event)
    _released: trio.Event = attrs.field(factory=trio.Event)
    _done: trio.Event = attrs.field(factory=trio.Event)

    async def run(self) -> None:
        """Dial, then keep the transport's tasks alive until the lease is given back."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    try:
                        self._transport = await self.handshake.open(nursery, refresh=self.refresh)
                    except ConnectionFailureError as error:
                        self._error = error
                    self._settled.set()
                    if self._transport is not None:
                        await self._released.wait()
                    nursery.cancel_scope.cancel()
        finally:
            self._settled.set()
            self._done.set()

    async def transport(self) -> Transport:
        """Wait for the dial; if the wait is cancelled, so is the dial.

        Raises:
            ConnectError: The dial failed.
        """
        try:
            await self._settled.wait()
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

    async def give_back(self, *, timeout: float) -> None:
        """Close the transport, if there is one, and wait until its tasks are gone."""
        with trio.CancelScope(shield=True):
            if self._transport is not None:
                await self._transport.aclose(timeout=timeout)
                self._released.set()
            else:
                self._scope.cancel()
            await self._done.wait()
