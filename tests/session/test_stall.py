"""A model that has fallen silent, and everything that only looks like one."""

import logging

import pytest
import trio

from livebridge.errors import OutboxFullError
from livebridge.protocol import StallPolicy

NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"
MANUAL = {"automatic_activity_detection": {"disabled": True}}
PCM = b"\0\1" * 1600
SILENCE = b"\0\0" * 1600
HEARD = ("on_stall", "on_session_lost", "on_resumed")


def hears(text):
    return {"serverContent": {"inputTranscription": {"text": text}}}


def voice(kind):
    return {"voiceActivity": {"type": kind}}


INTERRUPTED = {"serverContent": {"interrupted": True}}


async def speak(session, seconds, pcm=PCM, each=None):
    for number in range(int(seconds * 10)):
        await session.send_audio(pcm)
        if each is not None and number % 10 == 0:
            each()
        await trio.sleep(0.1)


def kinds(line):
    """What was received, sound left out."""
    got = [next(iter(m["realtimeInput"])) if "realtimeInput" in m else next(iter(m)) for m in line.received]
    return [kind for kind in got if kind != "audio"]


def actions(log):
    return [(info.kind, info.action) for info in log.of("on_stall")]


async def nudged(log):
    await log.wait("on_stall", 2)
    await trio.sleep(1)


@pytest.mark.parametrize("model", [NATIVE, "gemini-3.1-flash-live-preview"])
async def test_muting_after_nothing_was_said_is_no_question(live, log, model):
    async with live.session(model=model, **log.callbacks(*HEARD)) as session:
        line = await live.line()
        await session.send_text("remember 42")
        line.turn("ok")
        line.resumable()
        await trio.sleep(1)
        await session.mute()
        await trio.sleep(500)
        assert log.events == []
        assert kinds(line)[1:] == []


async def test_a_user_who_listens_to_a_long_answer_and_says_nothing_is_left_alone(live, log):
    async with live.session(**log.callbacks(*HEARD), input_audio_transcription={}) as session:
        line = await live.line()
        await session.send_text("tell me everything")
        line.text("first,")
        await speak(session, 60, SILENCE, lambda: line.text("and"))
        line.say(hears("mhm"))
        line.say({"serverContent": {"generationComplete": True}})
        await speak(session, 120, SILENCE)
        line.turn()
        line.say(hears(" yes"))
        await speak(session, 200, SILENCE)
        assert log.events == []


async def test_a_model_that_thinks_for_25_seconds_is_asked_about_and_left_alone(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await live.line()
        await session.send_text("hard question")
        await trio.sleep(25)
        line.turn("easy")
        await trio.sleep(500)
        assert actions(log) == [("answer", "event")]
        assert kinds(line) == ["text"]


async def test_with_automatic_detection_a_transcript_awaits_the_model(live, log):
    async with live.session(**log.callbacks("on_stall"), input_audio_transcription={}) as session:
        line = await live.line()
        await speak(session, 30, each=lambda: line.say(hears("and ")))
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak, session, 100, SILENCE)
            await log.wait("on_stall")
            assert trio.current_time() - began == pytest.approx(19, abs=0.5)
            await nudged(log)
            nursery.cancel_scope.cancel()
        assert actions(log) == [("speech", "event"), ("speech", "nudge")]
        assert kinds(line) == ["audioStreamEnd"]


async def test_on_a_model_that_takes_content_speech_is_nudged_as_speech(live, log):
    async with live.session(model=NATIVE, **log.callbacks("on_stall")):
        line = await live.line()
        line.say(hears("hello?"))
        await nudged(log)
        assert kinds(line) == ["audioStreamEnd"]


async def test_with_automatic_detection_the_server_says_when_the_user_has_ended(live, log):
    async with live.session(**log.callbacks("on_stall")) as session:
        line = await live.line()
        line.say(voice("ACTIVITY_START"))
        await speak(session, 120)
        assert log.events == []
        line.say(voice("ACTIVITY_END"))
        began = trio.current_time()
        assert (await log.wait("on_stall")).kind == "speech"
        assert trio.current_time() - began == pytest.approx(20)


