import argparse
import io
import os
import re
import signal
import subprocess
import sys

import pytest
import trio

from livebridge import Session
from livebridge.cli import main
from livebridge.cli._console import Console
from livebridge.cli._simulate import _serve
from livebridge.simulator import Echo

BRAIN = """
from livebridge.simulator import Echo
brain = Echo()
"""


async def test_it_serves_and_shows_what_is_said():
    stream = io.StringIO()
    arguments = argparse.Namespace(
        host="127.0.0.1", port=0, pace="fast", connection_lifetime=600.0, go_away_lead=60.0
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_serve, Console(color=False, stream=stream), arguments, Echo(), None)
        with trio.fail_after(5):
            while (found := re.search(r"http://\S+\d", stream.getvalue())) is None:
                await trio.lowlevel.checkpoint()
        key = re.search(r"API key is (\S+)\.", stream.getvalue())[1]
        async with Session.start(
            model="gemini-3.1-flash-live-preview",
            api_key=key,
            base_url=found[0],
            output_audio_transcription={},
        ) as session:
            turn = await session.ask("polly", timeout=5)
        nursery.cancel_scope.cancel()
    assert turn.text == "polly"
    shown = [line[10:].split(maxsplit=2) for line in stream.getvalue().splitlines() if line[6:9] == " s "]
    assert shown == [["connection", "number", "1"], ["user", "[1]", "polly"], ["model", "[1]", "polly"]]


def test_ctrl_c_stops_it(tmp_path):
    (tmp_path / "brain.py").write_text(BRAIN)
    (tmp_path / "chaos.toml").write_text('[[fault]]\ndo = "drop"\nafter = 60\n')
    command = [sys.executable, "-m", "livebridge", "simulate", "--port", "0"]
    command += ["--brain", str(tmp_path / "brain.py"), "--faults", str(tmp_path / "chaos.toml")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert "listens on" in server.stdout.readline()
        server.send_signal(signal.SIGINT)
        _, complaints = server.communicate(timeout=20)
    assert (server.returncode, complaints) == (130, "")


async def test_a_port_that_is_taken_is_one_sentence(capsys):
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    status = await trio.to_thread.run_sync(_in_a_process, port)
    for listener in listeners:
        await listener.aclose()
    assert status.returncode == 2
    assert status.stderr == f"livebridge: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def _in_a_process(port):
    command = [sys.executable, "-m", "livebridge", "simulate", "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("--brain", "", "thing has no brain"),
        ("--brain", "1 / 0", "thing raised ZeroDivisionError"),
        ("--faults", "[[fault]]", "thing: fault 1"),
        ("--faults", "=", "thing: the fault plan is no TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_sentence(tmp_path, capsys, option, content, told):
    file = tmp_path / "thing"
    file.write_text(content)
    if option == "--brain":
        file = file.rename(tmp_path / "thing.py")
        told = told.replace("thing", "thing.py")
    assert main(["simulate", option, str(file)]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
