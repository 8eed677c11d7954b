"""A connection goes while a tool works: what becomes of the result is a matter of policy."""

import pytest
import trio

from livebridge.auth import VertexExpress
from livebridge.errors import OrphanedToolResultError

CALL = {"id": "c1", "name": "book", "args": {"people": 2, "wishes": {"window": True, "quiet": 1}}}
AGAIN = {"id": "c9", "name": "book", "args": {"wishes": {"quiet": 1.0, "window": True}, "people": 2}}


@pytest.fixture
def book(log):
    """A tool that ends when the test says so."""

    class Book:
        def __init__(self):
            self.gate = trio.Event()

        async def book(self, people: int, wishes: dict) -> str:
            log.add("began", people)
            try:
                await self.gate.wait()
            except trio.Cancelled:
                log.add("cancelled", people)
                raise
            log.add("booked", people)
            return f"table for {people}"

    return Book()


async def replaced(live, log, line):
    """Lose the connection, resumably, and wait for the next one."""
    line.drop()
    await log.wait("on_resumed")
    return await live.line()


async def start(live, log, *calls):
    line = await live.line()
    line.resumable()
    line.call(*(calls or [CALL]))
    await log.wait("began")
    return line


async def test_a_result_can_be_dropped_and_is_reported(live, log, book):
    options = {"orphan_tool_results": "drop", **log.callbacks("on_error", "on_resumed")}
    async with live.session(tools=[book.book], **options) as session:
        line = await replaced(live, log, await start(live, log))
        assert dict(session.pending_tool_calls) == {}
        assert session.statistics().tool_calls_orphaned == 1
        book.gate.set()
        error = await log.wait("on_error")
        assert isinstance(error, OrphanedToolResultError)
        assert "book" in str(error)
        await trio.sleep(60)
        assert line.responses() == line.texts() == []
        assert log.of("booked") == [2]
        assert session.statistics().tool_calls_answered == 0


async def test_an_orphan_does_not_hold_up_a_rotation(live, log, book):
    async with live.session(tools=[book.book], **log.callbacks("on_error", "on_resumed")):
        line = await replaced(live, log, await start(live, log))
        line.resumable("h2")
        line.go_away("50s")
        await log.wait("on_resumed", 2)
        assert (await live.line()).handle == "h2"


async def test_send_answers_as_if_nothing_had_happened(live, log, book):
    async with live.session(tools=[book.book], orphan_tool_results="send", **log.callbacks("on_resumed")):
        line = await replaced(live, log, await start(live, log))
        book.gate.set()
        assert await line.next_response() == [
            {"id": "c1", "name": "book", "response": {"result": "table for 2"}}
        ]


@pytest.mark.parametrize("policy", [None, "as_content"])
@pytest.mark.parametrize("model", ["gemini-3.1-flash-live-preview", "gemini-live-2.5-flash-native-audio"])
async def test_by_default_the_model_is_told_in_words_of_the_user_and_the_orphan_is_reported(
    live, log, book, model, policy
):
    options = {"tools": [book.book], "orphan_tool_results": policy, "model": model}
    async with live.session(**options, **log.callbacks("on_resumed", "on_error")):
        line = await replaced(live, log, await start(live, log))
        book.gate.set()
        await line.next()
        (text,) = line.texts()
        assert "book" in text
        assert "table for 2" in text
        assert line.responses() == []
        (error,) = log.of("on_error")
        assert isinstance(error, OrphanedToolResultError)
        assert "told" in str(error)


async def test_a_result_that_came_in_the_outage_is_told_before_anything_that_is_said_after_it(
    live, log, book
):
    async def on_resumed(_):
        await session.send_text("are you there?")

    async with live.session(tools=[book.book], on_resumed=on_resumed) as session:
        line = await start(live, log)
        live.dial_delays.append(5)
        line.drop()
        await trio.sleep(1)
        book.gate.set()
        line = await live.line()
        await line.next()
        await line.next()
        result, question = line.texts()
        assert "table for 2" in result
        assert question == "are you there?"


async def test_what_finds_no_room_is_told_later(live, log, book):
    options = {"tools": [book.book], "outbox_messages": 1, **log.callbacks("on_resumed", "on_error")}
    async with live.session(**options) as session:
        line = await replaced(live, log, await start(live, log))
        line.server.pause_reading()
        await session.send_text("fills the outbox")
        book.gate.set()
        await log.wait("booked")
        await trio.testing.wait_all_tasks_blocked()
        assert log.of("on_error") == []
        line.server.resume_reading()
        assert "told" in str(await log.wait("on_error"))
        await trio.testing.wait_all_tasks_blocked()
        assert "table for 2" in line.texts()[-1]


