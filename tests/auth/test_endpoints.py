"""Where we dial and what a model is called there: tables."""

from __future__ import annotations

import pytest

from livebridge.auth import Auth, EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress
from livebridge.errors import ConfigError, CredentialsError

GEMINI = GeminiApi(api_key="AIza-secret")
TOKEN = EphemeralToken("auth_tokens/secret")
EXPRESS = VertexExpress(api_key="AQ.secret")
HOST = "generativelanguage.googleapis.com"


def vertex(location: str = "global") -> VertexAi:
    return VertexAi(project="P", location=location)


def gemini_url(version: str, *, base: str = f"wss://{HOST}", constrained: bool = False) -> str:
    method = "BidiGenerateContentConstrained" if constrained else "BidiGenerateContent"
    return f"{base}/ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"


def vertex_url(host: str, version: str = "v1beta1", *, scheme: str = "wss") -> str:
    return f"{scheme}://{host}/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent"


BETA = {"GOOGLE_GENAI_API_VERSION": "beta"}
V9 = {"GOOGLE_GENAI_API_VERSION": "v9"}


@pytest.mark.parametrize(
    ("auth", "options", "environ", "expected"),
    [
        (GEMINI, {}, {}, gemini_url("v1")),
        (GEMINI, {}, BETA, gemini_url("v1beta")),
        (GEMINI, {}, V9, gemini_url("v9")),
        (GEMINI, {}, {"GOOGLE_GENAI_API_VERSION": ""}, gemini_url("v1")),
        (GEMINI, {"api_version": "v1alpha"}, V9, gemini_url("v1alpha")),
        (GEMINI, {"base_url": "http://localhost:8080"}, {}, gemini_url("v1", base="ws://localhost:8080")),
        (GEMINI, {"base_url": "https://h/p/"}, {}, gemini_url("v1", base="wss://h/p")),
        (GEMINI, {"base_url": "ws://h/p"}, {}, gemini_url("v1", base="ws://h/p")),
        (GEMINI, {"base_url": "wss://h"}, {}, gemini_url("v1", base="wss://h")),
        (GEMINI, {}, {"GOOGLE_GEMINI_BASE_URL": "http://h"}, gemini_url("v1", base="ws://h")),
        (GEMINI, {}, {"GOOGLE_VERTEX_BASE_URL": "http://h"}, gemini_url("v1")),
        (
            GEMINI,
            {"base_url": "ws://a"},
            {"GOOGLE_GEMINI_BASE_URL": "http://b"},
            gemini_url("v1", base="ws://a"),
        ),
        (TOKEN, {}, {}, gemini_url("v1alpha", constrained=True)),
        (TOKEN, {}, V9, gemini_url("v1alpha", constrained=True)),
        (TOKEN, {"api_version": "v1beta"}, {}, gemini_url("v1beta", constrained=True)),
        (vertex(), {}, {}, vertex_url("aiplatform.googleapis.com")),
        (vertex("us-central1"), {}, {}, vertex_url("us-central1-aiplatform.googleapis.com")),
        (vertex("us"), {}, {}, vertex_url("aiplatform.us.rep.googleapis.com")),
        (vertex("eu"), {}, {}, vertex_url("aiplatform.eu.rep.googleapis.com")),
        (vertex(), {}, BETA, vertex_url("aiplatform.googleapis.com")),
        (vertex(), {"api_version": "v1"}, {}, vertex_url("aiplatform.googleapis.com", "v1")),
        (vertex("us"), {"base_url": "http://h:1"}, {}, vertex_url("h:1", scheme="ws")),
        (vertex(), {}, {"GOOGLE_VERTEX_BASE_URL": "https://h"}, vertex_url("h")),
        (EXPRESS, {}, {}, vertex_url("aiplatform.googleapis.com")),
        (EXPRESS, {}, V9, vertex_url("aiplatform.googleapis.com", "v9")),
        (EXPRESS, {"base_url": "wss://h"}, {}, vertex_url("h")),
        (Gateway("wss://gw/live?route=1"), {"api_version": "v1"}, {}, "wss://gw/live?route=1"),
        (Gateway("https://gw/live"), {}, {}, "wss://gw/live"),
        (Gateway("http://gw/live"), {}, {}, "ws://gw/live"),
        (Gateway("wss://gw/live"), {"base_url": "ws://other/x"}, {}, "ws://other/x"),
    ],
)
def test_the_url_to_dial(auth, options, environ, expected):
    assert isinstance(auth, Auth)
    url = auth.endpoint(environ=environ, **options)
    assert url == expected
    assert "secret" not in url


