"""Ephemeral tokens: what is asked for, what is locked, what comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.genai import tokens

from livebridge import wire
from livebridge.auth import EphemeralToken, VertexExpress
from livebridge.errors import ConfigError, RestError
from livebridge.rest import create_token

KEY = {"api_key": "AIza-key"}
TOKEN = {"name": "auth_tokens/made", "expireTime": "2030-01-01T00:00:00Z", "uses": 1}


async def body_of(api, **options):
    api.answer(TOKEN)
    await create_token(base_url=api.url, **KEY, **options)
    return api.seen[-1].json


async def test_a_token_is_made_and_opens_a_session(api):
    api.answer(TOKEN | {"newSessionExpireTime": "2030-01-01T00:00:00Z"})
    token = await create_token(base_url=api.url, **KEY)
    assert api.seen[0].method == "POST"
    assert api.seen[0].target == "/v1alpha/auth_tokens"
    assert api.seen[0].json == {}
    assert token.auth == EphemeralToken("auth_tokens/made")
    assert (token.uses, token.expire_time) == (1, "2030-01-01T00:00:00Z")
    assert token.new_session_expire_time == "2030-01-01T00:00:00Z"
    assert "auth_tokens/made" not in repr(token)


async def test_uses_and_times_are_sent_as_the_server_wants_them(api):
    moment = datetime.now(timezone(timedelta(hours=2))) + timedelta(hours=1)
    body = await body_of(api, uses=0, expire_time=moment, new_session_expire_time=timedelta(minutes=5))
    assert body["uses"] == 0
    assert datetime.fromisoformat(body["expireTime"]) == moment
    assert body["expireTime"].endswith("Z")
    ahead = datetime.fromisoformat(body["newSessionExpireTime"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < ahead <= timedelta(minutes=5)


CONSTRAINTS = {
    "model": "gemini-live",
    "generation_config": {"response_modalities": ["AUDIO"], "temperature": 0.5},
    "system_instruction": {"role": "user", "parts": [{"text": "Be brief."}]},
    "session_resumption": {},
    "output_audio_transcription": {},
}
SETUP = {
    "model": "models/gemini-live",
    "generationConfig": {"responseModalities": ["AUDIO"], "temperature": 0.5},
    "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
    "sessionResumption": {},
    "outputAudioTranscription": {},
}
OWN_FIELDS = {
    "model",
    "generationConfig.responseModalities",
    "generationConfig.temperature",
    "systemInstruction.parts",
    "systemInstruction.role",
    "sessionResumption",
    "outputAudioTranscription",
}


@pytest.mark.parametrize("form", ["mapping", "camel", "message"])
async def test_constraints_may_have_any_form_of_a_setup(api, form):
    given = {
        "mapping": CONSTRAINTS,
        "camel": SETUP,
        "message": wire.from_user(wire.Setup, CONSTRAINTS, where="test"),
    }[form]
    assert (await body_of(api, constraints=given))["bidiGenerateContentSetup"] == SETUP


async def test_constraints_without_a_model_are_fine(api):
    body = await body_of(api, constraints={"session_resumption": {}})
    assert body["bidiGenerateContentSetup"] == {"sessionResumption": {}}


@pytest.mark.parametrize(
    ("constraints", "lock", "expected"),
    [
        (None, None, None),
        (None, [], None),
        (None, ["temperature", "tools"], {"generationConfig.temperature", "tools"}),
        (CONSTRAINTS, None, None),
        (CONSTRAINTS, [], OWN_FIELDS),
        (CONSTRAINTS, ["max_output_tokens"], OWN_FIELDS | {"generationConfig.maxOutputTokens"}),
        (CONSTRAINTS, ["maxOutputTokens"], OWN_FIELDS | {"generationConfig.maxOutputTokens"}),
        (CONSTRAINTS, ["temperature"], OWN_FIELDS),
        (CONSTRAINTS, ["realtime_input_config"], OWN_FIELDS | {"realtimeInputConfig"}),
        (CONSTRAINTS, ["generation_config.top_k"], OWN_FIELDS | {"generationConfig.topK"}),
    ],
)
async def test_what_is_locked(api, constraints, lock, expected):
    mask = (await body_of(api, constraints=constraints, lock_additional_fields=lock)).get("fieldMask")
    assert mask is None if expected is None else set(mask.split(",")) == expected


def test_the_mask_of_a_setup_is_that_of_google_genai():
    assert set(tokens._get_field_masks(SETUP).split(",")) == OWN_FIELDS


@pytest.mark.parametrize(
    "options",
    [
        {"uses": -1},
        {"uses": True},
        {"uses": "1"},
        {"expire_time": timedelta(hours=21)},
        {"expire_time": timedelta(seconds=-1)},
        {"expire_time": datetime(2030, 1, 1)},  # noqa: DTZ001 - the mistake under test
        {"new_session_expire_time": 60},
        {"lock_additional_fields": "temperature"},
        {"constraints": {"modell": "x"}},
        {"constraints": {"model": "a?b"}},
    ],
)
async def test_a_wrong_argument_is_refused_before_anything_is_sent(api, options):
    with pytest.raises(ConfigError):
        await create_token(base_url=api.url, **KEY, **options)
    assert api.seen == []


async def test_a_misspelt_field_names_the_nearest_one(api):
    with pytest.raises(ConfigError, match="did you mean 'temperature'"):
        await create_token(base_url=api.url, **KEY, lock_additional_fields=["temprature"])
    with pytest.raises(ConfigError, match=r"no field of a setup$"):
        await create_token(base_url=api.url, **KEY, lock_additional_fields=["zzzz"])


@pytest.mark.parametrize("auth", [EphemeralToken("auth_tokens/x"), VertexExpress(api_key="AQ.k")])
async def test_only_an_api_key_of_the_gemini_api_makes_tokens(auth):
    with pytest.raises(ConfigError, match="Gemini Developer API"):
        await create_token(auth=auth)


@pytest.mark.parametrize("answer", [{}, {"name": ""}, {"name": 7}])
async def test_a_token_without_a_name_is_an_error(api, answer):
    api.answer(answer)
    with pytest.raises(RestError, match="name"):
        await create_token(base_url=api.url, **KEY)


async def test_odd_extras_in_the_answer_do_no_harm(api):
    api.answer({"name": "auth_tokens/x", "uses": "1", "expireTime": 5})
    token = await create_token(base_url=api.url, **KEY)
    assert (token.uses, token.expire_time) == (None, None)


async def test_a_time_may_also_be_text(api):
    moment = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    body = await body_of(api, expire_time=moment.isoformat().replace("+00:00", "Z"))
    assert datetime.fromisoformat(body["expireTime"]) == moment


async def test_a_text_that_is_no_time_is_refused(api):
    with pytest.raises(ConfigError, match="expire_time is no RFC 3339 time: 'soon'"):
        await create_token(base_url=api.url, **KEY, expire_time="soon")
