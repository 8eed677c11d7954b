"""Ctrl-C at any moment of the start ends the program quietly."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from livebridge.cli._starting import quiet_start, started

INTERRUPTED_IMPORT = """
import signal, sys
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, CtrlC())
from livebridge.cli import main
print("started")
sys.exit(main(["simulate", "--port", "0"]))
"""


@pytest.mark.parametrize(
    "module", ["livebridge.cli._program", "argparse", "livebridge.cli._simulate", "trio", "orjson", "cattrs"]
)
def test_ctrl_c_during_an_import_ends_it_quietly_with_130(module):
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", INTERRUPTED_IMPORT, module],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "started\n", "")


def test_the_handler_is_gone_when_there_is_something_to_clean_up_and_afterwards():
    before = signal.getsignal(signal.SIGINT)
    with quiet_start():
        assert signal.getsignal(signal.SIGINT) is not before
        started()
        assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(signal.SIGINT) is before


def test_somebody_elses_handler_is_left_alone():
    def mine(number, frame):
        """Handle it."""

    before = signal.signal(signal.SIGINT, mine)
    try:
        with quiet_start():
            assert signal.getsignal(signal.SIGINT) is mine
            started()
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_done():
    seen = []

    def run():
        with quiet_start():
            started()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
