"""What is accepted around an end (of a connection, of the session) is written once, or somebody is told."""

import contextlib
import logging

import pytest
import trio

from livebridge.errors import ConnectError, LivebridgeError, SessionClosedError
from livebridge.protocol import CircuitState, ReconnectPolicy

PCM = b"\x00\x00" * 1600


async def _ready(live, number=None, handle="h1"):
    line = await live.line(number)
    line.resumable(handle)
    await trio.testing.wait_all_tasks_blocked()
    return line


async def _settle():
    await trio.testing.wait_all_tasks_blocked()


async def test_a_rotation_dispatches_what_a_full_inbox_kept_back(live, log):
    go = trio.Event()

    async def on_text(delta):
        log.add("on_text", delta.text)
        await go.wait()

    async with live.session(inbox_frames=2, on_text=on_text, **log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.text(*(str(n) for n in range(10)))
        await _settle()
        await session.reconnect()
        go.set()
        await log.wait("on_resumed")
        assert log.of("on_text") == [str(n) for n in range(10)]


async def test_what_is_accepted_during_a_rotation_is_written_once_on_the_next_connection(live):
    async with live.session() as session:
        await _ready(live)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.reconnect)
            await trio.sleep(0.1)
            await session.send_text("late")
        await trio.sleep(1)
        assert [line.texts() for line in live.lines] == [[], ["late"]]


async def test_a_close_during_a_rotation_delivers_what_was_accepted(live, log):
    async def reconnect(session):
        with contextlib.suppress(LivebridgeError):
            await session.reconnect()

    async with live.session(close_timeout=20, **log.callbacks("on_close")) as session:
        await _ready(live)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reconnect, session)
            await trio.sleep(0.1)
            await session.send_text("late")
            result = await session.close()
        assert result.undelivered == 0
        assert [text for line in live.lines for text in line.texts()] == ["late"]


async def test_a_drain_does_not_wait_for_the_circuit(live):
    results = []
    async with live.session(close_timeout=8) as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_text("a")
        await _settle()
        breaker = session._actor.manager.handshake.endpoint.breaker
        for number in range(5):
            breaker.failed(number, now=trio.current_time())
        async with trio.open_nursery() as nursery:

            async def close():
                results.append(await session.close())

            nursery.start_soon(close)
            await _settle()
            line.drop()
    assert results[0].undelivered == 0
    assert live.lines[1].texts() == ["a"]


async def test_a_sender_that_waits_for_room_wakes_when_the_session_closes(live, log):
    async def send(session):
        with pytest.raises(SessionClosedError):
            await session.send_text("b")
        log.add("woken", trio.current_time())

    async with live.session(outbox_messages=1, close_timeout=5) as session, trio.open_nursery() as nursery:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("a")
        await _settle()
        nursery.start_soon(send, session)
        await _settle()
        closed_at = trio.current_time()
        await session.close()
        assert log.of("woken") == [closed_at]
        assert trio.current_time() > closed_at


async def test_a_few_sends_let_no_other_task_run(live):
    async with live.session() as session:
        await live.line()
        for _ in range(14):
            ran = []

            async def other(ran=ran):
                ran.append(True)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(other)
                await session.send_text("a")
                assert ran == []


async def test_a_second_close_does_not_prolong_the_first(live):
    async with live.session(close_timeout=5) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("a")
        await _settle()
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.close)
            await trio.sleep(4)
            await session.close()
        assert trio.current_time() - began < 5.5


async def test_a_second_close_without_a_drain_does_not_spoil_the_first(live):
    async with live.session(close_timeout=5) as session:
        line = await live.line()
        line.server.pause_reading()
        for text in ("a", "b"):
            await session.send_text(text)
            await _settle()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.close)
            await trio.sleep(1)
            nursery.start_soon(lambda: session.close(drain=False))
            await trio.sleep(1)
            line.server.resume_reading()
        assert line.texts() == ["a", "b"]


async def test_half_a_message_is_not_followed_by_a_close_frame(live):
    async with live.session() as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_text("stuck")
        await _settle()
        await session.reconnect()
        assert line.server.close_info.code is None


async def test_sound_that_was_given_up_in_an_outage_is_told(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        for _ in range(40):
            await session.send_audio(PCM)
        await _settle()
        line.resumable("h2")
        await _settle()
        line.drop()
        assert (await log.wait("on_resumed")).lossy


async def test_a_session_that_comes_back_each_time_opens_no_circuit(live, log):
    async with live.session(
        reconnect=ReconnectPolicy(max_delay=0.1), **log.callbacks("on_resumed")
    ) as session:
        for number in (1, 2, 3):
            line = await _ready(live, number)
            live.refuse(*[ConnectError("busy", status=503, phase="dial") for _ in range(3)])
            line.drop()
            await log.wait("on_resumed", number)
        breaker = session._actor.manager.handshake.endpoint.breaker
        assert breaker.state is CircuitState.CLOSED
        assert trio.current_time() < 30


async def test_an_inbox_that_fills_up_is_logged_once_until_it_has_emptied(live, caplog):
    caplog.set_level(logging.WARNING, logger="livebridge.session")
    go = trio.Event()

    async def on_text(delta):
        await go.wait()

    async with live.session(inbox_frames=20, on_text=on_text):
        line = await live.line()
        await _settle()
        for filled in (1, 2):
            go = trio.Event()
            line.text(*("x" for _ in range(15)))
            await _settle()
            assert len(caplog.records) == filled - 1
            line.text(*("x" for _ in range(20)))
            await _settle()
            assert len(caplog.records) == filled
            go.set()
            await _settle()
    assert "callbacks fall behind: 16 frames" in caplog.records[0].getMessage()


async def test_an_inbox_that_fills_up_by_bytes_is_logged_too(live, caplog):
    caplog.set_level(logging.WARNING, logger="livebridge.session")

    async def on_text(delta):
        await trio.sleep(1)

    async with live.session(inbox_bytes=1000, on_text=on_text):
        line = await live.line()
        await _settle()
        line.text("x" * 900)
        await _settle()
        (record,) = caplog.records
        assert "callbacks fall behind: 1 frames (9" in record.getMessage()
