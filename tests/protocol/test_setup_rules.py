"""What a server would refuse is found before anything is dialled."""

import pytest

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._config import LiveConfig
from livebridge.protocol._inputs import client_content, context_update, realtime_input
from livebridge.protocol._models import ModelCapabilities
from livebridge.protocol._setup_rules import _REFUSED, check, check_message

VERTEX_ONLY = "only supported in Gemini Enterprise Agent Platform mode, not in Gemini Developer API mode"
GEMINI_ONLY = "only supported in Gemini Developer API mode, not in Gemini Enterprise Agent Platform mode"


def run(*, model="my-model", backend="gemini", api_version="v1", models=None, **flat):
    check(
        LiveConfig.from_user(None, **flat),
        model=model,
        backend=backend,
        api_version=api_version,
        models=models,
    )


def part(**fields):
    return {"system_instruction": {"parts": [{"text": "x"}, fields]}}


GOOD = [
    {},
    {"temperature": 0.5, "tools": [{"google_search": {}}, {"name": "f", "behavior": "BLOCKING"}]},
    {"session_resumption": {"handle": "h"}},
    {"safety_settings": [{"category": "HARASSMENT"}]},
    {"enable_affective_dialog": False, "proactivity": {"proactive_audio": False}},
    {"tools": [{"google_maps": {"auth_config": {"api_key": "k"}}}]},
]


@pytest.mark.parametrize("flat", GOOD)
@pytest.mark.parametrize("backend", ["gemini", "vertex"])
def test_what_both_servers_take_is_let_through(flat, backend):
    assert run(backend=backend, **flat) is None


VERTEX_CASES = [
    ("explicit_vad_signal", {"explicit_vad_signal": False}),
    ("transparent", {"session_resumption": {"transparent": False}}),
    ("method", {"safety_settings": [{"category": "HARASSMENT", "method": "SEVERITY"}]}),
    ("partial_args", part(function_call={"name": "f", "partial_args": []})),
    ("will_continue", part(function_call={"name": "f", "will_continue": True})),
    ("retrieval", {"tools": [{"retrieval": {}}]}),
    ("enterprise_web_search", {"tools": [{"google_search": {}}, {"enterprise_web_search": {}}]}),
    ("parallel_ai_search", {"tools": [{"parallel_ai_search": {}}]}),
    ("exa_ai_search", {"tools": [{"exa_ai_search": {"api_key": "k"}}]}),
    (
        "blocking_confidence",
        {"tools": [{"google_search": {"blocking_confidence": "BLOCK_LOW_AND_ABOVE"}}]},
    ),
    ("exclude_domains", {"tools": [{"google_search": {"exclude_domains": ["x"]}}]}),
    ("grounding_types", {"tools": [{"google_maps": {"grounding_types": {}}}]}),
    *[
        (name, {"tools": [{"google_maps": {"auth_config": {name: value}}}]})
        for name, value in {
            "api_key_config": {},
            "auth_type": "OAUTH",
            "google_service_account_config": {},
            "http_basic_auth_config": {},
            "oauth_config": {},
            "oidc_config": {},
        }.items()
    ],
]


@pytest.mark.parametrize(("name", "flat"), VERTEX_CASES)
def test_what_only_vertex_takes_is_refused_for_gemini(name, flat):
    with pytest.raises(ConfigError, match=f"{name} parameter is {VERTEX_ONLY}"):
        run(**flat)
    assert run(backend="vertex", **flat) is None


GEMINI_CASES = [
    ("enable_enhanced_civic_answers", {"generation_config": {"enable_enhanced_civic_answers": True}}),
    (
        "consent_audio",
        {"speech_config": {"voice_config": {"replicated_voice_config": {"consent_audio": b"x"}}}},
    ),
    (
        "voice_consent_signature",
        {"speech_config": {"voice_config": {"replicated_voice_config": {"voice_consent_signature": {}}}}},
    ),
    ("tool_call", part(tool_call={})),
    ("tool_response", part(tool_response={})),
    ("part_metadata", part(part_metadata={"a": 1})),
    ("will_continue", part(function_response={"will_continue": True})),
    ("media_processing", part(function_response={"parts": [{"media_processing": "STATIC"}]})),
    ("file_search", {"tools": [{"file_search": {}}]}),
    ("mcp_servers", {"tools": [{"mcp_servers": [{"name": "s"}]}]}),
]


@pytest.mark.parametrize(("name", "flat"), GEMINI_CASES)
def test_what_only_gemini_takes_is_refused_for_vertex(name, flat):
    with pytest.raises(ConfigError, match=f"{name} parameter is {GEMINI_ONLY}"):
        run(backend="vertex", **flat)
    assert run(**flat) is None


def test_every_path_of_the_tables_has_a_case():
    for backend, cases in (("gemini", VERTEX_CASES), ("vertex", GEMINI_CASES)):
        tails = sorted(path.removesuffix("[]").rpartition(".")[2] for path in _REFUSED[backend])
        assert tails == sorted(name for name, _ in cases)


def test_several_speakers_are_refused_everywhere():
    for backend in ("gemini", "vertex"):
        for flat in (
            {"speech_config": {"multi_speaker_voice_config": {}}},
            {"generation_config": {"speech_config": {"multi_speaker_voice_config": {}}}},
        ):
            with pytest.raises(
                ConfigError, match="multi_speaker_voice_config is not supported in the live API"
            ):
                run(backend=backend, **flat)


@pytest.mark.parametrize(
    "flat", [{"enable_affective_dialog": True}, {"proactivity": {"proactive_audio": True}}]
)
def test_some_things_need_v1alpha_on_the_gemini_api(flat):
    for version in ("v1", "v1beta"):
        with pytest.raises(
            ConfigError, match=f"needs api_version='v1alpha' on the Gemini API, not '{version}'"
        ):
            run(api_version=version, **flat)
    assert run(api_version="v1alpha", **flat) is None
    assert run(api_version=None, **flat) is None
    assert run(backend="vertex", **flat) is None


