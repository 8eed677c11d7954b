"""Credentials become headers on every dial, and show nowhere else."""

from __future__ import annotations

import functools
import json
import sys
import threading

import google.auth
import pytest
import trio
from google.auth.exceptions import DefaultCredentialsError, TransportError
from google.oauth2.credentials import Credentials

from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress, merge_headers
from livebridge.auth import _google as google_module
from livebridge.errors import CredentialsError

OURS = {"user-agent", "x-goog-api-client"}


def theirs(headers):
    return {name: value for name, value in headers.items() if name not in OURS}


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (GeminiApi(api_key=" AIza "), {"x-goog-api-key": "AIza"}),
        (EphemeralToken("auth_tokens/x"), {"authorization": "Token auth_tokens/x"}),
        (VertexExpress(api_key="AQ.x"), {"x-goog-api-key": "AQ.x"}),
        (Gateway("wss://g", {"X-Team": "a"}), {"x-team": "a"}),
        (Gateway("wss://g"), {}),
    ],
)
async def test_each_kind_has_its_header(auth, expected):
    headers = await auth.headers()
    assert theirs(headers) == expected
    assert headers["user-agent"].startswith("livebridge/")
    assert " gl-python/3." in headers["x-goog-api-client"]


async def test_an_async_function_is_asked_on_every_dial():
    keys = iter(["first", "second", "third", "fourth", "fifth"])

    async def key():
        return next(keys)

    async def yours():
        return {"x-key": next(keys)}

    api = GeminiApi(api_key=key)
    assert [(await api.headers())["x-goog-api-key"] for _ in range(2)] == ["first", "second"]
    assert (await EphemeralToken(key).headers())["authorization"] == "Token third"
    assert (await VertexExpress(api_key=key).headers())["x-goog-api-key"] == "fourth"
    assert (await Gateway("wss://g", yours).headers())["x-key"] == "fifth"


def failing(error):
    async def provider():
        raise error

    return provider


@pytest.mark.parametrize(
    "make", [lambda f: GeminiApi(api_key=f), EphemeralToken, lambda f: Gateway("wss://g", f)]
)
@pytest.mark.parametrize(
    ("error", "retryable"), [(ValueError("secret"), None), (ConnectionResetError("secret"), True)]
)
async def test_a_function_that_fails_is_a_credentials_error_that_does_not_quote_it(make, error, retryable):
    with pytest.raises(CredentialsError) as caught:
        await make(failing(error)).headers()
    assert caught.value.__cause__ is error
    assert caught.value.retryable is retryable
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("make", [lambda f: GeminiApi(api_key=f), lambda f: Gateway("wss://g", f)])
async def test_a_credentials_error_of_the_function_passes_unchanged(make):
    error = CredentialsError("vault is sealed")
    with pytest.raises(CredentialsError) as caught:
        await make(failing(error)).headers()
    assert caught.value is error


@pytest.mark.parametrize("bad", ["", "   ", "a b", "secret\nX-Evil: 1", "schlüssel", 7, None])
async def test_what_cannot_be_a_credential_is_refused_without_quoting_it(bad):
    async def provider():
        return bad

    for auth in (GeminiApi(api_key=provider), EphemeralToken(provider), VertexExpress(api_key=provider)):
        with pytest.raises(CredentialsError) as caught:
            await auth.headers()
        assert "secret" not in str(caught.value)


def test_an_ephemeral_token_is_no_api_key():
    with pytest.raises(CredentialsError, match="EphemeralToken"):
        GeminiApi(api_key="auth_tokens/x")


@pytest.mark.parametrize(
    "auth",
    [
        GeminiApi(api_key="secret"),
        EphemeralToken("auth_tokens/secret"),
        VertexExpress(api_key="secret"),
        Gateway("wss://g/?key=secret", {"x": "secret"}),
    ],
)
def test_no_secret_shows_in_a_repr(auth):
    assert "secret" not in repr(auth)
    assert "secret" not in str(auth)


