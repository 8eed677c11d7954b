"""The script form: block until the session ends; Ctrl-C closes it in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator

import trio

from livebridge.protocol import CloseInfo
from livebridge.session._handler import Handler
from livebridge.session._session import Session


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
    """
    return trio.run(_main, handler, options)


async def _main(handler: Handler | None, options: dict[str, object]) -> CloseInfo:
    error: BaseException | None = None
    info: CloseInfo | None = None
    async with trio.open_nursery() as nursery:
        try:
            async with Session.start(handler, **options) as session:
                if threading.current_thread() is threading.main_thread():
                    await nursery.start(_close_on_interrupt, session)
                info = await session.wait_closed()
        except trio.Cancelled:
            raise
        except BaseException as raised:  # noqa: BLE001 - raised again below, outside the nursery
            error = raised
        nursery.cancel_scope.cancel()
    if error is not None:
        raise error
    assert info is not None
    return info


async def _close_on_interrupt(
    session: Session, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT) as interrupts:
        task_status.started()
        async for _ in interrupts:
            break
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_interrupt_at_once, interrupts)
            await session.close()
            nursery.cancel_scope.cancel()


async def _interrupt_at_once(interrupts: AsyncIterator[int]) -> None:
    async for _ in interrupts:
        raise KeyboardInterrupt
