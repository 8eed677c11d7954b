"""A mute model on a real server, over real sockets and in real time."""

import pytest
import trio
import trio.testing

from livebridge.protocol import StallPolicy
from livebridge.session import Session
from livebridge.simulator import Fault, Faults, LiveSimulator, Mute

MODELS = ["gemini-3.1-flash-live-preview", "gemini-2.5-flash-native-audio-preview-12-2025"]


@pytest.fixture
def real_time():
    """The jumping clock of this folder's other tests would jump while the kernel works."""
    return trio.testing.MockClock(rate=1.0)


@pytest.mark.parametrize("model", MODELS)
async def test_a_conversation_whose_handle_is_poisoned_goes_on_with_what_was_said(real_time, log, model):
    faults = Faults(Fault(what=Mute(), dial=2, sent=2))
    policy = StallPolicy(after=0.4)
    async with (
        LiveSimulator.serve(faults=faults, first_handle=True) as simulator,
        Session.start(
            model=model,
            stall=policy,
            output_audio_transcription={},
            **log.callbacks("on_stall", "on_resumed", "on_session_lost"),
            **simulator.connection,
        ) as session,
    ):
        assert "Bob" in (await session.ask("My name is Bob.", timeout=10)).text
        await trio.sleep(0.2)
        simulator.connections[0].drop()
        assert (await log.wait("on_resumed")).continuity == "resumed"
        assert (await session.ask("What is my name?", timeout=20)).text == "Your name is Bob."
        heard = simulator.conversations[-1].heard
        assert heard.user_texts == ["My name is Bob.", "What is my name?"]
        assert len(simulator.conversations) == 2
        await trio.sleep(1)
        assert [info.action for info in log.of("on_stall")] == ["event", "nudge", "fresh"]
        assert (await log.wait("on_resumed", 2)).continuity == "reseeded"
        assert [info.reason for info in log.of("on_session_lost")] == ["stalled"]


async def test_a_user_who_mutes_keeps_the_conversation(real_time, log):
    policy = StallPolicy(after=0.2)
    async with (
        LiveSimulator.serve() as simulator,
        Session.start(
            model=MODELS[1],
            stall=policy,
            output_audio_transcription={},
            **log.callbacks("on_stall", "on_session_lost"),
            **simulator.connection,
        ) as session,
    ):
        await session.ask("My name is Bob.", timeout=10)
        await session.mute()
        await trio.sleep(1.5)
        assert log.events == []
        session.unmute()
        assert (await session.ask("What is my name?", timeout=10)).text == "Your name is Bob."
