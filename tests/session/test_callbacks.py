"""What callbacks may do: be sync or async, be slow, raise, crash the session if that is wanted."""

import functools
import logging

import pytest
import trio

from livebridge.errors import CallbackError, ConfigError, HandlerError, LivebridgeError, SessionFailedError
from livebridge.session import current_session


async def test_sync_async_partial_and_callable_objects_are_all_callbacks(live, log):
    class Callable:
        async def __call__(self, delta):
            await trio.lowlevel.checkpoint()
            log.add("object", delta.text)

    async def coroutine(tag, delta):
        await trio.lowlevel.checkpoint()
        log.add(tag, delta.text)

    async with live.session(
        on_text=functools.partial(coroutine, "partial"),
        on_thought=Callable(),
        on_usage=lambda usage: log.add("lambda", usage.total_token_count),
    ):
        line = await live.line()
        line.text("a")
        line.say({"serverContent": {"modelTurn": {"parts": [{"text": "b", "thought": True}]}}})
        line.say({"usageMetadata": {"totalTokenCount": 7}})
        await log.wait("lambda")
        assert log.events == [("partial", "a"), ("object", "b"), ("lambda", 7)]


async def test_invariant_33_a_raising_callback_is_reported_and_dispatch_goes_on(live, log):
    async def on_text(delta):
        log.add("on_text", delta.text)
        raise ValueError(f"no {delta.text}")

    async with live.session(on_text=on_text, **log.callbacks("on_error")) as session:
        line = await live.line()
        line.text("a", "b")
        await log.wait("on_error", 2)
        assert log.names == ["on_text", "on_error", "on_text", "on_error"]
        error = log.of("on_error")[0]
        assert isinstance(error, HandlerError)
        assert isinstance(error.error, ValueError)
        assert error.__cause__ is error.error
        assert error.callback == "on_text"
        assert error.argument.text == "a"
        assert session.status == "ready"
        assert session.statistics().callback_errors == 2


async def test_invariant_33_on_error_that_raises_is_contained(live, log):
    def on_text(delta):
        log.add("on_text", delta)
        raise ValueError

    def on_error(error):
        log.add("on_error", error)
        raise RuntimeError("the error handler is broken too")

    async with live.session(on_text=on_text, on_error=on_error) as session:
        line = await live.line()
        line.text("a", "b")
        await log.wait("on_error", 2)
        await trio.testing.wait_all_tasks_blocked()
        assert log.names == ["on_text", "on_error"] * 2
        assert session.status == "ready"


async def test_the_policy_crash_ends_the_session_and_the_block(live, log):
    def on_text(delta):
        raise ValueError("boom")

    with pytest.raises(SessionFailedError, match="boom") as caught:
        async with live.session(
            on_text=on_text, on_callback_error="crash", **log.callbacks("on_error", "on_close")
        ):
            line = await live.line()
            line.text("a")
            await trio.sleep_forever()
    assert log.names == ["on_error", "on_close"]
    assert isinstance(caught.value.__cause__, LivebridgeError)
    assert isinstance(caught.value.__cause__.__cause__, ValueError)


async def test_the_policy_can_be_a_function_that_decides(live, log):
    def on_text(delta):
        log.add("on_text", delta.text)
        raise ValueError(delta.text)

    def decide(problem):
        log.add("policy", str(problem.error))
        return "crash" if str(problem.error) == "c" else "log"

    with pytest.raises(SessionFailedError, match="c"):
        async with live.session(on_text=on_text, on_callback_error=decide):
            line = await live.line()
            line.text(*"abcd")
            await trio.sleep_forever()
    assert log.of("policy") == ["a", "b", "c"]
    assert log.of("on_text") == ["a", "b", "c"]


async def test_a_policy_that_raises_counts_as_log(live, log):
    def on_text(delta):
        log.add("on_text", delta.text)
        raise ValueError

    def decide(problem):
        raise RuntimeError

    async with live.session(on_text=on_text, on_callback_error=decide) as session:
        line = await live.line()
        line.text("a", "b")
        await log.wait("on_text", 2)
        await trio.testing.wait_all_tasks_blocked()
        assert session.status == "ready"


async def test_a_fuse_ends_the_session_after_so_many_errors_in_the_window(live, log):
    def on_text(delta):
        log.add("on_text", trio.current_time())
        raise ValueError

    with pytest.raises(SessionFailedError):
        async with live.session(on_text=on_text, max_callback_errors=(2, 10)):
            line = await live.line()
            for pause in (6, 6, 6, 1, 1):
                line.text("x")
                await trio.sleep(pause)
            await trio.sleep_forever()
    assert len(log.of("on_text")) == 5


async def test_a_group_that_a_callback_raises_is_one_error(live, log):
    async def on_text(delta):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_raise, ValueError("one"))
            nursery.start_soon(_raise, KeyError("two"))

    async with live.session(on_text=on_text, **log.callbacks("on_error")) as session:
        line = await live.line()
        line.text("a")
        error = await log.wait("on_error")
        assert isinstance(error.error, ExceptionGroup)
        assert session.status == "ready"


