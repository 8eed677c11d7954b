"""The microphone during a blocking call: held or dropped where the model cannot bear it."""

import pytest
import trio

from livebridge.session import tool

PATIENT = "gemini-3.8-live"
OPTIONAL = "gemini-2.5-flash-native-audio-preview-12-2025"
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
CALL = {"id": "c1", "name": "look", "args": {}}
DECLARED = {"function_declarations": [{"name": "look"}]}


@pytest.fixture
def look(log):
    """A tool that ends when the test says so."""

    class Look:
        def __init__(self):
            self.gate = trio.Event()

        async def look(self) -> str:
            log.add("began", None)
            await self.gate.wait()
            return "seen"

    return Look()


def sound(n, seconds=0.1):
    return bytes([n]) * int(32_000 * seconds)


def heard(line):
    """What came in: numbers of sounds, names of everything else."""
    found = []
    for message in line.received:
        given = message.get("realtimeInput", {})
        if "audio" in given:
            found.append(_number(given["audio"]["data"]))
        elif "video" in given:
            found.append("video")
        else:
            found.extend(given or message)
    return found


def _number(data):
    from livebridge import wire  # noqa: PLC0415 - only here

    return wire.decode_base64(data)[0]


async def called(live, log):
    line = await live.line()
    line.call(CALL)
    await log.wait("began")
    return line


async def settle():
    await trio.testing.wait_all_tasks_blocked()


async def test_a_model_that_cannot_bear_sound_gets_it_after_the_answer(live, log, look):
    async with live.session(tools=[look.look]) as session:
        line = await live.line()
        await session.send_audio(sound(1))
        await settle()
        line.call(CALL)
        await log.wait("began")
        await session.send_audio(sound(2))
        await session.send_text("words pass")
        await session.send_audio(sound(3))
        await settle()
        assert heard(line) == [1, "text"]
        statistics = session.statistics()
        assert (statistics.tool_gate_closed, statistics.tool_gate_held) == (True, 2)
        look.gate.set()
        await settle()
        await session.send_audio(sound(4))
        await settle()
        assert heard(line) == [1, "text", "toolResponse", 2, 3, 4]
        statistics = session.statistics()
        assert (statistics.tool_gate_closed, statistics.tool_gate_held) == (False, 0)
        assert statistics.tool_gate_dropped == 0


async def test_only_the_last_of_what_was_said_is_held(live, log, look):
    async with live.session(tools=[look.look], media_buffer=0.35) as session:
        line = await called(live, log)
        for n in range(10):
            await session.send_audio(sound(n))
            await session.send_video(b"\xff\xd8\xff", "image/jpeg")
        assert session.statistics().tool_gate_held == 4
        assert session.statistics().tool_gate_dropped == 7 + 9
        look.gate.set()
        await settle()
        assert heard(line) == ["toolResponse", 7, 8, 9, "video"]


@pytest.mark.parametrize("mode", ["send", "drop", "hold"])
async def test_the_gate_can_be_set(live, log, look, mode):
    async with live.session(tools=[look.look], realtime_during_tool_call=mode) as session:
        line = await called(live, log)
        await session.send_audio(sound(1))
        await settle()
        assert session.statistics().tool_gate_closed is (mode != "send")
        look.gate.set()
        await settle()
        expected = {"send": [1, "toolResponse"], "drop": ["toolResponse"], "hold": ["toolResponse", 1]}
        assert heard(line) == expected[mode]
        assert session.statistics().tool_gate_dropped == (mode == "drop")


async def test_a_model_that_does_not_mind_hears_everything(live, log, look):
    async with live.session(tools=[look.look], model=PATIENT) as session:
        line = await called(live, log)
        await session.send_audio(sound(1))
        await settle()
        assert heard(line) == [1]
        assert not session.statistics().tool_gate_closed


