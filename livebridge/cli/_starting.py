"""Ctrl-C while the program starts: no traceback, and no extension module that is interrupted in its making."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def quiet_start() -> Iterator[None]:
    """Let Ctrl-C end the process at once, with the status shells expect, until `started` is called.

    Afterwards the handler is what it was before. Where somebody else handles the signal, nothing is done.
    """
    ours = _is_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def started() -> None:
    """From here on Ctrl-C is what it is in every Python program: there is something to clean up."""
    if _is_main_thread() and signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: FrameType | None) -> None:  # pragma: no cover - ends the process
    os._exit(128 + number)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
