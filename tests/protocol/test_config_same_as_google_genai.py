"""The setup made of a configuration is the one that google-genai makes of it."""

import base64
import enum
import re
import warnings

import google.auth.credentials
import pytest
from google import genai
from google.genai import _common, _live_converters, types
from google.genai import _transformers as transformers

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._config import LiveConfig, build_setup
from livebridge.protocol._setup_rules import check

MODEL = "models/gemini-test"

# What the user wrote inside these is not ours, or google-genai's, to respell.
FREE_FORM = {
    "parametersJsonSchema",
    "responseJsonSchema",
    "labels",
    "properties",
    "headers",
    "args",
    "response",
}
INT64 = {"triggerTokens", "targetTokens"}
OFF = {"session_resumption": None, "context_window_compression": None}


@pytest.fixture(scope="module")
def clients():
    return {
        "gemini": genai.Client(api_key="no-key"),
        "vertex": genai.Client(
            vertexai=True,
            project="p",
            location="l",
            credentials=google.auth.credentials.AnonymousCredentials(),
        ),
    }


def theirs(client, backend, config):
    made = types.LiveConnectConfig(**config)
    made.tools = made.tools or None  # as connect() does
    if made.system_instruction is not None:
        made.system_instruction = transformers.t_content(made.system_instruction)
    convert = getattr(
        _live_converters,
        {"gemini": "_LiveConnectParameters_to_mldev", "vertex": "_LiveConnectParameters_to_vertex"}[backend],
    )
    parameters = types.LiveConnectParameters(model=MODEL, config=made).model_dump(exclude_none=True)
    request = _common.convert_to_dict(convert(api_client=client._api_client, from_object=parameters))
    setup = _common.encode_unserializable_types(request)["setup"]
    setup["model"] = MODEL
    if backend == "vertex":
        setup.setdefault("generationConfig", {}).setdefault("responseModalities", ["AUDIO"])
    return normal(setup)


def ours(backend, config):
    made = LiveConfig.from_user({**OFF, **config})
    handle = made.session_resumption.handle if made.session_resumption is not None else None
    return normal(wire.to_plain(build_setup(made, model_resource=MODEL, backend=backend, handle=handle)))


def normal(value, key=""):
    """Spell keys, base64 and 64-bit numbers in one way."""
    if isinstance(value, dict) and key in FREE_FORM:
        return {name: normal(item) if key == "properties" else item for name, item in value.items()}
    if isinstance(value, dict):
        camel = {
            re.sub(r"_([a-z])", lambda found: found[1].upper(), name): item for name, item in value.items()
        }
        return {name: normal(item, name) for name, item in camel.items()}
    if isinstance(value, list | tuple):
        return [normal(item) for item in value]
    if key in INT64:
        return int(value)
    if key in {"voiceSampleAudio", "imageData", "data"}:
        return base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_"))
    return value.value if isinstance(value, enum.Enum) else value