def test_headers_of_the_user_win_whatever_their_case():
    merged = merge_headers({"authorization": "Bearer ours", "X-A": "1"}, {"Authorization": "Bearer theirs"})
    assert merged == {"authorization": "Bearer theirs", "x-a": "1"}


async def test_a_google_token_is_fetched_in_a_worker_thread_and_kept_while_it_is_good(fake_credentials):
    credentials = fake_credentials(quota_project_id="payer")
    auth = VertexAi(project="p", credentials=credentials)
    first, second = await auth.headers(), await auth.headers()
    assert theirs(first) == {"authorization": "Bearer ya29.token-1", "x-goog-user-project": "payer"}
    assert first == second
    assert credentials.refreshes == 1
    assert threading.get_ident() not in credentials.threads
    assert "ya29" not in repr(auth)


async def test_without_a_quota_project_nobody_is_named_to_pay(fake_credentials):
    auth = VertexAi(project="p", credentials=fake_credentials(token="t"))
    assert theirs(await auth.headers()) == {"authorization": "Bearer t"}


async def test_an_expired_token_is_refreshed(fake_credentials):
    credentials = fake_credentials(token="old", expired=True)
    headers = await VertexAi(project="p", credentials=credentials).headers()
    assert headers["authorization"] == "Bearer ya29.token-1"


async def test_a_refused_token_is_refreshed_although_it_seems_good(fake_credentials):
    credentials = fake_credentials(token="revoked")
    auth = VertexAi(project="p", credentials=credentials)
    assert (await auth.headers())["authorization"] == "Bearer revoked"
    assert (await auth.headers(refresh=True))["authorization"] == "Bearer ya29.token-1"


async def test_many_sessions_at_once_cause_one_refresh(fake_credentials):
    credentials = fake_credentials(token="revoked")
    auth = VertexAi(project="p", credentials=credentials)
    found = []

    async def session():
        found.append((await auth.headers(refresh=True))["authorization"])

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(session)
    assert found == ["Bearer ya29.token-1"] * 20
    assert credentials.refreshes == 1


async def test_a_slow_refresh_can_be_cancelled_and_does_not_block_the_loop(fake_credentials):
    release = threading.Event()
    credentials = fake_credentials(before_refresh=lambda: release.wait(10))
    auth = VertexAi(project="p", credentials=credentials)
    with trio.move_on_after(0.05) as scope:
        await auth.headers()
    release.set()
    assert scope.cancelled_caught
    assert (await auth.headers())["authorization"].startswith("Bearer ya29.")


class RefreshError(Exception):
    def __init__(self, text, *, retryable):
        super().__init__(text)
        self.retryable = retryable


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (RefreshError("secret: invalid_grant", retryable=False), None),
        (RefreshError("secret: busy", retryable=True), True),
        (OSError("secret"), True),
        (ValueError("secret"), None),
    ],
)
async def test_a_failed_refresh_says_whether_the_moment_is_to_blame(fake_credentials, error, retryable):
    auth = VertexAi(project="p", credentials=fake_credentials(error=error))
    with pytest.raises(CredentialsError) as caught:
        await auth.headers()
    assert caught.value.__cause__ is error
    assert caught.value.retryable is retryable
    assert "secret" not in str(caught.value)


async def test_an_async_function_may_give_credentials_or_a_bare_token(fake_credentials):
    given = [fake_credentials(token="from object"[:4]), "bare-token"]

    async def provider():
        return given.pop(0)

    auth = VertexAi(project="p", credentials=provider)
    assert (await auth.headers())["authorization"] == "Bearer from"
    assert (await auth.headers())["authorization"] == "Bearer bare-token"


