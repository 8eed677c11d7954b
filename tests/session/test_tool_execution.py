"""Registered functions: run beside the conversation, answered once, whatever they do."""

import threading
from typing import Annotated, Literal

import attrs
import pytest
import trio

from livebridge.errors import ConfigError, HandlerError, ToolError
from livebridge.session import Handler, Session, current_session, tool

ASYNCHRONOUS = "gemini-2.5-flash-native-audio-preview-12-2025"
ALWAYS_ASYNCHRONOUS = "gemini-3.8-live-extended-thinking"


def call(name, call_id="c1", **args):
    return {"id": call_id, "name": name, "args": args}


IN_THREADS = {"tool_timeout": None, "keepalive": None}
"""The test clock jumps while a thread works."""


async def weather(city: str, days: int = 1) -> dict:
    """Tell the weather."""
    return {"city": city, "days": days}


async def slow(seconds: float) -> str:
    """Take a while."""
    await trio.sleep(seconds)
    return f"{seconds:g}"


async def fails(how: str) -> None:
    """Raise."""
    raise ValueError(f"failed {how}")


async def test_a_function_is_declared_called_and_answered(live):
    async with live.session(tools=[weather]) as session:
        line = await live.line()
        (declared,) = line.setup["tools"]
        assert declared["functionDeclarations"][0]["name"] == "weather"
        assert declared["functionDeclarations"][0]["description"] == "Tell the weather."
        line.call(call("weather", city="Oslo"))
        assert await line.next_response() == [
            {"id": "c1", "name": "weather", "response": {"city": "Oslo", "days": 1}}
        ]
        await trio.sleep(120)
        assert len(line.responses()) == 1
        assert session.statistics().tool_calls_answered == 1
        assert session.statistics().tools_running == 0


async def test_marked_methods_of_a_handler_are_tools_with_its_state(live):
    class Concierge(Handler):
        def __init__(self):
            self.bookings = 0

        @tool
        async def book_table(self, people: int) -> dict:
            """Book a table."""
            self.bookings += people
            return {"bookings": self.bookings}

        @tool(name="cancel_everything")
        async def cancel(self) -> str:
            self.bookings = 0
            return "done"

        def not_a_tool(self) -> None:
            raise AssertionError

    class Butler(Concierge):
        @tool
        async def polish(self) -> None:
            """Polish the silver."""

    options = live.options()
    async with Session.start(Butler(), **options):
        line = await live.line()
        names = [each["name"] for each in line.setup["tools"][0]["functionDeclarations"]]
        assert names == ["book_table", "cancel_everything", "polish"]
        line.call(call("book_table", people=4))
        assert (await line.next_response())[0]["response"] == {"bookings": 4}
        line.call(call("cancel_everything", "c2"))
        assert (await line.next_response())[0]["response"] == {"result": "done"}
        line.call(call("polish", "c3"))
        assert (await line.next_response())[0]["response"] == {"result": None}


async def test_functions_raw_declarations_and_server_tools_go_together(live, log):
    raw = {"name": "by_hand", "parameters_json_schema": {"type": "object", "properties": {"x": {}}}}
    async with live.session(
        tools=[{"google_search": {}}, weather, raw, {"code_execution": {}}], on_tool_call=log.recorder("rest")
    ):
        line = await live.line()
        tools = line.setup["tools"]
        assert [list(each) for each in tools] == [
            ["googleSearch"],
            ["codeExecution"],
            ["functionDeclarations"],
        ]
        assert {each["name"] for each in tools[-1]["functionDeclarations"]} == {"weather", "by_hand"}
        line.call(call("weather", city="Rom"), call("by_hand", "c2", x=1))
        assert [each["id"] for each in await line.next_response()] == ["c1"]
        (rest,) = log.of("rest")
        assert [each.id for each in rest.function_calls] == ["c2"]


@pytest.mark.parametrize("read", [True, False])
async def test_a_call_of_a_tool_that_does_not_exist_is_answered_at_once(live, read):
    async with live.session(tools=[weather], **({} if read else {"on_text": lambda _: None})) as session:
        line = await live.line()
        line.call(call("wether", city="Oslo"), call("weather", "c2", city="Oslo"))
        wrong, right = await line.next_response()
        assert wrong["response"]["error"] == "there is no tool 'wether'; there are weather"
        assert right["response"]["city"] == "Oslo"
        assert dict(session.pending_tool_calls) == {}


