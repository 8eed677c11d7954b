"""A call that repeats a forgotten one gets that one's tool, or its answer; but only one of them does."""

import trio

from livebridge.session import tool


async def test_a_call_is_not_reattached_to_a_tool_whose_answer_was_given_to_another(live, log):
    """The tool of the first call answers by timeout while it is orphaned, and goes on in spite of that."""

    @tool(timeout=3)
    async def endless() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(20)

    options = {"orphan_tool_results": "reattach", "max_concurrent_tools": 1, **log.callbacks("on_resumed")}
    async with live.session(tools=[endless], **options):
        line = await live.line()
        line.resumable()
        line.call({"id": "1", "name": "endless"})
        await trio.sleep(1)
        line.drop()
        await log.wait("on_resumed")
        await trio.sleep(5)
        second = await live.line(2)
        second.call({"id": "2", "name": "endless"}, {"id": "3", "name": "endless"})
        answers = await second.next_response()
        assert [answer["id"] for answer in answers] == ["2", "3"]