CONFIGS = {
    "nothing": {},
    "generation": {
        "response_modalities": ["AUDIO"],
        "temperature": 0,
        "top_p": 0.9,
        "top_k": 40,
        "max_output_tokens": 128,
        "media_resolution": "MEDIA_RESOLUTION_LOW",
        "seed": 0,
        "enable_affective_dialog": False,
        "thinking_config": {"thinking_budget": -1, "include_thoughts": False},
        "translation_config": {"target_language_code": "de", "echo_target_language": True},
    },
    "camel case": {"responseModalities": ["TEXT"], "maxOutputTokens": 1, "systemInstruction": "x"},
    "nested": {"generation_config": {"temperature": 0.5, "candidate_count": 1, "stop_sequences": ["x"]}},
    "thinking level": {"thinking_config": {"thinking_level": "high"}},
    "speech": {
        "speech_config": {
            "language_code": "de-DE",
            "voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}},
        }
    },
    "replicated voice": {
        "speech_config": {
            "voice_config": {
                "replicated_voice_config": {"mime_type": "audio/wav", "voice_sample_audio": b"\xff\xfe\xfd"}
            }
        }
    },
    "words": {"system_instruction": "Be brief."},
    "paragraphs": {"system_instruction": ["Be brief.", "Be kind."]},
    "content": {"system_instruction": {"parts": [{"text": "Be brief."}]}},
    "part": {"system_instruction": types.Part(text="Be brief.")},
    "resumption": {"session_resumption": {}},
    "handle": {"session_resumption": {"handle": "h"}},
    "compression": {"context_window_compression": {"sliding_window": {}}},
    "compression numbers": {
        "context_window_compression": {"trigger_tokens": 1000, "sliding_window": {"target_tokens": 500}}
    },
    "transcription": {
        "input_audio_transcription": {},
        "output_audio_transcription": {"language_codes": ["de"]},
    },
    "realtime": {
        "realtime_input_config": {
            "automatic_activity_detection": {
                "disabled": False,
                "start_of_speech_sensitivity": "START_SENSITIVITY_LOW",
                "prefix_padding_ms": 0,
            },
            "activity_handling": "NO_INTERRUPTION",
            "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
        }
    },
    "proactivity": {"proactivity": {"proactive_audio": True}},
    "history": {"history_config": {"initial_history_in_client_content": True}},
    "avatar": {
        "avatar_config": {"customized_avatar": {"image_mime_type": "image/png", "image_data": b"\xff\xfe"}}
    },
    "safety": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]},
    "labels": {"labels": {"some_team": "x"}},
    "search": {"tools": [{"google_search": {}}]},
    "functions": {
        "tools": [
            {
                "function_declarations": [
                    {
                        "name": "f",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"some_city": {"type": "STRING", "max_length": 3}},
                            "property_ordering": ["some_city"],
                        },
                        "behavior": "NON_BLOCKING",
                    }
                ],
                "code_execution": {},
            },
            {"google_search": {}},
            {"function_declarations": [{"name": "g", "parameters_json_schema": {"some_key": {"a_b": 1}}}]},
        ]
    },
    "typed functions": {
        "tools": [
            types.Tool(function_declarations=[types.FunctionDeclaration(name="f")]),
            types.Tool(google_maps=types.GoogleMaps(enable_widget=True)),
        ]
    },
    "no tools": {"tools": []},
    "explicit signal": {"explicit_vad_signal": True},
    "transparent": {"session_resumption": {"transparent": True}},
    "safety method": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "method": "SEVERITY"}]},
    "files": {"tools": [{"file_search": {"file_search_store_names": ["s"]}}]},
    "servers": {"tools": [{"mcp_servers": [{"name": "s"}]}]},
    "retrieval": {"tools": [{"retrieval": {"vertex_rag_store": {"store_context": True}}}]},
    "enterprise search": {"tools": [{"enterprise_web_search": {}}]},
    "parallel search": {"tools": [{"parallel_ai_search": {"api_key": "k"}}]},
    "exa search": {"tools": [{"exa_ai_search": {"api_key": "k"}}]},
    "domains": {"tools": [{"google_search": {"exclude_domains": ["x"]}}]},
    "maps": {"tools": [{"google_maps": {"grounding_types": {"places": {}}}}]},
    "maps login": {"tools": [{"google_maps": {"auth_config": {"auth_type": "OAUTH"}}}]},
    "consent": {
        "speech_config": {
            "voice_config": {"replicated_voice_config": {"consent_audio": b"x", "mime_type": "a"}}
        }
    },
    "speakers": {"speech_config": {"multi_speaker_voice_config": {"speaker_voice_configs": []}}},
    "civic": {"generation_config": {"enable_enhanced_civic_answers": True}},
    "tool call in instruction": {"system_instruction": {"parts": [{"tool_call": {"id": "1"}}]}},
    "partial arguments": {
        "system_instruction": {"parts": [{"function_call": {"name": "f", "will_continue": True}}]}
    },
    "unknown key": {"temprature": 1},
    "clash": {"temperature": 1, "generation_config": {"temperature": 2}},
}

# Where google-genai finds fault with what is inside, and livebridge with the whole.
NAMED_DIFFERENTLY = {"servers"}


@pytest.mark.parametrize("backend", ["gemini", "vertex"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_makes_the_same_setup_or_is_refused_by_both(clients, name, backend):
    config = CONFIGS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            expected = theirs(clients[backend], backend, config)
        except ValueError as refused:
            with pytest.raises(ConfigError) as caught:
                check(LiveConfig.from_user({**OFF, **config}), model=MODEL, backend=backend, api_version=None)
            known = re.match(r"\w+ parameter is [^.]*", str(refused))
            assert known is None or name in NAMED_DIFFERENTLY or known[0] in str(caught.value)
        else:
            check(LiveConfig.from_user({**OFF, **config}), model=MODEL, backend=backend, api_version=None)
            assert ours(backend, config) == expected
