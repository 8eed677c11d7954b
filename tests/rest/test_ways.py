"""HTTP calls beside the WebSocket go through the proxy that was named, and trust whom they were told to trust."""

from __future__ import annotations

import functools
import json
import ssl

import google.oauth2.credentials
import pytest
import trio
import trustme

from livebridge.auth import VertexAi, Way, headers_by
from livebridge.errors import ConfigError, CredentialsError, RestError
from livebridge.rest import Models, create_token

KEY = {"api_key": "AIza-key"}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


class Place:
    """An HTTPS server for any name, and a CONNECT proxy before it."""

    def __init__(self, authority):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("live.example", "127.0.0.1").configure_cert(self.context)
        self.answer = b"{}"
        self.connects = []
        self.asked = []

    async def open(self, nursery):
        self.port = await self._listen(nursery, self._serve)
        self.proxy_port = await self._listen(nursery, self._proxy)

    @property
    def proxy(self):
        return f"http://user:secret@127.0.0.1:{self.proxy_port}"

    async def _listen(self, nursery, handler):
        listeners = await nursery.start(functools.partial(trio.serve_tcp, handler, 0, host="127.0.0.1"))
        return listeners[0].socket.getsockname()[1]

    async def _head(self, stream):
        head = b""
        while b"\r\n\r\n" not in head:
            data = await stream.receive_some()
            if not data:
                return None
            head += data
        return head.decode().split("\r\n")

    async def _serve(self, stream):
        tls = trio.SSLStream(stream, self.context, server_side=True, https_compatible=True)
        try:
            head = await self._head(tls)
            if head is not None:
                self.asked.append(head[0])
                length = f"Content-Length: {len(self.answer)}\r\nConnection: close\r\n\r\n".encode()
                await tls.send_all(b"HTTP/1.1 200 OK\r\n" + length + self.answer)
                await tls.aclose()
        except trio.BrokenResourceError:
            await stream.aclose()

    async def _proxy(self, stream):
        head = await self._head(stream)
        self.connects.append(
            (head[0].rpartition(" ")[0], any(line.startswith("Proxy-Auth") for line in head))
        )
        async with stream, await trio.open_tcp_stream("127.0.0.1", self.port) as target:
            await stream.send_all(b"HTTP/1.1 200 Go on\r\n\r\n")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._copy, stream, target, nursery)
                nursery.start_soon(self._copy, target, stream, nursery)

    async def _copy(self, source, sink, nursery):
        try:
            async for data in source:
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        nursery.cancel_scope.cancel()


@pytest.fixture
async def place(authority):
    async with trio.open_nursery() as nursery:
        made = Place(authority)
        await made.open(nursery)
        yield made
        nursery.cancel_scope.cancel()


async def test_models_are_listed_through_the_proxy_and_a_private_authority(place, trusting):
    place.answer = json.dumps({"models": [{"name": "models/a"}]}).encode()
    way = {"base_url": "https://live.example", "proxy": place.proxy, "ssl_context": trusting}
    assert [model.short_name for model in await Models.list(**way, **KEY)] == ["a"]
    assert await Models.resolve(candidates=["a"], **way, **KEY) == "a"
    assert place.connects == [("CONNECT live.example:443", True)] * 2


async def test_a_token_is_made_through_the_proxy_and_a_private_authority(place, trusting):
    place.answer = b'{"name": "auth_tokens/x"}'
    token = await create_token(
        base_url="https://live.example", proxy=place.proxy, ssl_context=trusting, **KEY
    )
    assert token.name == "auth_tokens/x"
    assert place.connects == [("CONNECT live.example:443", True)]


async def test_a_private_authority_is_not_trusted_unasked(place, monkeypatch):
    monkeypatch.setattr("livebridge.rest._http._ATTEMPTS", 1)
    with pytest.raises(RestError, match="failed"):
        await Models.list(base_url=f"https://127.0.0.1:{place.port}", **KEY)
    assert place.asked == []


async def test_without_a_proxy_means_without_the_one_of_the_environment(place, trusting, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    url = f"https://127.0.0.1:{place.port}"
    await Models.list(base_url=url, proxy=None, ssl_context=trusting, **KEY)
    assert len(place.asked) == 1
    assert place.connects == []


def google_credentials(url):
    return google.oauth2.credentials.Credentials(
        None, refresh_token="r", token_uri=url, client_id="c", client_secret="s"
    )


TOKEN = json.dumps({"access_token": "ya29.real", "expires_in": 3600}).encode()


async def test_google_credentials_are_refreshed_through_the_proxy_and_a_private_authority(place, trusting):
    place.answer = TOKEN
    auth = VertexAi(project="p", credentials=google_credentials("https://live.example/token"))
    headers = await headers_by(auth, way=Way(proxy=place.proxy, ssl_context=trusting))
    assert headers["authorization"] == "Bearer ya29.real"
    assert place.connects == [("CONNECT live.example:443", True)]
    assert place.asked == ["POST /token HTTP/1.1"]


async def test_google_credentials_are_refreshed_past_the_proxy_of_the_environment(
    place, trusting, monkeypatch
):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    place.answer = TOKEN
    auth = VertexAi(project="p", credentials=google_credentials(f"https://127.0.0.1:{place.port}/token"))
    with pytest.raises(CredentialsError):
        await headers_by(auth, way=Way(ssl_context=trusting))
    headers = await headers_by(auth, way=Way(proxy=None, ssl_context=trusting))
    assert headers["authorization"] == "Bearer ya29.real"


@pytest.mark.parametrize("proxy", ["nope", "socks5://host:1", "http://:80", "http://host:99999", 5])
async def test_a_proxy_that_is_none_is_refused_without_being_quoted(proxy):
    with pytest.raises(ConfigError, match="proxy must be a URL") as caught:
        await Models.list(proxy=proxy, **KEY)
    assert str(proxy) not in str(caught.value)


async def test_an_ssl_context_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"ssl_context must be an ssl\.SSLContext or None, not str"):
        await create_token(ssl_context="no", **KEY)
