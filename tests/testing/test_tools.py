"""A bot's tools are called as a model would call them, and shown as the model saw them."""

import pytest
import trio

from livebridge.errors import ToolError
from livebridge.session import Handler, tool
from livebridge.testing._tools import tool_bench

ASYNCHRONOUS = "gemini-2.5-flash-native-audio-preview-12-2025"


class Concierge(Handler):
    def __init__(self):
        self.bookings = []

    @tool
    async def book_table(self, people: int, at: str = "19:00") -> dict[str, str]:
        """Book a table."""
        self.bookings.append((people, at))
        return {"status": "booked"}


async def search(words: str):
    """Search."""
    yield {"found": 1}
    yield {"found": 2}


async def forever(timeout: int) -> None:
    """Never end."""
    await trio.sleep_forever()


async def test_the_tools_of_a_bot_are_called_in_three_lines():
    bot = Concierge()
    async with tool_bench(bot) as bench:
        answer = await bench.call("book_table", people=4)
    assert answer.response == {"status": "booked"}
    assert answer.error is None
    assert bot.bookings == [(4, "19:00")]
    assert [each.name for each in bench.declarations] == ["book_table"]


async def test_what_goes_wrong_is_seen_as_the_model_sees_it():
    async with tool_bench(Concierge()) as bench:
        answer = await bench.call("book_table", people="four")
        assert "people: expected an integer" in answer.error
        again = await bench.call("book_table", people=4)
        assert again.error is None


async def test_progress_and_scheduling_are_seen():
    background = tool(behavior="non_blocking", scheduling="silent")(search)
    async with tool_bench(tools=[background], model=ASYNCHRONOUS) as bench:
        answer = await bench.call("search", words="x")
    assert answer.progress == ({"found": 1}, {"found": 2})
    assert answer.scheduling == "SILENT"


async def test_a_call_of_what_was_not_declared_is_the_tests_mistake():
    async with tool_bench(Concierge()) as bench:
        with pytest.raises(ToolError, match="knows no function book; it knows book_table"):
            await bench.call("book")
    async with tool_bench() as bench:
        with pytest.raises(ToolError, match="it knows none"):
            await bench.call("book")


async def test_a_tool_that_does_not_answer_is_not_waited_for_without_end():
    async with tool_bench(tools=[forever]) as bench:
        with pytest.raises(TimeoutError, match=r"forever gave no answer within 0\.05 s"):
            await bench.call_with("forever", {"timeout": 3}, timeout=0.05)