async def test_a_group_of_an_error_and_the_cancellation_of_the_session_reports_and_cancels(live, log):
    async def on_text(delta):
        log.add("blocked", None)
        try:
            await trio.sleep_forever()
        except trio.Cancelled as cancelled:
            raise BaseExceptionGroup("both", [cancelled, ValueError("late")]) from None

    with trio.move_on_after(10) as scope:
        async with live.session(on_text=on_text, **log.callbacks("on_error", "on_close")):
            line = await live.line()
            line.text("a")
            await log.wait("blocked")
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert log.names == ["blocked", "on_error", "on_close"]


async def test_keyboard_interrupt_in_a_callback_is_no_callback_error(live, log):
    def on_text(delta):
        raise KeyboardInterrupt

    with pytest.raises(BaseException) as caught:
        async with live.session(on_text=on_text, **log.callbacks("on_error", "on_close")):
            line = await live.line()
            line.text("a")
            await trio.sleep_forever()
    assert isinstance(caught.value, KeyboardInterrupt) or (
        isinstance(caught.value, BaseExceptionGroup) and caught.value.subgroup(KeyboardInterrupt)
    )
    assert log.names == ["on_close"]


async def test_a_callback_that_exceeds_callback_timeout_is_cancelled_and_counts_as_an_error(live, log):
    async def on_text(delta):
        await trio.sleep(100)

    async with live.session(on_text=on_text, callback_timeout=3, **log.callbacks("on_error", "on_usage")):
        line = await live.line()
        before = trio.current_time()
        line.text("a")
        line.say({"usageMetadata": {}})
        await log.wait("on_usage")
        assert trio.current_time() - before == pytest.approx(3)
        assert isinstance(log.of("on_error")[0].error, TimeoutError)


async def test_a_slow_sync_callback_is_logged_at_most_every_ten_seconds(live, log, caplog):
    def on_text(delta):
        log.add("on_text", delta)
        clock.jump(0.5)

    clock = trio.lowlevel.current_clock()
    with caplog.at_level(logging.WARNING, logger="livebridge.session"):
        async with live.session(on_text=on_text):
            line = await live.line()
            line.text("a", "b")
            await log.wait("on_text", 2)
            await trio.sleep(10)
            line.text("c")
            await log.wait("on_text", 3)
    assert [record.message[:21] for record in caplog.records] == ["callback on_text took"] * 2


async def test_current_session_is_known_in_callbacks_and_tools_and_nowhere_else(live, log):
    async def tool(call):
        log.add("tool", current_session())
        return [{"id": call.function_calls[0].id, "name": "f", "response": {}}]

    async with live.session(
        on_text=lambda _: log.add("callback", current_session()), on_tool_call=tool
    ) as session:
        line = await live.line()
        line.text("a")
        line.call({"id": "1", "name": "f"})
        await line.next_response()
        assert log.of("callback") == [session]
        assert log.of("tool") == [session]
        with pytest.raises(LivebridgeError, match="inside callbacks"):
            current_session()


async def test_on_message_that_fails_does_not_hide_the_specific_callback(live, log):
    def on_message(_):
        raise ValueError

    async with live.session(on_message=on_message, **log.callbacks("on_text", "on_error")):
        line = await live.line()
        line.text("a")
        await log.wait("on_text")
        assert isinstance(log.of("on_error")[0], CallbackError)


async def test_sending_from_a_callback_reaches_the_wire_in_order(live, log):
    async def on_text(delta):
        await current_session().send_text(f"echo {delta.text}")

    async with live.session(on_text=on_text):
        line = await live.line()
        line.text("a", "b")
        await line.next()
        await line.next()
        assert line.texts() == ["echo a", "echo b"]


async def _raise(error):
    raise error


async def test_keyboard_interrupt_in_a_group_of_a_callback_is_not_swallowed(live, log):
    def on_text(_):
        raise BaseExceptionGroup("both", [KeyboardInterrupt(), ValueError()])

    with pytest.raises(BaseException) as caught:
        async with live.session(on_text=on_text, **log.callbacks("on_error", "on_close")):
            line = await live.line()
            line.text("a")
            await trio.sleep_forever()
    found = caught.value
    assert isinstance(found, BaseExceptionGroup)
    assert found.subgroup(KeyboardInterrupt)
    assert log.names == ["on_close"]


async def test_an_error_of_ours_that_a_callback_raises_under_crash_is_the_failure_itself(live):
    async def on_text(_):
        await current_session().send_text(5)

    with pytest.raises(SessionFailedError) as caught:
        async with live.session(on_text=on_text, on_callback_error="crash"):
            line = await live.line()
            line.text("a")
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ConfigError)