@pytest.mark.parametrize("closes", [True, False])
async def test_two_results_of_one_message_are_told_one_after_the_other(live, log, book, closes):
    async def paused(line):
        line.server.pause_reading()
        line.complete()

    options = {"tools": [book.book], "outbox_messages": 1, **log.callbacks("on_resumed", "on_error")}
    async with live.session(**options) as session:
        line = await start(live, log, CALL, {**CALL, "id": "c2"})
        live.dial_delays.append(5)
        live.then(paused)
        line.drop()
        await trio.sleep(1)
        book.gate.set()
        await log.wait("on_resumed")
        await log.wait("on_error")
        line = await live.line()
        if closes:
            await session.close(drain=False)
        else:
            line.server.resume_reading()
        assert ("could not be told" in str(await log.wait("on_error", 2))) is closes
        await trio.testing.wait_all_tasks_blocked()
    assert len(line.texts()) == (0 if closes else 2)


async def test_a_result_that_comes_while_the_session_closes_is_reported(live, log, book):
    options = {"tools": [book.book], "tool_grace": 10.0, "close_timeout": 20.0}
    async with live.session(**options, **log.callbacks("on_resumed", "on_error")) as session:
        line = await replaced(live, log, await start(live, log))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.close)
            await trio.sleep(1)
            book.gate.set()
        assert "could not be told" in str(log.of("on_error")[0])
        assert line.received == []


async def test_a_call_that_is_made_again_while_the_tool_still_works_is_answered_as_a_call(live, log, book):
    async with live.session(tools=[book.book], **log.callbacks("on_resumed", "on_error")):
        line = await replaced(live, log, await start(live, log))
        line.call(AGAIN)
        await trio.testing.wait_all_tasks_blocked()
        book.gate.set()
        assert (await line.next_response())[0]["id"] == "c9"
        assert log.of("booked") == [2]
        assert line.texts() == []
        assert log.of("on_error") == []


async def test_what_is_to_be_told_when_the_session_closes_harms_nobody(live, log, book):
    options = {"tools": [book.book], "orphan_tool_results": "as_content", "outbox_messages": 1}
    async with live.session(**options, **log.callbacks("on_resumed", "on_error")) as session:
        line = await replaced(live, log, await start(live, log))
        line.server.pause_reading()
        await session.send_text("fills the outbox")
        await trio.testing.wait_all_tasks_blocked()
        book.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        await session.close(drain=False)
    assert log.of("booked") == [2]
    assert line.texts() == []


@pytest.mark.parametrize("early", [True, False])
async def test_reattach_gives_the_result_to_the_call_that_repeats_it(live, log, book, early):
    options = {"tools": [book.book], "orphan_tool_results": "reattach"}
    async with live.session(**options, **log.callbacks("on_resumed", "on_error")) as session:
        line = await replaced(live, log, await start(live, log))
        if early:
            book.gate.set()
            await log.wait("booked")
        line.call({**AGAIN, "id": "other", "args": {**AGAIN["args"], "people": 3}}, AGAIN)
        await trio.testing.wait_all_tasks_blocked()
        book.gate.set()
        other, again = await line.next_response()
        assert again == {"id": "c9", "name": "book", "response": {"result": "table for 2"}}
        assert other["response"] == {"result": "table for 3"}
        assert sorted(log.of("booked")) == [2, 3]
        await trio.sleep(120)
        assert log.of("on_error") == []
        assert session.statistics().tool_calls_answered == 2


async def test_a_reattached_call_can_be_taken_back(live, log, book):
    options = {"tools": [book.book], "orphan_tool_results": "reattach"}
    async with live.session(**options, **log.callbacks("on_resumed")):
        line = await replaced(live, log, await start(live, log))
        line.call(AGAIN)
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("c9")
        await log.wait("cancelled")
        await trio.sleep(120)
        assert line.responses() == []


async def test_reattachment_is_the_default_where_input_is_replayed(live, log, book):
    options = {
        "tools": [book.book],
        "auth": VertexExpress(api_key="k"),
        "model": "gemini-live-2.5-flash-native-audio",
        "session_resumption": {"transparent": True},
    }
    async with live.session(**options, **log.callbacks("on_resumed")):
        line = await replaced(live, log, await start(live, log))
        book.gate.set()
        await log.wait("booked")
        line.call(AGAIN)
        assert (await line.next_response())[0]["id"] == "c9"
        assert log.of("began") == [2]


@pytest.mark.parametrize("running", [True, False])
async def test_a_call_that_is_repeated_too_late_runs_again(live, log, book, running):
    options = {"tools": [book.book], "orphan_tool_results": "reattach", "tool_timeout": None}
    async with live.session(**options, **log.callbacks("on_resumed", "on_error")):
        line = await replaced(live, log, await start(live, log))
        if not running:
            book.gate.set()
            await log.wait("booked")
        await trio.sleep(61)
        line.call(AGAIN)
        await log.wait("began", 2)
        book.gate.set()
        assert (await line.next_response())[0]["id"] == "c9"
        await log.wait("booked", 2)
        await log.wait("on_error")
        assert isinstance(log.of("on_error")[0], OrphanedToolResultError)


