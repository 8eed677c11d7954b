"""The script form: block until the session ends; Ctrl-C closes it in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import trio

from livebridge.errors import LivebridgeError, SessionClosedError
from livebridge.protocol import CloseInfo
from livebridge.session._handler import Handler
from livebridge.session._session import Session
from livebridge.session._surroundings import check_outside_trio


def run(handler: Handler | None = None, /, **options: object) -> CloseInfo:
    """Run one session until it ends. For scripts; inside trio use `Session.start`.

    Ctrl-C closes the session in order (what was accepted is delivered, ``on_close`` is called); a second one
    interrupts at once.

    Args:
        handler: Callbacks as methods; or give them as ``on_…`` keywords.
        options: As `Session.start`.

    Returns:
        How it ended.

    Raises:
        LivebridgeError: As `Session.start`.
        KeyboardInterrupt: On the second Ctrl-C.
        LocalProtocolError: Trio runs here already.
    """
    check_outside_trio(
        "livebridge.run", "async with Session.start(…) as session, or Supervisor.open() for many"
    )
    return trio.run(_main, handler, options)


async def _main(handler: Handler | None, options: dict[str, object]) -> CloseInfo:
    interrupted = trio.Event()
    async with Session.start(handler, **{**options, "connect": False}) as session:
        async with trio.open_nursery() as nursery:
            if threading.current_thread() is threading.main_thread():
                await nursery.start(_close_on_interrupt, session, nursery.cancel_scope, interrupted)
            info, error = await _outcome(session, connect=bool(options.get("connect", True)))
            nursery.cancel_scope.cancel()
        if interrupted.is_set():
            raise KeyboardInterrupt
        if error is not None:
            raise error
    assert info is not None
    return info


async def _outcome(session: Session, *, connect: bool) -> tuple[CloseInfo | None, LivebridgeError | None]:
    try:
        if connect:
            with suppress(SessionClosedError):
                await session.connect()
        return await session.wait_closed(), None
    except LivebridgeError as error:
        return None, error


async def _close_on_interrupt(
    session: Session,
    scope: trio.CancelScope,
    interrupted: trio.Event,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Close on the first Ctrl-C; on the second one set ``interrupted`` and give everything up."""
    with trio.open_signal_receiver(signal.SIGINT) as interrupts:
        task_status.started()
        await _next(interrupts)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.close)
            await _next(interrupts)
            session._cut_short()  # noqa: SLF001 - the two halves of one object
            interrupted.set()
            scope.cancel()


async def _next(interrupts: AsyncIterator[int]) -> None:
    async for _ in interrupts:
        return
