"""A supervisor as a block: children live inside it, and leaving it stops them in order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

import trio

from livebridge.otp._process import Process
from livebridge.otp._reason import SHUTDOWN, ExitReason
from livebridge.otp._server import GenServer

K = TypeVar("K", bound=GenServer)


class Opening(Generic[K]):
    """What ``Supervisor.open`` returns; see there.

    No exception leaves it wrapped in a group: children never raise, the body's exception is raised as it is, and
    where the supervisor failed while the body did too, the body's exception carries a note.
    """

    def __init__(self, keeper: K, name: object, escalation: Callable[[], Exception | None]) -> None:
        self._keeper = keeper
        self._escalation = escalation
        self._process = Process(keeper, name=name, on_exit=self._exited)
        self._manager: AbstractAsyncContextManager[trio.Nursery] = trio.open_nursery()
        self._body = trio.CancelScope()
        self._failure: BaseException | None = None

    async def __aenter__(self) -> K:
        nursery = await self._manager.__aenter__()
        try:
            await nursery.start(self._process.run, name=str(self._process.cell.name))
        except BaseException:
            await self._manager.__aexit__(None, None, None)
            raise
        self._body.__enter__()
        return self._keeper

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        absorbed, raised = self._leave_body(exc_type, exc, traceback)
        self._process.cell.request_stop(SHUTDOWN)
        try:
            await self._manager.__aexit__(None, None, None)
        except BaseExceptionGroup as group:  # a KeyboardInterrupt struck while this task waited
            self._failure = group.exceptions[0]
        failure = self._failure
        if failure is not None and not isinstance(failure, Exception):
            raise failure
        if raised is None or absorbed:
            if failure is not None:
                raise failure
            await trio.lowlevel.checkpoint_if_cancelled()
            return absorbed
        if failure is not None and raised is not failure:
            raised.add_note(f"and {self._keeper.ref.name} failed meanwhile: {failure!r}")
        if raised is not exc:
            raise raised
        return False

    def _leave_body(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> tuple[bool, BaseException | None]:
        """Close the scope of the body: was its exception our own cancellation, and what is left of it?"""
        try:
            return bool(self._body.__exit__(exc_type, exc, traceback)), exc
        except BaseException as rest:  # noqa: BLE001 - raised again at the end of the block
            return False, rest

    def _exited(self, reason: ExitReason, fatal: BaseException | None) -> None:
        """Keep what must leave the block, and end the body because of it."""
        if fatal is not None and not isinstance(fatal, trio.Cancelled):
            self._failure = fatal
        else:
            self._failure = self._escalation()
        if self._failure is None and reason.kind == "error":
            self._failure = self._process.cell.exit_error(reason)
        if self._failure is not None:
            self._body.cancel()