@pytest.mark.parametrize(
    ("auth", "options", "expected"),
    [
        (GEMINI, {}, f"https://{HOST}/v1"),
        (GEMINI, {"api_version": "v1beta"}, f"https://{HOST}/v1beta"),
        (GEMINI, {"base_url": "ws://localhost:1/p/"}, "http://localhost:1/p/v1"),
        (vertex("us-central1"), {}, "https://us-central1-aiplatform.googleapis.com/v1beta1"),
        (EXPRESS, {"base_url": "wss://h"}, "https://h/v1beta1"),
    ],
)
def test_where_http_calls_go(auth, options, expected):
    assert auth.rest_url(environ={}, **options) == expected


@pytest.mark.parametrize("auth", [TOKEN, Gateway("wss://gw")])
def test_what_has_no_http_api_says_so(auth):
    with pytest.raises(ConfigError, match="HTTP"):
        auth.rest_url(environ={})


@pytest.mark.parametrize(
    "base_url",
    [
        "host",
        "host:80",
        "ftp://host",
        "https://",
        "https://h?key=secret",
        "https://h#x",
        "https://u:secret@h",
    ],
)
def test_a_base_url_that_cannot_be_used_is_refused_without_quoting_it(base_url):
    for auth in (GEMINI, TOKEN, vertex(), EXPRESS):
        with pytest.raises(ConfigError) as caught:
            auth.endpoint(base_url=base_url, environ={})
        assert "secret" not in str(caught.value)


def test_a_gateway_url_must_not_hold_a_password():
    with pytest.raises(ConfigError, match="URLs end up in logs"):
        Gateway("wss://user:secret@gw/").endpoint()


@pytest.mark.parametrize("version", ["", "v1/../..", "v1 beta", "v1?x"])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(ConfigError, match="api_version"):
        GEMINI.endpoint(api_version=version, environ={})


@pytest.mark.parametrize("location", ["", "evil.example/", "US", "a b"])
def test_a_location_cannot_make_another_host(location):
    with pytest.raises(ConfigError, match="location"):
        vertex(location).endpoint(environ={})


PROJECT = "projects/P/locations/L/"


@pytest.mark.parametrize(
    ("model", "gemini", "project", "express"),
    [
        ("m", "models/m", PROJECT + "publishers/google/models/m", "publishers/google/models/m"),
        ("models/m", "models/m", "models/m", "models/m"),
        (
            "tunedModels/x",
            "tunedModels/x",
            PROJECT + "publishers/tunedModels/models/x",
            "publishers/tunedModels/models/x",
        ),
        (
            "publishers/google/models/m",
            "models/publishers/google/models/m",
            PROJECT + "publishers/google/models/m",
            "publishers/google/models/m",
        ),
        ("projects/x", "models/projects/x", "projects/x", "projects/x"),
        (
            "meta/llama",
            "models/meta/llama",
            PROJECT + "publishers/meta/models/llama",
            "publishers/meta/models/llama",
        ),
        ("a/b/c", "models/a/b/c", PROJECT + "publishers/a/models/b/c", "publishers/a/models/b/c"),
    ],
)
def test_what_a_model_is_called(model, gemini, project, express):
    assert GEMINI.model_resource(model) == gemini
    assert TOKEN.model_resource(model) == gemini
    assert VertexAi(project="P", location="L").model_resource(model) == project
    assert EXPRESS.model_resource(model) == express
    assert Gateway("wss://gw").model_resource(model) == express
    assert Gateway("wss://gw", backend="gemini").model_resource(model) == gemini


@pytest.mark.parametrize("model", ["", "  ", None, 7, "a..b", "m?x", "m&x"])
def test_what_is_no_model_name_is_refused(model):
    for auth in (GEMINI, TOKEN, vertex(), EXPRESS, Gateway("wss://gw")):
        with pytest.raises(ConfigError, match="model"):
            auth.model_resource(model)


def test_a_model_in_an_unknown_project_says_how_to_name_the_project():
    with pytest.raises(CredentialsError, match="GOOGLE_CLOUD_PROJECT"):
        VertexAi().model_resource("m")


@pytest.mark.parametrize(
    ("auth", "backend"),
    [
        (GEMINI, "gemini"),
        (TOKEN, "gemini"),
        (vertex(), "vertex"),
        (EXPRESS, "vertex"),
        (Gateway("wss://g"), "vertex"),
        (Gateway("wss://g", backend="gemini"), "gemini"),
    ],
)
def test_every_kind_knows_whose_rules_apply(auth, backend):
    assert auth.backend == backend
