"""One process's share of a `LiveBridgeThread`: its portal, and the sessions behind it."""

from __future__ import annotations

import atexit
import logging
import time
from contextlib import suppress
from functools import partial
from typing import Final

import trio

from livebridge.errors import SessionClosedError
from livebridge.session import Handler, Session
from livebridge.threads._held import Held
from livebridge.threads._portal import Portal
from livebridge.threads._session import RESULTS, BlockingSession

_log: Final = logging.getLogger("livebridge.threads")

EXIT_TIMEOUT_SECONDS: Final = 10.0
"""How long the end of a program waits for sessions: twice the default ``close_timeout``."""


class Home:
    """Keeps the sessions of one process. Its async methods are for the portal's trio thread.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self.portal = Portal(name, partial(atexit.register, self._at_exit))
        self._open: dict[Session, None] = {}

    async def start(self, handler: Handler | None = None, /, **options: object) -> BlockingSession:
        """Start a session that lives until it is closed, or the `LiveBridgeThread` is.

        Args:
            handler: Callbacks as methods; or give them as ``on_…`` keywords. They run in the trio thread.
            options: See `livebridge.session`.

        Returns:
            The session: ready, or with ``connect=False`` as it is.

        Raises:
            ConfigError: An option, a callback or the configuration is wrong; nothing was dialled.
            CredentialsError: No credentials were found.
            ConnectError: The first dial failed.
            SetupError: The first setup was refused.
            SessionClosedError: The `LiveBridgeThread` is closed.
        """
        held = Held(self.portal, Session.start(handler, **options))
        session = await held.enter()
        self._open[session] = None
        session.ref.monitor(lambda _: self._ended(session, held))
        return BlockingSession(self.portal, session, held)

    def close(self, *, drain: bool, timeout: float | None) -> None:
        """End all sessions and the thread; for any thread but the portal's own.

        Raises:
            TimeoutError: `timeout` passed.
            CallSelfError: Called in the trio thread, or in a thread that the trio thread waits for.
        """
        self.portal.refuse_inside("close()")
        began = time.monotonic()
        try:
            if self.portal.is_running:
                with suppress(SessionClosedError):
                    work = partial(self._close_sessions, drain=drain)
                    self.portal.run(work, what="close()", limit=timeout)
        finally:
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
            self.portal.close(timeout=left)
            atexit.unregister(self._at_exit)

    def _ended(self, session: Session, held: Held[Session]) -> None:
        self._open.pop(session, None)
        held.release()

    async def _close_sessions(self, *, drain: bool) -> None:
        async with trio.open_nursery() as nursery:
            for session in self._open:
                nursery.start_soon(_close, session, drain)

    def _at_exit(self) -> None:
        if self.portal.is_running:
            try:
                self.close(drain=True, timeout=EXIT_TIMEOUT_SECONDS)
            except TimeoutError as error:
                _log.warning("sessions were still open at the end of the program: %s", error)


async def _close(session: Session, drain: bool) -> None:  # noqa: FBT001 - start_soon has no keywords
    RESULTS[session] = await session.close(drain=drain)
