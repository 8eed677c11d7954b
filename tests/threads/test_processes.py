"""Forks, and the end of a program."""

import os
import subprocess
import sys

import pytest

HEAD = """
import os, signal, sys, threading
from livebridge import LiveBridgeThread
from livebridge.errors import SessionClosedError
url, = sys.argv[1:]
options = {
    "model": "gemini-3.1-flash-live-preview", "output_audio_transcription": {},
    "base_url": url, "api_key": "simulated-api-key",
}
bridge = LiveBridgeThread(name="mine")
"""


def run(world, program):
    options = world.serve()
    command = [sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning", "-", options["base_url"]]
    return subprocess.run(
        command, input=HEAD + program, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_end_of_a_program_closes_sessions_in_order(world):
    ran = run(
        world,
        """
session = bridge.start(**options, on_close=lambda info: print("closed by", info.initiated_by))
session.send_text("Hello")
print("end of the program")
""",
    )
    assert (ran.stdout, ran.stderr) == ("end of the program\nclosed by client\n", "")
    assert world.heard().user_texts == ["Hello"]


def test_ctrl_c_ends_a_program_that_waits(world):
    ran = run(
        world,
        """
with bridge:
    session = bridge.start(
        **options,
        on_turn_complete=lambda _: os.kill(os.getpid(), signal.SIGINT),
        on_close=lambda info: print("closed by", info.initiated_by),
    )
    session.send_text("Hello")
    try:
        session.wait_closed()
    except KeyboardInterrupt:
        print("interrupted")
        raise
""",
    )
    assert ran.stdout == "interrupted\nclosed by client\n"
    assert ran.stderr.endswith("KeyboardInterrupt\n")
    assert ran.returncode != 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_after_a_fork_each_process_has_a_thread_of_its_own(world):
    ran = run(
        world,
        """
def threads():
    return sum(thread.name == "mine" for thread in threading.enumerate())

parents = bridge.start(**options)
print(parents.ask("My name is Ada.", timeout=10).text, flush=True)
child = os.fork()
if child == 0:
    print("threads of the child:", threads())
    try:
        parents.ask("never")
    except SessionClosedError as error:
        print(error)
    print("epoch seen by the child:", parents.epoch)
    own = bridge.start(**options)
    print(own.ask("My name is Grace.", timeout=10).text)
    print("threads of the child:", threads())
    parents.close()
    sys.exit()
print("child:", os.waitpid(child, 0)[1], flush=True)
print(parents.ask("What is my name?", timeout=10).text)
""",
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "Nice to meet you, Ada.",
        "threads of the child: 0",
        "this lives in the process that forked this one",
        "epoch seen by the child: 1",
        "Nice to meet you, Grace.",
        "threads of the child: 1",
        "child: 0",
        "Your name is Ada.",
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_bridge_that_was_made_before_the_fork_is_closed_in_both(world):
    ran = run(
        world,
        """
child = os.fork()
who = "parent" if child else "child"
session = bridge.start(**options, on_close=lambda info: print(who, "closed by", info.initiated_by, flush=True))
if child:
    os.waitpid(child, 0)
""",
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == ["child closed by client", "parent closed by client"]
