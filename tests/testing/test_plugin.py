import subprocess
import sys

TEST = """
import pytest
from livebridge import Session

@pytest.mark.trio
async def test_my_bot_greets(live_simulator):
    async with Session.start(
        model="gemini-3.1-flash-live-preview", output_audio_transcription={}, **live_simulator.connection
    ) as session:
        turn = await session.ask("Hello", timeout=10)
    assert turn.text.startswith("Hello")
    assert live_simulator.conversations[0].heard.user_texts == ["Hello"]
"""


def test_a_users_test_may_ask_for_the_fixture(tmp_path):
    file = tmp_path / "test_bot.py"
    file.write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_the_plugin_imports_neither_simulator_nor_session():
    code = (
        "import sys, livebridge._pytest\n"
        "print(sorted(name for name in sys.modules if name.startswith('livebridge')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['livebridge', 'livebridge._pytest']"
