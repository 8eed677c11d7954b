"""What a tool can ask for beside its arguments: the session, the call, undo and progress."""

from typing import Optional

import pytest
import trio

from livebridge import wire
from livebridge.errors import HandlerError, ToolError
from livebridge.session import Session, ToolContext, tool

ASYNCHRONOUS = "gemini-2.5-flash-native-audio-preview-12-2025"
IN_THREADS = {"tool_timeout": None, "keepalive": None}


def call(name, call_id="c1", **args):
    return {"id": call_id, "name": name, "args": args}


async def test_a_tool_gets_what_its_hints_ask_for_and_the_model_does_not_see_it(live):
    seen = []

    async def book(
        people: int,
        session: Session,
        this: wire.FunctionCall,
        context: Optional[ToolContext] = None,  # noqa: UP045 - the older spelling is understood too
    ) -> None:
        """Book."""
        seen.extend([people, session, this, context])

    async with live.session(tools=[book]) as session:
        line = await live.line()
        parameters = line.setup["tools"][0]["functionDeclarations"][0]["parameters"]
        assert list(parameters["properties"]) == ["people"]
        line.call(call("book", people=2))
        await line.next_response()
        people, given, this, context = seen
        assert people == 2
        assert given is session
        assert context.session is session
        assert this.id == context.call.id == "c1"


async def test_what_a_tool_did_is_undone_when_the_call_is_taken_back(live, log):
    async def undo_later():
        await trio.sleep(1)
        log.add("undone", "first")

    async def book(context: ToolContext) -> None:
        context.on_cancel(undo_later)
        context.on_cancel(lambda: log.add("undone", "second"))
        log.add("booked", None)
        try:
            await trio.sleep_forever()
        finally:
            log.add("ended", None)

    async with live.session(tools=[book]):
        line = await live.line()
        line.call(call("book"))
        await log.wait("booked")
        line.cancel("c1")
        await log.wait("undone", 2)
        assert log.events == [("booked", None), ("ended", None), ("undone", "second"), ("undone", "first")]
        assert line.responses() == []


async def test_a_finished_tool_is_undone_as_well_if_its_answer_never_left(live, log):
    async def book(context: ToolContext) -> None:
        context.on_cancel(lambda: log.add("undone", context.call.id))

    async def slow() -> None:
        await trio.sleep(50)

    async with live.session(tools=[book, slow]) as session:
        line = await live.line()
        line.call(call("book", "a"), call("slow", "b"))
        await trio.sleep(1)
        line.cancel("a")
        await log.wait("undone")
        line.server.pause_reading()
        await session.send_text("blocks the sender")
        await trio.testing.wait_all_tasks_blocked()
        line.call(call("book", "c"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("c")
        await log.wait("undone", 2)
        line.server.resume_reading()
        assert log.of("undone") == ["a", "c"]


async def test_what_was_answered_is_not_undone(live, log):
    async def book(context: ToolContext) -> None:
        context.on_cancel(lambda: log.add("undone", None))

    async with live.session(tools=[book], **log.callbacks("on_tool_call_cancellation")):
        line = await live.line()
        line.call(call("book"))
        await line.next_response()
        line.cancel("c1")
        await log.wait("on_tool_call_cancellation")
        await trio.sleep(10)
        assert log.of("undone") == []


async def test_an_undo_that_fails_is_reported_and_the_others_run(live, log):
    def broken():
        raise ValueError("cannot undo")

    async def book(context: ToolContext) -> None:
        context.on_cancel(lambda: log.add("undone", None))
        context.on_cancel(broken)
        log.add("booked", None)
        await trio.sleep_forever()

    async with live.session(tools=[book], **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("book"))
        await log.wait("booked")
        line.cancel("c1")
        await log.wait("undone")
        error = await log.wait("on_error")
        assert isinstance(error, HandlerError)
        assert error.callback == "book (on_cancel)"


async def test_an_undo_that_does_not_end_is_given_up(live, log):
    async def forever():
        try:
            await trio.sleep_forever()
        finally:
            log.add("given up", trio.current_time())

    async def book(context: ToolContext) -> None:
        context.on_cancel(forever)
        log.add("booked", None)
        await trio.sleep_forever()

    async with live.session(tools=[book], tool_timeout=5):
        line = await live.line()
        line.call(call("book"))
        await log.wait("booked")
        now = trio.current_time()
        line.cancel("c1")
        assert await log.wait("given up") == now + 5


@pytest.mark.parametrize("threaded", [False, True])
async def test_progress_is_sent_before_the_result(live, threaded):
    def work(context):
        return [context.progress({"half": 1}, scheduling="silent"), context.progress({"more": 1})]

    @tool(behavior="non_blocking", scheduling="interrupt")
    async def in_task(context: ToolContext) -> list:
        return work(context)

    @tool(behavior="non_blocking", scheduling="interrupt", name="in_task")
    def in_thread(context: ToolContext) -> list:
        return work(context)

    function = in_thread if threaded else in_task
    async with live.session(model=ASYNCHRONOUS, tools=[function], **IN_THREADS):
        line = await live.line()
        line.call(call("in_task"))
        half, more, result = [(await line.next_response())[0] for _ in range(3)]
        assert (half["response"], half["willContinue"], half["scheduling"]) == ({"half": 1}, True, "SILENT")
        assert (more["response"], more["willContinue"], more["scheduling"]) == (
            {"more": 1},
            True,
            "INTERRUPT",
        )
        assert result["response"] == {"result": [True, True]}
        assert "willContinue" not in result


async def test_undo_can_be_registered_in_a_thread(live, log):
    def book(context: ToolContext) -> None:
        context.on_cancel(lambda: log.add("undone", None))
        trio.from_thread.run_sync(log.add, "booked", None)

    async def slow() -> None:
        await trio.sleep_forever()

    async with live.session(tools=[book, slow], **IN_THREADS):
        line = await live.line()
        line.call(call("book", "a"), call("slow", "b"))
        await log.wait("booked")
        line.cancel("a")
        await log.wait("undone")


async def test_a_blocking_call_has_no_progress(live):
    async def work(context: ToolContext) -> bool:
        return context.progress("half")

    async with live.session(model=ASYNCHRONOUS, tools=[work]):
        line = await live.line()
        line.call(call("work"))
        assert (await line.next_response())[0]["response"] == {"result": False}


async def test_progress_that_cannot_be_sent_is_the_tools_error(live, log):
    @tool(behavior="non_blocking")
    async def work(context: ToolContext) -> None:
        context.progress(object())

    async with live.session(model=ASYNCHRONOUS, tools=[work], **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("work"))
        assert "cannot be sent" in (await line.next_response())[0]["response"]["error"]
        assert isinstance(await log.wait("on_error"), ToolError)


async def test_a_call_that_was_taken_back_has_no_progress(live, log):
    @tool(behavior="non_blocking")
    async def work(context: ToolContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.add("progress", context.progress("too late"))

    async with live.session(model=ASYNCHRONOUS, tools=[work]):
        line = await live.line()
        line.call(call("work"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("c1")
        assert await log.wait("progress") is False
        assert line.responses() == []


async def test_many_finished_calls_are_forgotten(live):
    async def fast(n: int) -> int:
        return n

    async with live.session(tools=[fast]) as session:
        line = await live.line()
        for n in range(80):
            line.call(call("fast", f"c{n}", n=n))
            await line.next_response()
        assert len(session._actor.tools._functions._runs) < 70
