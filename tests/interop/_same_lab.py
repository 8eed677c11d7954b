"""Two libraries, one server: google-genai and livebridge dial the same place, which keeps what each of them sends.

The server and google-genai live in an asyncio loop in a thread of their own; livebridge runs in the test.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import warnings

import attrs
import trio
import trustme
from google import genai
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from livebridge import Session
from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress

MODEL = "gemini-test"
KEY, TOKEN = "AIza-test-key", "auth_tokens/test"
PATIENCE_SECONDS = 10.0


class StaticCredentials:
    """Good credentials of the shape both libraries take."""

    token, expired, valid, quota_project_id = "ya29.static", False, True, "payer"

    def refresh(self, request):
        raise AssertionError("not needed")


@attrs.define(eq=False)
class Line:
    """One connection, as the server saw it."""

    path: str
    headers: dict
    frames: list = attrs.field(factory=list)
    over: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def setup(self):
        return json.loads(self.frames[0])["setup"]

    @property
    def messages(self):
        """What was sent after the setup."""
        return [json.loads(frame) for frame in self.frames[1:]]


def accounts():
    """Ways in: what google-genai's client takes, and livebridge's auth."""
    place = {"project": "P", "location": "us-central1"}
    credentials = StaticCredentials()
    return {
        "gemini": ({"api_key": KEY}, GeminiApi(api_key=KEY)),
        "token": ({"api_key": TOKEN}, EphemeralToken(TOKEN)),
        "vertex": (
            {"vertexai": True, "credentials": credentials, **place},
            VertexAi(credentials=credentials, **place),
        ),
        "express": ({"vertexai": True, "api_key": KEY}, VertexExpress(api_key=KEY)),
    }


class Lab:
    """A running server, and both libraries to dial it with."""

    def __init__(self):
        authority = trustme.CA()
        self._server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._server_tls)
        self.client_tls = ssl.create_default_context()
        authority.configure_trust(self.client_tls)
        self._clients = {}
        self.accounts = accounts()
        self.lines: list[Line] = []
        self.script: list[bytes] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = self._wait(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc_info):
        self._server.close()
        self._wait(self._server.wait_closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, form="https://{}"):
        return form.format(f"localhost:{self.port}")

    def theirs(self, account, config=None, talk=None, *, model=MODEL, base="https://{}", **http):
        """What google-genai sends with this configuration, and in `talk(session)`.

        Raises:
            ValueError: It refuses.
        """
        client = self.client(account, base, **http)

        async def run():
            async with client.aio.live.connect(model=model, config=config) as session:
                return await talk(session) if talk is not None else None

        return self._dialled(lambda: self._wait(run()))

    def ours(self, account, config=None, talk=None, *, model=MODEL, base="https://{}", auth=None, **options):
        """What livebridge sends with this configuration, and in `talk(session)`.

        Raises:
            ConfigError: It refuses.
        """
        options = {
            "auth": auth or self.accounts[account][1],
            "base_url": None if isinstance(auth, Gateway) else self.url(base),
            "ssl_context": self.client_tls,
            "proxy": None,
            "stall": None,
            "media_buffer": 60.0,
            **options,
        }

        async def run():
            with trio.fail_after(PATIENCE_SECONDS):
                async with Session.start(model=model, config=config, **options) as session:
                    return await talk(session) if talk is not None else None

        return self._dialled(lambda: trio.run(run))

    def _dialled(self, run):
        """Run something that dials; the line it had, and what it returned."""
        self.lines.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = run()
        (line,) = self.lines
        self._wait(line.over.wait())
        return line, result

    def client(self, account, base, **http):
        """Its client for an account, made once: making one takes longer than a connection."""
        key = (account, base, repr(http))
        if key not in self._clients:
            self._clients[key] = self._client(account, base, **http)
        return self._clients[key]

    def _client(self, account, base, **http):
        options = {"base_url": self.url(base), "async_client_args": {"ssl": self.client_tls}, **http}
        return genai.Client(http_options=options, **self.accounts[account][0])

    def _wait(self, awaitable):
        future = asyncio.run_coroutine_threadsafe(awaitable, self._loop)
        return future.result(PATIENCE_SECONDS)

    async def _listen(self):
        return await serve(self._answer, "localhost", 0, ssl=self._server_tls, max_size=None)

    async def _answer(self, ws):
        headers = {name.lower(): value for name, value in ws.request.headers.raw_items()}
        line = Line(ws.request.path, headers)
        self.lines.append(line)
        try:
            line.frames.append(await ws.recv())
            await ws.send(b'{\n  "setupComplete": {}\n}\n')
            for frame in self.script:
                await ws.send(frame)
            async for frame in ws:
                line.frames.append(frame)
        except ConnectionClosed:
            pass
        finally:
            line.over.set()