@pytest.mark.parametrize(
    ("model", "flat", "text"),
    [
        (
            "gemini-3.1-flash-live-preview",
            {"response_modalities": ["text"]},
            "answer with response modality TEXT, only with AUDIO; for text, ask for output_audio",
        ),
        (
            "models/gemini-2.5-flash-native-audio-latest",
            {"generation_config": {"responseModalities": ["TEXT"]}},
            "cannot answer",
        ),
        ("gemini-3.5-transcribe-live", {"response_modalities": ["AUDIO"]}, "modality AUDIO, only with TEXT$"),
        (
            "anything",
            {"response_modalities": ["TEXT", "AUDIO"]},
            r"one response modality, not 2 \(TEXT, AUDIO\)",
        ),
        ("gemini-3.8-live-extended-thinking", {}, "exactly one of thinking_level and thinking_budget"),
        ("gemini-3.8-live-extended-thinking", {"temperature": 1}, "exactly one of thinking_level"),
        (
            "gemini-3.8-live-extended-thinking",
            {"thinking_config": {"thinking_level": "LOW", "thinking_budget": 1}},
            "exactly one",
        ),
        (
            "gemini-3.8-live-extended-thinking",
            {"thinking_config": {"thinking_level": "minimal"}},
            "HIGH or LOW or MEDIUM, not MINIMAL",
        ),
        (
            "gemini-3.8-live",
            {"thinking_config": {"thinking_level": "LOW"}},
            "takes neither thinking_level nor thinking_budget",
        ),
        ("gemini-live-2.5-flash", {"thinking_config": {"thinking_budget": 0}}, "takes neither"),
        (
            "gemini-3.1-flash-live-preview",
            {"enable_affective_dialog": True, "temperature": 1},
            "does not take enable_affective_dialog",
        ),
        ("gemini-2.5-flash-native-audio-latest", {"tools": [{"code_execution": {}}]}, "code_execution tool"),
        (
            "gemini-3.8-live-extended-thinking",
            {
                "thinking_config": {"thinking_level": "LOW"},
                "tools": [{"name": "f", "behavior": "blocking"}, {"name": "g"}],
            },
            r"does not take BLOCKING functions \(f\)$",
        ),
    ],
)
def test_what_a_model_does_not_take_is_refused(model, flat, text):
    with pytest.raises(ConfigError, match=text):
        run(model=model, api_version="v1alpha", **flat)


@pytest.mark.parametrize(
    ("model", "flat"),
    [
        ("gemini-live-2.5-flash", {"response_modalities": ["TEXT"]}),
        ("gemini-3.8-live", {"thinking_config": {"include_thoughts": True}}),
        (
            "gemini-3.8-live-extended-thinking",
            {"thinking_config": {"thinking_level": "LOW"}, "tools": [{"name": "f"}, {"google_search": {}}]},
        ),
        (
            "gemini-2.5-flash-native-audio-latest",
            {"enable_affective_dialog": True, "thinking_config": {"thinking_budget": 0}},
        ),
        ("gemini-9-live", {"response_modalities": ["TEXT"], "tools": [{"code_execution": {}}]}),
    ],
)
def test_what_a_model_takes_is_let_through(model, flat):
    assert run(model=model, api_version="v1alpha", **flat) is None


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        run(
            model="gemini-3.1-flash-live-preview",
            response_modalities=["TEXT"],
            explicit_vad_signal=True,
            proactivity={"proactive_audio": True},
        )
    text = str(caught.value)
    assert text.startswith("this configuration would be refused by the server (gemini):\n- ")
    assert text.count("\n- ") == 3


def test_the_users_own_table_counts():
    mine = ModelCapabilities(name="mine", response_modalities=frozenset({wire.Modality.TEXT}))
    with pytest.raises(ConfigError, match="mine: cannot answer"):
        run(model="mine", models={"mine": mine}, response_modalities=["AUDIO"])


@pytest.mark.filterwarnings("ignore:'AUDOI' is no known Modality")
def test_a_misspelt_modality_is_found_for_every_model():
    for model in ("gemini-3.1-flash-live-preview", "my-model"):
        with pytest.raises(ConfigError, match="'AUDOI' is no response modality; known are MODALITY_UNSPEC"):
            run(model=model, response_modalities=["AUDOI"])


@pytest.mark.parametrize(
    ("backend", "message", "named"),
    [
        (
            "gemini",
            context_update(tools=[{"retrieval": {}}]),
            "retrieval parameter is only supported in Gemini Ent",
        ),
        (
            "vertex",
            context_update(tools=[{"file_search": {}}]),
            "file_search parameter is only supported in Gemini D",
        ),
        (
            "vertex",
            context_update(system_instruction={"parts": [{"tool_call": {"id": "1"}}]}),
            "tool_call parameter is only",
        ),
        (
            "gemini",
            client_content({"parts": [{"function_call": {"name": "f", "will_continue": True}}]}),
            r"will_continue parameter is only supported .*\(client_content",
        ),
    ],
)
def test_what_a_setup_must_not_hold_no_later_message_brings(backend, message, named):
    with pytest.raises(ConfigError, match=named):
        check_message(message, backend=backend)


@pytest.mark.parametrize("backend", ["gemini", "vertex"])
@pytest.mark.parametrize(
    "message",
    [
        client_content("Hi"),
        client_content(),
        context_update(tools=[{"google_search": {}}]),
        realtime_input(text="x"),
    ],
)
def test_a_message_that_both_backends_take_passes(backend, message):
    assert check_message(message, backend=backend) is None
