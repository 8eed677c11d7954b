"""A configuration, from whatever the user has, and the setup made of it."""

import attrs
import pytest
from google.genai import types

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._config import LiveConfig, build_setup
from livebridge.protocol._config_keys import HttpOptions
from livebridge.protocol._config_tools import tool_items, tool_list

DEFAULTS = {"sessionResumption": {}, "contextWindowCompression": {"slidingWindow": {}}}


def setup(config=None, /, *, backend="gemini", handle=None, transparent=False, **flat):
    made = build_setup(
        LiveConfig.from_user(config, **flat),
        model_resource="models/m",
        backend=backend,
        handle=handle,
        transparent=transparent,
    )
    plain = wire.to_plain(made)
    assert plain.pop("model") == "models/m"
    return plain


def get_weather(city: str) -> str:
    """Tell the weather."""
    return city


@pytest.mark.parametrize(
    "config",
    [
        {"response_modalities": ["AUDIO"], "temperature": 0.5, "system_instruction": "Be brief."},
        {
            "responseModalities": ["audio"],
            "temperature": 0.5,
            "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        },
        {
            "generation_config": {"response_modalities": ["audio"], "temperature": 0.5},
            "system_instruction": "Be brief.",
        },
        {
            "generationConfig": {"responseModalities": ["AUDIO"]},
            "temperature": 0.5,
            "systemInstruction": ["Be brief."],
        },
        {
            "generation_config": {"temperature": 0.5},
            "temperature": 0.5,
            "response_modalities": ["AUDIO"],
            "system_instruction": "Be brief.",
        },
        {
            "setup": {
                "model": "models/other",
                "generationConfig": {"responseModalities": ["AUDIO"], "temperature": 0.5},
                "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
            }
        },
        types.LiveConnectConfig(
            response_modalities=["AUDIO"], temperature=0.5, system_instruction="Be brief."
        ),
        wire.Setup(
            generation_config=wire.GenerationConfig(response_modalities=["AUDIO"], temperature=0.5),
            system_instruction=wire.Content(role="user", parts=[wire.Part(text="Be brief.")]),
        ),
        LiveConfig(response_modalities=["AUDIO"], temperature=0.5, system_instruction="Be brief."),
    ],
)
def test_one_configuration_can_be_written_in_many_ways(config):
    assert setup(config) == {
        "generationConfig": {"responseModalities": ["AUDIO"], "temperature": 0.5},
        "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
        **DEFAULTS,
    }


def test_no_configuration_is_one_too():
    assert setup() == DEFAULTS
    assert LiveConfig.from_user() == LiveConfig()


@pytest.mark.parametrize(
    "config",
    [
        {"session_resumption": None, "contextWindowCompression": None},
        types.LiveConnectConfig(session_resumption=None, context_window_compression=None),
        LiveConfig(session_resumption=None, context_window_compression=None),
    ],
)
def test_what_keeps_a_conversation_alive_is_on_unless_it_is_switched_off(config):
    assert setup(config) == {}
    assert setup(types.LiveConnectConfig()) == DEFAULTS


def test_keywords_come_before_the_configuration():
    assert setup({"temperature": 0.1, "seed": 7}, temperature=0.9, session_resumption=None) == {
        "generationConfig": {"temperature": 0.9, "seed": 7},
        "contextWindowCompression": {"slidingWindow": {}},
    }
    base = LiveConfig(temperature=0.1)
    assert LiveConfig.from_user(base, temperature=0.9).temperature == 0.9
    assert base.temperature == 0.1


def test_zero_and_false_are_values():
    assert setup(temperature=0, enable_affective_dialog=False, session_resumption=None)[
        "generationConfig"
    ] == {
        "temperature": 0.0,
        "enableAffectiveDialog": False,
    }


def test_every_field_reaches_the_setup():
    made = setup(
        top_p=0.5,
        top_k=40,
        max_output_tokens=100,
        media_resolution="low",
        thinking_config={"thinkingLevel": "minimal", "includeThoughts": True},
        translation_config={"target_language_code": "de"},
        input_audio_transcription={},
        output_audio_transcription={"languageCodes": ["de-DE"]},
        realtime_input_config={"automatic_activity_detection": {"disabled": False}},
        proactivity={"proactive_audio": True},
        explicit_vad_signal=True,
        history_config={"initial_history_in_client_content": True},
        avatar_config={"avatar_name": "A"},
        safety_settings=[{"category": "harassment", "threshold": "block_none"}],
        labels={"team": "x"},
        context_window_compression={"trigger_tokens": 0},
    )
    assert made == {
        "generationConfig": {
            "topP": 0.5,
            "topK": 40.0,
            "maxOutputTokens": 100,
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "thinkingConfig": {"thinkingLevel": "MINIMAL", "includeThoughts": True},
            "translationConfig": {"targetLanguageCode": "de"},
        },
        "inputAudioTranscription": {},
        "outputAudioTranscription": {"languageCodes": ["de-DE"]},
        "realtimeInputConfig": {"automaticActivityDetection": {"disabled": False}},
        "proactivity": {"proactiveAudio": True},
        "explicitVadSignal": True,
        "historyConfig": {"initialHistoryInClientContent": True},
        "avatarConfig": {"avatarName": "A"},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "labels": {"team": "x"},
        "contextWindowCompression": {"triggerTokens": "0"},
        "sessionResumption": {},
    }


def test_every_field_of_google_genai_has_a_field_here():
    ours = {field.name for field in attrs.fields(LiveConfig)}
    assert set(types.LiveConnectConfig.model_fields) <= ours


def test_settings_without_a_field_of_their_own_go_through():
    made = setup(generation_config={"candidate_count": 2, "presencePenalty": 0.5}, temperature=1)
    assert made["generationConfig"] == {"candidateCount": 2, "presencePenalty": 0.5, "temperature": 1.0}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"temprature": 1}, "config 'temprature' is unknown; did you mean temperature?"),
        ({"responseModalites": ["AUDIO"]}, "did you mean response_modalities"),
        ({"candidateCount": 1}, "write generation_config="),
        ({"zzzzzzzz": 1}, "known are avatar_config, "),
        ({"topP": 1, "top_p": 1}, "given twice, in two spellings"),
        ({"temperature": 1, "generation_config": {"temperature": 2}}, "temperature is given twice"),
        ({"temperature": "warm"}, "config.temperature: expected a number"),
        ({"generation_config": {"temperatur": 1}}, "did you mean 'temperature'"),
        ({"session_resumption": {"handel": "x"}}, "did you mean 'handle'"),
        ({"session_resumption": True}, "session_resumption"),
        ({"response_modalities": "AUDIO"}, "expected a list"),
        ({"voice": ""}, "voice takes the name"),
        ({"voice": 7}, "voice takes the name"),
        ({"labels": {"a": 1}}, "labels"),
        ({"tools": {"google_search": {}}}, "tools takes a list"),
        ({"tools": [7]}, r"tools\[0\]: tools take a list of Tool"),
        ({"tools": [{"google_serch": {}}]}, "did you mean 'google_search'"),
        ({"tools": [{"name": "f", "parameter": {}}]}, r"tools\[0\]"),
        ({"http_options": {"timeout": 5}}, "http_options 'timeout' is unknown"),
        ({"http_options": {"base_url": 5}}, "base_url takes text"),
        ({"http_options": {"headers": {"a": 1}}}, "headers take a mapping of texts"),
        ({"http_options": {"headers": "a"}}, "headers take a mapping of texts"),
        (7, "config takes a LiveConfig, a mapping"),
    ],
)
def test_a_mistake_is_named(config, text):
    with pytest.raises(ConfigError, match=text):
        LiveConfig.from_user(config)


