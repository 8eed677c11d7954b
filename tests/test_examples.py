"""Every example runs as its reader would run it, against a simulator."""

import os
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest

from livebridge.simulator import ToneVoice

EXAMPLES = Path(__file__).parents[1] / "examples"
QUESTION = EXAMPLES.parent / "livebridge" / "cli" / "data" / "question.wav"

CTRL_C_AT_THE_FIRST_PRINT = """
import runpy, signal, sys

class Printer:
    def write(self, text):
        global struck
        sys.__stdout__.write(text)
        if text.strip() and not struck:
            struck = True
            signal.raise_signal(signal.SIGINT)

    def flush(self):
        sys.__stdout__.flush()

struck = False
sys.stdout = Printer()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(name, *arguments, typed="", quiet=True, by=()):
    command = [sys.executable, "-X", "dev", *by, str(EXAMPLES / name), *map(str, arguments), "--simulate"]
    ran = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not (quiet and ran.stderr)
    return ran.stdout


def test_text_chat_answers_every_line_and_remembers():
    printed = run("text_chat.py", typed="Hello\nMy name is Ada\nWhat is my name?\n")
    answers = printed.splitlines()[::2]
    assert answers == ["Hello! How can I help you?", "Nice to meet you, Ada.", "Your name is Ada."]
    assert printed.count("tokens)") == 3


def test_audio_streaming_speaks_and_keeps_the_answer(tmp_path):
    answer = tmp_path / "answer.wav"
    printed = run("audio_streaming.py", QUESTION, answer)
    assert "input: (speech, 2." in printed
    assert "output: I heard you" in printed
    with wave.open(str(answer)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.getnframes() > 24_000


def test_a_voice_conversation_takes_as_long_as_its_sound_and_is_heard_whole(tmp_path):
    answer = tmp_path / "answer.wav"
    began = time.monotonic()
    printed = run("voice_conversation.py", QUESTION, answer)
    took = time.monotonic() - began
    assert "input: (speech, 2." in printed
    assert "output: I heard you" in printed
    sent, heard = map(float, re.findall(r"([\d.]+) s", printed.splitlines()[-1]))
    assert took > sent + heard
    with wave.open(str(answer)) as file:
        readings = ToneVoice.readings(file.readframes(file.getnframes()), rate=file.getframerate())
    assert [reading.complete and reading.intact for reading in readings] == [True]


def test_session_resumption_remembers_in_another_process(tmp_path):
    handle = tmp_path / "handle.txt"
    printed = run("session_resumption.py", "both", handle)
    assert printed.splitlines() == [
        "first process: Nice to meet you, Ada.",
        "second process: Your name is Ada.",
    ]
    assert handle.stat().st_mode & 0o077 == 0


def test_function_calling_runs_the_function_the_model_asks_for():
    printed = run("function_calling.py")
    assert "the model calls set_timer with {'minutes': 7}" in printed
    assert "7 minutes from now" in printed.splitlines()[-1]


def test_a_supervised_bot_that_breaks_comes_back_with_its_memory():
    printed = run("supervised_bots.py")
    lines = printed.splitlines()
    assert lines.index("Grace's bot is ready (new)") < lines.index("Grace's bot is ready (resumed)")
    assert "Grace's bot: Your name is Grace." in lines
    assert lines[-1] == "restarts: {'Ada': 0, 'Grace': 1, 'Barbara': 0}"


def test_mcp_tools_are_called_and_their_errors_told_to_the_model():
    printed = run("mcp_tools.py", quiet=False)
    assert "Find author says Jane Austen." in printed
    assert "[ToolError] Error executing tool find_author: there is no book called Nobody" in printed


def test_a_bot_lives_through_chaos_and_keeps_its_conversation():
    printed = run("chaos_bot.py")
    assert "  reconnecting: " in printed
    assert printed.splitlines()[-1].endswith("the model heard all 10 names, once and in order")
    assert "model: Your name is Joan." in printed


def test_a_conversation_in_a_file_goes_on_in_another_process(tmp_path):
    file = tmp_path / "conversation.db"
    printed = run("resume_store.py", "both", file)
    assert printed.splitlines() == [
        "ready: new",
        "you: Hello, my name is Ada.",
        "model: Nice to meet you, Ada.",
        "ready: resumed",
        "you: What is my name?",
        "model: Your name is Ada.",
    ]
    assert file.stat().st_mode & 0o077 == 0


def test_three_threads_hold_three_conversations_over_one_bridge():
    printed = run("from_threads.py").splitlines()
    for name in ("Ada", "Grace", "Barbara"):
        assert [line for line in printed if line.startswith(f"{name}'s")] == [
            f"{name}'s model says: Nice to meet you, {name}.",
            f"{name}'s model says: Your name is {name}.",
        ]


def test_an_asyncio_program_holds_a_conversation():
    printed = run("from_asyncio.py")
    assert printed.splitlines()[::2] == ["Nice to meet you, Ada.", "Your name is Ada."]
    assert printed.count("tokens)") == 2


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("audio_streaming.py", [QUESTION, "answer.wav"]),
        ("chaos_bot.py", []),
        ("from_asyncio.py", []),
        ("from_threads.py", []),
        ("function_calling.py", []),
        ("mcp_tools.py", []),
        ("supervised_bots.py", []),
        ("text_chat.py", []),
        ("voice_conversation.py", [QUESTION, "answer.wav"]),
    ],
)
def test_ctrl_c_ends_an_example_quietly_even_inside_a_callback(name, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(name, *arguments, typed="Hello\n", by=["-c", CTRL_C_AT_THE_FIRST_PRINT])


@pytest.mark.parametrize(
    ("name", "arguments", "sign"),
    [
        ("session_resumption.py", ["both", "handle.txt"], "first process"),
        ("resume_store.py", ["both", "conversation.db"], "ready"),
        ("text_chat.py", [], "tokens)"),
    ],
)
def test_ctrl_c_in_a_terminal_ends_an_example_that_waits_for_others(name, arguments, sign, tmp_path):
    """A terminal sends the signal to all processes of the group; standard input stays open."""
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *arguments, "--simulate"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    ) as running:
        running.stdin.write("Hello\n")
        running.stdin.flush()
        while sign not in (line := running.stdout.readline()):
            assert line
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(timeout=20) == 0
        assert running.stderr.read() == ""


def test_an_example_whose_extra_is_missing_names_it(tmp_path):
    (tmp_path / "mcp.py").write_text("raise ModuleNotFoundError('No module named mcp')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(EXAMPLES / "mcp_tools.py"), "--simulate"]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert ran.returncode == 1
    assert ran.stderr == "this example needs the extra mcp: python -m pip install 'livebridge[mcp]'\n"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_no_example_is_left_untested(name):
    assert f'run("{name}"' in Path(__file__).read_text(encoding="utf-8")