async def test_a_function_declared_without_code_can_be_answered_by_hand(live):
    async with live.session(tools=[weather, {"name": "by_hand"}], on_message=lambda _: None) as session:
        line = await live.line()
        line.call(call("by_hand"))
        await trio.testing.wait_all_tasks_blocked()
        assert list(session.pending_tool_calls) == ["c1"]
        assert await session.send_tool_response({"id": "c1", "response": {"ok": True}}) == 1
        assert len(await line.next_response()) == 1


async def test_tools_of_a_context_update_are_answered_by_hand(live):
    model = "gemini-3.8-live"
    async with live.session(model=model, tools=[weather], on_message=lambda _: None) as session:
        line = await live.line()
        await session.send_context_update(tools=[{"name": "later"}])
        await session.send_context_update(system_instruction="be brief")
        line.call(call("later"))
        await trio.testing.wait_all_tasks_blocked()
        assert line.responses() == []
        assert list(session.pending_tool_calls) == ["c1"]


async def test_wrong_arguments_are_told_to_the_model_and_reported(live, log):
    async with live.session(tools=[weather], **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("weather", town="Oslo", days="two"))
        (answer,) = await line.next_response()
        text = answer["response"]["error"]
        assert "town: there is no such argument; expected city, days" in text
        assert "city: is missing" in text
        assert "days: expected an integer, got str" in text
        error = await log.wait("on_error")
        assert isinstance(error, ToolError)
        assert "weather" in str(error)


@pytest.mark.parametrize(
    ("detail", "text"),
    [("message", "ValueError: failed badly"), ("type", "ValueError"), ("generic", "the tool failed")],
)
async def test_how_much_of_an_exception_the_model_is_told(live, log, detail, text):
    async with live.session(tools=[fails], tool_error_detail=detail, **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("fails", how="badly"))
        assert (await line.next_response())[0]["response"] == {"error": text}
        error = await log.wait("on_error")
        assert isinstance(error, HandlerError)
        assert error.callback == "fails"
        assert error.argument.id == "c1"
        assert isinstance(error.error, ValueError)


async def test_a_tool_error_is_written_for_the_model_and_told_in_full(live):
    async def book(at: str) -> None:
        raise ToolError("we are closed then; ask for another day")

    async with live.session(tools=[book], tool_error_detail="generic"):
        line = await live.line()
        line.call(call("book", at="Monday"))
        assert (await line.next_response())[0]["response"] == {
            "error": "we are closed then; ask for another day"
        }


async def test_a_group_of_exceptions_is_one_error_answer(live, log):
    async def group() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails, "inside")

    async with live.session(tools=[group], **log.callbacks("on_error")) as session:
        line = await live.line()
        line.call(call("group"))
        assert "ExceptionGroup" in (await line.next_response())[0]["response"]["error"]
        assert session.status == "ready"


async def test_plain_functions_run_in_threads_with_the_session_at_hand(live):
    seen = []

    def blocking(word: str) -> str:
        seen.append((threading.current_thread(), current_session()))
        return word.upper()

    async with live.session(tools=[blocking], **IN_THREADS) as session:
        line = await live.line()
        line.call(call("blocking", word="a"))
        assert (await line.next_response())[0]["response"] == {"result": "A"}
    assert seen[0][0] is not threading.main_thread()
    assert seen[0][1] is session


async def test_a_plain_function_may_return_an_awaitable(live):
    def lazy() -> object:
        return slow(2)

    async with live.session(tools=[lazy], **IN_THREADS):
        line = await live.line()
        line.call(call("lazy"))
        assert (await line.next_response())[0]["response"] == {"result": "2"}


async def test_a_thread_that_does_not_end_is_abandoned_and_the_model_is_told(live):
    gate = threading.Event()

    def stuck() -> None:
        gate.wait()

    try:
        async with live.session(tools=[stuck], tool_timeout=3):
            line = await live.line()
            line.call(call("stuck"))
            assert (await line.next_response())[0]["response"] == {"error": "timeout after 3 s"}
    finally:
        gate.set()


async def test_a_tool_has_its_own_timeout(live, log):
    @tool(timeout=2)
    async def quick() -> None:
        await trio.sleep_forever()

    async with live.session(tools=[quick, slow], tool_timeout=50, **log.callbacks("on_error")):
        line = await live.line()
        before = trio.current_time()
        line.call(call("quick"))
        assert (await line.next_response())[0]["response"] == {"error": "timeout after 2 s"}
        assert trio.current_time() - before == pytest.approx(2)
        assert isinstance((await log.wait("on_error")).error, trio.TooSlowError)
        line.call(call("slow", "c2", seconds=40.0))
        assert (await line.next_response())[0]["response"] == {"result": "40"}