async def test_a_non_blocking_call_does_not_close_the_gate(live, log, look):
    free = tool(behavior="non_blocking", name="free")(_forever)
    async with live.session(tools=[look.look, free], model=OPTIONAL) as session:
        line = await live.line()
        line.call({"id": "f", "name": "free"})
        await settle()
        await session.send_audio(sound(1))
        await settle()
        assert heard(line) == [1]
        line.call(CALL)
        await log.wait("began")
        await session.send_audio(sound(2))
        await settle()
        assert heard(line) == [1]


async def _forever() -> None:
    await trio.sleep_forever()


async def test_a_model_whose_calls_never_block_has_no_gate(live, log, look):
    options = {"model": "gemini-3.8-live-extended-thinking", "thinking_config": {"thinking_level": "low"}}
    async with live.session(tools=[look.look], realtime_during_tool_call="hold", **options) as session:
        line = await called(live, log)
        await session.send_audio(sound(1))
        await settle()
        assert heard(line) == [1]


@pytest.mark.parametrize("mode", ["hold", "drop"])
async def test_an_activity_that_was_begun_is_ended_at_once(live, log, look, mode):
    async with live.session(tools=[look.look], realtime_during_tool_call=mode, **MANUAL) as session:
        line = await live.line()
        await session.send_realtime_input(activity_start=True)
        await session.send_audio(sound(1))
        await settle()
        line.call(CALL)
        await log.wait("began")
        await session.send_audio(sound(2))
        await session.send_realtime_input(activity_end=True)
        await settle()
        assert heard(line) == ["activityStart", 1, "activityEnd"]
        look.gate.set()
        await settle()
        assert heard(line) == ["activityStart", 1, "activityEnd", "toolResponse"]
        assert session.statistics().tool_gate_dropped == 1


async def test_a_whole_activity_behind_the_gate_comes_after_it_in_order(live, log, look):
    async with live.session(tools=[look.look], **MANUAL) as session:
        line = await called(live, log)
        async with session.activity():
            await session.send_audio(sound(1))
        await settle()
        assert heard(line) == []
        look.gate.set()
        await settle()
        assert heard(line) == ["toolResponse", "activityStart", 1, "activityEnd"]


async def test_where_sound_is_dropped_a_whole_activity_behind_the_gate_is_too(live, log, look):
    async with live.session(tools=[look.look], realtime_during_tool_call="drop", **MANUAL) as session:
        line = await called(live, log)
        async with session.activity():
            await session.send_audio(sound(1))
        look.gate.set()
        await settle()
        assert heard(line) == ["toolResponse"]


async def test_where_sound_is_dropped_an_activity_that_lasts_longer_begins_with_the_answer(live, log, look):
    async with live.session(tools=[look.look], realtime_during_tool_call="drop", **MANUAL) as session:
        line = await called(live, log)
        async with session.activity():
            await session.send_audio(sound(1))
            look.gate.set()
            await settle()
            await session.send_audio(sound(2))
        await settle()
        assert heard(line) == ["toolResponse", "activityStart", 2, "activityEnd"]


async def test_the_end_of_the_stream_follows_what_is_held(live, log, look):
    async with live.session(tools=[look.look]) as session:
        line = await called(live, log)
        await session.send_realtime_input(audio_stream_end=True)
        await settle()
        assert heard(line) == ["audioStreamEnd"]
        await session.send_audio(sound(1))
        receipt = await session.send_realtime_input(audio_stream_end=True)
        assert receipt.seq == 0
        await settle()
        look.gate.set()
        await settle()
        assert heard(line) == ["audioStreamEnd", "toolResponse", 1, "audioStreamEnd"]


async def test_a_cancellation_opens_the_gate(live, log, look):
    async with live.session(tools=[look.look]) as session:
        line = await called(live, log)
        await session.send_audio(sound(1))
        line.cancel("c1")
        await settle()
        assert heard(line) == [1]


