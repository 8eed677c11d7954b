"""Faults in the middle of something: frames pouring in, a tool at work, a GoAway, a rotation, a replay, a drain."""

import pytest
import trio

from livebridge.auth import VertexExpress
from livebridge.errors import HandlerError

OUTAGES = (None, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014)
"""Ends that a retry with the handle can heal; ``None`` is a reset or an end of file."""

REFUSALS = (1007, 1008)

outages = pytest.mark.parametrize("code", OUTAGES)
refusals = pytest.mark.parametrize("code", REFUSALS)


@pytest.fixture
def transparent():
    return {"auth": VertexExpress(api_key="k"), "session_resumption": {"transparent": True}}


def _end(line, code, reason="no"):
    if code is None:
        line.drop()
    else:
        line.close(code, reason)


async def _settle():
    await trio.testing.wait_all_tasks_blocked()


async def _ready(live, number=None, handle="h1", index=None):
    line = await live.line(number)
    line.resumable(handle, index=index)
    await _settle()
    return line


def _handles(live):
    return [line.handle for line in live.lines]


@refusals
async def test_a_burst_before_a_refusal_is_dispatched_and_precedes_on_resumed(live, log, code):
    async with live.session(inbox_frames=3, **log.callbacks("on_text", "on_resumed")):
        line = await _ready(live)
        line.text(*(str(n) for n in range(40)))
        line.close(code, "no")
        await log.wait("on_resumed")
        assert log.names == ["on_text"] * 40 + ["on_resumed"]
        assert [delta.text for delta in log.of("on_text")] == [str(n) for n in range(40)]


async def test_a_cancellation_in_a_burst_ends_at_once_and_counts_what_nobody_saw(live, log):
    async def on_text(delta):
        log.add("on_text", delta.text)
        await trio.sleep(1)

    with trio.CancelScope() as scope:
        async with live.session(inbox_frames=5, on_text=on_text, **log.callbacks("on_close")) as session:
            line = await _ready(live)
            line.text(*(str(n) for n in range(40)))
            await trio.sleep(2.5)
            began = trio.current_time()
            scope.cancel()
    assert trio.current_time() - began <= 1
    assert log.names == ["on_text"] * 3 + ["on_close"]
    assert session.statistics().undispatched > 0


async def test_callbacks_that_raise_in_a_burst_keep_the_order(live, log):
    def on_text(delta):
        log.add("on_text", delta.text)
        if int(delta.text) % 3 == 0:
            raise ValueError(delta.text)

    async with live.session(on_text=on_text, **log.callbacks("on_error")):
        line = await live.line()
        line.text(*(str(n) for n in range(8)))
        await _settle()
    assert log.of("on_text") == [str(n) for n in range(8)]
    errors = log.of("on_error")
    assert [str(error.error) for error in errors] == ["0", "3", "6"]
    assert {type(error) for error in errors} == {HandlerError}


@pytest.mark.parametrize("code", [*OUTAGES, *REFUSALS])
async def test_a_tool_at_work_outlives_the_connection_and_its_result_is_not_sent_to_who_forgot_the_call(
    live, log, code
):
    finished = []

    async def work() -> str:
        """Take a while."""
        await trio.sleep(30)
        finished.append(trio.current_time())
        return "done"

    async with live.session(
        tools=[work], orphan_tool_results="drop", stall=None, **log.callbacks("on_resumed", "on_error")
    ) as session:
        line = await _ready(live)
        line.call({"id": "1", "name": "work", "args": {}})
        await _settle()
        _end(line, code)
        await log.wait("on_resumed")
        await trio.sleep(40)
        assert len(finished) == 1
        assert _handles(live) == [None, "h1"]
        assert [each.responses() for each in live.lines] == [[], []]
        assert not session.pending_tool_calls
        assert len(log.of("on_error")) == 1


async def test_a_cancellation_reaches_the_tool(live, log):
    async def work() -> str:
        """Work for ever."""
        try:
            await trio.sleep_forever()
        finally:
            log.add("cancelled", trio.current_time())

    with trio.CancelScope() as scope:
        async with live.session(tools=[work], **log.callbacks("on_close")):
            line = await _ready(live)
            line.call({"id": "1", "name": "work", "args": {}})
            await _settle()
            scope.cancel()
            await trio.sleep_forever()
    assert sorted(log.names) == ["cancelled", "on_close"]
    assert line.responses() == []


