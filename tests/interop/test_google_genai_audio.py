import asyncio

import pytest
from google.genai import types

from livebridge.simulator import Rules, Script, ToneVoice

AUDIO_MODEL = "gemini-2.5-flash-native-audio-latest"
CHUNK_BYTES = 1280
MICROPHONE = "audio/pcm;rate=16000"
CONFIG = {
    "response_modalities": ["AUDIO"],
    "input_audio_transcription": {},
    "output_audio_transcription": {},
}


def speech(text, *, silence=1.0):
    """Somebody says something and falls silent for a while."""
    return ToneVoice(rate=16000).speak(text) + bytes(int(silence * 16000) * 2)


async def play(session, pcm):
    for start in range(0, len(pcm), CHUNK_BYTES):
        blob = types.Blob(data=pcm[start : start + CHUNK_BYTES], mime_type=MICROPHONE)
        await session.send_realtime_input(audio=blob)


def sound(messages):
    return b"".join(message.data for message in messages if message.server_content and message.data)


def transcript(messages, direction):
    texts = []
    for message in messages:
        found = message.server_content and getattr(message.server_content, f"{direction}_transcription")
        if found:
            texts.append(found.text)
    return "".join(texts)


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
async def test_a_spoken_conversation_is_heard_and_answered_without_losing_a_sample(
    serve, make_client, in_thread, take_turn, vertex
):
    pcm = speech("My name is Zoë.") + speech("What is my name?")
    half = len(speech("My name is Zoë."))

    async def talk(client):
        async with client.aio.live.connect(model=AUDIO_MODEL, config=CONFIG) as session:
            await play(session, pcm[:half])
            first = await take_turn(session)
            await play(session, pcm[half:])
            return first, await take_turn(session)

    async with serve(brain=Rules()) as simulator:
        first, second = await in_thread(talk, make_client(simulator, vertex=vertex))
        (conversation,) = simulator.conversations

    assert transcript(first, "input") == "My name is Zoë."
    assert ToneVoice.decode(sound(first)) == transcript(first, "output") == "Nice to meet you, Zoë."
    assert ToneVoice.decode(sound(second)) == transcript(second, "output") == "Your name is Zoë."
    assert conversation.heard.pcm == pcm
    assert conversation.heard.audio_seconds == pytest.approx(len(pcm) / 32000)
    (part,) = next(message for message in first if message.data).server_content.model_turn.parts
    assert part.inline_data.mime_type == ("audio/pcm" if vertex else "audio/pcm;rate=24000")


async def test_a_user_who_cuts_in_is_heard_and_the_model_stops(serve, make_client, in_thread, take_turn):
    long_story = " ".join(["and then"] * 100)

    async def talk(client):
        async with client.aio.live.connect(model=AUDIO_MODEL, config=CONFIG) as session:
            await play(session, speech("Tell me a story"))
            heard = []
            stream = session.receive()
            async for message in stream:
                heard.append(message)
                if sound(heard):
                    break
            await play(session, speech("stop"))
            heard += [message async for message in stream]
            return heard, await take_turn(session)

    async with serve(brain=Script([long_story, "As you like."]), pace="real", latency=0.0) as simulator:
        story, answer = await in_thread(talk, make_client(simulator))
        (conversation,) = simulator.conversations

    flags = [message.server_content for message in story if message.server_content]
    assert any(content.interrupted for content in flags)
    assert not any(content.generation_complete for content in flags)
    assert flags[-1].turn_complete
    (reading,) = ToneVoice.readings(sound(story))
    assert reading.intact
    assert not reading.complete
    assert ToneVoice.decode(sound(answer)) == "As you like."
    assert [turn.interrupted for turn in conversation.history if turn.role == "model"] == [True, False]


async def test_push_to_talk_ends_the_turn_when_the_key_is_released(serve, make_client, in_thread, take_turn):
    config = {**CONFIG, "realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}

    async def talk(client):
        async with client.aio.live.connect(model=AUDIO_MODEL, config=config) as session:
            await session.send_realtime_input(activity_start=types.ActivityStart())
            await play(session, speech("Hello", silence=0.1))
            await session.send_realtime_input(video=types.Blob(data=b"\xff\xd8", mime_type="image/jpeg"))
            await session.send_realtime_input(activity_end=types.ActivityEnd())
            return await take_turn(session)

    async with serve(brain=Rules()) as simulator:
        turn = await in_thread(talk, make_client(simulator))
        (conversation,) = simulator.conversations

    assert ToneVoice.decode(sound(turn)) == "Hello! How can I help you?"
    assert conversation.heard.signals == ["activity_start", "activity_end"]
    assert conversation.heard.video_frames == 1
    assert conversation.heard.utterances[0].images == 1


async def test_closing_the_microphone_flushes_what_was_said(serve, make_client, in_thread, take_turn):
    async def talk(client):
        async with client.aio.live.connect(model=AUDIO_MODEL, config=CONFIG) as session:
            await play(session, speech("Goodbye", silence=0.1))
            await asyncio.sleep(0)
            await session.send_realtime_input(audio_stream_end=True)
            return await take_turn(session)

    async with serve(brain=Rules()) as simulator:
        turn = await in_thread(talk, make_client(simulator))

    assert ToneVoice.decode(sound(turn)) == "Goodbye! It was good to talk to you."