async def test_a_tool_that_ignores_its_timeout_is_answered_in_time_and_once(live):
    @tool(timeout=2)
    async def stubborn() -> str:
        with trio.CancelScope(shield=True):
            await trio.sleep(30)
        return "at last"

    async with live.session(tools=[stubborn]) as session:
        line = await live.line()
        before = trio.current_time()
        line.call(call("stubborn"))
        assert "timeout" in (await line.next_response())[0]["response"]["error"]
        assert trio.current_time() - before == pytest.approx(2)
        await trio.sleep(60)
        assert len(line.responses()) == 1
        assert session.statistics().tools_running == 0


async def test_without_a_timeout_a_tool_takes_its_time(live):
    async with live.session(tools=[slow], tool_timeout=None):
        line = await live.line()
        line.call(call("slow", seconds=500))
        assert (await line.next_response())[0]["response"] == {"result": "500"}


async def test_the_answers_to_one_message_travel_together_when_the_last_is_there(live):
    async with live.session(tools=[slow, fails]):
        line = await live.line()
        line.call(call("slow", "a", seconds=3), call("slow", "b", seconds=1), call("fails", "c", how="x"))
        line.call(call("slow", "d", seconds=2))
        assert [each["id"] for each in await line.next_response()] == ["d"]
        assert {each["id"] for each in await line.next_response()} == {"a", "b", "c"}


async def test_answers_can_travel_one_by_one(live):
    async with live.session(tools=[slow], tool_response_mode="each"):
        line = await live.line()
        line.call(call("slow", "a", seconds=3), call("slow", "b", seconds=1))
        assert [each["id"] for each in await line.next_response()] == ["b"]
        assert [each["id"] for each in await line.next_response()] == ["a"]


async def test_non_blocking_calls_are_answered_one_by_one_with_their_scheduling(live):
    @tool(behavior="non_blocking", scheduling="silent")
    async def background(seconds: float) -> str:
        await trio.sleep(seconds)
        return "done"

    @tool(behavior="non_blocking", scheduling="interrupt")
    async def alarm() -> None:
        raise ValueError

    async with live.session(model=ASYNCHRONOUS, tools=[background, alarm, slow]):
        line = await live.line()
        declared = {each["name"]: each for each in line.setup["tools"][0]["functionDeclarations"]}
        assert declared["background"]["behavior"] == "NON_BLOCKING"
        assert "behavior" not in declared["slow"]
        line.call(
            call("background", "a", seconds=5),
            call("alarm", "b"),
            call("slow", "c", seconds=1),
            call("slow", "d", seconds=2),
        )
        (first,) = await line.next_response()
        assert (first["id"], first["scheduling"]) == ("b", "INTERRUPT")
        assert [each["id"] for each in await line.next_response()] == ["c", "d"]
        (last,) = await line.next_response()
        assert last == {
            "id": "a",
            "name": "background",
            "response": {"result": "done"},
            "scheduling": "SILENT",
        }


async def test_models_that_take_no_scheduling_get_none_and_those_that_never_wait_are_told_so(live):
    @tool(behavior="non_blocking", scheduling="silent")
    async def background() -> str:
        return "done"

    thinking = {"thinking_level": "low"}
    async with live.session(model=ALWAYS_ASYNCHRONOUS, tools=[background, weather], thinking_config=thinking):
        line = await live.line()
        declared = line.setup["tools"][0]["functionDeclarations"]
        assert [each["behavior"] for each in declared] == ["NON_BLOCKING", "NON_BLOCKING"]
        line.call(call("background"))
        assert await line.next_response() == [
            {"id": "c1", "name": "background", "response": {"result": "done"}}
        ]


async def test_what_a_generator_yields_is_sent_as_progress(live):
    @tool(behavior="non_blocking", scheduling="when_idle")
    async def search(words: str):
        """Search."""
        for found in ("first", "second"):
            await trio.sleep(1)
            yield {"found": found}

    async with live.session(model=ASYNCHRONOUS, tools=[search]) as session:
        line = await live.line()
        line.call(call("search", words="x"))
        pieces = [(await line.next_response())[0] for _ in range(3)]
        assert [each["response"] for each in pieces] == [{"found": "first"}, {"found": "second"}, {}]
        assert [each["willContinue"] for each in pieces] == [True, True, False]
        assert {each["scheduling"] for each in pieces} == {"WHEN_IDLE"}
        assert session.statistics().tool_calls_answered == 1