@refusals
async def test_a_refusal_before_the_go_away_deadline_is_resumed_at_once(live, log, code):
    async with live.session(**log.callbacks("on_resumed", "on_go_away")):
        line = await _ready(live)
        await trio.sleep(12)
        line.text("busy")
        line.go_away("600s")
        await log.wait("on_go_away")
        began = trio.current_time()
        line.close(code, "no")
        await log.wait("on_resumed")
        assert trio.current_time() - began < 1
        assert _handles(live) == [None, "h1"]


@outages
async def test_a_rotation_whose_setup_is_cut_off_backs_off_and_resumes(live, log, steps, code):
    async with live.session(**log.callbacks("on_resumed", "on_reconnecting", "on_session_lost")) as session:
        await _ready(live)
        live.then(steps.closing(code))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.reconnect)
            await log.wait("on_reconnecting", 2)
            await session.send_text("meanwhile")
        await trio.sleep(1)
        assert _handles(live) == [None, "h1", "h1"]
        assert live.lines[-1].texts() == ["meanwhile"]
        assert [info.attempt for info in log.of("on_reconnecting")] == [0, 1]
        assert log.of("on_session_lost") == []


async def _replaying(live, log, session, *, number=2):
    """Lose a connection over which three messages went; the next one gets stuck while it writes them again."""
    line = await _ready(live, index=0)
    for n in range(3):
        await session.send_text(str(n))
    await trio.sleep(12)
    line.drop()
    second = await live.line(number)
    second.server.pause_reading()
    await log.wait("on_resumed")
    await _settle()
    return second


@outages
async def test_a_replay_that_is_cut_off_begins_anew_and_doubles_nothing(live, log, transparent, code):
    async with live.session(stall=None, **transparent, **log.callbacks("on_resumed")) as session:
        second = await _replaying(live, log, session)
        _end(second, code)
        await log.wait("on_resumed", 2)
        await trio.sleep(1)
        assert second.texts() == []
        assert live.lines[-1].texts() == ["0", "1", "2"]
        assert _handles(live) == [None, "h1", "h1"]


@refusals
async def test_a_replay_that_is_refused_again_and_again_goes_on_in_a_fresh_session(
    live, log, transparent, code
):
    callbacks = log.callbacks("on_resumed", "on_session_lost")
    async with live.session(stall=None, **transparent, **callbacks) as session:
        line = await _replaying(live, log, session)
        for number in (2, 3, 4):
            await log.wait("on_resumed", number - 1)
            line = await live.line(number)
            if line.handle is None:
                break
            line.server.pause_reading()
            await _settle()
            line.close(code, "no")
        await log.wait("on_resumed", 3)
        await trio.sleep(1)
        assert _handles(live) == [None, "h1", "h1", None]
        assert live.lines[-1].texts() == ["0", "1", "2"]
        assert len(log.of("on_session_lost")) == 1


async def test_a_cancellation_during_a_replay_ends_at_once(live, log, transparent):
    with trio.CancelScope() as scope:
        callbacks = log.callbacks("on_resumed", "on_close")
        async with live.session(stall=None, **transparent, **callbacks) as session:
            await _replaying(live, log, session)
            began = trio.current_time()
            scope.cancel()
            await trio.sleep_forever()
    assert trio.current_time() - began <= 1
    assert log.names == ["on_resumed", "on_close"]


@outages
async def test_a_drain_that_is_cut_off_goes_on_over_another_connection(live, log, code):
    results = []
    async with live.session(close_timeout=8, **log.callbacks("on_close")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_text("a")
        await _settle()
        async with trio.open_nursery() as nursery:

            async def close():
                results.append(await session.close())

            nursery.start_soon(close)
            await _settle()
            _end(line, code)
    assert results[0].undelivered == 0
    assert [each.texts() for each in live.lines] == [[], ["a"]]
    assert log.names == ["on_close"]


@pytest.mark.parametrize("whose", ["the block's end", "a call"])
async def test_a_cancellation_during_a_drain_ends_at_once(live, log, whose):
    with trio.CancelScope() as scope:
        async with live.session(close_timeout=50, **log.callbacks("on_close")) as session:
            line = await _ready(live)
            line.server.pause_reading()
            await session.send_text("a")
            await _settle()
            scope.deadline = trio.current_time() + 5
            if whose == "a call":
                await session.close()
    assert scope.cancelled_caught
    assert 5 <= trio.current_time() <= 6
    assert log.names == ["on_close"]


async def test_a_drain_that_nobody_reads_ends_at_its_deadline(live, log):
    async with live.session(close_timeout=3, **log.callbacks("on_close")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_text("a")
        await _settle()
        began = trio.current_time()
        result = await session.close()
        assert trio.current_time() - began <= 3.1
        assert result.undelivered == 1
