"""What is known of each model, and what is guessed of the others."""

import pytest

from livebridge.protocol._models import LIVE_MODELS, ModelCapabilities, candidates, capabilities, normalize


@pytest.mark.parametrize(
    "name",
    [
        "m",
        " m ",
        "models/m",
        "publishers/google/models/m",
        "projects/p/locations/l/publishers/google/models/m",
        "models/m:bidiGenerateContent",
    ],
)
def test_a_model_has_one_name_however_it_is_written(name):
    assert normalize(name) == "m"


def test_every_model_of_the_table_is_found_by_all_its_names():
    for model in LIVE_MODELS.values():
        assert model.known
        for name in (model.name, *model.aliases):
            assert capabilities(f"models/{name}") is model


@pytest.mark.parametrize(
    ("name", "text_input", "modalities"),
    [
        ("gemini-3.1-flash-live-preview", "realtime_input", {"AUDIO"}),
        ("gemini-3.1-flash-live-001", "realtime_input", {"AUDIO"}),
        ("gemini-2.5-flash-native-audio-latest", "client_content", {"AUDIO"}),
        ("gemini-2.5-flash-native-audio-preview-01-2027", "client_content", {"AUDIO"}),
        ("gemini-live-2.5-flash", "client_content", {"AUDIO", "TEXT"}),
        ("gemini-live-2.5-flash-001", "client_content", {"AUDIO", "TEXT"}),
        ("gemini-live-2.5-flash@latest", "client_content", {"AUDIO", "TEXT"}),
        ("gemini-live-2.5-flash-preview-native-audio-09-2025", "client_content", {"AUDIO"}),
        ("gemini-3.5-transcribe-live", "realtime_input", {"TEXT"}),
        ("gemini-3.8-live-2026-11", "realtime_input", {"AUDIO"}),
        ("gemini-3.8-live-extended-thinking-preview", "realtime_input", {"AUDIO"}),
        ("gemini-robotics-er-3-streaming", "client_content", {"TEXT"}),
        ("gemini-2.0-flash-live-001", "client_content", None),
        ("gemini-3.6-flash-live", "realtime_input", None),
        ("gemini-4-live", "realtime_input", None),
        ("my-tuned-model", "client_content", None),
    ],
)
def test_a_family_decides_what_nobody_has_looked_up(name, text_input, modalities):
    able = capabilities(name)
    assert able.text_input == text_input
    assert able.response_modalities == modalities
    assert normalize(able.name) == able.name


def test_a_guess_is_marked_as_one():
    assert not capabilities("gemini-3.8-live-2026-11").known
    assert capabilities("gemini-3.8-live-2026-11").name == "gemini-3.8-live-2026-11"


def test_blocking_calls_do_not_bear_sound_on_older_models():
    assert not capabilities("gemini-3.1-flash-live-preview").audio_during_call
    assert not capabilities("gemini-2.5-flash-native-audio-latest").audio_during_call
    assert not capabilities("gemini-3.6-flash-live").audio_during_call
    assert capabilities("gemini-3.8-live").audio_during_call
    assert capabilities("gemini-4-live").audio_during_call
    assert capabilities("my-tuned-model").audio_during_call


def test_the_user_knows_models_that_the_table_does_not():
    mine = ModelCapabilities(name="mine", aliases=("also-mine",), text_input="realtime_input")
    table = {"models/mine": mine, "gemini-3.8-live": mine}
    assert capabilities("mine", table) is mine
    assert capabilities("models/also-mine", table) is mine
    assert capabilities("gemini-3.8-live", table) is mine
    assert capabilities("gemini-3.1-flash-live-preview", table).known


def test_candidates_come_with_the_best_one_in_front():
    assert candidates("audio")[:4] == (
        "gemini-3.1-flash-live-preview",
        "gemini-2.5-flash-native-audio-preview-12-2025",
        "gemini-2.5-flash-native-audio-preview-09-2025",
        "gemini-2.5-flash-native-audio-latest",
    )
    assert "gemini-live-2.5-flash" in candidates("TEXT")
    assert candidates("smell") == ()
