"""A bridge in an asyncio program."""

import asyncio
import threading

import pytest
import trio

from livebridge.errors import ConfigError


def test_futures_are_awaited(bridge, options):
    async def main():
        session = await asyncio.wrap_future(bridge.start.submit(**options))
        turn = await asyncio.wrap_future(session.ask.submit("My name is Ada.", timeout=10))
        result = await asyncio.wrap_future(session.close.submit())
        return turn.text, result.undelivered

    assert asyncio.run(main()) == ("Nice to meet you, Ada.", 0)


def test_errors_are_awaited(bridge):
    async def main():
        await asyncio.wrap_future(bridge.start.submit(modle="x"))

    with pytest.raises(ConfigError, match="did you mean model"):
        asyncio.run(main())


def test_cancelling_the_asyncio_task_cancels_the_call(bridge):
    cancelled = threading.Event()

    async def wait(begun, loop):
        loop.call_soon_threadsafe(begun.set)
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async def main():
        begun = asyncio.Event()
        task = asyncio.wrap_future(bridge.submit(wait, begun, asyncio.get_running_loop()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert cancelled.wait(10)
