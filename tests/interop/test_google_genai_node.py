"""Google's JavaScript SDK against the simulator: each test runs a script of ``node`` and reads what it tells."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import trio

from livebridge.simulator import (
    TEST_ACCESS_TOKEN,
    TEST_API_KEY,
    Fault,
    Faults,
    GoAway,
    LiveSimulator,
    Rules,
    Script,
    ToneVoice,
)

SCRIPTS = Path(__file__).parent / "node"
BACKENDS = pytest.mark.parametrize("backend", ["gemini", "vertex"])
INSTALL = [
    "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000",
]  # fmt: skip
NO_NETWORK = (
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "ETIMEDOUT",
    "ERR_SOCKET_TIMEOUT",
)


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """The scripts beside an installed SDK, outside of the source tree."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: Google's JavaScript SDK cannot be run")
    folder = tmp_path_factory.mktemp("interop") / "node"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    if any(code in installed.stderr for code in NO_NETWORK):
        pytest.skip("npm cannot reach its registry: Google's JavaScript SDK cannot be installed")
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.fixture
def run_script(scripts):
    """Runs a script against a simulator and returns what it told."""

    async def run(simulator, name, *files, backend="gemini"):
        environment = {
            "PATH": os.environ["PATH"],
            "BASE_URL": simulator.url,
            "API_KEY": TEST_API_KEY,
            "ACCESS_TOKEN": TEST_ACCESS_TOKEN,
            "BACKEND": backend,
        }
        with trio.fail_after(30):
            ran = await trio.run_process(
                ["node", f"{name}.mjs", *map(str, files)],
                cwd=scripts,
                env=environment,
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )
        assert ran.returncode == 0, ran.stderr.decode()
        return json.loads(ran.stdout)

    return run


@pytest.fixture
def record(tmp_path):
    """Somebody says something into a microphone; the recording's file and its samples."""

    def make(text, *, silence=1.0):
        pcm = ToneVoice(rate=16_000).speak(text) + bytes(int(silence * 16_000) * 2)
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.pcm"
        file.write_bytes(pcm)
        return file, pcm

    return make


def decoded(sound):
    return ToneVoice.decode(base64.b64decode(sound))


@BACKENDS
async def test_a_text_conversation_remembers_what_was_said(run_script, backend):
    async with LiveSimulator.serve(brain=Rules()) as simulator:
        told = await run_script(simulator, "text", backend=backend)
        (conversation,) = simulator.conversations
    assert told["answers"] == ["Nice to meet you, Alice.", "Your name is Alice."]
    assert told["sessionId"] == (conversation.id if backend == "vertex" else None)
    assert told["flags"] == ["generationComplete", "turnComplete"]
    assert told["usage"]["responseTokenCount"] == 5
    assert told["usage"]["totalTokenCount"] > told["usage"]["promptTokenCount"] > 0
    assert told["closed"] == {"code": 1005, "reason": ""}
    assert conversation.vertex is (backend == "vertex")
    assert conversation.instruction == "Be kind."
    assert conversation.heard.user_texts == ["Hello, my name is Alice.", "What is my name?"]


@BACKENDS
async def test_parallel_tool_calls_are_answered_in_one_message(run_script, backend):
    async with LiveSimulator.serve(brain=Rules()) as simulator:
        told = await run_script(simulator, "tools", backend=backend)
        results = simulator.conversations[0].heard.tool_results
    calls = told["functionCalls"]
    assert [(call["name"], call["args"]) for call in calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_time", {}),
    ]
    assert told["answer"] == "Get weather says sunny in Paris. get time says noon."
    assert [(result.id, result.accepted) for result in results] == [(call["id"], True) for call in calls]