def test_a_misspelt_keyword_is_called_an_option():
    with pytest.raises(ConfigError, match="option 'temprature' is unknown; did you mean temperature"):
        LiveConfig.from_user(temprature=1)


KORE = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}


@pytest.mark.parametrize(
    "flat",
    [
        {"voice": "Kore"},
        {"speech_config": "Kore"},
        {"speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}}},
        {
            "generation_config": {
                "speech_config": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
            }
        },
        {"voice": "Kore", "speech_config": "Kore"},
    ],
)
def test_a_voice_can_be_named_in_many_ways(flat):
    assert setup(**flat)["generationConfig"] == {"speechConfig": KORE}


def test_a_voice_joins_the_language():
    for flat in (
        {"speech_config": {"language_code": "de-DE"}},
        {"generation_config": {"speech_config": {"language_code": "de-DE"}}},
    ):
        assert setup(voice="Kore", **flat)["generationConfig"]["speechConfig"] == {
            **KORE,
            "languageCode": "de-DE",
        }


def test_two_voices_contradict_each_other():
    with pytest.raises(ConfigError, match="voice='Kore' contradicts"):
        LiveConfig.from_user(voice="Kore", speech_config="Puck")


def test_declarations_are_gathered_in_one_last_tool():
    made = setup(
        tools=[
            {"function_declarations": [{"name": "a"}], "code_execution": {}},
            {"name": "b", "behavior": "non_blocking"},
            wire.Tool(google_search=wire.GoogleSearch()),
            wire.FunctionDeclaration(name="c"),
            types.Tool(function_declarations=[types.FunctionDeclaration(name="d")]),
            types.FunctionDeclaration(name="e", description="E."),
        ]
    )
    assert made["tools"] == [
        {"codeExecution": {}},
        {"googleSearch": {}},
        {
            "functionDeclarations": [
                {"name": "a"},
                {"name": "b", "behavior": "NON_BLOCKING"},
                {"name": "c"},
                {"name": "d"},
                {"name": "e", "description": "E."},
            ]
        },
    ]


@pytest.mark.parametrize("tools", [[], [{}], [wire.Tool()], [get_weather], None])
def test_no_tools_send_no_key(tools):
    assert "tools" not in setup(tools=tools)


def test_a_mistake_in_a_declaration_without_a_name_is_found():
    with pytest.raises(ConfigError, match=r"tools\[0\].description"):
        tool_items([{"description": 7}])


def test_an_mcp_description_is_a_declaration():
    (tool,), functions = tool_list([{"name": "f", "title": "F", "inputSchema": {"type": "object"}}])
    (declaration,) = tool.function_declarations
    assert declaration.parameters_json_schema == {"type": "object"}
    assert functions == ()


def test_python_functions_wait_until_they_are_declared():
    config = LiveConfig.from_user(tools=[get_weather, {"google_search": {}}])
    assert config.functions == (get_weather,)
    assert len(config.declared_tools) == 1
    declared = config.with_declarations([wire.FunctionDeclaration(name="get_weather")])
    assert declared.functions == ()
    assert [tool.function_declarations for tool in declared.declared_tools] == [
        None,
        (wire.FunctionDeclaration(name="get_weather"),),
    ]


def test_declaring_nothing_changes_nothing():
    assert LiveConfig().with_declarations([]) == LiveConfig()
    assert LiveConfig().functions == ()
    assert LiveConfig.from_user(tools=[get_weather]).with_declarations([]).tools == ()


def test_the_handle_of_the_moment_is_the_one_that_is_sent():
    config = {"session_resumption": {"handle": "old"}}
    assert setup(config, handle="new")["sessionResumption"] == {"handle": "new"}
    assert setup(config)["sessionResumption"] == {}
    assert setup({"session_resumption": None}, handle="new")["sessionResumption"] == {"handle": "new"}


def test_transparency_is_asked_for_on_request():
    assert setup(transparent=True)["sessionResumption"] == {"transparent": True}
    assert setup(session_resumption={"transparent": True})["sessionResumption"] == {"transparent": True}


def test_vertex_is_asked_for_audio_unless_something_else_is_wanted():
    assert setup(backend="vertex")["generationConfig"] == {"responseModalities": ["AUDIO"]}
    assert setup(backend="vertex", response_modalities=["text"])["generationConfig"] == {
        "responseModalities": ["TEXT"]
    }


def test_http_options_are_kept_and_their_headers_are_not_shown():
    config = LiveConfig.from_user(
        {"httpOptions": {"baseUrl": "wss://x", "headers": {"k": "secret"}, "apiVersion": None}}
    )
    assert config.http_options == HttpOptions(base_url="wss://x", headers={"k": "secret"})
    assert "secret" not in repr(config)
    assert LiveConfig.from_user(config.__class__(http_options=config.http_options)) == config
    theirs = types.LiveConnectConfig(http_options=types.HttpOptions(api_version="v1alpha"))
    assert LiveConfig.from_user(theirs).http_options == HttpOptions(api_version="v1alpha")


def test_handles_are_not_shown():
    assert "secret-handle" not in repr(LiveConfig.from_user(session_resumption={"handle": "secret-handle"}))
