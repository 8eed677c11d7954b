import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.simulator import Echo, Script, ToneVoice
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._settings import Settings
from livebridge.simulator._world import Caller, World

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)

MODEL = "models/gemini-2.5-flash-native-audio-latest"
MANUAL = {"automaticActivityDetection": {"disabled": True}}
TRANSCRIBED = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
START = {"realtimeInput": {"activityStart": {}}}
END = {"realtimeInput": {"activityEnd": {}}}
MIC_OFF = {"realtimeInput": {"audioStreamEnd": True}}
IMAGE = {"realtimeInput": {"video": {"mimeType": "image/jpeg", "data": "AAAA"}}}
BAD_AUDIO = "error when processing input audio, please check if the inputaudio is in valid format"


@pytest.fixture
def listening(dial):
    def make(*, vertex=False, brain=None, settings=None, **setup):
        client = dial(vertex=vertex, brain=brain or Echo(), **(settings or {}))
        client.setup(MODEL, **TRANSCRIBED, **setup)
        return client

    return make


def test_speech_is_detected_transcribed_and_answered(listening, read, speech):
    client = listening()
    turn = client.play(speech("Hello there"))
    assert read.transcript(turn, "input") == "Hello there"
    assert read.transcript(turn, "output") == "Hello there"
    assert ToneVoice.decode(read.sound(turn)) == "Hello there"
    (utterance,) = client.conversation.heard.utterances
    assert utterance.text == "Hello there"
    assert utterance.audio_seconds == pytest.approx(17 * 0.04 + 0.5, abs=0.05)


def test_transcripts_are_sent_only_if_asked_for(dial, read, speech):
    client = dial(brain=Echo())
    client.setup(MODEL)
    turn = client.play(speech("Hello"))
    assert ToneVoice.decode(read.sound(turn)) == "Hello"
    assert read.transcript(turn, "input") == read.transcript(turn, "output") == ""


def test_the_last_output_transcription_precedes_generation_complete(listening, read, speech):
    contents = read.contents(listening().play(speech("one two three four")))
    last = max(index for index, content in enumerate(contents) if "outputTranscription" in content)
    assert "generationComplete" in contents[last + 1]


def test_sound_comes_in_chunks_of_40_ms(listening, read, speech):
    turn = listening().play(speech("Hi"))
    sizes = {len(read.sound([message])) for message in turn if read.sound([message])}
    assert sizes == {1920}
    (part, *_) = read.parts(turn)
    assert part["inlineData"]["mimeType"] == "audio/pcm;rate=24000"


def test_vertex_does_not_tell_the_rate(listening, read, speech):
    (part, *_) = read.parts(listening(vertex=True).play(speech("Hi")))
    assert part["inlineData"]["mimeType"] == "audio/pcm"


def test_all_audio_is_kept_byte_for_byte_unless_told_otherwise(listening, speech):
    pcm = speech("Hello")
    client = listening()
    client.play(pcm, chunk=998)
    assert client.conversation.heard.pcm == pcm
    assert client.conversation.heard.audio_seconds == pytest.approx(len(pcm) / 32000)
    forgetful = listening(settings={"keep_audio": False})
    forgetful.play(pcm)
    assert forgetful.conversation.heard.pcm == b""
    assert forgetful.conversation.heard.audio_seconds == pytest.approx(len(pcm) / 32000)


def test_what_was_heard_does_not_show_its_samples(listening):
    client = listening()
    client.play(bytes(64))
    (heard,) = client.conversation.heard.inputs
    assert "<64 bytes>" in repr(heard)


def test_audio_at_another_rate_is_understood(listening, read, speech):
    client = listening()
    turn = client.play(speech("Hello", rate=24000), rate=24000, chunk=960)
    assert read.transcript(turn, "input") == "Hello"


@pytest.mark.parametrize(
    "blob",
    [
        {"data": "AAAA", "mimeType": "audio/pcm;rate=16000"},
        {"data": "AAA=", "mimeType": "audio/wav"},
        {"data": "AAA=", "mimeType": "audio/pcm;rate=100"},
    ],
)
def test_audio_that_is_no_16_bit_pcm_ends_the_connection(listening, blob):
    client = listening()
    client.send({"realtimeInput": {"audio": blob}})
    assert client.hangup[0] == 1007
    assert client.hangup[1].startswith(BAD_AUDIO)


