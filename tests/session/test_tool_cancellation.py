"""The server takes calls back: no answer for them, at once, whatever else is going on."""

import pytest
import trio

from livebridge.session import current_session


def _answer(name):
    return {"id": name, "name": "f", "response": {"ok": 1}}


def _call(name):
    return {"id": name, "name": "f"}


async def test_invariant_25_a_cancelled_call_is_not_answered_and_its_task_ends_at_once(live, log):
    async def tool(call):
        log.add("began", None)
        try:
            await trio.sleep(5)
        except trio.Cancelled:
            log.add("cancelled", trio.current_time())
            raise
        return [_answer("a")]

    async with live.session(on_tool_call=tool, **log.callbacks("on_tool_call_cancellation")) as session:
        line = await live.line()
        line.call(_call("a"))
        await log.wait("began")
        now = trio.current_time()
        line.cancel("a")
        assert await log.wait("on_tool_call_cancellation") == ["a"]
        assert log.of("cancelled") == [now]
        await trio.sleep(120)
        assert line.responses() == []
        assert session.statistics().tool_calls_cancelled == 1
        assert dict(session.pending_tool_calls) == {}


async def test_invariant_25_a_call_cancelled_before_its_dispatch_is_never_started(live, log):
    gate = trio.Event()

    async def on_text(_):
        await gate.wait()

    async with live.session(
        on_text=on_text, on_tool_call=log.recorder("tool"), **log.callbacks("on_tool_call_cancellation")
    ):
        line = await live.line()
        line.text("blocks")
        line.call(_call("a"))
        line.cancel("a")
        await trio.testing.wait_all_tasks_blocked()
        gate.set()
        await log.wait("on_tool_call_cancellation")
        await trio.sleep(120)
        assert log.of("tool") == []
        assert line.responses() == []


async def test_invariant_25_a_tool_that_swallows_its_cancellation_is_not_heard(live, log):
    async def tool(call):
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            log.add("swallowed", None)
        return [_answer("a")]

    async with live.session(on_tool_call=tool):
        line = await live.line()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("a")
        await log.wait("swallowed")
        await trio.sleep(120)
        assert line.responses() == []


async def test_invariant_25_a_tool_that_raises_when_it_is_cancelled_is_not_heard(live, log):
    async def tool(call):
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            log.add("raised", None)
            raise ValueError("while being cancelled") from None

    async with live.session(on_tool_call=tool) as session:
        line = await live.line()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("a")
        await log.wait("raised")
        await trio.sleep(120)
        assert line.responses() == []
        assert session.status == "ready"


async def test_invariant_25_cancelling_one_of_two_calls_leaves_the_other(live, log):
    gate = trio.Event()

    async def tool(call):
        log.add("tool", [each.id for each in call.function_calls])
        await gate.wait()
        return [_answer("a"), _answer("b")]

    async with live.session(on_tool_call=tool):
        line = await live.line()
        line.call(_call("a"), _call("b"))
        await log.wait("tool")
        line.cancel("a")
        await trio.testing.wait_all_tasks_blocked()
        gate.set()
        assert [each["id"] for each in await line.next_response()] == ["b"]
        await trio.sleep(120)
        assert len(line.responses()) == 1


