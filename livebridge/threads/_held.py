"""An async context manager that stays open while other threads come and go."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import Generic, TypeVar

import trio

from livebridge.errors import SessionClosedError
from livebridge.threads._portal import Portal

T = TypeVar("T")


class BodyFailedError(Exception):
    """What the async block is told when the blocking one was left by an exception, which stays in its thread."""


class Held(Generic[T]):
    """Enters and leaves an async context manager in one task, as cancel scopes and nurseries demand.

    All methods are for the portal's trio thread.
    """

    def __init__(self, portal: Portal, manager: AbstractAsyncContextManager[T]) -> None:
        self._portal = portal
        self._manager = manager
        self._values: list[T] = []
        self._entered = trio.Event()
        self._leave = trio.Event()
        self._failed = False
        self._done = trio.Event()
        self._job: Future[None] = Future()

    async def enter(self) -> T:
        """Enter the block.

        Raises:
            BaseException: What entering it raised.
        """
        self._job = self._portal.spawn(self._keep)
        self._job.add_done_callback(lambda _: self._ended())
        try:
            await self._entered.wait()
        except trio.Cancelled:
            self._job.cancel()
            raise
        if not self._values:
            self._job.result()
        return self._values[0]

    def release(self, *, failed: bool = False) -> None:
        """Let the block be left.

        Args:
            failed: As if by an exception.
        """
        self._failed = self._failed or failed
        self._leave.set()

    async def leave(self, *, failed: bool = False) -> None:
        """Leave the block and wait until it has been left.

        Raises:
            BaseException: What the block raised, in the middle or when it was left.
        """
        self.release(failed=failed)
        await self._done.wait()
        self._job.result()

    def _ended(self) -> None:
        self._entered.set()
        self._done.set()

    async def _keep(self) -> None:
        async with self._manager as value:
            self._values.append(value)
            self._entered.set()
            await self._leave.wait()
            if self._failed:
                raise BodyFailedError


@contextmanager
def hold(
    portal: Portal, manager: AbstractAsyncContextManager[T], *, what: str, limit: float | None = None
) -> Iterator[T]:
    """Use an async context manager in a ``with`` block of any thread.

    Raises:
        BaseException: What entering or leaving it raised; an exception in the block comes out as it is.
    """
    held = Held(portal, manager)
    value = portal.run(held.enter, what=what, limit=limit)
    try:
        yield value
    except BaseException as error:
        _leave_failed(portal, held, error, what=what)
        raise
    portal.run(held.leave, what=what, limit=limit)


def _leave_failed(portal: Portal, held: Held[T], error: BaseException, *, what: str) -> None:
    """Leave after an exception in the block; what goes wrong as well is noted on it."""
    try:
        portal.run(partial(held.leave, failed=True), what=what)
    except (BodyFailedError, SessionClosedError):
        return
    except BaseExceptionGroup as group:
        _, others = group.split(BodyFailedError)
        if others is not None:
            error.add_note(f"{what} failed as well: {others!r}")
    except Exception as another:  # noqa: BLE001 - the first one is raised
        error.add_note(f"{what} failed as well: {another!r}")
