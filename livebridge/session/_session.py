"""The public face of a session: three ways to start one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import trio

from livebridge.errors import LivebridgeError, SessionFailedError
from livebridge.otp import start, start_link
from livebridge.session._build import build
from livebridge.session._handler import Handler
from livebridge.session._verbs import Verbs


class Session(Verbs):
    """A real-time conversation with Gemini that survives its connections.

    Make one with `start` (a block), `start_link` (a nursery of yours) or `child_spec` (a supervisor).
    """

    @classmethod
    @asynccontextmanager
    async def start(cls, handler: Handler | None = None, /, **options: object) -> AsyncIterator[Self]:
        """Start a session for the length of a block; the block is entered when it is ready.

        Leaving the block closes the session in order; an exception in the block closes it without a drain and
        comes out as it is. A session that fails for good cancels the block.

        Args:
            handler: Callbacks as methods; or give them as ``on_…`` keywords.
            options: See `livebridge.session` for the list.

        Raises:
            ConfigError: An option, a callback or the configuration is wrong; nothing was dialled.
            CredentialsError: No credentials were found.
            ConnectError: The first dial failed.
            SetupError: The first setup was refused.
            SessionFailedError: The session failed while the block ran.
        """
        session = cls()
        actor = build(session, handler, options)
        body_error: BaseException | None = None
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, actor)
            assert ref is not None
            with trio.CancelScope() as body:
                ref.monitor(lambda _: body.cancel())
                try:
                    if actor.state.options.connect:
                        await session.connect()
                    yield session
                except trio.Cancelled:
                    with trio.CancelScope(shield=True):
                        await _leave(session, drain=False)
                    raise
                except BaseException as error:  # noqa: BLE001 - raised again below, outside the nursery
                    body_error = error
                    await _leave(session, drain=False)
                else:
                    await _leave(session, drain=True)
        failure = _failure_of(session)
        if body_error is not None:
            if failure is not None and failure is not body_error:
                body_error.add_note(f"the session had failed as well: {failure}")
            raise body_error
        if failure is not None and not actor.state.closing:
            raise failure

    @classmethod
    async def start_link(
        cls, nursery: trio.Nursery, handler: Handler | None = None, /, **options: object
    ) -> Self:
        """Start a session in a nursery of yours; an abnormal end raises there, like a link.

        Args:
            nursery: Where it lives. Cancelling the nursery ends the session.
            handler: Callbacks as methods; or give them as ``on_…`` keywords.
            options: See `livebridge.session`.

        Returns:
            The session: ready, or with ``connect=False`` as it is.

        Raises:
            ConfigError: An option, a callback or the configuration is wrong.
            CredentialsError: No credentials were found.
            ConnectError: The first dial failed (raised here, not in the nursery).
            SetupError: The first setup was refused (raised here, not in the nursery).
        """
        session = cls()
        actor = build(session, handler, {**options, "connect": False})
        await start_link(nursery, actor)
        if options.get("connect", True):
            await session.connect()
        return session


async def _leave(session: Session, *, drain: bool) -> None:
    if not session.closed:
        await session.close(drain=drain)


def _failure_of(session: Session) -> LivebridgeError | None:
    """What `Session.start` raises after the block, if the session ended by an error."""
    cause: BaseException | None = session._state.failure  # noqa: SLF001 - the two halves of one object
    reason = session.ref.exit_reason
    if cause is None and reason is not None and reason.abnormal:
        cause = reason.exc
    if cause is None:
        return None
    known = cause if isinstance(cause, LivebridgeError) else LivebridgeError()
    failed = SessionFailedError(
        f"the session failed: {cause}",
        code=known.code,
        status=known.status,
        phase=known.phase,
        retryable=False,
    )
    failed.__cause__ = cause
    return failed
