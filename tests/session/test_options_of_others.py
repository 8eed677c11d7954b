"""What people bring along (the Elixir guide's options, google-genai's configurations) works as it is."""

import pytest
from google.genai import types

from livebridge import wire
from livebridge.auth import GeminiApi, VertexAi, VertexExpress
from livebridge.errors import ConfigError
from livebridge.protocol import LiveConfig, ModelCapabilities
from livebridge.session import Session
from livebridge.session._build import build

NATIVE = "gemini-2.5-flash-native-audio-preview-12-2025"
TOOLS = [
    {
        "function_declarations": [
            {
                "name": "get_stock_price",
                "description": "Get current stock price",
                "parameters": {
                    "type": "object",
                    "properties": {"symbol": {"type": "string"}},
                    "required": ["symbol"],
                },
            }
        ]
    }
]
GUIDE = {
    "model": NATIVE,
    "auth": "gemini",
    "api_key": "session-specific-key",
    "project_id": "your-project",
    "location": "us-central1",
    "api_version": "v1alpha",
    "generation_config": {
        "response_modalities": ["AUDIO"],
        "temperature": 0.7,
        "top_p": 0.95,
        "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
        "thinking_config": {"thinking_budget": 1024, "include_thoughts": True},
    },
    "system_instruction": "You are a helpful voice assistant.",
    "tools": TOOLS,
    "realtime_input_config": {
        "automatic_activity_detection": {
            "disabled": False,
            "start_of_speech_sensitivity": "START_SENSITIVITY_HIGH",
            "end_of_speech_sensitivity": "END_SENSITIVITY_HIGH",
            "prefix_padding_ms": 20,
            "silence_duration_ms": 100,
        }
    },
    "session_resumption": {},
    "resume_handle": "previous-handle",
    "context_window_compression": {"sliding_window": {"target_tokens": 16000}, "trigger_tokens": 24000},
    "input_audio_transcription": {},
    "output_audio_transcription": {},
    "enable_affective_dialog": True,
    "proactivity": {"proactive_audio": True},
}


async def test_every_option_of_the_elixir_guide_reaches_the_server(live, log):
    callbacks = log.callbacks(
        "on_message",
        "on_error",
        "on_close",
        "on_tool_call_cancellation",
        "on_transcription",
        "on_voice_activity",
        "on_session_resumption",
        "on_go_away",
    )
    async with live.session(**GUIDE, **callbacks, on_tool_call=lambda _: ("tool_response", [])) as session:
        line = await live.line()
        assert session.status == "ready"
    generation = line.setup.pop("generationConfig")
    assert generation == {
        "responseModalities": ["AUDIO"],
        "temperature": 0.7,
        "topP": 0.95,
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": True},
        "enableAffectiveDialog": True,
    }
    assert line.setup["sessionResumption"] == {"handle": "previous-handle"}
    assert line.setup["proactivity"] == {"proactiveAudio": True}
    assert line.setup["realtimeInputConfig"]["automaticActivityDetection"]["silenceDurationMs"] == 100
    assert line.setup["tools"][0]["functionDeclarations"][0]["parameters"]["type"] == "OBJECT"
    assert line.setup["systemInstruction"]["parts"] == [{"text": "You are a helpful voice assistant."}]
    assert set(line.setup) >= {
        "inputAudioTranscription",
        "outputAudioTranscription",
        "contextWindowCompression",
    }


async def token():
    return "ya29.token"


@pytest.mark.parametrize("given", [{"project_id": "mine"}, {"project": "mine"}])
async def test_vertex_takes_project_and_location_as_options(given):
    auth = made({"model": NATIVE, "auth": "vertex_ai", "location": "europe-west4", **given}).auth
    assert auth == VertexAi(project="mine", location="europe-west4")
    assert made({"model": NATIVE, **given}).auth == VertexAi(project="mine", location="global")


async def test_vertex_is_asked_for_sound_where_no_modality_is_given(live):
    auth = VertexAi(project="mine", location="europe-west4", credentials=token)
    async with live.session(model=NATIVE, auth=auth):
        line = await live.line()
    assert line.setup["model"] == f"projects/mine/locations/europe-west4/publishers/google/models/{NATIVE}"
    assert line.setup["generationConfig"] == {"responseModalities": ["AUDIO"]}


async def test_express_mode_is_left_to_its_default_as_google_genai_leaves_it(live):
    async with live.session(model=NATIVE, auth=VertexExpress(api_key="k")):
        line = await live.line()
    assert "generationConfig" not in line.setup


def made(options):
    """The state of a session that is never started."""
    return build(Session(), None, options).state


