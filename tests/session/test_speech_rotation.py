"""A GoAway while somebody speaks: the connection is replaced when nothing of the conversation is lost by it."""

from contextlib import asynccontextmanager

import pytest
import trio

PCM = b"\0\1" * 1600
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
DEADLINE = 45.25
"""50 s less the margin, and the quarter of a second for which an old connection is read to its end."""


def voice(kind):
    return {"voiceActivity": {"type": f"ACTIVITY_{kind}"}}


def heard(text):
    return {"serverContent": {"inputTranscription": {"text": text}}}


@asynccontextmanager
async def talking(session):
    """An open microphone."""

    async def microphone():
        while True:
            await session.send_audio(PCM)
            await trio.sleep(0.1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(microphone)
        yield
        nursery.cancel_scope.cancel()


async def rotated(log, began):
    """When the session resumed, in seconds after `began`, and what it said."""
    info = await log.wait("on_resumed")
    return pytest.approx(trio.current_time() - began, abs=0.11), info


async def go_away(line, handle="h2"):
    line.resumable(handle)
    line.go_away("50s")
    return trio.current_time()


async def test_a_user_who_speaks_is_heard_out_and_answered_first(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        await trio.sleep(1)
        line.say(voice("START"))
        began = await go_away(line)
        await trio.sleep(3)
        line.say(voice("END"))
        await trio.sleep(2)
        line.turn("well, then")
        await trio.sleep(1)
        assert log.of("on_resumed") == []
        line.resumable("h3")
        after, info = await rotated(log, began)
        assert after == 6.25
        assert (info.lossy, info.lost_audio_seconds) == (False, 0.0)
        assert (await live.line()).handle == "h3"


async def test_the_vertex_signals_tell_of_speech_as_well(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        line.say({"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_SOS"}})
        began = await go_away(line)
        await trio.sleep(3)
        line.say({"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_EOS"}})
        line.say({"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_UNSPECIFIED"}})
        await trio.sleep(1)
        line.turn()
        after, _ = await rotated(log, began)
        assert after == 4.25


