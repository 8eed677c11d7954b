"""Faults of a ready connection: each test is one cell of the matrix, named after what must hold."""

import pytest
import trio

from livebridge.errors import (
    ConnectError,
    SessionFailedError,
)
from livebridge.protocol import Phase

OUTAGES = (None, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014)
"""Ends that a retry with the handle can heal; ``None`` is a reset or an end of file."""

HOPELESS = (1002, 1003, 1009, 1010, 1015, 4000, 4999)

outages = pytest.mark.parametrize("code", OUTAGES)
hopeless = pytest.mark.parametrize("code", HOPELESS)


def _end(line, code, reason=""):
    if code is None:
        line.drop()
    else:
        line.close(code, reason)


def _refused(status=None, **details):
    return ConnectError(f"refused: {status}", status=status, phase="dial", **details)


async def _ready(live, handle="h1"):
    line = await live.line()
    if handle:
        line.resumable(handle)
    await trio.testing.wait_all_tasks_blocked()
    return line


@outages
async def test_a_ready_connection_that_is_cut_off_is_resumed_and_nothing_is_lost(live, log, code):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost", "on_text")) as session:
        line = await _ready(live)
        _end(line, code)
        await log.wait("on_resumed")
        second = await live.line(2)
        assert second.handle == "h1"
        await session.send_text("still here")
        await second.next()
        second.text("yes")
        await log.wait("on_text")
        (info,) = log.of("on_resumed")
        assert (info.epoch, info.continuity, info.lossy, info.uncertain) == (2, "resumed", False, ())
        assert log.of("on_session_lost") == []
        assert session.statistics().reconnects == 1


@hopeless
async def test_a_ready_connection_that_ends_with_a_hopeless_code_fails_the_session(live, code):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session():
            line = await _ready(live)
            line.close(code, "because")
            await trio.sleep_forever()
    assert caught.value.code == code
    assert live.network.dials == 1


async def test_1007_is_retried_once_without_media_and_then_as_a_fresh_session(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")) as session:
        for number, handle in ((1, None), (2, "h1"), (3, None)):
            line = await live.line(number)
            assert line.handle == handle
            line.resumable("h1")
            await trio.testing.wait_all_tasks_blocked()
            if number == 3:
                break
            line.server.pause_reading()
            await session.send_audio(b"\x00\x00" * 1600)
            await session.send_text(f"text {number}")
            await trio.testing.wait_all_tasks_blocked()
            line.close(1007, "Request contains an invalid argument.")
            await log.wait("on_resumed", number)
        await trio.sleep(1)
        assert line.texts() == ["text 1", "text 2"], "what nobody has answered is asked again"
        assert not any("audio" in each.get("realtimeInput", {}) for each in line.received)
        assert [info.continuity for info in log.of("on_resumed")] == ["resumed", "lost"]
        assert len(log.of("on_session_lost")) == 1


async def test_1008_is_retried_but_three_times_within_seconds_is_fatal(live, log):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session():
            for number in (1, 2, 3):
                line = await live.line(number)
                line.resumable()
                await trio.testing.wait_all_tasks_blocked()
                line.close(1008, "The operation was aborted.")
            await trio.sleep_forever()
    assert caught.value.code == 1008
    assert live.network.dials == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1007, "API key not valid. Please pass a valid API key."),
        (1008, "API key was reported as leaked."),
        (1008, "models/x is not found for API version v1"),
        (1008, "This API method requires billing to be enabled."),
    ],
)
async def test_a_reason_that_no_retry_can_help_is_fatal_and_comes_with_a_hint(live, code, reason):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session():
            line = await _ready(live)
            line.close(code, reason)
            await trio.sleep_forever()
    assert caught.value.__cause__.hint
    assert caught.value.__cause__.retryable is False


@outages
async def test_frames_read_in_a_burst_before_the_end_are_dispatched_and_precede_on_resumed(live, log, code):
    async with live.session(inbox_frames=3, **log.callbacks("on_text", "on_resumed")):
        line = await live.line()
        line.text(*(str(n) for n in range(40)))
        _end(line, code)
        await log.wait("on_resumed")
        assert log.names == ["on_text"] * 40 + ["on_resumed"]


