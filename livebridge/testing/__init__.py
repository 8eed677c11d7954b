"""What tests of a bot need: a Live API server on this machine, as a pytest fixture or as a block.

With livebridge installed, pytest knows the fixture `live_simulator`; it takes pytest-trio to run such tests::

    async def test_my_bot_tells_the_weather(live_simulator):
        async with Session.start(Bot(), model=MODEL, **live_simulator.connection) as session:
            turn = await session.ask("What is the weather in Lisbon?", timeout=5)
        assert "sunny" in turn.text
        assert live_simulator.conversations[0].heard.tool_results[0].name == "get_weather"

A test that wants a brain, a pace or a lifetime of its own serves one itself::

    async with LiveSimulator.serve(brain=Script(["Hello!"]), connection_lifetime=3) as simulator: ...

The tools of a bot are called as the model would call them::

    async with tool_bench(Concierge()) as bench:
        answer = await bench.call("book_table", people=2, at="20:00")
    assert answer.response == {"status": "booked"}

Programs that shall run with a real key or without any take their options from `connection`::

    async with connection(simulate="--simulate" in sys.argv) as options:
        async with Session.start(model=MODEL, **options) as session: ...

::

    your test ──▶ your bot ──▶ Session ══ WebSocket on loopback ══▶ LiveSimulator
        └────────────── asks what the server heard ────────────────────▶┘

Guarantees: every fixture is a server of its own on a free port, gone when the test ends; nothing leaves the
machine; the plugin does nothing until a test asks for the fixture.

When not to use it: to test code that only needs a message or two; build those with `livebridge.wire`.
"""

from livebridge.testing._connection import connection
from livebridge.testing._tools import ToolAnswer, ToolBench, tool_bench

__all__ = ["ToolAnswer", "ToolBench", "connection", "tool_bench"]