async def test_words_that_were_understood_are_answered_first(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        line.say(heard("what is"))
        began = await go_away(line)
        await trio.sleep(12)
        line.say(heard(" the time"))
        await trio.sleep(12)
        line.turn()
        after, _ = await rotated(log, began)
        assert after == 24.25


async def test_a_user_who_never_stops_is_cut_off_at_the_deadline_and_the_loss_is_told(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        line.say(voice("START"))
        began = await go_away(line)
        after, info = await rotated(log, began)
        assert after == DEADLINE
        assert info.lossy
        assert info.lost_audio_seconds == pytest.approx(45, abs=0.6)


async def test_an_open_microphone_is_no_speech_where_the_server_signals_speech(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        line.say(voice("START"), voice("END"))
        line.turn("hello")
        await trio.sleep(30)
        began = await go_away(line)
        after, info = await rotated(log, began)
        assert after == 0.25
        assert not info.lossy


async def test_an_open_microphone_is_no_speech_if_no_word_is_transcribed(live, log):
    async with live.session(input_audio_transcription={}, **log.callbacks("on_resumed")) as session:
        async with talking(session):
            line = await live.line()
            await trio.sleep(30)
            began = await go_away(line)
            after, info = await rotated(log, began)
        assert after == 10.25
        assert not info.lossy


async def test_without_any_sign_the_end_of_the_next_turn_is_awaited(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        await trio.sleep(5)
        began = await go_away(line)
        await trio.sleep(20)
        line.turn("an answer")
        await trio.sleep(0.5)
        line.resumable("h3")
        after, info = await rotated(log, began)
        assert after == 20.75
        assert (info.lossy, info.lost_audio_seconds) == (False, 0.0)


async def test_without_any_sign_the_deadline_comes_first_if_no_turn_ends(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        await trio.sleep(1)
        began = await go_away(line)
        after, _ = await rotated(log, began)
        assert after == DEADLINE


async def test_a_closed_microphone_holds_up_nothing(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await live.line()
        await session.send_audio(PCM)
        await session.mute()
        await line.next()
        await line.next()
        line.turn("hello")
        await trio.sleep(1)
        after, info = await rotated(log, await go_away(line))
        assert after == 0.25
        assert not info.lossy


async def test_a_barge_in_is_answered_before_the_connection_is_replaced(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        line.text("once upon a")
        began = await go_away(line)
        line.say({"serverContent": {"interrupted": True}})
        line.turn()
        line.resumable("h3")
        await trio.sleep(4)
        assert log.of("on_resumed") == []
        line.turn("yes?")
        line.resumable("h4")
        after, _ = await rotated(log, began)
        assert after == 4.25


async def test_an_activity_is_heard_out_and_answered_first(live, log):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        async with session.activity():
            for _ in range(100):
                await session.send_audio(PCM)
                await trio.sleep(0.1)
            began = await go_away(line)
            await trio.sleep(10)
        await trio.sleep(2)
        assert log.of("on_resumed") == []
        line.turn("an answer")
        line.resumable("h3")
        after, info = await rotated(log, began)
        assert after == 12.25
        assert (info.lossy, info.uncertain, info.lost_audio_seconds) == (False, (), 0.0)
        assert (await live.line()).handle == "h3"


async def test_noise_that_is_not_answered_holds_up_the_rotation_for_a_while_only(live, log):
    async with live.session(**MANUAL, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        began = await go_away(line)
        async with session.activity():
            await session.send_audio(PCM)
            await trio.sleep(1)
        after, _ = await rotated(log, began)
        assert after == 16.25


async def test_a_turn_that_the_handle_does_not_stand_for_is_not_given_up(live, log):
    async with live.session(**log.callbacks("on_resumed")):
        line = await live.line()
        line.text("an")
        began = await go_away(line)
        await trio.sleep(1)
        line.turn("answer")
        await trio.sleep(2)
        assert log.of("on_resumed") == []
        line.resumable("h3")
        after, _ = await rotated(log, began)
        assert after == 3.25


async def test_a_task_that_goes_on_in_the_background_is_no_end_of_a_turn(live, log):
    options = {"model": "gemini-3.8-live-extended-thinking", "thinking_config": {"thinking_level": "LOW"}}
    async with live.session(**options, **log.callbacks("on_resumed", "on_turn_complete")) as session:
        line = await live.line()
        await session.send_text("think")
        await line.next()
        line.text("working")
        line.say({"serverContent": {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}})
        await trio.sleep(6)
        began = await go_away(line)
        await trio.sleep(5)
        line.say({"serverContent": {"interactionStatus": "IN_PROGRESS"}})
        await trio.sleep(5)
        assert log.of("on_resumed") == []
        line.say({"serverContent": {"turnComplete": True, "interactionStatus": "IDLE"}})
        line.resumable("h3")
        after, info = await rotated(log, began)
        assert after == 10.25
        assert len(log.of("on_turn_complete")) == 1
        assert info.uncertain == ()


async def test_without_resumption_an_idle_moment_is_as_good_as_any(live, log):
    async with live.session(session_resumption=None, **log.callbacks("on_resumed")):
        line = await live.line()
        line.go_away("50s")
        after, info = await rotated(log, trio.current_time())
        assert (after, info.continuity) == (0.25, "lost")


async def test_without_resumption_the_running_turn_is_awaited_and_so_is_an_answer(live, log):
    async with live.session(session_resumption=None, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        await session.send_text("a question")
        line.go_away("50s")
        began = trio.current_time()
        await trio.sleep(5)
        line.text("an")
        await trio.sleep(20)
        assert log.of("on_resumed") == []
        line.turn("answer")
        after, _ = await rotated(log, began)
        assert after == 25.25


async def test_a_rotation_of_our_own_waits_for_the_user_as_well(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session, talking(session):
        line = await live.line()
        line.say(voice("START"))
        line.resumable("h1")
        await trio.sleep(0.1)
        began = trio.current_time()
        await session.rotate()
        await trio.sleep(5)
        line.say(voice("END"))
        line.turn()
        after, _ = await rotated(log, began)
        assert after == 5.25


@pytest.mark.parametrize("seconds", [0, 2])
async def test_sound_that_was_written_after_the_last_handle_is_told_when_the_connection_breaks(
    live, log, seconds
):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await live.line()
        await session.send_audio(PCM)
        await line.next()
        line.resumable("h1")
        await trio.sleep(0.1)
        for _ in range(10 * seconds):
            await session.send_audio(PCM)
            await line.next()
        line.drop()
        info = await log.wait("on_resumed")
        assert (info.lossy, info.lost_audio_seconds) == (seconds > 0, pytest.approx(seconds))


async def test_sound_that_was_given_up_in_an_outage_is_told_too(live, log):
    async with live.session(media_buffer=0.5, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable("h1")
        await trio.sleep(0.1)
        live.dial_delays.append(5)
        line.drop()
        await trio.sleep(1)
        for _ in range(20):
            await session.send_audio(PCM)
        info = await log.wait("on_resumed")
        assert (info.lossy, info.lost_audio_seconds) == (True, pytest.approx(1.5))
        assert session.statistics().dropped_media_seconds == pytest.approx(1.5)
