"""What a send does in each state of the session, and within which bounds."""

import pytest
import trio

from livebridge.errors import (
    ConfigError,
    NotConnectedError,
    SessionClosedError,
    SessionFailedError,
)
from livebridge.protocol import Phase
from livebridge.session import Session

PCM = b"\x01\x00" * 1600  # a tenth of a second at 16 kHz

ANY = "gemini-of-tomorrow"
"""A model that nobody knows: everything may be sent to it."""

MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}

SENDS = {
    "content": lambda session: session.send_client_content("c"),
    "text": lambda session: session.send_text("t"),
    "audio": lambda session: session.send_audio(PCM),
    "realtime audio": lambda session: session.send_realtime_input(audio=PCM),
    "video": lambda session: session.send_video(b"\xff\xd8\xff", "image/jpeg"),
    "signal": lambda session: session.send_realtime_input(audio_stream_end=True),
    "tool response": lambda session: session.send_tool_response({"id": "x", "name": "f", "response": {}}),
    "context": lambda session: session.send_context_update(system_instruction="be brief"),
}
sends = pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)


async def _park(live, phase, steps):
    """Lead the server into a state in which a session stays in the wanted phase."""
    match phase:
        case Phase.DIALING | Phase.ROTATING:
            live.dial_delays.extend([0, 5])
        case Phase.SETUP:
            live.then(steps.complete, steps.silence)


@sends
async def test_invariant_29_a_session_that_was_never_connected_refuses_every_send(live, send):
    async with live.session(model=ANY, connect=False) as session:
        with pytest.raises(NotConnectedError, match="connect"):
            await send(session)
        assert session.phase is Phase.IDLE


@sends
async def test_invariant_29_with_buffer_before_connect_sends_are_kept_until_then(live, send):
    async with live.session(model=ANY, connect=False, buffer_before_connect=True) as session:
        await send(session)
        await session.connect()
        line = await live.line()
        assert await line.next()


@sends
async def test_invariant_29_a_ready_session_writes_what_it_accepts(live, send):
    async with live.session(model=ANY) as session:
        line = await live.line()
        await send(session)
        assert await line.next()


@sends
async def test_invariant_29_in_goaway_sends_go_on(live, send):
    async with live.session(model=ANY) as session:
        line = await live.line()
        line.go_away("300s")
        while session.phase is not Phase.GOAWAY:
            await session._state.changed.wait()
        await send(session)
        assert await line.next()
        assert line.number == 1


@pytest.mark.parametrize("phase", [Phase.DIALING, Phase.SETUP, Phase.BACKOFF, Phase.ROTATING], ids=str)
@sends
async def test_invariant_29_without_a_connection_sends_are_accepted_and_written_later(
    live, log, steps, send, phase
):
    await _park(live, phase, steps)
    async with live.session(model=ANY, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        if phase is Phase.ROTATING:
            session._actor.manager.reconnect()
        else:
            line.drop()
        while session.phase is not phase:
            await session._state.changed.wait()
        await send(session)
        assert session.phase is phase
        if phase is Phase.SETUP:
            (await live.line(2)).complete()
        await log.wait("on_resumed")
        line = await live.line(2)
        assert await line.next()
        assert line.handle == "h1"


@sends
async def test_invariant_29_a_closing_or_closed_session_refuses_every_send(live, send):
    async with live.session(model=ANY) as session:
        line = await live.line()
        line.server.answers_close = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.close)
            await trio.testing.wait_all_tasks_blocked()
            assert session.phase is Phase.CLOSING
            with pytest.raises(SessionClosedError):
                await send(session)
        with pytest.raises(SessionClosedError):
            await send(session)


@sends
async def test_invariant_29_a_failed_session_refuses_with_the_cause(live, log, send):
    with pytest.raises(SessionFailedError):
        async with live.session(model=ANY, reconnect=None, **log.callbacks("on_close")) as session:
            line = await live.line()
            line.close(1011, "quota")
            await trio.sleep_forever()
    with pytest.raises(SessionFailedError, match="quota") as caught:
        await send(session)
    assert caught.value.__cause__.code == 1011


@sends
async def test_a_session_that_was_never_started_refuses_every_send(send):
    with pytest.raises(NotConnectedError, match="not been started"):
        await send(Session())


async def test_invariant_29_blocked_senders_wake_with_session_closed_error(live, log):
    async def send(session, n):
        try:
            await session.send_text(str(n))
        except SessionClosedError:
            log.add("closed", n)

    async with live.session(outbox_messages=2, close_timeout=1) as session:
        line = await live.line()
        line.server.pause_reading()
        async with trio.open_nursery() as nursery:
            for n in range(6):
                nursery.start_soon(send, session, n)
            await trio.testing.wait_all_tasks_blocked()
            result = await session.close(drain=True)
        assert result.undelivered == 2
        assert len(log.of("closed")) == 4