def test_audio_without_a_type_is_16_khz(listening, read, speech):
    client = listening()
    data = wire.encode_base64(speech("Hello"))
    assert read.transcript(client.send({"realtimeInput": {"audio": {"data": data}}}), "input") == "Hello"
    assert client.send({"realtimeInput": {"audio": {}}}) == []


def test_only_the_first_of_deprecated_media_chunks_counts(listening, read, speech):
    blob = {"data": wire.encode_base64(speech("Hello")), "mimeType": "audio/pcm;rate=16000"}
    client = listening()
    turn = client.send({"realtimeInput": {"mediaChunks": [blob, blob]}})
    assert read.transcript(turn, "input") == "Hello"


def test_speaking_interrupts_the_model(listening, read, speech):
    client = listening(
        brain=Script(["A long, long story", "Yes?"]), settings={"pace": "real", "latency": 0.0}
    )
    client.play(speech("Tell me"))
    client.pass_time(0.2)
    turn = client.play(speech("Stop", silence=0.1))
    assert read.flags(turn) == ["interrupted", "turnComplete"]
    assert client.send(MIC_OFF)
    assert read.flags(client.pass_time(5.0)) == ["generationComplete", "turnComplete"]


def test_speaking_does_not_interrupt_if_the_setup_forbids_it(listening, read, speech):
    client = listening(
        brain=Script(["A long, long story", "Yes?"]),
        settings={"pace": "real", "latency": 0.0},
        realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"},
    )
    client.play(speech("Tell me"))
    client.pass_time(0.2)
    client.play(speech("Stop"))
    turns = client.pass_time(5.0)
    assert read.flags(turns) == ["generationComplete", "turnComplete"] * 2
    assert ToneVoice.readings(read.sound(turns))[-1].text == "Yes?"


def test_closing_the_microphone_ends_what_was_being_said(listening, read, speech):
    client = listening()
    assert client.play(speech("Hello", silence=0)) == []
    assert read.transcript(client.send(MIC_OFF), "input") == "Hello"
    assert client.send(MIC_OFF) == []
    assert client.conversation.heard.signals == ["audio_stream_end", "audio_stream_end"]


def test_silence_is_no_turn(listening):
    client = listening()
    assert client.play(bytes(64000)) == []
    assert client.conversation.heard.utterances == []


def test_the_silence_duration_of_the_setup_counts(listening, speech):
    detection = {
        "silenceDurationMs": 100,
        "prefixPaddingMs": 40,
        "endOfSpeechSensitivity": "END_SENSITIVITY_LOW",
    }
    hasty = listening(realtimeInputConfig={"automaticActivityDetection": detection})
    assert hasty.play(speech("Hello", silence=0.12))
    patient = listening(
        realtimeInputConfig={"automaticActivityDetection": {"endOfSpeechSensitivity": "END_SENSITIVITY_LOW"}}
    )
    assert patient.play(speech("Hello", silence=0.8)) == []


def test_a_low_start_sensitivity_does_not_hear_a_whisper(listening):
    whisper = ToneVoice(rate=16000, volume=0.015).speak("psst") + bytes(32000)
    detection = {"startOfSpeechSensitivity": "START_SENSITIVITY_LOW"}
    deaf = listening(realtimeInputConfig={"automaticActivityDetection": detection})
    assert deaf.play(whisper) == []
    assert listening().play(whisper)


def test_with_manual_activity_the_client_says_when_the_turn_begins_and_ends(listening, read, speech):
    client = listening(realtimeInputConfig=MANUAL)
    assert client.play(speech("not yet")) == []
    client.send(START)
    assert client.play(speech("Hello")) == []
    turn = client.send(END)
    assert read.transcript(turn, "input") == "Hello"
    assert ToneVoice.decode(read.sound(turn)) == "Hello"


def test_text_within_a_manual_activity_belongs_to_the_turn(listening, read, speech):
    client = listening(realtimeInputConfig=MANUAL)
    client.send(START)
    assert client.write("Note:") == []
    client.play(speech("Hello"))
    assert ToneVoice.decode(read.sound(client.send(END))) == "Note: Hello"
    client.send(START)
    client.write("Only text")
    turn = client.send(END)
    assert ToneVoice.decode(read.sound(turn)) == "Only text"
    assert read.transcript(turn, "input") == ""


def test_a_manual_activity_interrupts_the_model(listening, read):
    client = listening(
        brain=Script(["A long, long story"]),
        settings={"pace": "real", "latency": 0.0},
        realtimeInputConfig=MANUAL,
    )
    client.write("Tell me")
    client.pass_time(0.2)
    assert read.flags(client.send(START)) == ["interrupted", "turnComplete"]