@BACKENDS
async def test_a_spoken_conversation_loses_no_sample_either_way(run_script, record, backend):
    (first, pcm), (second, more) = record("My name is Zoë."), record("What is my name?")
    async with LiveSimulator.serve(brain=Rules()) as simulator:
        told = await run_script(simulator, "audio", first, second, backend=backend)
        heard = simulator.conversations[0].heard
    one, two = told["turns"]
    assert one["heard"] == "My name is Zoë."
    assert decoded(one["sound"]) == one["words"] == "Nice to meet you, Zoë."
    assert decoded(two["sound"]) == two["words"] == "Your name is Zoë."
    assert heard.pcm == pcm + more


async def test_push_to_talk_ends_the_turn_when_the_key_is_released(run_script, record):
    async with LiveSimulator.serve(brain=Rules()) as simulator:
        told = await run_script(simulator, "push_to_talk", record("Hello", silence=0.1)[0])
        (conversation,) = simulator.conversations
    assert told["words"] == "Hello! How can I help you?"
    assert conversation.heard.signals == ["activity_start", "activity_end"]
    assert conversation.heard.utterances[0].images == 1


async def test_a_user_who_cuts_in_is_heard_and_the_model_stops(run_script, record):
    brain = Script([" ".join(["and then"] * 100), "As you like."])
    async with LiveSimulator.serve(brain=brain, pace="real", latency=0.0) as simulator:
        told = await run_script(simulator, "interruption", record("Tell me a story")[0], record("stop")[0])
        (conversation,) = simulator.conversations
    assert told["flags"] == ["interrupted", "turnComplete"]
    (reading,) = ToneVoice.readings(base64.b64decode(told["story"]))
    assert reading.intact
    assert not reading.complete
    assert decoded(told["answer"]) == "As you like."
    assert [turn.interrupted for turn in conversation.history if turn.role == "model"] == [True, False]


@BACKENDS
async def test_after_a_go_away_the_conversation_goes_on_with_its_handle(run_script, backend):
    farewell = Fault(what=GoAway(seconds=0.3), message="turnComplete")
    async with LiveSimulator.serve(brain=Rules(), faults=Faults(farewell)) as simulator:
        told = await run_script(simulator, "resumption", backend=backend)
        (conversation,) = simulator.conversations
    assert told["timeLeft"] == "0.3s"
    assert told["closed"] == {"code": 1011, "reason": "Deadline expired before operation could complete."}
    assert told["answer"] == "Your name is Alice."
    assert [connection.resumed for connection in conversation.connections] == [False, True]


async def test_an_ephemeral_token_opens_one_session_with_its_constraints(run_script):
    async with LiveSimulator.serve(brain=Rules()) as simulator:
        told = await run_script(simulator, "token")
        (conversation,) = simulator.conversations
    assert told["name"].startswith("auth_tokens/")
    assert told["answer"] == "Hello! How can I help you?"
    assert "(code 1011)" in told["refusal"]
    assert conversation.model == "gemini-live-2.5-flash-preview"


async def test_a_wrong_key_a_wrong_model_and_a_stale_handle_are_refused(run_script):
    async with LiveSimulator.serve() as simulator:
        told = await run_script(simulator, "refusals")
    assert "(code 1008): models/gemini-9 is not found for API version v1" in told["model"]
    assert told["handle"].endswith("(code 1008): BidiGenerateContent session not found")
    assert "(code 1007)" in told["modality"]
    assert told["key"].endswith("(code 1007): API key not valid. Please pass a valid API key.")


async def test_text_in_real_time_new_tools_in_mid_session_and_the_list_of_models(run_script):
    async with LiveSimulator.serve(brain=Rules()) as simulator:
        told = await run_script(simulator, "realtime")
        (conversation,) = simulator.conversations
        known = list(simulator.settings.profiles)
    assert told["names"] == [f"models/{name}" for name in known]
    assert told["words"] == "Hello! How can I help you?"
    assert told["called"] == "f"
    assert conversation.heard.realtime_texts == ["Hello", "f, please"]
    assert conversation.instruction == "Be brief."
