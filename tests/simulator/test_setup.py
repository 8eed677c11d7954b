import attrs
import pytest

from livebridge.simulator import PROFILES, Profile
from livebridge.simulator._refusals import Hangup
from livebridge.simulator._validation import model_name

NATIVE = "models/gemini-2.5-flash-native-audio-latest"
THINKER = "models/gemini-3.8-live-extended-thinking"


def function(**members):
    return [{"functionDeclarations": [members]}]


def test_the_answer_to_a_setup_is_setup_complete(dial):
    gemini, vertex = dial(), dial(vertex=True)
    assert gemini.setup() == [{"setupComplete": {}}]
    assert vertex.setup() == [{"setupComplete": {"sessionId": vertex.conversation.id}}]


@pytest.mark.parametrize(
    ("setup", "code", "reason"),
    [
        ({"model": ""}, 1007, "Request contains an invalid argument."),
        ({"model": "gemini-2.0-flash-live-001"}, 1008, "gemini-2.0-flash-live-001 is not found"),
        (
            {"model": "models/gemini-9"},
            1008,
            "models/gemini-9 is not found for API version v1beta, or is not",
        ),
        (
            {"generationConfig": {"responseModalities": ["TEXT"]}, "model": NATIVE},
            1007,
            "(TEXT) is not supported",
        ),
        ({"generationConfig": {"responseModalities": ["TEXT", "AUDIO"]}}, 1007, "(TEXT, AUDIO)"),
        ({"generationConfig": {"responseModalities": ["SMELL"]}}, 1007, "(SMELL)"),
        ({"sessionResumption": {"handle": None}}, 1007, "Request contains an invalid argument."),
        ({"session_resumption": {"handle": None}}, 1007, "Request contains an invalid argument."),
        ({"sessionResumption": {"handle": "stale"}}, 1008, "BidiGenerateContent session not found"),
        (
            {"sessionResumption": {"transparent": False}},
            1007,
            "\"transparent\" at 'setup.session_resumption'",
        ),
        ({"explicitVadSignal": True}, 1007, "\"explicit_vad_signal\" at 'setup'"),
        ({"safetySettings": [{"method": "SEVERITY"}]}, 1007, "\"method\" at 'setup.safety_settings[0]'"),
        ({"tools": [{"enterpriseWebSearch": {}}]}, 1007, "\"enterprise_web_search\" at 'setup.tools[0]'"),
        ({"toolConfig": {}}, 1007, "Unknown name \"toolConfig\" at 'setup': Cannot find field."),
        ({"tools": function(name="f", strict=True)}, 1007, "'setup.tools[0].function_declarations[0]'"),
        ({"tools": function(description="nameless")}, 1007, "Request contains an invalid argument."),
        ({"tools": [{"codeExecution": {}}], "model": NATIVE}, 1007, "Code Execution tool is not supported"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}, "model": NATIVE},
            1007,
            "Thinking level is not supported for this model",
        ),
        ({"model": THINKER}, 1007, "Thinking level must be specified for this model"),
        (
            {
                "model": THINKER,
                "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}},
                "tools": function(name="f"),
            },
            1007,
            "BLOCKING function calls are not supported for this model",
        ),
        (
            {"model": NATIVE, "proactivity": {"proactiveAudio": True}},
            1007,
            "Request contains an invalid argument.",
        ),
        (
            {"model": NATIVE, "generationConfig": {"enableAffectiveDialog": True}},
            1007,
            "Request contains an invalid argument.",
        ),
    ],
)
def test_a_wrong_setup_is_refused_as_the_gemini_api_does(dial, setup, code, reason):
    client = dial()
    client.send({"setup": {"model": "models/gemini-2.0-flash-live-001", **setup}})
    assert client.received == []
    assert client.hangup[0] == code
    assert reason in client.hangup[1]
    assert len(client.hangup[1].encode()) <= 123


@pytest.mark.parametrize(
    ("setup", "code", "reason"),
    [
        ({"model": "models/gemini-live-2.5-flash"}, 1008, "Publisher Model `models/gemini-live-2.5-flash`"),
        ({"model": "publishers/google/models/gemini-9"}, 1008, "was not found"),
        ({"model": "x/publishers/google/models/gemini-live-2.5-flash"}, 1008, "was not found"),
        ({"tools": [{"fileSearch": {}}]}, 1007, "\"file_search\" at 'setup.tools[0]'"),
        (
            {"generationConfig": {"enableEnhancedCivicAnswers": True}},
            1007,
            "\"enable_enhanced_civic_answers\" at 'setup.generation_config'",
        ),
    ],
)
def test_a_wrong_setup_is_refused_as_vertex_does(dial, setup, code, reason):
    client = dial(vertex=True)
    client.send({"setup": {"model": "publishers/google/models/gemini-live-2.5-flash", **setup}})
    assert client.hangup[0] == code
    assert reason in client.hangup[1]


