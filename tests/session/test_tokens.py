"""A token's constraints may be written as google-genai, the Elixir guide or a session take configurations."""

import pytest
from google.genai import types

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import LiveConfig
from livebridge.session import create_token
from livebridge.session._tokens import constraint_setup

MODEL = "gemini-live"
WANTED = wire.Setup(
    model=MODEL,
    generation_config=wire.GenerationConfig(response_modalities=(wire.Modality.AUDIO,), temperature=0.7),
    session_resumption=wire.SessionResumptionConfig(),
)
FLAT = {"session_resumption": {}, "temperature": 0.7, "response_modalities": ["AUDIO"]}


@pytest.mark.parametrize(
    "constraints",
    [
        {"model": MODEL, "config": FLAT},
        {"model": MODEL, **FLAT},
        {
            "model": MODEL,
            "config": {"sessionResumption": {}, "temperature": 0.7, "responseModalities": ["audio"]},
        },
        {
            "model": MODEL,
            "session_resumption": {},
            "generation_config": {"temperature": 0.7, "response_modalities": ["AUDIO"]},
        },
        {"model": MODEL, "config": LiveConfig.from_user({**FLAT, "context_window_compression": None})},
        types.LiveConnectConstraints(model=MODEL, config=types.LiveConnectConfig(**FLAT)),
        WANTED,
    ],
    ids=["flat", "side by side", "camelCase", "nested", "LiveConfig", "google-genai's class", "Setup"],
)
def test_every_form_of_constraints_makes_the_same_setup(constraints):
    assert constraint_setup(constraints) == WANTED


def test_nothing_is_added_to_what_was_written():
    assert constraint_setup({"temperature": 1}) == wire.Setup(
        generation_config=wire.GenerationConfig(temperature=1.0)
    )


def test_a_handle_that_was_written_stays():
    setup = constraint_setup(LiveConfig.from_user({"session_resumption": {"handle": "h"}}))
    assert setup.session_resumption == wire.SessionResumptionConfig(handle="h")


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ({"model": 7}, "the name of a model, not int"),
        ({"config": {}, "temperature": 1}, "no other fields beside model, but temperature"),
        ("gemini-live", "take a mapping with model and config"),
        ({"config": {"explicit_vad_signal": True}}, "only supported in Gemini Enterprise"),
        ({"config": {"temprature": 1}}, "did you mean temperature"),
    ],
)
def test_constraints_that_mean_nothing_are_refused(constraints, message):
    with pytest.raises(ConfigError, match=message):
        constraint_setup(constraints)


async def test_constraints_are_given_under_one_name_only():
    with pytest.raises(ConfigError, match="are one argument"):
        await create_token(api_key="k", constraints={}, live_connect_constraints={})