async def test_without_transcripts_or_signals_nobody_knows_that_the_user_has_spoken(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        await live.line()
        await speak(session, 10)
        await speak(session, 500, SILENCE)
        assert log.events == []


async def test_with_manual_detection_the_end_of_an_activity_awaits_the_model(live, log):
    async with live.session(realtime_input_config=MANUAL, **log.callbacks("on_stall")) as session:
        line = await live.line()
        async with session.activity():
            await speak(session, 100)
            assert log.events == []
        await nudged(log)
        assert actions(log) == [("speech", "event"), ("speech", "nudge")]
        assert kinds(line) == ["activityStart", "activityEnd", "activityEnd"]


async def test_a_button_pressed_by_accident_is_no_question(live, log):
    async with live.session(realtime_input_config=MANUAL, **log.callbacks(*HEARD)) as session:
        async with session.activity():
            pass
        await trio.sleep(500)
        assert log.events == []


@pytest.mark.parametrize("together", [True, False])
async def test_a_freeze_after_a_barge_in_is_noticed_though_the_old_turn_is_completed(live, log, together):
    async with live.session(**log.callbacks("on_stall")):
        line = await live.line()
        line.text("as I was saying")
        if together:
            line.say({"serverContent": {"interrupted": True, "turnComplete": True}})
        else:
            line.say(INTERRUPTED)
            line.text("(late)")
            line.turn()
        began = trio.current_time()
        assert (await log.wait("on_stall")).kind == "interrupted"
        assert trio.current_time() - began == pytest.approx(20)


async def test_a_text_that_interrupts_an_answer_awaits_its_own(live, log):
    async with live.session(**log.callbacks("on_stall")) as session:
        line = await live.line()
        line.text("as I was saying")
        await trio.sleep(0.1)
        await session.send_text("stop")
        line.text("(late)")
        line.say(INTERRUPTED)
        line.turn()
        assert (await log.wait("on_stall")).kind == "answer"


async def test_a_barge_in_that_is_answered_is_no_stall(live, log):
    async with live.session(**log.callbacks(*HEARD)):
        line = await live.line()
        line.text("as I was saying")
        line.say(INTERRUPTED)
        line.turn()
        await trio.sleep(10)
        line.turn("yes?")
        await trio.sleep(500)
        assert log.events == []


async def test_a_long_barge_in_with_manual_detection_is_not_cut_off(live, log):
    async with live.session(realtime_input_config=MANUAL, **log.callbacks(*HEARD)) as session:
        line = await live.line()
        line.resumable()
        line.text("as I was saying")
        await trio.sleep(1)
        async with session.activity():
            line.say(INTERRUPTED)
            await speak(session, 100, each=lambda: line.say(hears("and ")))
            line.turn()
        line.turn("I see")
        await trio.sleep(100)
        assert log.events == []
        assert kinds(line) == ["activityStart", "activityEnd"]


async def test_a_long_barge_in_with_transcripts_is_not_cut_off(live, log):
    async with live.session(input_audio_transcription={}, **log.callbacks(*HEARD)) as session:
        line = await live.line()
        line.resumable()
        line.text("as I was saying")
        line.say(INTERRUPTED)
        line.turn()
        await speak(session, 200, each=lambda: line.say(hears("and ")))
        line.turn("I see")
        await trio.sleep(100)
        assert log.events == []


async def test_a_barge_in_of_a_minute_is_not_cut_off_where_nothing_tells_when_it_ends(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await live.line()
        line.resumable()
        line.text("as I was saying")
        await speak(session, 1)
        line.say(INTERRUPTED)
        line.turn()
        await speak(session, 59)
        line.turn("I see")
        await trio.sleep(100)
        assert log.events == []


@pytest.mark.parametrize(("model", "action"), [(NATIVE, "nudge"), ("gemini-3.1-flash-live-preview", "none")])
async def test_the_answer_of_a_blocking_tool_awaits_the_model(live, log, model, action):
    async def f() -> str:
        await trio.sleep(30)
        return "done"

    async with live.session(model=model, **log.callbacks("on_stall"), tools=[f]) as session:
        line = await live.line()
        await session.send_text("go")
        line.call({"id": "1", "name": "f", "args": {}})
        await line.next_response()
        await nudged(log)
        assert actions(log) == [("tool", "event"), ("tool", action)]
        nudges = [m["clientContent"] for m in line.received[2:]]
        assert nudges == ([{"turnComplete": True}] if action == "nudge" else [])


async def test_a_tool_that_runs_for_five_minutes_is_no_stall(live, log):
    async def f() -> str:
        await trio.sleep(300)
        return "done"

    async with live.session(**log.callbacks(*HEARD), tools=[f], tool_timeout=None) as session:
        line = await live.line()
        await session.send_text("go")
        line.call({"id": "1", "name": "f", "args": {}})
        await trio.sleep(5)
        await session.send_text("still there?")
        await line.next_response()
        line.turn("done")
        await trio.sleep(100)
        assert log.events == []


async def test_a_call_that_the_model_does_not_wait_for_hides_no_stall(live, log):
    tools = [{"function_declarations": [{"name": "f", "behavior": "NON_BLOCKING"}]}]
    async with live.session(
        model=NATIVE, tools=tools, tool_timeout=None, on_tool_call=lambda _: None, **log.callbacks("on_stall")
    ) as session:
        line = await live.line()
        line.call({"id": "1", "name": "f", "args": {}})
        line.text("it runs")
        line.turn()
        await trio.sleep(100)
        assert log.events == []
        await session.send_text("hello?")
        assert (await log.wait("on_stall")).kind == "answer"


async def test_an_extended_thought_is_no_stall(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await live.line()
        await session.send_text("think hard")
        line.text("one moment")
        line.say({"serverContent": {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}})
        await trio.sleep(300)
        line.text("forty-two")
        line.say({"serverContent": {"turnComplete": True, "interactionStatus": "IDLE"}})
        await trio.sleep(300)
        assert log.events == []


async def test_a_thought_without_a_word_is_given_a_minute(live, log):
    async with live.session(**log.callbacks("on_stall")) as session:
        line = await live.line()
        await session.send_text("think hard")
        line.say({"serverContent": {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}})
        began = trio.current_time()
        await log.wait("on_stall")
        assert trio.current_time() - began == pytest.approx(60)


async def test_a_full_outbox_at_the_time_of_a_nudge_ends_nothing(live, log, monkeypatch):
    async with live.session(**log.callbacks("on_stall")) as session:
        await live.line()
        await session.send_text("hello")
        await trio.sleep(1)

        def full(*_, **__):
            raise OutboxFullError("full")

        monkeypatch.setattr(type(session._state.outbox), "accept", full)
        await nudged(log)
        monkeypatch.undo()
        assert [info.action for info in log.of("on_stall")] == ["event", "none"]
        assert session.phase == "ready"


async def test_while_the_question_has_not_left_nobody_is_silent(live, log):
    async with live.session(outbox_messages=1, write_timeout=1000, **log.callbacks("on_stall")) as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("hello")
        await trio.sleep(500)
        assert log.events == []
        line.server.resume_reading()
        began = trio.current_time()
        await log.wait("on_stall")
        assert trio.current_time() - began >= 20


async def test_the_watch_can_be_switched_off(live, log):
    async with live.session(stall=None, **log.callbacks(*HEARD)) as session:
        await live.line()
        await session.send_text("hello")
        await trio.sleep(1000)
        assert log.events == []


async def test_a_transcriber_never_answers(live, log):
    async with live.session(
        model="gemini-3.5-transcribe-live", response_modalities=["TEXT"], **log.callbacks(*HEARD)
    ):
        (await live.line()).say(hears("hello"))
        await trio.sleep(1000)
        assert log.events == []


async def test_a_step_is_logged_for_operators(live, log, caplog):
    caplog.set_level(logging.WARNING, "livebridge.session")
    policy = StallPolicy(after=5.0, steps=("event",))
    async with live.session(stall=policy, **log.callbacks("on_stall")) as session:
        await live.line()
        await session.send_text("hello")
        await log.wait("on_stall")
    assert "the model has been silent for 5 s (answer); step: event" in caplog.text
