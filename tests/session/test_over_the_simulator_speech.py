"""Speech, over real sockets, to a server that hears what is said: nothing of it is lost where it need not be."""

import pytest
import trio
import trio.testing

from livebridge.session import Session
from livebridge.simulator import Call, LiveSimulator, Script, ToneVoice

MODEL = "gemini-3.1-flash-live-preview"
SENTENCE = "my name is Robert"
HEARING = {"input_audio_transcription": {}, "output_audio_transcription": {}, "model": MODEL}
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}


@pytest.fixture
def real_time():
    """The jumping clock of this folder's other tests would jump while the kernel works."""
    return trio.testing.MockClock(rate=1.0)


async def speak(session, text, *, pause=1.0):
    """Say something, as fast as it sounds, and be silent for a moment."""
    sound = ToneVoice(rate=16_000).speak(text)
    pcm = sound if isinstance(sound, bytes) else b"".join(sound)

    async def pieces():
        whole = pcm + bytes(int(32_000 * pause))
        for at in range(0, len(whole), 3_201):
            yield whole[at : at + 3_201]

    return await session.send_media_stream(pieces())


async def test_what_is_being_said_when_a_go_away_comes_is_heard_and_answered_first(log, real_time):
    async with (
        LiveSimulator.serve(first_handle=True) as simulator,
        Session.start(**HEARING, **simulator.connection, **log.callbacks("on_resumed")) as session,
    ):
        with trio.fail_after(30):
            await session.ask("Hello there.")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(speak, session, SENTENCE)
                await trio.sleep(0.6)
                simulator.connections[0].go_away(20)
            turn = await session.wait_turn()
            info = await log.wait("on_resumed")
        assert "Robert" in turn.text
        assert (info.continuity, info.lossy, info.lost_audio_seconds) == ("resumed", False, 0.0)
        assert simulator.conversations[-1].heard.user_texts[-1] == SENTENCE


async def test_what_is_said_by_hand_is_heard_out_too(log, real_time):
    async with (
        LiveSimulator.serve(first_handle=True) as simulator,
        Session.start(**HEARING, **MANUAL, **simulator.connection, **log.callbacks("on_resumed")) as session,
    ):
        with trio.fail_after(30):
            async with session.activity(), trio.open_nursery() as nursery:
                nursery.start_soon(speak, session, SENTENCE)
                await trio.sleep(0.6)
                simulator.connections[0].go_away(20)
            turn = await session.wait_turn()
            info = await log.wait("on_resumed")
        assert "Robert" in turn.text
        assert (info.lossy, info.uncertain) == (False, ())
        assert simulator.conversations[-1].heard.user_texts == [SENTENCE]


async def test_an_activity_in_which_the_connection_breaks_is_answered_all_the_same(log, real_time):
    async with (
        LiveSimulator.serve(first_handle=True) as simulator,
        Session.start(**HEARING, **MANUAL, **simulator.connection, **log.callbacks("on_resumed")) as session,
    ):
        with trio.fail_after(30):
            async with session.activity():
                await session.send_audio(b"\0\1" * 1_600)
                await trio.sleep(0.2)
                simulator.connections[0].drop()
                await log.wait("on_resumed")
                await speak(session, SENTENCE)
            turn = await session.wait_turn()
        assert "Robert" in turn.text
        assert (await log.wait("on_resumed")).lost_audio_seconds == pytest.approx(0.1)


async def test_the_result_of_a_tool_that_outlives_its_connection_is_spoken_of(log, real_time):
    gate = trio.Event()

    async def slow() -> str:
        log.add("began", None)
        await gate.wait()
        return "sunny"

    brain = Script([[Call("slow", {})], "It is sunny."])
    options = {**HEARING, **log.callbacks("on_resumed", "on_error")}
    async with LiveSimulator.serve(first_handle=True, brain=brain) as simulator:
        async with Session.start(**options, tools=[slow], **simulator.connection) as session:
            with trio.fail_after(30):
                await session.send_text("weather?")
                await log.wait("began")
                simulator.connections[0].drop()
                await log.wait("on_resumed")
                gate.set()
                await log.wait("on_error")
                turn = await session.wait_turn()
            assert turn.text == "It is sunny."
        (text,) = simulator.conversations[-1].heard.user_texts
        assert "sunny" in text
