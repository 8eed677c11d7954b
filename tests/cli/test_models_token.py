"""``livebridge models`` and ``livebridge token``, against the simulator's HTTP calls."""

import contextlib
import json
import threading

import pytest
import trio

from livebridge import Session
from livebridge.cli import main
from livebridge.simulator import TEST_API_KEY, LiveSimulator

MODEL = "gemini-3.1-flash-live-preview"


@contextlib.contextmanager
def served():
    """A simulator in a thread of its own, as the command brings a trio run of its own."""
    ready, found = threading.Event(), {}

    async def serve():
        async with LiveSimulator.serve() as simulator:
            found.update(simulator=simulator, token=trio.lowlevel.current_trio_token(), done=trio.Event())
            ready.set()
            await found["done"].wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(10)
    try:
        yield found["simulator"]
    finally:
        trio.from_thread.run_sync(found["done"].set, trio_token=found["token"])
        thread.join(10)


@pytest.fixture(scope="module")
def simulator():
    with served() as made:
        yield made


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", TEST_API_KEY)


def test_the_live_models_are_listed_with_what_they_answer(simulator, capsys):
    assert main(["models", "--base-url", simulator.url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith(f"{MODEL} ")).split()[1] == "audio"
    assert len(lines) > 2


def test_the_model_to_take_first_is_in_the_first_line(simulator, capsys):
    assert main(["models", "--modality", "audio", "--base-url", simulator.url]) == 0
    audio = capsys.readouterr().out.splitlines()
    assert audio[0].split()[0] == MODEL
    assert all("audio" in line.split()[1] for line in audio)
    assert main(["models", "--modality", "text", "--base-url", simulator.url]) == 0
    text = capsys.readouterr().out.splitlines()
    assert all("text" in line.split()[1] for line in text)
    assert MODEL not in "".join(text)


def test_models_that_hold_no_conversation_are_listed_only_when_asked_for(monkeypatch, capsys):
    listed = [
        {
            "name": "models/gemini-text",
            "supportedGenerationMethods": ["generateContent"],
            "displayName": "Text",
        },
    ]
    with answering({"models": listed}) as url:
        assert main(["models", "--base-url", url]) == 1
        assert "no live model is listed" in capsys.readouterr().err
        assert main(["models", "--modality", "text", "--base-url", url]) == 1
        assert "answers with text" in capsys.readouterr().err
        assert main(["models", "--all", "--base-url", url]) == 0
        assert capsys.readouterr().out.split() == ["gemini-text", "?", "Text"]


@contextlib.contextmanager
def answering(body):
    """An HTTP server that says one thing."""
    from http.server import BaseHTTPRequestHandler, HTTPServer  # noqa: PLC0415

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_project_needs_vertex(capsys):
    assert main(["models", "--project", "p"]) == 2
    assert "--project and --location belong to --vertex" in capsys.readouterr().err


def test_on_vertex_an_express_key_lists_the_publishers_models(simulator, capsys):
    assert main(["models", "--vertex", "--base-url", simulator.url]) == 0
    assert f"{MODEL} " in capsys.readouterr().out


def test_without_a_key_the_status_says_wrong_usage(monkeypatch, capsys):
    monkeypatch.delenv("GEMINI_API_KEY")
    assert main(["models"]) == 2
    assert "no credentials were found" in capsys.readouterr().err


def test_a_wrong_key_is_an_error_of_the_server_that_does_not_quote_it(simulator, monkeypatch, capsys):
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-wrong-key")
    assert main(["models", "--base-url", simulator.url]) == 1
    said = capsys.readouterr().err
    assert "API key not valid" in said
    assert "AIza-wrong-key" not in said


def test_a_token_is_printed_and_opens_a_session(simulator, capsys):
    assert main(["token", "--uses", "1", "--expire-minutes", "5", "--base-url", simulator.url]) == 0
    said = capsys.readouterr()
    token = said.out.strip()
    assert token.startswith("auth_tokens/")
    assert "good for 1 session(s), until 2" in said.err
    assert token not in said.err

    async def talk():
        async with Session.start(model=MODEL, api_key=token, base_url=simulator.url) as session:
            return await session.ask("hello", timeout=10)

    assert trio.run(talk).audio


def test_a_token_for_any_number_of_sessions_says_so(simulator, capsys):
    options = ["--uses", "0", "--new-session-minutes", "2", "--base-url", simulator.url]
    assert main(["token", *options]) == 0
    assert "any number of sessions" in capsys.readouterr().err


def test_a_token_is_bound_to_a_model_and_a_configuration(simulator, capsys):
    config = json.dumps({"responseModalities": ["AUDIO"], "systemInstruction": "Be brief."})
    options = ["--model", MODEL, "--config", config, "--base-url", simulator.url]
    assert main(["token", *options]) == 0
    token = capsys.readouterr().out.strip()

    async def talk():
        async with Session.start(
            model=MODEL, api_key=token, base_url=simulator.url, system_instruction="Be long."
        ) as session:
            await session.ask("hello", timeout=10)

    trio.run(talk)
    instruction = simulator.conversations[-1].setup.system_instruction
    assert [part.text for part in instruction.parts] == ["Be brief."]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "{}"], "--config belongs to a model"),
        (["--model", MODEL, "--config", "{"], "--config is no JSON"),
        (["--model", MODEL, "--config", "[]"], "takes a JSON object"),
        (["--model", MODEL, "--config", '{"temprature": 1}'], "did you mean temperature"),
        (["--lock", "temprature"], "did you mean 'temperature'"),
        (["--uses", "-1"], "is not between"),
    ],
)
def test_wrong_options_of_a_token_are_found_before_anything_is_sent(options, message, capsys):
    assert main(["token", *options, "--base-url", "http://127.0.0.1:9"]) == 2
    assert message in capsys.readouterr().err
