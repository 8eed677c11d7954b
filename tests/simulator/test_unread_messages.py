import gc
import warnings

import trio
import trio.testing

from livebridge import Session
from livebridge.simulator import LiveSimulator
from livebridge.simulator._connection import UNREAD_FRAMES

MODEL = "gemini-3.1-flash-live-preview"


async def test_a_connection_that_ends_with_messages_unread_leaves_no_generator_open():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with (
            LiveSimulator.serve() as simulator,
            Session.start(model=MODEL, **simulator.connection) as session,
        ):
            connection = simulator.connections[0]
            connection.stall(reading=False, writing=True)
            await session.send_text("Hello")
            for _ in range(2 * UNREAD_FRAMES):
                await session.send_audio(bytes(640))
            await trio.testing.wait_all_tasks_blocked(0.01)
            connection.drop()
        gc.collect()
        await trio.testing.wait_all_tasks_blocked()
    assert [str(each.message) for each in caught if each.category is ResourceWarning] == []