async def test_where_there_is_no_progress_the_last_of_a_generator_is_the_result(live):
    async def search(words: str):
        """Search."""
        yield 1
        yield 2

    async def nothing():
        """Yield nothing."""
        return
        yield

    async with live.session(tools=[search, nothing]):
        line = await live.line()
        line.call(call("search", words="x"), call("nothing", "c2"))
        assert [each["response"] for each in await line.next_response()] == [{"result": 2}, {"result": None}]


async def test_a_generator_that_is_cancelled_sends_nothing_more(live, log):
    @tool(behavior="non_blocking")
    async def search():
        """Search."""
        try:
            yield 1
            await trio.sleep_forever()
        finally:
            log.add("closed", None)

    async with live.session(model=ASYNCHRONOUS, tools=[search]):
        line = await live.line()
        line.call(call("search"))
        await line.next_response()
        line.cancel("c1")
        await log.wait("closed")
        await trio.sleep(120)
        assert len(line.responses()) == 1


@attrs.frozen
class Room:
    number: int
    kind: Literal["single", "double"]


async def test_results_may_be_classes_and_media(live):
    async def find(number: int) -> Room:
        return Room(number, "double")

    async def picture(number: Annotated[int, "Number of the room"]):
        """Show a room."""
        return {"room": number, "picture": (b"\x89PNG", "image/png")}

    async with live.session(tools=[find, picture]):
        line = await live.line()
        line.call(call("find", "a", number=7), call("picture", "b", number=7))
        found, shown = await line.next_response()
        assert found["response"] == {"number": 7, "kind": "double"}
        assert shown["response"] == {"room": 7, "picture": {"$ref": "media-1"}}
        assert shown["parts"] == [
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw==", "displayName": "media-1"}}
        ]


@pytest.mark.parametrize("result", [object(), b"raw", "x" * 300_000])
async def test_a_result_that_cannot_be_sent_is_an_error_answer_and_reported(live, log, result):
    async def odd():
        return result

    async with live.session(tools=[odd], **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("odd"))
        assert "the result" in (await line.next_response())[0]["response"]["error"]
        assert isinstance(await log.wait("on_error"), ToolError)


async def test_the_bound_on_answers_is_an_option(live):
    async def long() -> str:
        return "x" * 300

    async with live.session(tools=[long], max_tool_response_bytes=200):
        line = await live.line()
        line.call(call("long"))
        text = (await line.next_response())[0]["response"]["error"]
        assert "more than the 200 that are allowed" in text


async def test_tools_of_the_same_name_are_refused(live):
    with pytest.raises(ConfigError, match="two tools named weather"):
        async with live.session(tools=[weather, _second]):
            raise AssertionError
    with pytest.raises(ConfigError, match="two tools named weather"):
        async with live.session(tools=[weather, {"name": "weather"}]):
            raise AssertionError


@tool(name="weather")
async def _second() -> None:
    """Have a name that is taken."""


async def test_what_cannot_be_declared_is_refused_before_anything_is_dialled(live):
    async def bad(data: bytes) -> None:
        raise AssertionError

    with pytest.raises(ConfigError, match="tool bad, parameter data: bytes has no form in JSON"):
        async with live.session(tools=[bad]):
            raise AssertionError
    assert live.network.servers == []


async def test_a_call_is_taken_back_while_others_of_its_message_go_on(live):
    async with live.session(tools=[slow]) as session:
        line = await live.line()
        line.call(call("slow", "a", seconds=1), call("slow", "b", seconds=9), call("slow", "c", seconds=30))
        await trio.sleep(10)
        line.cancel("c")
        assert [each["id"] for each in await line.next_response()] == ["a", "b"]
        assert session.statistics().tool_calls_cancelled == 1


async def test_a_finished_call_that_waits_for_others_can_be_taken_back(live):
    async with live.session(tools=[slow]):
        line = await live.line()
        line.call(call("slow", "a", seconds=1), call("slow", "b", seconds=9))
        await trio.sleep(2)
        line.cancel("a")
        assert [each["id"] for each in await line.next_response()] == ["b"]


async def test_a_tool_that_swallows_its_cancellation_neither_answers_nor_holds_up_others(live):
    async def stubborn() -> str:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.sleep(20)
        return "never heard"

    async with live.session(tools=[stubborn, slow]):
        line = await live.line()
        before = trio.current_time()
        line.call(call("stubborn", "a"), call("slow", "b", seconds=1))
        await trio.sleep(5)
        line.cancel("a")
        assert [each["id"] for each in await line.next_response()] == ["b"]
        assert trio.current_time() - before == pytest.approx(5)
        await trio.sleep(120)
        assert len(line.responses()) == 1


