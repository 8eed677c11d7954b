import base64

import pytest
import trio
import trio.testing

from livebridge import Session
from livebridge.errors import ConfigError, LocalProtocolError, SessionClosedError
from livebridge.simulator import LiveSimulator

PIECE = b"\1\0" * 320
"""20 ms at 16 kHz."""


def sound(*seconds):
    return [
        {
            "serverContent": {
                "modelTurn": {
                    "parts": [
                        {
                            "inlineData": {
                                "mimeType": "audio/pcm;rate=24000",
                                "data": base64.b64encode(bytes(int(each * 24_000) * 2)).decode(),
                            }
                        }
                    ]
                }
            }
        }
        for each in seconds
    ]


CUT = {"serverContent": {"interrupted": True}}
DONE = {"serverContent": {"turnComplete": True}}


class Loudspeaker:
    """Plays at the speed of sound."""

    def __init__(self):
        self.heard = []
        self.flushes = 0

    async def play(self, pcm, rate):
        seconds = len(pcm) / 2 / rate
        await trio.sleep(seconds)
        self.heard.append(round(seconds, 2))

    def flush(self):
        self.flushes += 1


async def pieces(count):
    for _ in range(count):
        await trio.sleep(0.02)
        yield PIECE


async def silence():
    await trio.sleep_forever()
    yield b""


def kinds(line):
    return [next(iter(message["realtimeInput"])) for message in line.received if "realtimeInput" in message]


async def test_the_microphone_reaches_the_model_and_the_model_the_speaker(live):
    speaker = Loudspeaker()
    async with live.session() as session:
        line = await live.line()
        async with session.audio_conversation(microphone=pieces(5), speaker=speaker) as talk:
            assert session.in_conversation
            for _ in range(6):
                await line.next()
            line.say(*sound(0.5, 0.25), DONE)
            await session.wait_turn()
            assert talk.is_speaking
            began = trio.current_time()
            await talk.wait_quiet()
            assert trio.current_time() - began == pytest.approx(0.75, abs=0.1)
            assert not talk.is_speaking
            await trio.sleep(0.5)
            assert speaker.heard == [0.5, 0.25]
            assert talk.sent_seconds == pytest.approx(0.1)
        assert not session.in_conversation
        await trio.sleep(0.1)
        assert kinds(line) == ["audio"] * 5 + ["audioStreamEnd"]
        await session.send_text("the session lives on")
        await line.next()


async def test_when_the_user_cuts_in_the_speaker_is_silent_at_once(live):
    speaker = Loudspeaker()
    async with live.session() as session:
        line = await live.line()
        async with session.audio_conversation(microphone=silence(), speaker=speaker) as talk:
            line.say(*sound(1.0, 1.0, 1.0))
            await trio.sleep(1.5)
            line.say(CUT)
            await trio.sleep(0.01)
            assert not talk.is_speaking
            assert speaker.flushes == 1
            line.say(DONE, *sound(0.5), DONE)
            await trio.sleep(2)
            assert speaker.heard == [1.0, 0.5]
            assert talk.buffer.flushed_seconds == pytest.approx(1.0)


async def test_an_interruption_is_not_held_up_by_a_slow_callback(live, log):
    speaker = Loudspeaker()
    busy = trio.Event()

    async def slow(_):
        busy.set()
        await trio.sleep(30)

    async with live.session(on_text=slow, **log.callbacks("on_interrupt_now", "on_interrupted")) as session:
        line = await live.line()
        async with session.audio_conversation(microphone=silence(), speaker=speaker):
            line.say(*sound(1.0, 1.0, 1.0))
            await trio.sleep(0.5)
            line.text("a")
            await busy.wait()
            line.say(*sound(1.0), CUT)
            await trio.sleep(0.1)
            assert log.names == ["on_interrupt_now"]
            assert session.turn_number == 2
            await trio.sleep(40)
            assert log.names == ["on_interrupt_now", "on_interrupted"]
            assert log.of("on_interrupted")[0].turn == 1
            assert speaker.heard == []


async def test_sound_that_was_cut_off_while_it_was_queued_does_not_reach_on_audio(live, log):
    async def slow(_):
        await trio.sleep(5)

    async with live.session(on_text=slow, **log.callbacks("on_audio", "on_interrupted")):
        line = await live.line()
        line.text("a")
        line.say(*sound(0.5), CUT, *sound(0.25), DONE)
        await trio.sleep(10)
        assert [len(each.data) / 48_000 for each in log.of("on_audio")] == [0.25]
        assert [each.turn for each in log.of("on_audio")] == [2]


async def test_what_on_interrupt_now_raises_is_reported_and_reading_goes_on(live, log):
    def broken(info):
        raise ValueError(info.turn)

    async with live.session(on_interrupt_now=broken, **log.callbacks("on_error", "on_interrupted")):
        line = await live.line()
        line.say(CUT)
        await log.wait("on_interrupted")
        error = await log.wait("on_error")
        assert isinstance(error.__cause__, ValueError)


def test_on_interrupt_now_cannot_be_async():
    async def late(_):
        raise AssertionError

    async def main():
        async with Session.start(model="m", api_key="k", on_interrupt_now=late):
            raise AssertionError

    with pytest.raises(ConfigError, match="plain function"):
        trio.run(main)


