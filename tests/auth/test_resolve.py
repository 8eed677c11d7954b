"""Who we are: what the user gave, then what the environment says."""

from __future__ import annotations

import pytest

from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress, resolve_auth
from livebridge.errors import ConfigError, CredentialsError

KEY, OTHER, TOKEN = "AIza-one", "AIza-two", "auth_tokens/three"
VERTEX_ON = {"GOOGLE_GENAI_USE_VERTEXAI": "true"}
PLACE = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "l"}


@pytest.mark.parametrize(
    ("auth", "options", "environ", "expected"),
    [
        (None, {}, {"GEMINI_API_KEY": KEY}, GeminiApi(api_key=KEY)),
        (None, {}, {"GOOGLE_API_KEY": KEY}, GeminiApi(api_key=KEY)),
        (None, {}, {"GOOGLE_API_KEY": KEY, "GEMINI_API_KEY": OTHER}, GeminiApi(api_key=KEY)),
        (None, {}, {"GOOGLE_API_KEY": "", "GEMINI_API_KEY": OTHER}, GeminiApi(api_key=OTHER)),
        (None, {}, {"GEMINI_API_KEY": TOKEN}, EphemeralToken(TOKEN)),
        (None, {"api_key": KEY}, {"GEMINI_API_KEY": OTHER}, GeminiApi(api_key=KEY)),
        (None, {"api_key": TOKEN}, {}, EphemeralToken(TOKEN)),
        (None, {"api_key": TOKEN}, VERTEX_ON, EphemeralToken(TOKEN)),
        ("gemini", {}, {"GEMINI_API_KEY": KEY, **VERTEX_ON}, GeminiApi(api_key=KEY)),
        ("gemini", {"api_key": KEY}, {}, GeminiApi(api_key=KEY)),
        ("gemini", {"api_key": TOKEN}, {}, EphemeralToken(TOKEN)),
        ("vertex_ai", {}, {}, VertexAi()),
        ("vertex", {}, {}, VertexAi()),
        ("vertex_ai", {}, PLACE, VertexAi(project="p", location="l")),
        ("vertex_ai", {"project": "q"}, PLACE, VertexAi(project="q", location="l")),
        ("vertex_ai", {"location": "eu"}, PLACE, VertexAi(project="p", location="eu")),
        ("vertex_ai", {"api_key": KEY}, PLACE, VertexExpress(api_key=KEY)),
        ("vertex_ai", {}, {"GOOGLE_API_KEY": KEY}, VertexExpress(api_key=KEY)),
        ("vertex_ai", {}, {"GOOGLE_API_KEY": KEY, **PLACE}, VertexAi(project="p", location="l")),
        ("vertex_ai", {"project": "q"}, {"GOOGLE_API_KEY": KEY}, VertexAi(project="q")),
        (None, {}, VERTEX_ON, VertexAi()),
        (None, {}, {**VERTEX_ON, **PLACE}, VertexAi(project="p", location="l")),
        (None, {}, {**VERTEX_ON, "GOOGLE_API_KEY": KEY}, VertexExpress(api_key=KEY)),
        (None, {"api_key": KEY}, VERTEX_ON, VertexExpress(api_key=KEY)),
        (None, {}, {"GOOGLE_GENAI_USE_VERTEXAI": "1"}, VertexAi()),
        (None, {}, {"GOOGLE_GENAI_USE_VERTEXAI": "TRUE"}, VertexAi()),
        (None, {}, {"GOOGLE_GENAI_USE_VERTEXAI": "no", "GEMINI_API_KEY": KEY}, GeminiApi(api_key=KEY)),
        (None, {}, {"GOOGLE_GENAI_USE_ENTERPRISE": "true"}, VertexAi()),
        (
            None,
            {},
            {"GOOGLE_GENAI_USE_ENTERPRISE": "false", **VERTEX_ON, "GEMINI_API_KEY": KEY},
            GeminiApi(api_key=KEY),
        ),
        (None, {}, {**PLACE, "GEMINI_API_KEY": KEY}, GeminiApi(api_key=KEY)),
        (None, {"project": "q"}, {}, VertexAi(project="q")),
        (None, {"location": "us"}, {}, VertexAi(location="us")),
        (None, {"project": "q"}, {"GOOGLE_GENAI_USE_VERTEXAI": "0"}, VertexAi(project="q")),
    ],
)
def test_who_we_are(auth, options, environ, expected):
    assert resolve_auth(auth, environ=environ, **options) == expected


def test_an_auth_object_is_taken_as_it_is():
    gateway = Gateway("wss://g")
    assert resolve_auth(gateway, environ={"GEMINI_API_KEY": KEY}) is gateway


def test_a_function_may_stand_for_a_key():
    async def key():
        return KEY

    assert resolve_auth(api_key=key, environ={}) == GeminiApi(api_key=key)
    assert resolve_auth("vertex_ai", api_key=key, environ={}) == VertexExpress(api_key=key)


@pytest.mark.parametrize("auth", [None, "gemini"])
def test_when_nothing_is_found_the_error_names_the_three_ways(auth):
    with pytest.raises(CredentialsError) as caught:
        resolve_auth(auth, environ={"GEMINI_API_KEY": ""})
    assert all(way in str(caught.value) for way in ("GEMINI_API_KEY", "api_key=", "VertexAi("))


@pytest.mark.parametrize(
    ("auth", "options"),
    [
        ("vertexai", {}),
        (KEY, {}),
        (7, {}),
        (object(), {}),
        (GeminiApi(api_key=KEY), {"api_key": OTHER}),
        (GeminiApi(api_key=KEY), {"project": "p"}),
        (None, {"api_key": KEY, "project": "p"}),
        ("gemini", {"project": "p"}),
    ],
)
def test_a_contradiction_is_refused_without_quoting_a_key(auth, options):
    with pytest.raises(ConfigError) as caught:
        resolve_auth(auth, environ={}, **options)
    assert not isinstance(caught.value, CredentialsError)
    assert KEY not in str(caught.value)
