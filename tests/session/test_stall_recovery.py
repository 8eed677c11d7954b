"""What becomes of the conversation, and of the open question, when a connection is replaced."""

import pytest
import trio

from livebridge.auth import VertexExpress
from livebridge.errors import ConnectError
from livebridge.protocol import StallPolicy
from livebridge.session import MemoryResumeStore

NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"
MANUAL = {"automatic_activity_detection": {"disabled": True}}
PCM = b"\0\1" * 1600
HEARD = ("on_stall", "on_session_lost", "on_resumed")


def hears(text):
    return {"serverContent": {"inputTranscription": {"text": text}}}


def actions(log):
    return [info.action for info in log.of("on_stall")]


def seed(line):
    """The first message, as texts."""
    return [turn["parts"][0]["text"] for turn in line.received[0]["clientContent"]["turns"]]


async def met(live, session, handle="h1"):
    """A first connection on which user and model have exchanged a sentence."""
    line = await live.line(1)
    await session.send_text("my name is Bob")
    await line.next()
    line.turn("hello Bob")
    if handle:
        line.resumable(handle)
    await session.wait_turn(5)
    await trio.sleep(12)
    return line


async def test_a_question_is_asked_again_over_each_connection_until_it_is_answered(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        await met(live, session)
        await session.send_text("what is my name?")
        rotated = await live.line(2)
        assert (await rotated.next())["realtimeInput"] == {"text": "what is my name?"}
        assert rotated.handle == "h1"
        fresh = await live.line(3)
        await fresh.next()
        await fresh.next()
        fresh.turn("Bob")
        await trio.sleep(500)
        assert (fresh.handle, seed(fresh)) == (None, ["my name is Bob", "hello Bob"])
        assert fresh.texts()[2:] == ["what is my name?"]
        assert actions(log) == ["event", "nudge", "rotate", "fresh"]
        resumed = log.of("on_resumed")
        assert [info.continuity for info in resumed] == ["resumed", "reseeded"]
        assert [(info.replayed, info.uncertain) for info in resumed] == [(1, ()), (1, ())]
        assert [info.reason for info in log.of("on_session_lost")] == ["stalled"]


async def test_a_nudge_is_no_message_of_the_user_and_not_replayed(live, log):
    async with live.session(model=NATIVE, replay="uncertain", **log.callbacks(*HEARD)) as session:
        await met(live, session)
        await session.send_text("what is my name?")
        rotated = await live.line(2)
        await rotated.next()
        await trio.sleep(1)
        assert [each["clientContent"].get("turns") is None for each in live.lines[0].received] == [
            False, False, True,
        ]  # fmt: skip
        assert rotated.texts() == ["what is my name?"]
        assert len(rotated.received) == 1
        assert [(info.replayed, info.uncertain) for info in log.of("on_resumed")] == [(1, ())]


async def test_a_silent_model_is_given_up_after_one_climb_and_watched_again_when_asked_again(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        await met(live, session)
        await session.send_text("what is my name?")
        await trio.sleep(1000)
        assert actions(log) == ["event", "nudge", "rotate", "fresh"]
        assert len(live.lines) == 3
        await session.send_text("hello?")
        await log.wait("on_stall", 5)
        assert actions(log)[4:] == ["event"]


async def test_a_poisoned_handle_is_dropped_at_the_first_stall(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        line.drop()
        await live.line(2)
        await trio.sleep(1)
        await session.send_text("what is my name?")
        fresh = await live.line(3)
        await fresh.next()
        await fresh.next()
        fresh.turn("Bob")
        await session.wait_turn(5)
        assert (fresh.handle, seed(fresh)) == (None, ["my name is Bob", "hello Bob"])
        assert fresh.texts()[2:] == ["what is my name?"]
        assert actions(log) == ["event", "nudge", "fresh"]


async def test_a_poisoned_handle_is_noticed_by_the_users_words(live, log):
    async with live.session(input_audio_transcription={}, **log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        line.drop()
        mute = await live.line(2)
        await log.wait("on_resumed")
        mute.say(hears("what is "), hears("my name?"))
        fresh = await live.line(3)
        await fresh.next()
        await fresh.next()
        assert (fresh.handle, fresh.texts()[2:]) == (None, ["what is my name?"])
        assert [(info.kind, info.action) for info in log.of("on_stall")] == [
            ("speech", "event"), ("speech", "nudge"), ("speech", "fresh"),
        ]  # fmt: skip


async def test_a_question_that_was_open_when_the_connection_broke_is_watched(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        await session.send_text("what is my name?")
        await line.next()
        await trio.sleep(1)
        line.drop()
        resumed = await log.wait("on_resumed")
        assert [message.realtime_input.text for message in resumed.uncertain] == ["what is my name?"]
        began = trio.current_time()
        await log.wait("on_stall")
        assert trio.current_time() - began == pytest.approx(20)
        fresh = await live.line(3)
        await fresh.next()
        await fresh.next()
        assert fresh.texts()[2:] == ["what is my name?"]


async def test_an_answer_that_was_cut_off_by_the_network_is_not_asked_for_again(live, log):
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        await session.send_text("tell me everything")
        line.text("First of all")
        await trio.sleep(1)
        line.drop()
        await log.wait("on_resumed")
        await trio.sleep(500)
        assert actions(log) == []
        assert len(live.lines) == 2
        past = [content.parts[0].text for content in session._state.history.contents()]
        assert past[2:] == ["tell me everything", "First of all"]


async def test_replayed_messages_await_an_answer_and_are_not_asked_twice(live, log):
    async with live.session(replay="uncertain", **log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        await session.send_text("tell me everything")
        line.text("First of all")
        await trio.sleep(1)
        line.drop()
        second = await live.line(2)
        assert (await second.next())["realtimeInput"] == {"text": "tell me everything"}
        assert (await log.wait("on_stall")).kind == "resume"
        await trio.sleep(200)
        assert [each.texts().count("tell me everything") for each in live.lines[1:]] == [1, 1]


async def test_speech_that_went_with_its_connection_costs_no_conversation(live, log):
    async with live.session(realtime_input_config=MANUAL, **log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        async with session.activity():
            await session.send_audio(PCM)
        await trio.sleep(1)
        line.drop()
        await log.wait("on_resumed")
        await trio.sleep(500)
        assert actions(log) == ["event", "nudge"]
        assert log.of("on_session_lost") == []


async def test_after_a_rotation_for_speech_that_nobody_wrote_down_the_user_has_the_word(live, log):
    async with live.session(realtime_input_config=MANUAL, **log.callbacks(*HEARD)) as session:
        await met(live, session)
        async with session.activity():
            await session.send_audio(PCM)
        await trio.sleep(500)
        assert actions(log) == ["event", "nudge", "rotate"]
        assert [info.continuity for info in log.of("on_resumed")] == ["resumed"]


async def test_a_handle_that_comes_while_the_conversation_is_given_up_is_not_taken(live, log):
    policy = StallPolicy(after=5, steps=("fresh",))
    async with live.session(stall=policy, **log.callbacks(*HEARD)) as session:
        line = await live.line()
        line.resumable("h1")
        await session.send_text("hello")
        await log.wait("on_stall")
        line.resumable("h2")
        await log.wait("on_resumed")
        assert (live.lines[1].handle, session.handle) == (None, None)
        live.lines[1].resumable("h3")
        await trio.sleep(1)
        assert session.handle == "h3"


async def test_a_call_that_a_reconnect_has_orphaned_is_told_and_nudged_but_not_repeated(live, log):
    async def f() -> str:
        await trio.sleep(300)
        return "done"

    options = {"orphan_tool_results": "drop", **log.callbacks(*HEARD)}
    async with live.session(model=NATIVE, tools=[f], **options) as session:
        line = await met(live, session)
        await session.send_text("book a table")
        line.call({"id": "1", "name": "f", "args": {}})
        await trio.sleep(5)
        line.drop()
        await log.wait("on_resumed")
        second = await live.line(2)
        began = trio.current_time()
        assert (await log.wait("on_stall")).kind == "resume"
        assert trio.current_time() - began == pytest.approx(20)
        assert (await second.next())["clientContent"] == {"turnComplete": True}
        await trio.sleep(500)
        assert actions(log) == ["event", "nudge"]
        assert "book a table" not in second.texts()


async def test_after_a_tool_has_run_nothing_is_asked_again(live, log):
    runs = []

    async def f() -> str:
        runs.append(1)
        return "done"

    async with live.session(tools=[f], **log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        await session.send_text("book a table")
        line.say(hears("please"))
        line.call({"id": "1", "name": "f", "args": {}})
        await trio.sleep(500)
        assert actions(log) == ["event", "none", "rotate"]
        assert all(each.texts() == [] for each in live.lines[1:])
        assert runs == [1]


async def test_a_refused_handle_loses_neither_the_past_nor_the_question(live, log, steps):
    refused = steps.closing(1008, "BidiGenerateContent session not found")
    live.then(steps.complete, refused, refused)
    async with live.session(**log.callbacks(*HEARD)) as session:
        line = await met(live, session)
        await session.send_text("what is my name?")
        await line.next()
        line.drop()
        resumed = await log.wait("on_resumed")
        fresh = live.lines[-1]
        await fresh.next()
        await fresh.next()
        assert (resumed.continuity, resumed.replayed, resumed.uncertain) == ("reseeded", 1, ())
        assert seed(fresh) == ["my name is Bob", "hello Bob"]
        assert fresh.texts()[2:] == ["what is my name?"]
        assert [info.reason for info in log.of("on_session_lost")] == ["rejected"]


async def test_nothing_is_told_twice_by_a_seed_and_a_replay(live, log):
    async with live.session(replay="uncertain", session_resumption=None, **log.callbacks(*HEARD)) as session:
        line = await met(live, session, handle=None)
        await session.send_text("what is my name?")
        await line.next()
        line.drop()
        resumed = await log.wait("on_resumed")
        fresh = await live.line(2)
        await fresh.next()
        await fresh.next()
        await trio.sleep(1)
        assert (resumed.continuity, resumed.replayed) == ("reseeded", 1)
        assert fresh.texts() == ["my name is Bob", "hello Bob", "what is my name?"]


@pytest.mark.parametrize(
    "options",
    [
        {"reseed_turns": 0},
        {"history_config": {"initial_history_in_client_content": True}},
        {"auth": VertexExpress(api_key="secret-key")},
    ],
)
async def test_a_history_is_told_only_where_it_is_wanted_and_taken(live, log, options):
    async with live.session(session_resumption=None, **options, **log.callbacks(*HEARD)) as session:
        line = await met(live, session, handle=None)
        line.drop()
        assert (await log.wait("on_resumed")).continuity == "lost"
        assert (await live.line(2)).received == []


async def test_a_seed_with_which_sessions_end_is_left_out_at_last(live, log):
    async with live.session(session_resumption=None, **log.callbacks(*HEARD)) as session:
        line = await met(live, session, handle=None)
        for number in (2, 3):
            line.drop()
            line = await live.line(number)
            await line.next()
        line.drop()
        await log.wait("on_resumed", 3)
        assert [info.continuity for info in log.of("on_resumed")] == ["reseeded", "reseeded", "lost"]


async def test_what_was_given_up_during_an_outage_is_neither_asked_again_nor_awaited(live, log):
    async with live.session(content_max_age=10, **log.callbacks("on_error", *HEARD)) as session:
        line = await met(live, session)
        live.refuse(*[ConnectError("no", phase="dial", retryable=True)] * 8)
        line.drop()
        await trio.sleep(0.01)
        await session.send_text("hello?")
        await log.wait("on_resumed")
        await trio.sleep(500)
        assert len(log.of("on_error")) == 1
        assert actions(log) == []
        assert live.lines[-1].texts() == []


async def test_a_stored_question_is_watched_after_a_restart(live, log):
    options = {"resume_store": MemoryResumeStore(), "forget_on_close": False}
    async with live.session(**options) as session:
        line = await live.line()
        line.resumable()
        await trio.sleep(1)
        line.server.pause_reading()
        await session.send_text("hello")
        await session.close(drain=False)
    async with live.session(**options, **log.callbacks("on_stall")):
        assert (await (await live.line(2)).next())["realtimeInput"] == {"text": "hello"}
        assert (await log.wait("on_stall")).kind == "answer"