async def test_cancelling_all_calls_of_a_message_cancels_its_task(live, log):
    async def tool(call):
        try:
            await trio.sleep_forever()
        finally:
            log.add("ended", None)

    async with live.session(on_tool_call=tool):
        line = await live.line()
        line.call(_call("a"), _call("b"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("b")
        await trio.testing.wait_all_tasks_blocked()
        assert log.events == []
        line.cancel("a")
        await log.wait("ended")


async def test_cancelling_unknown_or_answered_calls_changes_nothing(live, log):
    async with live.session(
        on_tool_call=lambda call: [_answer(call.function_calls[0].id)],
        **log.callbacks("on_tool_call_cancellation"),
    ) as session:
        line = await live.line()
        line.call(_call("a"))
        await line.next_response()
        line.cancel("a", "never seen")
        line.say({"toolCallCancellation": {}})
        await log.wait("on_tool_call_cancellation", 2)
        assert session.statistics().tool_calls_cancelled == 0
        line.call(_call("b"))
        assert (await line.next_response())[0]["id"] == "b"


async def test_an_answer_waiting_in_the_outbox_is_not_written_after_the_cancellation_was_read(live, log):
    async with live.session(
        on_tool_call=lambda call: [_answer(call.function_calls[0].id)],
        **log.callbacks("on_tool_call_cancellation", "on_resumed"),
    ) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("blocks the sender")
        await trio.testing.wait_all_tasks_blocked()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        assert session.statistics().pending_sends == 1
        line.cancel("a")
        await log.wait("on_tool_call_cancellation")
        line.server.resume_reading()
        await trio.sleep(1)
        assert line.responses() == []


async def test_of_a_waiting_answer_to_two_calls_the_cancelled_half_is_taken_out(live, log):
    async with live.session(
        on_tool_call=lambda _: [_answer("a"), _answer("b")],
        **log.callbacks("on_tool_call_cancellation"),
    ) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("blocks the sender")
        await trio.testing.wait_all_tasks_blocked()
        line.call(_call("a"), _call("b"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("b")
        await log.wait("on_tool_call_cancellation")
        line.server.resume_reading()
        assert [each["id"] for each in await line.next_response()] == ["a"]
        statistics = session.statistics()
        assert (statistics.tool_calls_answered, statistics.tool_calls_cancelled) == (1, 1)
        assert len(session._state.outbox.unsent()) == 0
        assert session._state.outbox._bytes == 0


async def test_a_tool_that_fails_in_a_group_while_it_is_cancelled_harms_nobody(live, log):
    async def child():
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("in a child, while being cancelled")

    async def tool(_):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            nursery.start_soon(trio.sleep_forever)

    async with live.session(on_tool_call=tool, **log.callbacks("on_error")) as session:
        line = await live.line()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("a")
        await log.wait("on_error")
        await trio.sleep(120)
        assert line.responses() == []
        assert session.status == "ready"


async def test_a_further_piece_of_an_answer_is_not_sent_for_a_cancelled_call(live, log):
    async with live.session(
        on_tool_call=lambda _: None, **log.callbacks("on_tool_call_cancellation")
    ) as session:
        line = await live.line()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        piece = {**_answer("a"), "will_continue": True}
        assert await session.send_tool_response(piece) == 1
        assert await session.send_tool_response(piece) == 1
        line.cancel("a")
        await log.wait("on_tool_call_cancellation")
        assert await session.send_tool_response(piece) == 0


async def test_a_call_that_waits_for_a_free_place_can_be_cancelled(live, log):
    gate = trio.Event()

    async def tool(call):
        log.add("tool", call.function_calls[0].id)
        await gate.wait()
        return [_answer(call.function_calls[0].id)]

    async with live.session(on_tool_call=tool, max_concurrent_tools=1):
        line = await live.line()
        line.call(_call("a"))
        line.call(_call("b"))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("b")
        await trio.testing.wait_all_tasks_blocked()
        gate.set()
        await line.next_response()
        await trio.sleep(120)
        assert log.of("tool") == ["a"]
        assert len(line.responses()) == 1


async def test_an_answer_by_hand_to_a_cancelled_call_is_suppressed(live, log):
    async with live.session(
        on_tool_call=lambda _: None, **log.callbacks("on_tool_call_cancellation")
    ) as session:
        line = await live.line()
        line.call(_call("a"))
        line.cancel("a")
        await log.wait("on_tool_call_cancellation")
        assert await session.send_tool_response(_answer("a")) == 0
        await session.send_text("x")
        await line.next()
        assert line.responses() == []


@pytest.mark.parametrize("grace", [0, 4])
async def test_closing_gives_running_tools_their_grace_and_then_cancels_them(live, log, grace):
    async def tool(call):
        try:
            await trio.sleep(2)
        except trio.Cancelled:
            log.add("cancelled", None)
            raise
        return [_answer("a")]

    async with live.session(on_tool_call=tool, tool_grace=grace) as session:
        line = await live.line()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        await session.close()
        assert trio.current_time() - before < 3
    assert (len(line.responses()), log.names) == ((0, ["cancelled"]) if not grace else (1, []))


async def test_a_tool_that_outlives_its_grace_is_cancelled(live, log):
    async def tool(call):
        try:
            await trio.sleep_forever()
        finally:
            log.add("cancelled", trio.current_time())

    async with live.session(on_tool_call=tool, tool_grace=2) as session:
        line = await live.line()
        line.call(_call("a"))
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        await session.close()
        assert trio.current_time() - before == pytest.approx(2, abs=0.2)
    assert len(log.of("cancelled")) == 1


async def test_a_tool_that_closes_its_own_session_is_cancelled_by_it(live, log):
    async def tool(call):
        try:
            await current_session().close()
            log.add("returned", None)
        except trio.Cancelled:
            log.add("cancelled", None)
            raise

    async with live.session(on_tool_call=tool, **log.callbacks("on_close")) as session:
        line = await live.line()
        line.call(_call("a"))
        await session.wait_closed()
    assert log.names == ["cancelled", "on_close"]


async def new_turn(line):
    line.turn("done")


async def new_connection(line):
    line.drop()


@pytest.mark.parametrize("between", [new_turn, new_connection])
@pytest.mark.parametrize("resumes", [True, False])
async def test_an_id_that_comes_again_after_its_answer_is_another_call(live, between, resumes):
    async def tick() -> str:
        return "tock"

    async with live.session(tools=[tick]) as session:
        line = await live.line()
        if resumes:
            line.resumable()
            await trio.sleep(0.1)
        line.call({"id": "1", "name": "tick", "args": {}})
        assert (await line.next_response())[0]["response"] == {"result": "tock"}
        await between(line)
        await trio.sleep(5)
        line = live.lines[-1]
        line.call({"id": "1", "name": "tick", "args": {}})
        assert (await line.next_response())[0]["response"] == {"result": "tock"}
        assert session.statistics().tool_calls_answered == 2


async def test_within_a_turn_an_id_that_comes_again_is_the_same_call(live):
    async def tick() -> str:
        return "tock"

    async with live.session(tools=[tick]) as session:
        line = await live.line()
        line.call({"id": "1", "name": "tick", "args": {}})
        await line.next_response()
        line.call({"id": "1", "name": "tick", "args": {}})
        await trio.sleep(5)
        assert session.statistics().tool_calls_answered == 1
        assert len(line.responses()) == 1
