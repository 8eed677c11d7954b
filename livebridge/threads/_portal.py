"""The thread in which trio runs, and the way into it; the only module that knows threads.

::

    any thread                          the portal's thread
    submit(work) ── run_sync_soon ────▶ one task and one cancel scope for each piece of work
        Future   ◀── result, error ─────┘
        Future.cancel() ──────────────▶ cancels the scope

anyio's ``BlockingPortal`` is built alike, but a Ctrl-C in its ``call`` leaves the task behind, and a
``BaseException`` in one task ends all of them.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Final, TypeVar

import trio

from livebridge.errors import CallSelfError, SessionClosedError
from livebridge.threads._futures import fail, out_of_time, resolve, wait

T = TypeVar("T")

Work = Callable[[], Awaitable[T]]
"""What is done in the trio thread."""

_home: Final[ContextVar[Portal]] = ContextVar("livebridge_portal")
"""The portal of this task, or of the task whose worker thread this is."""


class Portal:
    """A daemon thread with a trio of its own, started by the first piece of work.

    Args:
        name: Of the thread.
        started: Called once, when there is a thread that has to be closed.
    """

    def __init__(self, name: str, started: Callable[[], object]) -> None:
        self._name = name
        self._started = started
        self._pid = os.getpid()
        self._lock = threading.RLock()  # a signal handler may call while its thread is in here
        self._thread: threading.Thread | None = None
        self._token: Future[trio.lowlevel.TrioToken] = Future()
        self._stop = trio.Event()
        self._closed = False
        self._nursery: trio.Nursery | None = None
        self._scopes: set[trio.CancelScope] = set()
        self._failers: set[Callable[[BaseException], object]] = set()

    @property
    def is_here(self) -> bool:
        """Whether this is the trio thread."""
        return self._pid == os.getpid() and threading.current_thread() is self._thread

    @property
    def is_running(self) -> bool:
        """Whether there is a trio thread in this process."""
        return self._pid == os.getpid() and self._thread is not None and self._thread.is_alive()

    def submit(self, work: Work[T]) -> Future[T]:
        """Do something as a task of its own; cancelling the future cancels the task.

        Raises:
            SessionClosedError: The portal is closed, or another process made it.
            CallSelfError: This is the trio thread.
        """
        self._refuse_here()
        return self.spawn(work)

    def spawn(self, work: Work[T]) -> Future[T]:
        """`submit`, for the trio thread as well.

        Raises:
            SessionClosedError: The portal is closed, or another process made it.
        """
        future: Future[T] = Future()
        self._post(work, future)
        return future

    def run(self, work: Work[T], *, what: str, limit: float | None = None) -> T:
        """Do something and wait for it.

        In a worker thread of a task of this very trio (a callback or a tool that was moved to a thread) that
        task does it, so that a session still knows its callbacks and tools.

        Args:
            work: What is to be done.
            what: What it is called, for errors.
            limit: Seconds; afterwards it is cancelled.

        Raises:
            TimeoutError: `limit` passed.
            SessionClosedError: The portal is closed, or another process made it.
            CallSelfError: This is the trio thread.
        """
        self._refuse_here()
        if self._is_worker():
            return trio.from_thread.run(_within, work, what, limit)
        future: Future[T] = Future()
        return wait(future, lambda: self._post(work, future), what=what, limit=limit)

    def read(self, read: Callable[[], T], *, what: str, limit: float | None = None) -> T:
        """Look at what lives in the trio thread: there, or here if nothing there can change it any more.

        Raises:
            TimeoutError: A callback has blocked the trio thread for `limit` seconds.
        """
        if self.is_running and not self.is_here:
            with suppress(SessionClosedError):
                return self.run(partial(_at_once, read), what=what, limit=limit)
        return read()

    def close(self, *, timeout: float | None = None) -> None:
        """Cancel what is being done and wait for the end of the thread. Idempotent.

        Raises:
            TimeoutError: A callback has blocked the thread for `timeout` seconds.
            CallSelfError: This is the trio thread.
        """
        self._refuse_here()
        if self._pid != os.getpid():
            return
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is None:
            return
        with suppress(trio.RunFinishedError, SessionClosedError):
            self._token.result().run_sync_soon(self._stop.set)
        thread.join(timeout)
        if thread.is_alive():
            raise TimeoutError(f"{self._name} did not end within {timeout:g} s: something blocks its thread")

    def refuse_inside(self, what: str) -> None:
        """See that this is no thread for which the trio thread waits.

        Raises:
            CallSelfError: It is.
        """
        self._refuse_here()
        if self._is_worker():
            raise CallSelfError(f"{what} in a callback or a tool would wait for that callback or tool")

    def _refuse_here(self) -> None:
        if self.is_here:
            raise CallSelfError(
                "a blocking call in the trio thread would wait for itself; callbacks use the async session "
                "(livebridge.current_session()), or are moved to a thread (livebridge.threads.in_thread)"
            )

    def _is_worker(self) -> bool:
        if _home.get(None) is not self:
            return False
        try:
            trio.from_thread.check_cancelled()
        except RuntimeError:
            return False
        return True

    def _post(self, work: Work[T], future: Future[T]) -> None:
        token = self._open()
        failer = partial(fail, future)
        self._failers.add(failer)
        future.add_done_callback(lambda _: self._failers.discard(failer))
        try:
            token.run_sync_soon(self._begin, work, future)
        except trio.RunFinishedError:
            raise self._closed_error() from None

    def _open(self) -> trio.lowlevel.TrioToken:
        if self._pid != os.getpid():
            raise SessionClosedError("this lives in the process that forked this one", retryable=False)
        with self._lock:
            if self._closed:
                raise self._closed_error()
            if self._thread is None:
                self._start()
        return self._token.result()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._main, name=self._name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None
            raise
        self._started()

    def _closed_error(self) -> SessionClosedError:
        return SessionClosedError(
            f"the LiveBridgeThread {self._name!r} is closed", initiated_by="client", retryable=False
        )

    def _main(self) -> None:
        _home.set(self)
        failure = self._closed_error()
        try:
            trio.run(self._serve)
        except BaseException as error:  # noqa: BLE001 - those who wait are told
            failure.__cause__ = error
        fail(self._token, failure)
        for failer in self._failers.copy():
            failer(failure)

    async def _serve(self) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._token.set_result(trio.lowlevel.current_trio_token())
            await self._stop.wait()
            for scope in self._scopes:
                scope.cancel()

    def _begin(self, work: Work[T], future: Future[T]) -> None:
        """Runs between tasks, so what begins here inherits no context of whoever asked for it."""
        if self._stop.is_set():
            fail(future, self._closed_error())
        elif not future.done():
            assert self._nursery is not None
            self._nursery.start_soon(self._carry, work, future)

    async def _carry(self, work: Work[T], future: Future[T]) -> None:
        scope = trio.CancelScope()
        self._scopes.add(scope)
        future.add_done_callback(partial(self._withdraw, scope))
        try:
            with scope:
                resolve(future, await work())
        except trio.Cancelled:  # by nobody here: trio itself is breaking down
            fail(future, self._closed_error())
            raise
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            fail(future, error)
        finally:
            self._scopes.discard(scope)
        if scope.cancelled_caught:
            fail(future, self._closed_error())

    def _withdraw(self, scope: trio.CancelScope, future: Future[T]) -> None:
        if future.cancelled():
            with suppress(trio.RunFinishedError):
                self._token.result().run_sync_soon(scope.cancel)


def current_portal() -> Portal | None:
    """The portal of this task, or of the task whose worker thread this is."""
    return _home.get(None)


async def _at_once(read: Callable[[], T]) -> T:
    return read()


async def _within(work: Work[T], what: str, limit: float | None) -> T:
    with trio.move_on_after(math.inf if limit is None else limit):
        return await work()
    raise out_of_time(what, limit)
