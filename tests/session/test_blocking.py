"""Asynchronous code of the user that holds the trio thread is named; code that waits is not."""

import time

import trio

from livebridge.session import tool


def complaints(caplog):
    return [record.getMessage() for record in caplog.records if "held the trio thread" in record.getMessage()]


async def test_an_async_callback_that_blocks_is_named_once_in_a_while(live, caplog):
    async def on_text(_):
        await trio.sleep(1)
        time.sleep(0.03)  # noqa: ASYNC251 - the very mistake
        await trio.sleep(1)

    async with live.session(on_text=on_text, slow_callback=0.02) as session:
        line = await live.line()
        line.text("a", "b")
        line.turn()
        await session.wait_turn()
        await trio.sleep(5)
    (complaint,) = complaints(caplog)
    assert complaint.startswith("callback on_text held the trio thread for 0.0")


async def test_an_async_tool_that_blocks_is_named(live, caplog):
    @tool
    async def sleepy() -> str:
        time.sleep(0.03)  # noqa: ASYNC251 - the very mistake
        return "done"

    async with live.session(tools=[sleepy], slow_callback=0.02):
        line = await live.line()
        line.call({"id": "a", "name": "sleepy", "args": {}})
        (answer,) = await line.next_response()
    assert answer["response"] == {"result": "done"}
    assert [each.split(" held")[0] for each in complaints(caplog)] == ["tool sleepy"]


async def test_an_async_callback_that_waits_long_is_no_offence(live, caplog):
    done = trio.Event()

    async def on_text(_):
        await trio.sleep(60)
        done.set()

    async with live.session(on_text=on_text, slow_callback=0.1):
        (await live.line()).text("a")
        await done.wait()
    assert complaints(caplog) == []


async def test_what_an_async_callback_catches_is_the_same_as_ever(live, log):
    seen = []

    async def on_text(_):
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            seen.append("cancelled")
            raise

    async with live.session(on_text=on_text, callback_timeout=1, **log.callbacks("on_error")):
        (await live.line()).text("a")
        await log.wait("on_error", 1)
    assert seen == ["cancelled"]


class Iterated:
    """Awaitable by a plain iterator."""

    def __await__(self):
        return iter(())


async def test_an_awaitable_without_steps_is_awaited_all_the_same(live, log):
    async with live.session(on_text=lambda _: Iterated(), **log.callbacks("on_error")):
        line = await live.line()
        line.text("a")
        await trio.sleep(1)
    assert log.of("on_error") == []