async def test_blocked_senders_wake_in_time_when_there_is_room_and_keep_their_order(live):
    async with live.session(outbox_messages=2) as session:
        line = await live.line()
        line.server.pause_reading()
        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(session.send_text, str(n))
                await trio.testing.wait_all_tasks_blocked()
            line.server.resume_reading()
        await trio.sleep(1)
        assert sorted(line.texts(), key=int) == [str(n) for n in range(20)]
        assert line.texts()[:2] == ["0", "1"]


async def test_the_bytes_of_the_outbox_are_bounded_too(live):
    async with live.session(outbox_bytes=1000) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("x" * 5000)
        with trio.move_on_after(1) as scope:
            await session.send_text("y")
        assert scope.cancelled_caught
        line.server.resume_reading()
        await session.send_text("z")
        await trio.sleep(1)
        assert [text[0] for text in line.texts()] == ["x", "z"]


async def test_invariant_29_a_cancelled_send_has_accepted_nothing(live):
    async with live.session(outbox_messages=1) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("first")
        with trio.move_on_after(1):
            await session.send_text("cancelled")
        with trio.CancelScope() as scope:
            scope.cancel()
            await session.send_audio(PCM)
        assert scope.cancelled_caught
        line.server.resume_reading()
        await session.send_text("last")
        await trio.sleep(1)
        assert line.texts() == ["first", "last"]
        assert len(line.received) == 2


async def test_waiting_for_a_word_that_is_none_is_refused_before_anything_is_sent(live):
    async with live.session() as session:
        with pytest.raises(ConfigError, match="wait must be"):
            await session.send_text("a", wait="delivered")
        assert session.statistics().pending_sends == 0


async def test_the_block_of_activity_sends_start_and_end_also_when_it_fails(live):
    async with live.session(**MANUAL) as session:
        line = await live.line()
        with pytest.raises(ValueError, match="inside"):
            async with session.activity():
                await session.send_audio(PCM)
                raise ValueError("inside")
        kinds = [next(iter((await line.next())["realtimeInput"])) for _ in range(3)]
        assert kinds == ["activityStart", "audio", "activityEnd"]
        async with session.activity():
            await session.close()
        assert session.closed


async def test_a_media_stream_is_sent_at_the_pace_at_which_it_sounds(live):
    async def pieces():
        for _ in range(10):
            yield PCM

    async with live.session() as session:
        line = await live.line()
        before = trio.current_time()
        assert await session.send_media_stream(pieces()) == pytest.approx(1.0)
        assert trio.current_time() - before == pytest.approx(1.0)
        assert await session.send_media_stream(pieces(), pace=False) == pytest.approx(1.0)
        assert trio.current_time() - before == pytest.approx(1.0)
        await trio.sleep(1)
        assert len(line.received) == 20


@pytest.mark.parametrize(
    "bad",
    [
        lambda s: s.send_text(5),
        lambda s: s.send_client_content(object()),
        lambda s: s.send_realtime_input(),
        lambda s: s.send_realtime_input(text="a", audio=PCM),
        lambda s: s.send_audio(b"\x01"),
        lambda s: s.send_audio(PCM, rate=0),
        lambda s: s.send_video(b"x"),
        lambda s: s.send_tool_response([]),
        lambda s: s.send_tool_response({"name": "f", "response": {}}),
        lambda s: s.send_context_update(),
    ],
)
async def test_bad_input_is_refused_with_a_config_error_and_nothing_is_sent(live, bad):
    async with live.session() as session:
        line = await live.line()
        with pytest.raises(ConfigError):
            await bad(session)
        await session.send_text("ok")
        await line.next()
        assert len(line.received) == 1


async def test_the_end_of_an_activity_is_accepted_beyond_the_bounds(live):
    async with live.session(outbox_messages=1, **MANUAL) as session:
        line = await live.line()
        line.server.pause_reading()
        async with session.activity():
            await trio.testing.wait_all_tasks_blocked()
        assert session.statistics().pending_sends == 1
        line.server.resume_reading()
        kinds = [next(iter((await line.next())["realtimeInput"])) for _ in range(2)]
        assert kinds == ["activityStart", "activityEnd"]


@pytest.mark.parametrize("model", ["gemini-2.5-flash-native-audio-latest", "gemini-3.1-flash-live-preview"])
async def test_send_text_takes_the_channel_that_the_model_takes_text_from(live, model):
    async with live.session(model=model) as session:
        line = await live.line()
        await session.send_text("a", turn_complete=False)
        message = await line.next()
        if "2.5" in model:
            assert message["clientContent"]["turnComplete"] is False
        else:
            assert message == {"realtimeInput": {"text": "a"}}