@pytest.mark.parametrize("error", [ValueError("x"), CredentialsError("vault is sealed")])
async def test_a_function_for_credentials_that_fails_is_a_credentials_error(error):
    with pytest.raises(CredentialsError) as caught:
        await VertexAi(project="p", credentials=failing(error)).headers()
    assert error in (caught.value, caught.value.__cause__)


async def test_credentials_without_a_token_after_their_refresh_are_none(fake_credentials):
    class Empty(fake_credentials):
        def refresh(self, request):
            self.token = None

    with pytest.raises(CredentialsError, match="access token"):
        await VertexAi(project="p", credentials=Empty()).headers()


async def test_default_credentials_bring_their_project(fake_credentials, monkeypatch):
    credentials, calls = fake_credentials(), []

    def default(*, scopes, request):
        calls.append((tuple(scopes), threading.get_ident()))
        return credentials, "found-project"

    monkeypatch.setattr(google.auth, "default", default)
    auth = VertexAi(location="us-central1")
    await auth.headers()
    await auth.headers()
    assert [scopes for scopes, _ in calls] == [("https://www.googleapis.com/auth/cloud-platform",)]
    assert calls[0][1] != threading.get_ident()
    expected = "projects/found-project/locations/us-central1/publishers/google/models/m"
    assert auth.model_resource("m") == expected


async def test_without_default_credentials_the_error_says_how_to_make_some(monkeypatch, tmp_path):
    def default(**options):
        raise DefaultCredentialsError("none")

    monkeypatch.setattr(google.auth, "default", default)
    with pytest.raises(CredentialsError, match="gcloud auth") as caught:
        await VertexAi(project="p").headers()
    assert isinstance(caught.value.__cause__, DefaultCredentialsError)


@pytest.fixture
async def token_server():
    """A token endpoint on loopback that answers what the test says."""
    answers, requests = [], []

    async def handler(stream):
        async with stream:
            data = b""
            while b"\r\n\r\n" not in data:
                data += await stream.receive_some(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            while len(body) < length:
                body += await stream.receive_some(65536)
            requests.append((head, body))
            await stream.send_all(answers.pop(0))

    async with trio.open_nursery() as nursery:
        serve = functools.partial(trio.serve_tcp, handler, 0, host="127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        yield f"http://127.0.0.1:{port}/token", answers, requests
        nursery.cancel_scope.cancel()


async def ask(url, **options):
    return await trio.to_thread.run_sync(lambda: google_module._request(url, **options))


async def test_google_auth_gets_answers_and_refusals_alike(token_server):
    url, answers, requests = token_server
    answers.append(b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}")
    answers.append(b"HTTP/1.1 400 No\r\nContent-Length: 3\r\n\r\nbad")
    good = await ask(url, method="POST", body=b"grant=abc", headers={"X-H": "v"}, timeout=120)
    assert (good.status, good.headers["X-A"], good.data) == (200, "b", b"{}")
    refused = await ask(url)
    assert (refused.status, refused.data) == (400, b"bad")
    assert requests[0][0].startswith(b"POST /token")
    assert requests[0][1] == b"grant=abc"
    assert b"x-h: v" in requests[0][0].lower()


async def test_a_network_failure_is_one_google_auth_calls_retryable():
    with pytest.raises(TransportError) as caught:
        await ask("http://127.0.0.1:1/token")
    assert caught.value.retryable


async def test_real_google_credentials_refresh_through_it_without_the_requests_package(
    token_server, monkeypatch
):
    monkeypatch.setitem(sys.modules, "requests", None)
    url, answers, requests = token_server
    body = json.dumps({"access_token": "ya29.real", "expires_in": 3600}).encode()
    answers.append(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    credentials = Credentials(
        None, refresh_token="r", token_uri=url, client_id="c", client_secret="s", quota_project_id="payer"
    )
    headers = await VertexAi(project="p", credentials=credentials).headers()
    assert theirs(headers) == {"authorization": "Bearer ya29.real", "x-goog-user-project": "payer"}
    assert b"refresh_token=r" in requests[0][1]
