"""The public face of a session: three ways to start one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Self, TypeVar

import trio

from livebridge.errors import ActorExitError, ConfigError, LivebridgeError, SessionFailedError
from livebridge.otp import Backoff, ChildSpec, GenServer, Restart, ShutdownWord, start, start_link
from livebridge.session._build import build
from livebridge.session._handler import Handler
from livebridge.session._starting import Starting
from livebridge.session._store import MemoryResumeStore, ResumeStore
from livebridge.session._surroundings import check_in_trio
from livebridge.session._verbs import Verbs

_S = TypeVar("_S", bound="Session")

DEFAULT_BACKOFF: Final = Backoff(initial=1.0, factor=2.0, max=60.0, jitter="full", reset_after=60.0)
"""A crash loop restarts after at most 1, 2, 4, 8 … seconds; a minute of good health forgives."""


class Session(Verbs):
    """A real-time conversation with Gemini that survives its connections.

    Make one with `start` (a block), `start_link` (a nursery of yours) or `child_spec` (a supervisor). Their options
    are the fields of `livebridge.session.Options` (how the session behaves) and of `livebridge.protocol.LiveConfig`
    (what the model is asked for), all as keywords.

    All attributes are plain reads, never a message and never a wait. Every ``send_…`` accepts the message into
    the session's outbox and returns; a connection that breaks afterwards does not lose it. Sends raise

    * `NotConnectedError` before the first ``connect``,
    * `SessionClosedError` after ``close``, for good,
    * `SessionFailedError` after a failure,
    * `ConfigError` for what cannot be sent, or what the server would hang up on,
    * `LocalProtocolError` where no trio runs (asyncio, other threads);

    nothing has been sent then, and except after an end the session lives on.
    """

    def __init__(self, *args: object, **options: object) -> None:
        if args or options:
            name = type(self).__name__
            raise ConfigError(
                f"a session is not made but started: async with {name}.start(…) as session, or one of"
                f" {name}.start_link and {name}.child_spec, with the same options"
            )
        super().__init__()

    @classmethod
    def start(cls, handler: Handler | None = None, /, **options: object) -> AbstractAsyncContextManager[Self]:
        """Start a session for the length of a block; the block is entered when it is ready.

        Leaving the block closes the session in order; an exception in the block closes it without a drain and
        comes out as it is. A session that fails for good cancels the block; one that is closed does not.

        Args:
            handler: Callbacks as methods; or give them as ``on_…`` keywords.
            options: The fields of `livebridge.session.Options` and of `livebridge.protocol.LiveConfig`.

        Raises:
            ConfigError: An option, a callback or the configuration is wrong; nothing was dialled.
            CredentialsError: No credentials were found.
            ConnectError: The first dial failed.
            SetupError: The first setup was refused.
            SessionFailedError: The session failed while the block ran.
            LivebridgeError: A function of yours (`dial`, say) raised something else; that is its cause.
            LocalProtocolError: This is no task of trio.
        """
        return Starting(_block(cls, handler, options), cls)

    @classmethod
    async def start_link(
        cls, nursery: trio.Nursery, handler: Handler | None = None, /, **options: object
    ) -> Self:
        """Start a session in a nursery of yours; an abnormal end raises there, like a link.

        Args:
            nursery: Where it lives. Cancelling the nursery ends the session.
            handler: Callbacks as methods; or give them as ``on_…`` keywords.
            options: As `start`.

        Returns:
            The session: ready, or with ``connect=False`` as it is.

        Raises:
            ConfigError: An option, a callback or the configuration is wrong.
            CredentialsError: No credentials were found.
            ConnectError: The first dial failed (raised here, not in the nursery).
            SetupError: The first setup was refused (raised here, not in the nursery).
            LocalProtocolError: This is no task of trio.
        """
        check_in_trio()
        session = cls()
        actor = build(session, handler, {**options, "connect": False})
        await start_link(nursery, actor)
        if options.get("connect", True):
            await session.connect()
        return session

    @classmethod
    def child_spec(
        cls,
        handler: Callable[[], Handler] | None = None,
        /,
        *,
        id: Hashable,  # noqa: A002 - OTP's word
        restart: Restart = "transient",
        shutdown: float | ShutdownWord = 10.0,
        backoff: Backoff | None = DEFAULT_BACKOFF,
        significant: bool = False,
        resume_store: ResumeStore | None = None,
        **options: object,
    ) -> ChildSpec:
        """Say how a supervisor starts and restarts a session.

        Network trouble never counts as a restart: the session reconnects by itself. It is restarted when your
        code breaks it (``on_callback_error="crash"``), when it gives up reconnecting, or when it is killed; not
        when it was closed, and not when a restart cannot help (a bad key, a bad model).

        Args:
            handler: Makes a new `Handler` for each incarnation: its class, or a function. Leave it out to give
                callbacks as keywords.
            id: Name within the supervisor, and the key of the snapshot in the store.
            restart: ``permanent``, ``transient`` or ``temporary``.
            shutdown: Seconds to stop in order before it is killed.
            backoff: Delays between restarts.
            significant: See `ChildSpec`.
            resume_store: Where handle and unsettled messages survive; by default in memory.
            options: As `start`.

        Raises:
            ConfigError: An option or the configuration is wrong; found here, not at the first restart.
            CredentialsError: No credentials were found.
        """
        made: object = handler
        if isinstance(made, Handler):
            name = type(made).__name__
            raise ConfigError(
                f"child_spec takes what makes a new Handler for each start, not an instance: give the class {name},"
                f" or a function such as lambda: {name}(…)"
            )
        settings = {
            "resume_key": str(id),
            "resume_store": MemoryResumeStore() if resume_store is None else resume_store,
            **options,
        }
        build(cls(), None if handler is None else handler(), settings)

        def incarnate() -> GenServer:
            actor = build(cls(), None if handler is None else handler(), settings)
            actor.supervised = True
            return actor

        return ChildSpec(
            id=id,
            start=incarnate,
            restart=restart,
            shutdown=shutdown,
            backoff=backoff,
            significant=significant,
        )


@asynccontextmanager
async def _block(cls: type[_S], handler: Handler | None, options: Mapping[str, object]) -> AsyncIterator[_S]:
    """See `Session.start`."""
    check_in_trio()
    session = cls()
    actor = build(session, handler, options)
    body_error: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            ref = await start(nursery, actor)
            assert ref is not None
            with trio.CancelScope() as body:
                ref.monitor(lambda _: body.cancel() if _failure_of(session) else None)
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
    except BaseExceptionGroup as group:
        raise _alone(group) from None
    failure = _failure_of(session)
    if body_error is not None:
        if failure is not None and not _tells(body_error, failure):
            body_error.add_note(f"the session had failed as well: {failure}")
        raise body_error
    if failure is not None:
        raise failure


def _tells(error: BaseException, failure: LivebridgeError) -> bool:
    """Whether an error is, or was caused by, the very thing that a failure is about."""
    seen: BaseException | None = error
    while seen is not None:
        if seen is failure or seen is failure.__cause__:
            return True
        seen = seen.__cause__
    return False


async def _leave(session: Session, *, drain: bool) -> None:
    if not session.closed:
        await session.close(drain=drain)


def _alone(group: BaseExceptionGroup) -> BaseException:
    """Take a KeyboardInterrupt out of its wrapping: nothing but the actor can raise in that nursery."""
    error: BaseException = group.subgroup(lambda each: not isinstance(each, trio.Cancelled)) or group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _failure_of(session: Session) -> LivebridgeError | None:
    """What `Session.start` raises after the block, if the session ended by an error."""
    cause: BaseException | None = session._state.failure  # noqa: SLF001 - the two halves of one object
    reason = session.ref.exit_reason
    if cause is None and reason is not None and reason.abnormal:
        closing = session._state.closing  # noqa: SLF001 - as above
        cause = reason.exc or (None if closing else ActorExitError(f"it ended: {reason}", reason=reason))
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
