"""Tells where code runs, and what to do instead where it cannot: in asyncio, in a thread, inside trio."""

from __future__ import annotations

import sys

import trio

from livebridge.errors import LocalProtocolError


def check_in_trio() -> None:
    """See that this is a task of trio.

    Raises:
        LocalProtocolError: It is not; the text says what to use there.
    """
    if trio.lowlevel.in_trio_task():
        return
    if _is_in_asyncio():
        raise LocalProtocolError(
            "livebridge runs on trio, and this is asyncio: use livebridge.threads.LiveBridgeThread,"
            " or give livebridge.run(…) to asyncio.to_thread"
        )
    raise LocalProtocolError(
        "this is awaited outside trio: in a thread that trio started use trio.from_thread.run(…),"
        " in any other one livebridge.threads.LiveBridgeThread"
    )


def check_outside_trio(verb: str, instead: str) -> None:
    """See that trio can be started here.

    Args:
        verb: What wants to start it.
        instead: What does the same inside trio.

    Raises:
        LocalProtocolError: It runs here already.
    """
    if trio.lowlevel.in_trio_run():
        raise LocalProtocolError(f"{verb}() starts trio itself; inside trio use {instead}")


def _is_in_asyncio() -> bool:
    """Whether asyncio runs here; it is not imported to find out."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
