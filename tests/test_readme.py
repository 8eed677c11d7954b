"""What README says in Python is part of an example, or runs as it stands."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio

from livebridge.protocol import CALLBACKS
from livebridge.simulator import LiveSimulator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:<!-- (?P<mark>.+?) -->\n)?```python\n(?P<code>.+?)```", README, re.DOTALL)
COPIES = [(mark, code) for mark, code in BLOCKS if mark.startswith("examples/")]
PROGRAMS = [code for mark, code in BLOCKS if mark == "runs against the simulator"]
TESTS = [code for mark, code in BLOCKS if not mark]


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


def run(code, *arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, input=code, capture_output=True, text=True, timeout=60, check=False)


def test_readme_has_blocks_of_each_kind():
    assert (len(COPIES), len(PROGRAMS), len(TESTS)) == (2, 2, 1)


@pytest.mark.parametrize(("path", "code"), COPIES)
def test_a_marked_block_is_a_copy_of_its_example(path, code):
    assert code in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_program_runs_against_the_simulator(code, simulator_url):
    ran = run(code.replace("http://127.0.0.1:9090", simulator_url), "-")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert ran.stdout in {"['Welcome! It is good to have you here.']\n", "Hello! How can I help you?\n"}


@pytest.mark.parametrize("code", TESTS)
def test_the_test_of_a_bot_passes(code, tmp_path):
    greeter = next(program for program in PROGRAMS if "class Greeter" in program)
    definitions = greeter[: greeter.index("async def main")]
    head = "import pytest\npytestmark = pytest.mark.trio\nMODEL = 'gemini-3.1-flash-live-preview'\n"
    file = tmp_path / "test_bot.py"
    file.write_text(head + definitions + code, encoding="utf-8")
    ran = run("", "-m", "pytest", "-q", str(file))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_table_lists_every_callback_once():
    table = re.findall(r"`(on_\w+)`", README[README.index("| when | callback |") :].split("\n\n")[0])
    assert sorted(table) == sorted(CALLBACKS)


def test_every_link_into_the_repository_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert all((ROOT / link).exists() for link in links)
