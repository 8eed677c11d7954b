"""Settling futures in one thread and waiting for them in another; knows nothing of trio's tasks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def resolve(future: Future[T], value: T) -> None:
    """Give a future its value, unless it was cancelled (or has failed) meanwhile."""
    if not future.done() and future.set_running_or_notify_cancel():
        future.set_result(value)


def fail(future: Future[T], error: BaseException) -> None:
    """Give a future its error, unless it was cancelled (or has ended) meanwhile."""
    if not future.done() and future.set_running_or_notify_cancel():
        future.set_exception(error)


def wait(future: Future[T], begin: Callable[[], object], *, what: str, limit: float | None = None) -> T:
    """Begin something and wait for it; an interrupt (Ctrl-C) at any point of that, or the limit, cancels it.

    Args:
        future: What is waited for.
        begin: Sees that somebody settles the future.
        what: What it is called, for the error.
        limit: Seconds; ``None``: no limit.

    Raises:
        TimeoutError: `limit` passed.
        BaseException: What the future was given.
    """
    try:
        begin()
        return future.result(limit)
    except TimeoutError:
        if future.cancel():
            raise out_of_time(what, limit) from None
        return future.result()
    except BaseException:
        future.cancel()
        raise


def out_of_time(what: str, limit: float | None) -> TimeoutError:
    """What is raised when a limit has passed."""
    return TimeoutError(f"{what} did not end within {limit:g} s; it was cancelled")
