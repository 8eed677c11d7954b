"""google-genai for Python against the simulator: its asyncio client runs in a worker thread."""

import asyncio
import ssl

import pytest
import trio
import trustme
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from livebridge.simulator import TEST_ACCESS_TOKEN, TEST_API_KEY, LiveSimulator


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def server_tls(authority):
    """google-genai speaks wss only, so the simulator needs a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def serve(server_tls):
    """Starts a simulator that speaks TLS, with the settings the test gives."""

    def start(**settings):
        return LiveSimulator.serve(ssl_context=server_tls, **settings)

    return start


@pytest.fixture
def make_client(client_tls):
    """A google-genai client for a simulator, on either backend."""

    def make(simulator, *, vertex=False, api_key=TEST_API_KEY, **options):
        # "ssl" is what the WebSocket takes, "verify" what its HTTP client takes
        http_options = types.HttpOptions(
            base_url=simulator.url,
            async_client_args={"ssl": client_tls, "verify": client_tls},
            **options,
        )
        if vertex:
            return genai.Client(
                vertexai=True,
                project="simulated-project",
                location="us-central1",
                credentials=Credentials(token=TEST_ACCESS_TOKEN),
                http_options=http_options,
            )
        return genai.Client(api_key=api_key, http_options=http_options)

    return make


@pytest.fixture
def in_thread():
    """Runs an asyncio function in a worker thread and returns what it returns."""

    async def run(function, *args):
        with trio.fail_after(30):
            return await trio.to_thread.run_sync(lambda: asyncio.run(function(*args)))

    return run


@pytest.fixture
def take_turn():
    """Reads one turn of a google-genai session."""

    async def take(session):
        return [message async for message in session.receive()]

    return take
