import argparse
import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
import trio

from livebridge import Session
from livebridge.cli import main
from livebridge.cli._console import Console
from livebridge.cli._record import _record
from livebridge.cli._simulate import _play
from livebridge.simulator import Replay

MODEL = "gemini-3.1-flash-live-preview"


@asynccontextmanager
async def running(command, arguments, *more):
    """Run a command's coroutine; yields a function that waits for a line of its output."""
    stream = io.StringIO()
    console = Console(color=False, stream=stream)

    async def found(pattern):
        with trio.fail_after(5):
            while (match := re.search(pattern, stream.getvalue())) is None:
                await trio.lowlevel.checkpoint()
        return match[1]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(command, console, arguments, *more)
        yield found
        nursery.cancel_scope.cancel()


def arguments_for(path, **options):
    defaults = {
        "host": "127.0.0.1",
        "port": 0,
        "simulate": True,
        "upstream": None,
        "audio": False,
        "handles": False,
    }
    return argparse.Namespace(**{**defaults, **options}, log=path, replay=path)


async def ask(url, key):
    async with Session.start(
        model=MODEL, base_url=url, api_key=key, output_audio_transcription={}
    ) as session:
        return (await session.ask("Hello", timeout=5)).text


async def test_a_conversation_is_recorded_and_played_back(tmp_path):
    path = tmp_path / "session.jsonl"
    async with running(_record, arguments_for(path)) as found:
        key = await found(r"API key is (\S+)\.")
        recorded = await ask(await found(r"clients of (\S+)"), key)
        await found(r"(closed by the client with 1000)")
    assert recorded == "Hello! How can I help you?"
    assert key not in path.read_text()
    async with running(_play, arguments_for(path), Replay(path)) as found:
        assert await ask(await found(r"is played at (\S+),"), "any-key") == recorded


def test_ctrl_c_ends_it_and_tells_how_much_was_said(tmp_path):
    path = tmp_path / "session.jsonl"
    path.write_text("old")
    command = [
        sys.executable,
        "-m",
        "livebridge",
        "record",
        str(path),
        "--simulate",
        "--port",
        "0",
        "--force",
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as recorder:
        while "Ctrl-C" not in recorder.stdout.readline():
            pass
        recorder.send_signal(signal.SIGINT)
        shown, complaints = recorder.communicate(timeout=20)
    assert (recorder.returncode, complaints) == (130, "")
    assert "0 messages on 0 connections." in shown
    assert [json.loads(line)["log"] for line in path.read_text().splitlines()] == ["livebridge"]


@pytest.mark.parametrize("command", ["record", "replay"])
async def test_a_port_that_is_taken_is_one_sentence(tmp_path, capsys, command):
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = str(listeners[0].socket.getsockname()[1])
    log = tmp_path / "log"
    typed = ["record", str(log), "--upstream", "http://127.0.0.1:1", "--port", port]
    if command == "replay":
        log.write_text(">3 {}\n")
        typed = ["simulate", "--replay", str(log), "--port", port]
    status = await trio.to_thread.run_sync(_in_a_process, typed)
    for listener in listeners:
        await listener.aclose()
    assert status.returncode == 2
    assert status.stderr == f"livebridge: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def _in_a_process(typed):
    command = [sys.executable, "-m", "livebridge", *typed]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_log_that_makes_no_sense_is_one_sentence(tmp_path, capsys):
    log = tmp_path / "log"
    log.write_text("nonsense")
    assert main(["simulate", "--replay", str(log)]) == 2
    assert "log, line 1" in capsys.readouterr().err