@pytest.mark.parametrize(
    "setup",
    [
        {"explicitVadSignal": True},
        {"sessionResumption": {"transparent": True}},
        {"tools": [{"enterpriseWebSearch": {}}]},
        {"safetySettings": [{"method": "SEVERITY"}]},
        {"generationConfig": {"temperature": 0.5}},
    ],
)
def test_vertex_takes_its_own_fields(dial, setup):
    client = dial(vertex=True)
    client.setup("models/gemini-live-2.5-flash", **setup)
    assert client.hangup is None


def test_the_gemini_api_takes_safety_settings_without_a_method(dial):
    client = dial()
    client.setup(safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}])
    assert client.hangup is None


def test_alpha_features_work_on_the_alpha_version(dial):
    client = dial(version="v1alpha")
    client.setup(NATIVE, proactivity={"proactiveAudio": True})
    assert client.hangup is None


def test_a_model_that_must_think_takes_a_level_or_a_budget(dial):
    for thinking in ({"thinkingLevel": "LOW"}, {"thinkingBudget": 0}):
        client = dial()
        client.setup(
            THINKER,
            generationConfig={"thinkingConfig": thinking},
            tools=function(name="f", behavior="NON_BLOCKING"),
        )
        assert client.hangup is None
    client = dial()
    client.setup(THINKER, generationConfig={"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}})
    assert client.hangup == (1007, "Thinking level must be specified for this model")


def test_unknown_members_pass_if_the_simulator_is_not_strict(dial):
    client = dial(strict=False)
    client.setup(toolConfig={"mode": "ANY"})
    assert client.hangup is None


@pytest.mark.parametrize(
    "message",
    [
        [],
        "setup",
        {},
        {"clientContent": {"turnComplete": True}},
        {"setup": {"model": "models/gemini-2.0-flash-live-001"}, "clientContent": {}},
    ],
)
def test_the_first_message_must_be_a_setup_and_nothing_else(dial, message):
    client = dial()
    client.send(message)
    assert client.hangup == (1007, "Request contains an invalid argument.")


@pytest.mark.parametrize(
    "message",
    [
        {"setup": {"model": "models/gemini-2.0-flash-live-001"}},
        {},
        [],
        {"clientContent": {}, "realtimeInput": {}},
    ],
)
def test_a_second_setup_and_an_ambiguous_message_end_the_connection(dial, message):
    client = dial()
    client.setup()
    client.send(message)
    assert client.hangup == (1007, "Request contains an invalid argument.")
    assert not client.conversation.connected


def test_a_message_nested_too_deeply_is_refused(dial):
    schema = {}
    for _ in range(5000):
        schema = {"items": schema}
    client = dial()
    client.setup(tools=function(name="f", parameters=schema))
    assert client.hangup == (1007, "Request contains an invalid argument.")


def test_after_the_end_nothing_is_heard(dial):
    client = dial()
    client.setup("models/gemini-9")
    before = client.hangup
    client.setup()
    assert (client.received, client.hangup, client.conversation) == ([], before, None)


def test_too_many_sessions_at_once_are_refused_until_one_ends(dial, make_world):
    world = make_world(max_sessions=1)
    first, second, third = dial(world), dial(world), dial(world)
    first.setup()
    second.setup()
    assert second.hangup == (1011, "RESOURCE_EXHAUSTED")
    first.close()
    assert third.setup() == [{"setupComplete": {}}]


def test_a_profile_of_your_own_can_be_served(dial):
    client = dial(profiles={"my-model": Profile(modalities=("TEXT",))})
    assert client.setup("models/my-model") == [{"setupComplete": {}}]


@pytest.mark.parametrize(
    ("resource", "vertex", "name"),
    [
        ("models/m", False, "m"),
        ("m", False, None),
        ("publishers/google/models/m", False, None),
        ("publishers/google/models/m", True, "m"),
        ("projects/p/locations/l/publishers/google/models/m", True, "m"),
        ("models/m", True, None),
    ],
)
def test_each_backend_has_its_own_names_for_models(resource, vertex, name):
    assert model_name(resource, vertex=vertex) == name


def test_every_model_answers_in_something():
    assert all(profile.modalities for profile in PROFILES.values())
    assert all(attrs.has(type(profile)) for profile in PROFILES.values())


def test_a_reason_is_cut_to_what_a_close_frame_can_carry():
    assert Hangup(1011, "ü" * 100).reason == "ü" * 61
    assert Hangup(1000).reason == ""


def test_the_consent_to_a_voice_is_answered_with_a_receipt(dial):
    voice = {"replicatedVoiceConfig": {"mimeType": "audio/wav", "consentAudio": "AAAA"}}
    setup = {"generationConfig": {"speechConfig": {"voiceConfig": voice}}}
    (complete,) = dial().setup(**setup)
    assert complete["setupComplete"]["voiceConsentSignature"]["signature"]
    del voice["replicatedVoiceConfig"]["consentAudio"]
    assert dial().setup(**setup) == [{"setupComplete": {}}]
