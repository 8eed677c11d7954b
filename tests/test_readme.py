"""What README shows is part of an example, or runs as it stands and prints what README says."""

import inspect
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import attrs
import pytest
import trio

from livebridge.cli._parser import COMMANDS, parse
from livebridge.protocol import CALLBACKS
from livebridge.session import Options
from livebridge.session._options import known_options
from livebridge.simulator import TEST_API_KEY, LiveSimulator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(
    r"(?:<!-- (?P<mark>.+?) -->\n)?```(?P<language>\w+)\n(?P<code>.+?)```(?:\n\n```text\n(?P<output>.+?)```)?",
    README,
    re.DOTALL,
)
PYTHON = [(mark, code, output) for mark, language, code, output in BLOCKS if language == "python"]
COPIES = [(mark, code) for mark, code, _ in PYTHON if mark.startswith("examples/")]
PROGRAMS = [
    (name, code, output, bool(noise))
    for mark, code, output in PYTHON
    for name, runs, noise in [re.fullmatch(r"(\S+)(: runs)?(, and logs its crash)?", mark).groups()]
    if runs
]
FILES = {mark: code for mark, language, code, _ in BLOCKS if language == "toml" or mark.startswith("test_")}
SHELL = [line for _, language, code, _ in BLOCKS if language == "sh" for line in code.splitlines()]

SOUND_CARD = '''
import os, signal, time, wave

class RawInputStream:
    """Hears a recording, then silence."""

    def __init__(self, *, samplerate, channels, dtype):
        assert (samplerate, channels, dtype) == (16_000, 1, "int16")
        self.file = wave.open(QUESTION)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def read(self, frames):
        time.sleep(frames / 16_000)
        return self.file.readframes(frames).ljust(frames * 2, b"\\0"), False

class RawOutputStream:
    """Sends Ctrl-C when it has played a second."""

    def __init__(self, *, samplerate, channels, dtype, latency):
        assert (samplerate, channels, dtype) == (24_000, 1, "int16")
        self.played = 0

    def start(self):
        pass

    def write(self, pcm):
        time.sleep(len(pcm) / 48_000)
        self.played += len(pcm)
        if self.played >= 48_000:
            self.played = -10**9
            os.kill(os.getpid(), signal.SIGINT)
'''


@pytest.fixture(scope="module")
def simulator_url():
    """A simulator in a thread of its own, for programs that are started as processes."""
    found = []
    ready = threading.Event()

    async def serve():
        async with LiveSimulator.serve() as simulator:
            found.extend([simulator.url, trio.lowlevel.current_trio_token(), trio.Event()])
            ready.set()
            await found[2].wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(10)
    yield found[0]
    found[1].run_sync_soon(found[2].set)
    thread.join(10)


def run(folder, *arguments, **environment):
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
    )


def looks_like(text, shown):
    """Whether a text is what README shows, where … is anything in a line."""
    return re.fullmatch(".+".join(map(re.escape, shown.split("…"))), text) is not None


def table(heading):
    """The rows under a heading line of a table, as lists of cells."""
    rows = README[README.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_every_block_of_python_is_marked_as_something_that_runs():
    assert len(COPIES) >= 1
    assert len(PROGRAMS) >= 6
    assert len(COPIES) + len(PROGRAMS) + len(FILES) - 1 == len(PYTHON)


@pytest.mark.parametrize(("path", "code"), COPIES)
def test_a_marked_block_is_a_copy_of_its_example(path, code):
    assert code in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("program", PROGRAMS, ids=[each[0] for each in PROGRAMS])
def test_a_program_runs_as_it_stands_and_prints_what_is_shown(program, simulator_url, tmp_path):
    name, code, output, noisy = program
    (tmp_path / name).write_text(code, encoding="utf-8")
    question = ROOT / "livebridge" / "cli" / "data" / "question.wav"
    (tmp_path / "sounddevice.py").write_text(f"QUESTION = {str(question)!r}\n{SOUND_CARD}", encoding="utf-8")
    ran = run(
        tmp_path,
        *("-W", "error", "-u", name),
        GEMINI_API_KEY=TEST_API_KEY,
        GOOGLE_GEMINI_BASE_URL=simulator_url,
    )
    assert ran.returncode == 0, ran.stderr
    assert noisy or ran.stderr == ""
    assert looks_like(ran.stdout, output), ran.stdout


def test_the_tests_of_a_bot_pass_with_the_setting_that_is_shown(tmp_path):
    tomllib.loads(FILES["pyproject.toml"])
    greeter = next(code for name, code, *_ in PROGRAMS if name == "greeter.py")
    for name, code in {**FILES, "greeter.py": greeter}.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    ran = run(tmp_path, "-m", "pytest", "-q")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_every_command_line_is_understood():
    lines = [line.rpartition("&& ")[2] for line in SHELL]
    lines += re.findall(r"`(livebridge [^`]+)`", README)
    commands = [shlex.split(line)[1:] for line in lines if re.match(r"livebridge \w", line)]
    assert {command[0] for command in commands} == set(COMMANDS)
    for command in commands:
        assert command[:1] == ["record"] or parse(command).command == command[0]


def test_the_commands_table_lists_every_command_once():
    rows = table("| command | |")
    assert sorted(row[0] for row in rows) == sorted(f"`livebridge {name}`" for name in COMMANDS)


def test_the_table_lists_every_callback_once():
    listed = re.findall(r"`(on_\w+)`", README[README.index("| when | callback |") :].split("\n\n")[0])
    assert sorted(listed) == sorted(CALLBACKS)


def test_the_options_that_are_listed_exist_and_have_the_defaults_that_are_shown():
    defaults = {field.name: field.default for field in attrs.fields(Options)}
    for names, shown, _ in table("| option | default | |"):
        for name in re.findall(r"`(\w+)`", names):
            assert name in known_options()
            if value := re.fullmatch(r"`(.+)`", shown):
                default = defaults[name]
                text = f"{default.factory.__name__}()" if hasattr(default, "factory") else f"{default!r}"
                assert value[1].replace('"', "'") == text.removesuffix(".0"), name


def test_every_page_of_the_manual_that_is_named_exists():
    import livebridge  # noqa: PLC0415 - the root of the names below

    for path in re.findall(r"python -m pydoc livebridge\.([\w.]+?)\.?[`\s]", README):
        found = livebridge
        for name in path.split("."):
            found = getattr(found, name, None) or __import__(f"livebridge.{path}", fromlist=["_"])
        assert inspect.getdoc(found), path


def test_every_link_into_the_repository_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    headings = {
        f"#{re.sub(r'[^a-z ]', '', heading.lower()).replace(' ', '-')}"
        for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    assert all(link in headings if link.startswith("#") else (ROOT / link).exists() for link in links)


def test_every_example_is_named():
    assert all(f"(examples/{path.name})" in README for path in (ROOT / "examples").glob("*.py"))
