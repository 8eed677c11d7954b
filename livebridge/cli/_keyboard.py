"""The only module that reads standard input: lines as they are typed or piped, without blocking anyone."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from typing import Final

import trio

PIECE_BYTES: Final = 65_536


async def lines() -> AsyncGenerator[str, None]:
    """Lines of standard input without their ends, until the end of input.

    The descriptor is read in a worker thread that may be left behind: a buffered reader would be locked by it,
    and Python could not end.
    """
    descriptor = sys.stdin.fileno()
    left = b""
    while True:
        piece = await trio.to_thread.run_sync(os.read, descriptor, PIECE_BYTES, abandon_on_cancel=True)
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")
        if not piece:
            if left:
                yield left.decode(errors="replace")
            return