async def test_a_new_connection_opens_the_gate(live, log, look):
    options = log.callbacks("on_resumed")
    async with live.session(tools=[look.look], orphan_tool_results="send", **options) as session:
        line = await called(live, log)
        line.resumable()
        await session.send_audio(sound(1))
        line.drop()
        await log.wait("on_resumed")
        await settle()
        assert heard(await live.line()) == [1]
        assert not session.statistics().tool_gate_closed


async def test_a_model_that_cannot_bear_sound_gets_none_however_long_the_tool_takes(live, log, look):
    async with live.session(tools=[look.look], tool_timeout=120) as session:
        line = await called(live, log)
        for n in range(100):
            await session.send_audio(sound(n))
            await trio.sleep(1)
        assert heard(line) == []
        assert session.statistics().tool_gate_held == 10
        await trio.sleep(21)
        assert heard(line) == ["toolResponse", *range(90, 100)]


async def test_a_call_that_nobody_answers_keeps_the_gate_closed_until_its_timeout(live, log):
    async with live.session(on_message=lambda _: None, tool_timeout=60, tools=[DECLARED]) as session:
        line = await live.line()
        line.call(CALL)
        await settle()
        await session.send_audio(sound(1))
        await trio.sleep(59)
        assert heard(line) == []
        await trio.sleep(2)
        assert heard(line) == ["toolResponse", 1]


async def test_where_sound_does_no_harm_the_gate_opens_by_itself_after_ten_seconds(live, log, look):
    options = {"model": PATIENT, "realtime_during_tool_call": "hold"}
    async with live.session(tools=[look.look], **options) as session:
        line = await called(live, log)
        await session.send_audio(sound(1))
        await trio.sleep(6)
        line.call({**CALL, "id": "c2"})
        await log.wait("began", 2)
        await session.send_audio(sound(2))
        await trio.sleep(5)
        assert heard(line) == []
        await trio.sleep(6)
        assert heard(line) == [1, 2]
        await session.send_audio(sound(3))
        await settle()
        assert heard(line) == [1, 2, 3]


REFUSED = "audio content type (CONTENT_TYPE_AUDIO) is not supported for this model configuration"


async def test_sound_behind_the_gate_does_not_follow_a_server_that_refused_sound(live, log, look):
    async with live.session(tools=[look.look], **log.callbacks("on_resumed")) as session:
        line = await called(live, log)
        line.resumable()
        await session.send_audio(sound(1))
        await session.send_realtime_input(audio_stream_end=True)
        line.close(1007, REFUSED)
        await log.wait("on_resumed")
        await session.send_audio(sound(2))
        await settle()
        assert heard(await live.line()) == [2]
        assert session.statistics().tool_gate_dropped == 1


@pytest.mark.parametrize("goes_on", [True, False])
async def test_only_an_activity_that_goes_on_is_begun_after_such_a_refusal(live, log, look, goes_on):
    async with live.session(tools=[look.look], **MANUAL, **log.callbacks("on_resumed")) as session:
        line = await called(live, log)
        line.resumable()
        async with session.activity():
            await session.send_audio(sound(1))
        if goes_on:
            await session.send_realtime_input(activity_start=True)
            await session.send_audio(sound(2))
        line.close(1007, REFUSED)
        await log.wait("on_resumed")
        await session.send_audio(sound(3))
        await settle()
        assert heard(await live.line()) == (["activityStart", 3] if goes_on else [3])


async def test_sound_between_two_calls_passes(live, log, look):
    async with live.session(tools=[look.look]) as session:
        line = await called(live, log)
        look.gate.set()
        await settle()
        await session.send_audio(sound(1))
        look.gate = trio.Event()
        line.call({**CALL, "id": "c2"})
        await log.wait("began", 2)
        await session.send_audio(sound(2))
        look.gate.set()
        await trio.sleep(1)
        assert heard(line) == ["toolResponse", 1, "toolResponse", 2]