async def test_an_answer_by_hand_to_a_running_call_counts(live):
    async with live.session(tools=[slow]) as session:
        line = await live.line()
        line.call(call("slow", seconds=5))
        await trio.testing.wait_all_tasks_blocked()
        assert await session.send_tool_response({"id": "c1", "response": {"quick": 1}}) == 1
        assert (await line.next_response())[0]["response"] == {"quick": 1}
        await trio.sleep(120)
        assert len(line.responses()) == 1
        assert session.statistics().tool_answers_suppressed == 1


async def test_further_calls_wait_for_a_free_place_in_order(live, log):
    async def work(n: int) -> int:
        log.add("began", n)
        await trio.sleep(1)
        return n

    async with live.session(tools=[work], max_concurrent_tools=1, tool_response_mode="each"):
        line = await live.line()
        line.call(*(call("work", f"c{n}", n=n) for n in range(5)))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("c2")
        assert [(await line.next_response())[0]["id"] for _ in range(4)] == ["c0", "c1", "c3", "c4"]
        assert log.of("began") == [0, 1, 3, 4]


async def test_a_duplicate_of_a_call_runs_nothing_twice(live, log):
    async def once(n: int) -> int:
        log.add("ran", n)
        await trio.sleep(1)
        return n

    async with live.session(tools=[once]):
        line = await live.line()
        line.call(call("once", n=1), call("once", n=1))
        line.call(call("once", n=1))
        await line.next_response()
        line.call(call("once", n=1))
        await trio.sleep(120)
        assert len(line.responses()) == len(log.of("ran")) == 1


async def test_calls_without_ids_of_the_same_function_get_an_answer_each(live):
    from livebridge.auth import VertexExpress  # noqa: PLC0415 - this test's own backend

    async with live.session(auth=VertexExpress(api_key="k"), tools=[slow]) as session:
        line = await live.line()
        line.call({"name": "slow", "args": {"seconds": 2}}, {"name": "slow", "args": {"seconds": 1}})
        answers = await line.next_response()
        assert sorted(each["response"]["result"] for each in answers) == ["1", "2"]
        assert dict(session.pending_tool_calls) == {}


async def test_closing_cancels_tools_and_answers_nothing(live, log):
    async def forever() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.add("cancelled", None)

    async with live.session(tools=[forever], max_concurrent_tools=1) as session:
        line = await live.line()
        line.call(call("forever", "a"), call("forever", "b"))
        await trio.testing.wait_all_tasks_blocked()
        await session.close()
    assert log.names == ["cancelled"]
    assert line.responses() == []


async def test_grace_lets_tools_answer_while_the_session_closes(live):
    async with live.session(tools=[slow], tool_grace=4) as session:
        line = await live.line()
        line.call(call("slow", seconds=2))
        await trio.testing.wait_all_tasks_blocked()
        await session.close()
    assert [each["response"] for each in line.responses()] == [{"result": "2"}]


async def test_an_answer_waits_for_room_and_is_then_sent(live):
    async def at_once(n: int) -> int:
        return n

    async with live.session(tools=[at_once], outbox_messages=1) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("a")
        await trio.testing.wait_all_tasks_blocked()
        line.call(call("at_once", "a", n=1))
        line.call(call("at_once", "b", n=2))
        line.call(call("at_once", "c", n=3))
        await trio.testing.wait_all_tasks_blocked()
        line.cancel("b")
        await trio.testing.wait_all_tasks_blocked()
        line.server.resume_reading()
        await line.next_response()
        await line.next_response()
        await trio.sleep(1)
        assert {each["id"] for each in line.responses()} == {"a", "c"}


async def test_an_answer_that_waits_for_room_is_given_up_when_the_session_closes(live, log):
    async def at_once() -> None:
        log.add("ran", None)

    async with live.session(tools=[at_once], outbox_messages=1) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("a")
        await trio.testing.wait_all_tasks_blocked()
        line.call(call("at_once"))
        await log.wait("ran")
        await session.close(drain=False)
    assert line.responses() == []


def test_keyboard_interrupt_in_a_tool_is_no_tool_error(world):
    async def interrupted() -> None:
        raise KeyboardInterrupt

    async def scenario(live):
        async with live.session(tools=[interrupted]) as session:
            line = await live.line()
            line.call(call("interrupted"))
            await session.wait_closed()

    with pytest.raises(BaseException) as raised:
        world(scenario)
    assert (
        raised.group_contains(KeyboardInterrupt)
        if isinstance(raised.value, BaseExceptionGroup)
        else raised.type is KeyboardInterrupt
    )