@outages
async def test_what_was_being_written_when_the_connection_ended_is_written_again_once(live, log, code):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        for n in range(10):
            await session.send_text(str(n))
        await trio.testing.wait_all_tasks_blocked()
        _end(line, code)
        await log.wait("on_resumed")
        await trio.sleep(1)
        assert [text for each in live.lines for text in each.texts()] == [str(n) for n in range(10)]
        assert log.of("on_resumed")[0].uncertain == ()


async def test_a_write_that_does_not_finish_breaks_the_connection_and_is_repeated(live, log):
    async with live.session(write_timeout=4, **log.callbacks("on_resumed", "on_reconnecting")) as session:
        line = await _ready(live)
        before = trio.current_time()
        line.server.pause_reading()
        await session.send_text("a")
        info = await log.wait("on_reconnecting")
        assert trio.current_time() - before == pytest.approx(4)
        assert "did not finish within 4 s" in str(info.error)
        await log.wait("on_resumed")
        await trio.sleep(1)
        assert (await live.line(2)).texts() == ["a"]


@outages
async def test_a_connection_that_ends_before_its_go_away_deadline_is_resumed_at_once(live, log, code):
    async with live.session(**log.callbacks("on_resumed", "on_go_away")):
        line = await _ready(live)
        line.text("in the middle of a turn")
        line.go_away("600s")
        await log.wait("on_go_away")
        before = trio.current_time()
        _end(line, code)
        await log.wait("on_resumed")
        assert trio.current_time() - before < 2
        assert len(log.of("on_go_away")) == 1


@pytest.mark.parametrize("time_left", [0.0, 2.0, 8.0, 50.0])
async def test_a_silent_server_is_left_before_its_go_away_deadline(live, log, time_left):
    async with live.session(**log.callbacks("on_resumed")):
        line = await _ready(live)
        line.text("in the middle of a turn, and then silence")
        before = trio.current_time()
        line.go_away(f"{time_left}s")
        await log.wait("on_resumed")
        margin = min(5.0, time_left / 4)
        assert trio.current_time() - before == pytest.approx(time_left - margin, abs=1.1)
        assert line.server.close_info.initiated_by == "client"


@pytest.mark.parametrize("status", [None, 503])
async def test_a_rotation_whose_dial_fails_backs_off_and_keeps_what_was_sent_meanwhile(live, log, status):
    async with live.session(**log.callbacks("on_resumed")) as session:
        await _ready(live)
        live.refuse(_refused(status), _refused(status))
        live.dial_delays.append(1)
        session._actor.manager.reconnect()
        while session.phase is not Phase.ROTATING:
            await session._state.changed.wait()
        await session.send_text("meanwhile")
        await log.wait("on_resumed")
        await trio.sleep(1)
        assert live.lines[1].texts() == ["meanwhile"]
        assert live.lines[1].handle == "h1"


@pytest.mark.parametrize("code", [1007, 1008])
async def test_a_rotation_that_is_refused_twice_becomes_a_fresh_session(live, log, steps, code):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")) as session:
        await _ready(live)
        live.then(steps.closing(code), steps.closing(code))
        session._actor.manager.reconnect()
        await log.wait("on_resumed")
        assert [each.handle for each in live.lines] == [None, "h1", "h1", None]
        assert len(log.of("on_session_lost")) == 1


@pytest.mark.parametrize("code", [1007, 1008, 1002])
async def test_a_drain_that_ends_with_a_refusal_reports_what_was_not_delivered(live, log, steps, code):
    async with live.session(close_timeout=10, **log.callbacks("on_close")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_text("a")
        await trio.testing.wait_all_tasks_blocked()
        live.then(steps.closing(code))
        results = []
        async with trio.open_nursery() as nursery:

            async def close():
                results.append(await session.close())

            nursery.start_soon(close)
            await trio.testing.wait_all_tasks_blocked()
            line.close(code, "no")
        assert results[0].undelivered == 1
    assert log.names == ["on_close"]


async def test_a_rotation_waits_for_the_old_connection_to_be_closed_before_the_new_setup(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.server.answers_close = False
        before = trio.current_time()
        await session.reconnect()
        assert 2.0 <= trio.current_time() - before <= 3.5
        assert line.server.close_info is not None
        assert live.most_set_up == 1
        await log.wait("on_resumed")