async def test_each_result_is_given_out_once(live, log, book):
    options = {"tools": [book.book], "orphan_tool_results": "reattach"}
    async with live.session(**options, **log.callbacks("on_resumed")):
        line = await replaced(live, log, await start(live, log))
        book.gate.set()
        await log.wait("booked")
        line.call(AGAIN, {**AGAIN, "id": "c10"})
        assert {each["id"] for each in await line.next_response()} == {"c9", "c10"}
        assert log.of("booked") == [2, 2]


async def test_a_server_that_makes_the_same_call_again_under_its_id_is_answered(live, log, book):
    async with live.session(tools=[book.book], **log.callbacks("on_resumed")):
        line = await replaced(live, log, await start(live, log))
        line.call(CALL)
        await trio.testing.wait_all_tasks_blocked()
        book.gate.set()
        assert (await line.next_response())[0]["id"] == "c1"
        assert log.of("booked") == [2]
        await trio.sleep(120)
        assert len(line.responses()) == 1


async def test_tools_are_cancelled_when_the_conversation_is_lost(live, log, book):
    options = log.callbacks("on_session_lost", "on_resumed", "on_error")
    async with live.session(tools=[book.book], **options):
        line = await live.line()
        line.call(CALL)
        await log.wait("began")
        line.drop()
        await log.wait("on_session_lost")
        await log.wait("cancelled")
        error = await log.wait("on_error")
        assert isinstance(error, OrphanedToolResultError)
        assert "book" in str(error)
        assert "cancelled" in str(error)
        line = await live.line()
        await trio.sleep(120)
        assert line.received == []
        assert len(log.of("on_error")) == 1


async def test_a_policy_that_was_chosen_has_a_use_for_results_even_then(live, log, book):
    options = {"orphan_tool_results": "as_content", **log.callbacks("on_session_lost")}
    async with live.session(tools=[book.book], **options):
        line = await live.line()
        line.call(CALL)
        await log.wait("began")
        line.drop()
        await log.wait("on_session_lost")
        line = await live.line()
        book.gate.set()
        await line.next()
        assert "table for 2" in line.texts()[0]


@pytest.mark.parametrize("answered", [True, False])
async def test_a_forgotten_call_that_nobody_answers_by_hand_is_reported_once(live, log, answered):
    options = {"on_message": lambda _: None, "tool_timeout": 60, **log.callbacks("on_resumed", "on_error")}
    async with live.session(**options) as session:
        line = await live.line()
        line.resumable()
        line.call(CALL)
        await trio.testing.wait_all_tasks_blocked()
        line.drop()
        await log.wait("on_resumed")
        if answered:
            await session.send_tool_response({"id": "c1", "response": {"ok": 1}})
        await trio.sleep(120)
        (error,) = log.of("on_error")
        assert isinstance(error, OrphanedToolResultError)
        assert ("told" in str(error)) is answered
        assert len((await live.line()).texts()) == answered


async def test_an_answer_that_did_not_leave_in_time_is_orphaned_too(live, log, book, steps):
    async with live.session(tools=[book.book], **log.callbacks("on_resumed", "on_error")) as session:
        line = await start(live, log)
        live.dial_delays.append(5)
        line.drop()
        await trio.sleep(1)
        assert session.status != "ready"
        book.gate.set()
        await log.wait("booked")
        assert session.statistics().tool_calls_answered == 1
        await log.wait("on_resumed")
        await log.wait("on_error")
        line = await live.line()
        await trio.sleep(60)
        assert line.responses() == []
        statistics = session.statistics()
        assert (statistics.tool_calls_answered, statistics.tool_calls_orphaned) == (0, 1)


async def test_an_answer_by_hand_that_did_not_leave_in_time_is_sent_all_the_same(live, log):
    async with live.session(on_message=lambda _: None, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable()
        line.call(CALL)
        await trio.testing.wait_all_tasks_blocked()
        live.dial_delays.append(5)
        line.drop()
        await trio.sleep(1)
        await session.send_tool_response({"id": "c1", "response": {"ok": 1}})
        await log.wait("on_resumed")
        assert (await (await live.line()).next_response())[0]["id"] == "c1"


async def test_the_finished_half_of_a_message_is_orphaned_at_once(live, log, book):
    async def at_once() -> str:
        return "now"

    async with live.session(tools=[book.book, at_once], **log.callbacks("on_resumed", "on_error")):
        line = await replaced(live, log, await start(live, log, CALL, {"id": "c2", "name": "at_once"}))
        assert "at_once" in str(await log.wait("on_error"))
        book.gate.set()
        assert "book" in str(await log.wait("on_error", 2))
        assert line.responses() == []


async def test_results_of_on_tool_call_are_orphaned_as_well(live, log):
    gate = trio.Event()

    async def on_tool_call(_):
        log.add("began", None)
        await gate.wait()
        return [{"id": "c1", "name": "book", "response": {}}]

    async with live.session(on_tool_call=on_tool_call, **log.callbacks("on_resumed", "on_error")):
        line = await replaced(live, log, await start(live, log))
        gate.set()
        assert isinstance(await log.wait("on_error"), OrphanedToolResultError)
        await trio.sleep(120)
        assert line.responses() == []
