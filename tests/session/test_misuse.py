"""What would cost the whole conversation is refused while the session can still say so."""

import pytest
import trio

from livebridge.auth import EphemeralToken
from livebridge.errors import ConfigError

MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
HISTORY = {"history_config": {"initial_history_in_client_content": True}}
PCM = b"\1\0" * 160


async def _in_activity(session):
    async with session.activity():
        await session.send_audio(PCM)


@pytest.mark.parametrize(
    ("options", "act", "text"),
    [
        ({}, _in_activity, "manual activity detection"),
        ({}, lambda s: s.send_realtime_input(activity_start=True), "manual activity detection"),
        ({}, lambda s: s.send_realtime_input(activity_end=True), "manual activity detection"),
        (MANUAL, lambda s: s.send_realtime_input(audio_stream_end=True), "automatic activity detection"),
        ({}, lambda s: s.send_client_content("and now?"), r"send_text\(\)"),
        ({}, lambda s: s.send_context_update(system_instruction="x"), "takes no context update"),
        ({}, lambda s: s.send_realtime_input(audio=(b"ab", "audio/mp3")), "raw 16-bit PCM"),
        ({}, lambda s: s.send_video(b"abc", "image/jpeg"), "no JPEG"),
    ],
)
async def test_a_message_that_the_server_would_hang_up_on_is_never_sent(live, options, act, text):
    async with live.session(**options) as session:
        line = await live.line()
        with pytest.raises(ConfigError, match=text):
            await act(session)
        await session.send_text("still here")
        assert await line.next() == {"realtimeInput": {"text": "still here"}}
        assert session.epoch == 1


async def test_a_history_may_come_first_and_no_later(live):
    turns = [{"role": "user", "parts": ["Hi"]}, {"role": "model", "parts": ["Hello"]}]
    async with live.session(**HISTORY) as session:
        line = await live.line()
        await session.send_client_content(turns[0], turn_complete=False)
        await session.send_client_content(turns[1])
        with pytest.raises(ConfigError, match="its history is complete"):
            await session.send_client_content("and now?")
        assert [(await line.next())["clientContent"]["turnComplete"] for _ in range(2)] == [False, True]


@pytest.mark.parametrize("begin", ["text", "audio"])
async def test_whoever_has_begun_to_talk_comes_too_late_with_a_history(live, begin):
    async with live.session(**HISTORY) as session:
        if begin == "text":
            await session.send_text("hello")
        else:
            await session.send_audio(PCM)
        with pytest.raises(ConfigError, match="its history is complete"):
            await session.send_client_content("earlier I said this")


async def test_a_fresh_session_after_a_loss_may_be_told_its_history_again(live):
    async with live.session(**HISTORY) as session:
        line = await live.line()
        await session.send_client_content("my name is Ada")
        await line.next()
        line.drop()
        line = await live.line(2)
        await session.wait_ready()
        await session.send_client_content("my name is Ada")
        assert (await line.next())["clientContent"]["turnComplete"] is True


async def test_a_resumed_session_knows_its_history(live):
    async with live.session(**HISTORY) as session:
        line = await live.line()
        await session.send_client_content("my name is Ada")
        await line.next()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        line.drop()
        await live.line(2)
        await session.wait_ready()
        with pytest.raises(ConfigError, match="its history is complete"):
            await session.send_client_content("my name is Ada")


async def test_a_token_may_have_locked_another_detection_than_the_client_knows_of(live):
    async with live.session(auth=EphemeralToken("auth_tokens/x")) as session:
        line = await live.line()
        async with session.activity():
            pass
        assert [next(iter((await line.next())["realtimeInput"])) for _ in range(2)] == [
            "activityStart",
            "activityEnd",
        ]