@pytest.mark.parametrize(
    ("config", "messages"),
    [
        ({}, [START]),
        ({}, [END]),
        (MANUAL, [END]),
        (MANUAL, [START, START]),
        (MANUAL, [MIC_OFF]),
    ],
)
def test_signals_of_the_other_way_to_detect_activity_are_refused(listening, config, messages):
    client = listening(realtimeInputConfig=config)
    for message in messages:
        client.send(message)
    assert client.hangup == (1007, "Precondition check failed.")


@pytest.mark.parametrize(
    ("coverage", "images", "whole"),
    [
        (None, 1, False),
        ("TURN_INCLUDES_ONLY_ACTIVITY", 1, False),
        ("TURN_INCLUDES_ALL_INPUT", 2, True),
        ("TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO", 2, False),
    ],
)
def test_the_turn_coverage_decides_what_belongs_to_a_turn(listening, speech, coverage, images, whole):
    config = MANUAL if coverage is None else {**MANUAL, "turnCoverage": coverage}
    client = listening(realtimeInputConfig=config)
    client.send(IMAGE)
    client.play(bytes(32000))
    client.send(START)
    client.send(IMAGE)
    client.play(speech("Hello", silence=0))
    client.send(END)
    (utterance,) = client.conversation.heard.utterances
    spoken = (5 + 6) * 0.04
    assert utterance.images == images
    assert utterance.audio_seconds == pytest.approx(spoken + whole)
    assert client.conversation.heard.video_frames == 2


def test_vertex_signals_voice_activity_if_the_setup_wants_it(listening, speech):
    client = listening(vertex=True, explicitVadSignal=True)
    signals = [one["voiceActivity"] for one in client.play(speech("Hello")) if "voiceActivity" in one]
    assert [signal["type"] for signal in signals] == ["ACTIVITY_START", "ACTIVITY_END"]
    assert signals[0]["audioOffset"] == "0s"
    assert float(signals[1]["audioOffset"].rstrip("s")) == pytest.approx(0.94, abs=0.03)


@CALMLY
@given(cuts=st.lists(st.integers(1, 4000), max_size=20))
def test_no_chunking_of_the_microphone_loses_or_doubles_a_sample(cuts):
    pcm = ToneVoice(rate=16000).speak("Hi") + bytes(20000)
    dialogue = Dialogue(World(Settings(brain=Echo())), Caller(number=1, vertex=False, version="v1"), now=0.0)
    dialogue.receive({"setup": {"model": MODEL}}, now=0.0)
    at = 0
    for cut in [*cuts, len(pcm)]:
        data = wire.encode_base64(pcm[at : at + 2 * cut])
        dialogue.receive({"realtimeInput": {"audio": {"data": data}}}, now=0.0)
        at += 2 * cut
    heard = dialogue.conversation.heard
    assert heard.pcm == pcm
    assert [turn.text for turn in heard.utterances] == ["Hi"]


def guesses(read, messages):
    found = [content.get("interimInputTranscription") for content in read.contents(messages)]
    return [guess for guess in found if guess is not None]


def test_while_somebody_speaks_guesses_at_it_are_sent_on_demand(listening, read, speech):
    turn = listening(settings={"interim_transcripts": 0.3}).play(speech("Hello there", silence=2.0) * 2)
    texts = [guess["text"] for guess in guesses(read, turn)]
    assert len(texts) >= 4
    assert all("Hello there".startswith(text) for text in texts)
    assert texts[0] != "Hello there"
    assert read.transcript(turn, "input") == "Hello there" * 2
    assert set(guesses(read, turn)[0]) == {"text"}


def test_guesses_say_when_it_was_said_if_the_setup_wants_that(listening, read, speech):
    config = {"interimTranscriptTimestampEnabled": True, **MANUAL}
    client = listening(settings={"interim_transcripts": 0.5}, realtimeInputConfig=config)
    before = client.play(bytes(32_000))
    client.send(START)
    (guess, *_) = guesses(read, before + client.play(speech("Hello", silence=0.3)))
    assert (guess["startOffset"], guess["endOffset"]) == ("1s", "1.5s")


def test_no_guesses_are_sent_without_transcription_or_by_default(dial, listening, read, speech):
    untranscribed = dial(brain=Echo(), interim_transcripts=0.1)
    untranscribed.setup(MODEL)
    assert guesses(read, untranscribed.play(speech("Hello"))) == []
    assert guesses(read, listening().play(speech("Hello"))) == []
