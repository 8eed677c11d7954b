"""The public face: sessions for programs that do not run on trio."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

from livebridge.threads._held import hold
from livebridge.threads._home import Home
from livebridge.threads._portal import Portal
from livebridge.threads._verb import Blocking, Verb

P = ParamSpec("P")
T = TypeVar("T")


class LiveBridgeThread(Blocking[Home]):
    """Runs sessions in a thread of its own; see `livebridge.threads`.

    Cheap to make, at import time as well: the thread starts with the first use, once in each process, and ends
    with `close`, with the ``with`` block, or at the end of the program. All methods are for any thread.

    Args:
        name: Of the thread.
    """

    start: Final = Verb(Home.start)

    def __init__(self, *, name: str = "livebridge") -> None:
        self._name = name
        self._homes: dict[int, Home] = {}

    def run(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run any async function in the trio thread and wait for it: ``bridge.run(Models.list)``.

        Raises:
            TimeoutError: It took longer than ``within`` allows.
            SessionClosedError: The bridge is closed, or was closed meanwhile.
            CallSelfError: This is the trio thread.
            BaseException: What it raised.
        """
        name = getattr(function, "__qualname__", repr(function))
        work = partial(function, *args, **kwargs)
        return self._home.portal.run(work, what=name, limit=self._limit)

    def submit(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run any async function in the trio thread and do not wait.

        Returns:
            Its future; cancelling that cancels the function. `close` cancels it as well.

        Raises:
            SessionClosedError: The bridge is closed.
            CallSelfError: This is the trio thread.
        """
        return self._home.portal.submit(partial(function, *args, **kwargs))

    def hold(self, manager: AbstractAsyncContextManager[T]) -> AbstractContextManager[T]:
        """Use an async context manager in a ``with`` block of this thread.

        It is entered and left in the trio thread, in one task. An exception in the block comes out as it is; the
        manager is told only that there was one.
        """
        return hold(self._home.portal, manager, what=type(manager).__name__, limit=self._limit)

    def close(self, *, drain: bool = True, timeout: float | None = None) -> None:
        """Close all sessions in order, cancel everything else, and wait for the end of the thread. Idempotent.

        Args:
            drain: Sessions deliver what they accepted, as in `livebridge.Session.close`.
            timeout: Seconds for all of it. Sessions keep their own ``close_timeout``; what can take longer is a
                callback that blocks the trio thread.

        Raises:
            TimeoutError: `timeout` passed; what is left goes on in the background.
            CallSelfError: Called in a callback or a tool.
        """
        self._home.close(drain=drain, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(drain=error is None)

    def _reach(self) -> tuple[Portal, Home]:
        home = self._home
        return home.portal, home

    @property
    def _home(self) -> Home:
        """This process's; a fork leaves the thread behind. ``setdefault`` makes sure that there is one."""
        pid = os.getpid()
        return self._homes.get(pid) or self._homes.setdefault(pid, Home(self._name))