def test_a_project_means_nothing_to_the_gemini_api():
    state = made({"model": NATIVE, "auth": "gemini", "api_key": "k", "project_id": "p", "location": "l"})
    assert state.auth == GeminiApi(api_key="k")


def test_one_project_is_not_given_twice():
    with pytest.raises(ConfigError, match="project_id and project are one option"):
        made({"model": NATIVE, "project": "a", "project_id": "b"})


CONFIG = {"response_modalities": ["AUDIO"], "speech_config": {"language_code": "de-DE"}, "temperature": 0.5}


@pytest.mark.parametrize(
    "options",
    [
        CONFIG,
        {"config": CONFIG},
        {
            "config": {
                "responseModalities": ["audio"],
                "speechConfig": {"languageCode": "de-DE"},
                "temperature": 0.5,
            }
        },
        {"responseModalities": ["AUDIO"], "speechConfig": {"languageCode": "de-DE"}, "temperature": 0.5},
        {"generation_config": CONFIG},
        {"generationConfig": CONFIG},
        {"config": LiveConfig.from_user(CONFIG)},
        {"config": {"setup": {"model": "x", "generationConfig": CONFIG}}},
        {"config": types.LiveConnectConfig(**CONFIG)},
        {"config": {"temperature": 1}, **CONFIG},
    ],
    ids=[
        "flat",
        "dict",
        "camelCase",
        "camelCase flat",
        "nested",
        "nested camelCase",
        "class",
        "setup",
        "theirs",
        "both",
    ],
)
def test_every_way_to_write_a_configuration_means_the_same(options):
    state = made({"model": NATIVE, "api_key": "k", **options})
    assert state.options.config.generation() == wire.GenerationConfig(
        response_modalities=(wire.Modality.AUDIO,),
        speech_config=wire.SpeechConfig(language_code="de-DE"),
        temperature=0.5,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temprature": 1}, "did you mean temperature"),
        ({"responseModalitis": []}, "is no option of a session"),
        ({"config": {"temprature": 1}}, "did you mean temperature"),
        ({"responseModalities": ["AUDIO"], "response_modalities": ["AUDIO"]}, "in two spellings"),
        ({"on_mesage": print}, "did you mean on_message"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_known_one(options, message):
    with pytest.raises(ConfigError, match=message):
        made({"model": NATIVE, "api_key": "k", **options})


def test_an_unknown_enumeration_value_passes_with_a_warning():
    with pytest.warns(UserWarning, match="'ENORMOUS' is no known ThinkingLevel"):
        state = made(
            {"model": "gemini-tomorrow", "api_key": "k", "thinking_config": {"thinking_level": "ENORMOUS"}}
        )
    assert state.options.config.thinking_config.thinking_level == "ENORMOUS"


def test_a_model_of_tomorrow_can_be_told_about():
    tomorrow = ModelCapabilities(name="gemini-tomorrow", response_modalities=frozenset({wire.Modality.TEXT}))
    options = {"model": "gemini-tomorrow", "api_key": "k", "models": {"gemini-tomorrow": tomorrow}}
    assert made(options).capabilities is tomorrow
    with pytest.raises(ConfigError, match="cannot answer with response modality AUDIO"):
        made({**options, "response_modalities": ["AUDIO"]})


@pytest.mark.parametrize(
    ("instruction", "texts"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        (wire.Part(text="a"), ["a"]),
        ({"parts": [{"text": "a"}]}, ["a"]),
        ({"text": "a"}, ["a"]),
        ([{"text": "a"}, "b"], ["a", "b"]),
        (types.Content(parts=[types.Part(text="a")]), ["a"]),
    ],
)
def test_a_system_instruction_comes_in_every_form(instruction, texts):
    state = made({"model": NATIVE, "api_key": "k", "system_instruction": instruction})
    assert [part.text for part in state.options.config.system_instruction.parts] == texts


async def test_a_picture_of_pillow_is_sent_as_a_picture(live):
    images = pytest.importorskip("PIL.Image")
    async with live.session(model=NATIVE) as session:
        line = await live.line()
        await session.send_realtime_input(video=images.new("RGB", (2, 2)))
        await session.send_client_content(["What is this?", images.new("L", (2, 2))])
        realtime, content = await line.next(), await line.next()
    assert realtime["realtimeInput"]["video"]["mimeType"] == "image/png"
    assert realtime["realtimeInput"]["video"]["data"].startswith("iVBORw0KGgo")
    (turn,) = content["clientContent"]["turns"]
    assert turn["parts"][1]["inlineData"]["mimeType"] == "image/png"
