import subprocess
import sys

import pytest

BODY = """
    async with Session.start(
        model="gemini-3.1-flash-live-preview", output_audio_transcription={}, **live_simulator.connection
    ) as session:
        turn = await session.ask("Hello", timeout=10)
    assert turn.text.startswith("Hello")
    assert live_simulator.conversations[0].heard.user_texts == ["Hello"]
"""
TEST = f"""
import pytest
from livebridge import Session

async def test_my_bot_greets(live_simulator):{BODY}"""
MARKED = TEST.replace("async def", "@pytest.mark.trio\nasync def")
ANYIO = TEST.replace("async def", "@pytest.mark.anyio\nasync def") + (
    "\n@pytest.fixture\ndef anyio_backend():\n    return 'trio'\n"
)
PLAIN = "def test_my_bot_greets(live_simulator): ..."
TRIO_MODE = "[pytest]\ntrio_mode = true\n"


def run(folder, test, *options, ini=""):
    """Run pytest where nothing of this project's settings is in force."""
    (folder / "pytest.ini").write_text(ini or "[pytest]\n")
    (folder / "test_bot.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", *options, "test_bot.py"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize(("test", "ini"), [(TEST, TRIO_MODE), (MARKED, ""), (ANYIO, "")])
def test_a_users_test_may_ask_for_the_fixture(test, ini, tmp_path):
    ran = run(tmp_path, test, ini=ini)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize("test", [TEST, PLAIN])
def test_a_test_that_does_not_run_on_trio_is_told_what_to_set(test, tmp_path):
    ran = run(tmp_path, test)
    assert ran.returncode == 1
    assert "set `trio_mode = true` under [tool.pytest.ini_options]" in ran.stdout


def test_a_fixture_of_the_users_by_that_name_is_left_alone(tmp_path):
    own = "import pytest\n@pytest.fixture\ndef live_simulator():\n    return 1\n"
    ran = run(tmp_path, own + "def test_it(live_simulator): assert live_simulator == 1")
    assert ran.returncode == 0, ran.stdout


def test_without_pytest_trio_its_name_is_told(tmp_path):
    ran = run(tmp_path, TEST, "-p", "no:trio")
    assert ran.returncode == 1
    assert "python -m pip install pytest-trio" in ran.stdout


def test_the_plugin_imports_neither_simulator_nor_session():
    code = (
        "import sys, livebridge._pytest\n"
        "print(sorted(name for name in sys.modules if name.startswith('livebridge')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['livebridge', 'livebridge._pytest']"
