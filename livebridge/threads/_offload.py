"""Moves a callback that blocks out of the trio thread."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ParamSpec, TypeVar

import trio

from livebridge.errors import ConfigError

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(callback: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Let a callback run in a worker thread, where it may block: ``on_turn_complete=in_thread(store)``.

    It also decorates methods of a `livebridge.Handler`. The session waits for it before it calls the next
    callback, so the order stays; other sessions, and the connection, are not held up. In it,
    `livebridge.threads.current_session` is the session. A session that is closed waits for it, since a thread
    cannot be cancelled; a call that it makes to the session then raises ``trio.Cancelled``.

    Raises:
        ConfigError: It is async already.
    """
    if inspect.iscoroutinefunction(callback):
        raise ConfigError(f"{callback.__name__} is async; in_thread is for functions that block")

    @functools.wraps(callback)
    async def moved(*args: P.args, **kwargs: P.kwargs) -> T:
        # a limiter of its own: a session has one callback at a time, and shall not wait for those of others
        return await trio.to_thread.run_sync(
            partial(callback, *args, **kwargs), limiter=trio.CapacityLimiter(1)
        )

    return moved
