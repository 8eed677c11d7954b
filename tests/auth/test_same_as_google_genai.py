"""The same URL, model and credential as google-genai puts on the wire, for a table of configurations.

google-genai's live client runs against a local WebSocket server that answers ``setupComplete`` and keeps what
it saw; only the host differs, since both are told to dial the local one. URLs of Google's own hosts are
compared without dialling.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import warnings

import pytest
import trio
import trustme
from google import genai
from websockets.asyncio.server import serve

from livebridge.auth import EphemeralToken, GeminiApi, VertexAi, VertexExpress, resolve_auth

KEY, TOKEN = "AIza-test-key", "auth_tokens/test"
MODELS = ["m", "models/m", "tunedModels/x", "publishers/google/models/m", "projects/x", "meta/llama", "a/b/c"]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def seen_from_genai(authority, options: dict, model: str, version: str | None) -> dict:
    """What google-genai sends: path, headers and the model in its setup."""
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    seen = {}

    async def handler(ws):
        seen["path"], seen["headers"] = ws.request.path, dict(ws.request.headers.raw_items())
        seen["model"] = json.loads(await ws.recv())["setup"]["model"]
        await ws.send('{"setupComplete": {}}')
        await ws.wait_closed()

    async def talk():
        async with serve(handler, "localhost", 0, ssl=server_tls) as server:
            port = server.sockets[0].getsockname()[1]
            http_options = {
                "base_url": f"https://localhost:{port}/p",
                "async_client_args": {"ssl": client_tls},
            }
            if version:
                http_options["api_version"] = version
            client = genai.Client(http_options=http_options, **options)
            async with client.aio.live.connect(model=model):
                pass

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(talk())
    seen["headers"] = {name.lower(): value for name, value in seen["headers"].items()}
    return seen


class StaticCredentials:
    """Good credentials of the shape both libraries take."""

    token, expired, valid, quota_project_id = "ya29.static", False, True, "payer"

    def refresh(self, request):
        raise AssertionError("not needed")


CASES = [
    ({"api_key": KEY}, GeminiApi(api_key=KEY), None),
    ({"api_key": KEY}, GeminiApi(api_key=KEY), "v1beta"),
    ({"api_key": KEY}, GeminiApi(api_key=KEY), "v1alpha"),
    ({"api_key": TOKEN}, EphemeralToken(TOKEN), "v1alpha"),
    ({"vertexai": True, "api_key": KEY}, VertexExpress(api_key=KEY), None),
    (
        {"vertexai": True, "project": "P", "location": "L", "credentials": StaticCredentials()},
        VertexAi(project="P", location="L", credentials=StaticCredentials()),
        None,
    ),
    (
        {"vertexai": True, "project": "P", "location": "L", "credentials": StaticCredentials()},
        VertexAi(project="P", location="L", credentials=StaticCredentials()),
        "v1",
    ),
]


@pytest.mark.parametrize(("options", "auth", "version"), CASES)
def test_path_and_credential_are_those_of_google_genai(authority, options, auth, version):
    seen = seen_from_genai(authority, options, "m", version)
    url = auth.endpoint(base_url="https://host/p", api_version=version, environ={})
    # Theirs has a double slash where the base URL ended with one.
    assert url == "wss://host" + seen["path"].replace("//", "/")
    ours = trio.run(auth.headers)
    for name in ("authorization", "x-goog-user-project"):
        assert ours.get(name) == seen["headers"].get(name)
    if not isinstance(auth, EphemeralToken):
        # They send an ephemeral token a second time, as if it were a key.
        assert ours.get("x-goog-api-key") == seen["headers"].get("x-goog-api-key")
    assert auth.model_resource("m") == seen["model"]


@pytest.mark.parametrize(("options", "auth"), [(CASES[0][0], CASES[0][1]), CASES[4][:2], CASES[5][:2]])
@pytest.mark.parametrize("model", MODELS)
def test_models_are_called_as_google_genai_calls_them(authority, options, auth, model):
    assert auth.model_resource(model) == seen_from_genai(authority, options, model, None)["model"]


ENVIRONMENTS = [
    {"GEMINI_API_KEY": KEY},
    {"GOOGLE_API_KEY": KEY, "GEMINI_API_KEY": "AIza-other"},
    {"GEMINI_API_KEY": KEY, "GOOGLE_GENAI_API_VERSION": "beta"},
    {"GEMINI_API_KEY": KEY, "GOOGLE_GENAI_API_VERSION": "v7"},
    {"GEMINI_API_KEY": KEY, "GOOGLE_CLOUD_PROJECT": "P", "GOOGLE_CLOUD_LOCATION": "L"},
    {"GEMINI_API_KEY": KEY, "GOOGLE_GENAI_USE_VERTEXAI": "false"},
    {"GOOGLE_API_KEY": KEY, "GOOGLE_GENAI_USE_VERTEXAI": "true"},
    {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "P"},
    {"GOOGLE_GENAI_USE_VERTEXAI": "1", "GOOGLE_CLOUD_PROJECT": "P", "GOOGLE_CLOUD_LOCATION": "us-central1"},
    {"GOOGLE_GENAI_USE_VERTEXAI": "True", "GOOGLE_CLOUD_PROJECT": "P", "GOOGLE_CLOUD_LOCATION": "us"},
    {"GOOGLE_GENAI_USE_ENTERPRISE": "1", "GOOGLE_CLOUD_PROJECT": "P", "GOOGLE_CLOUD_LOCATION": "eu"},
    {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_PROJECT": "P", "GOOGLE_API_KEY": KEY},
    {
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_CLOUD_PROJECT": "P",
        "GOOGLE_GENAI_API_VERSION": "beta",
        "GEMINI_API_KEY": KEY,
    },
]


@pytest.mark.parametrize("environ", ENVIRONMENTS, ids=" ".join)
def test_the_environment_leads_to_the_same_host_version_project_and_key(monkeypatch, environ):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = genai.Client()._api_client
    base = client._websocket_base_url().rstrip("/")
    version = client._http_options.api_version
    service = (
        f"google.cloud.aiplatform.{version}.LlmBidiService/"
        if client.vertexai
        else f"google.ai.generativelanguage.{version}.GenerativeService."
    )
    auth = resolve_auth(environ=environ)
    assert auth.endpoint(environ=environ) == f"{base}/ws/{service}BidiGenerateContent"
    assert auth.backend == ("vertex" if client.vertexai else "gemini")
    if isinstance(auth, VertexAi):
        assert (auth.project, auth.location) == (client.project, client.location)
    else:
        assert auth.api_key == client.api_key