async def test_half_duplex_sends_nothing_while_the_model_can_be_heard(live):
    speaker = Loudspeaker()
    async with live.session() as session:
        line = await live.line()
        async with session.audio_conversation(
            microphone=pieces(150), speaker=speaker, half_duplex=True
        ) as talk:
            await trio.sleep(0.5)
            line.say(*sound(1.0), DONE)
            await trio.sleep(3)
            assert talk.withheld_seconds == pytest.approx(1.3, abs=0.05)
            assert talk.sent_seconds == pytest.approx(3.0 - talk.withheld_seconds)


async def test_stop_ends_the_conversation_and_keeps_the_session(live):
    speaker = Loudspeaker()
    async with live.session() as session:
        line = await live.line()
        async with session.audio_conversation(microphone=pieces(1000), speaker=speaker) as talk:
            await trio.sleep(0.1)
            talk.stop()
            await talk.wait_stopped()
        await trio.sleep(0.1)
        assert kinds(line)[-1] == "audioStreamEnd"
        line.say(*sound(0.5), DONE)
        assert len((await session.wait_turn()).audio) == 24_000
        assert speaker.heard == []


async def test_a_conversation_ends_with_its_session(live):
    async with live.session() as session:
        async with session.audio_conversation(microphone=silence(), speaker=Loudspeaker()) as talk:
            await session.close()
            await talk.wait_stopped()
        with pytest.raises(SessionClosedError):
            async with session.audio_conversation(microphone=silence(), speaker=Loudspeaker()):
                raise AssertionError


async def test_there_is_one_conversation_at_a_time(live):
    async with live.session() as session:
        async with session.audio_conversation(microphone=silence(), speaker=Loudspeaker()):
            with pytest.raises(LocalProtocolError, match="already"):
                async with session.audio_conversation(microphone=silence(), speaker=Loudspeaker()):
                    raise AssertionError
        async with session.audio_conversation(microphone=silence(), speaker=Loudspeaker()):
            assert session.in_conversation


class BrokenSpeaker:
    async def play(self, pcm, rate):
        await trio.lowlevel.checkpoint()
        raise OSError("no such device")


async def broken_microphone():
    await trio.lowlevel.checkpoint()
    raise OSError("unplugged")
    yield b""


async def test_what_a_device_raises_ends_the_block_as_it_is_and_the_session_lives_on(live):
    async with live.session() as session:
        line = await live.line()
        with pytest.raises(OSError, match="no such device"):
            async with session.audio_conversation(microphone=silence(), speaker=BrokenSpeaker()):
                line.say(*sound(0.5))
                await trio.sleep_forever()
        with pytest.raises(OSError, match="unplugged"):
            async with session.audio_conversation(microphone=broken_microphone(), speaker=Loudspeaker()):
                await trio.sleep_forever()
        assert not session.in_conversation
        assert session.status == "ready"


async def test_what_the_block_raises_comes_out_as_it_is(live):
    async with live.session() as session:
        with pytest.raises(ZeroDivisionError):
            async with session.audio_conversation(microphone=silence(), speaker=Loudspeaker()):
                raise ZeroDivisionError
        assert not session.in_conversation


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"microphone": [b""], "speaker": Loudspeaker()}, "async iterable"),
        ({"microphone": silence(), "speaker": print}, "play"),
        ({"microphone": silence(), "speaker": Loudspeaker(), "rate": 0}, "rate"),
    ],
)
async def test_what_is_no_microphone_and_no_speaker_is_refused(live, parts, says):
    async with live.session() as session:
        with pytest.raises(ConfigError, match=says):
            async with session.audio_conversation(**parts):
                raise AssertionError


async def test_a_transcript_that_the_server_never_finishes_is_finished_by_time(live, log):
    async with live.session(**log.callbacks("on_transcription")):
        line = await live.line()
        line.say({"serverContent": {"inputTranscription": {"text": "hello"}}})
        await trio.sleep(2.9)
        assert [each.finished for each in log.of("on_transcription")] == [False]
        await trio.sleep(0.2)
        assert [each.finished for each in log.of("on_transcription")] == [False, True]
        line.say({"serverContent": {"outputTranscription": {"text": "hi"}}})
        await log.wait("on_transcription", 3)
    assert [each.finished for each in log.of("on_transcription")] == [False, True, False, True]


@pytest.fixture
def real_time():
    """A jumping clock would jump while the kernel works."""
    return trio.testing.MockClock(rate=1.0)


async def test_a_spoken_conversation_with_the_simulator(real_time):
    speaker = Loudspeaker()
    async with (
        LiveSimulator.serve(pace="fast") as simulator,
        Session.start(
            model="gemini-2.0-flash-live-001", response_modalities=["AUDIO"], **simulator.connection
        ) as session,
        session.audio_conversation(microphone=silence(), speaker=speaker),
    ):
        await session.send_text("hello")
        turn = await session.wait_turn(timeout=20)
        assert turn.audio
        with trio.fail_after(20):
            while sum(speaker.heard) < len(turn.audio) / 2 / turn.audio_rate - 0.1:
                await trio.sleep(0.05)
