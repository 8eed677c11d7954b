"""The benchmark runs; what it measures is not looked at here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_every_row_of_the_benchmark_can_be_measured():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    told = subprocess.run(
        [sys.executable, RUN, "--tiny"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    for row in (
        "receive tls",
        "send",
        "listen",
        "talk: latency p99",
        "memory tls",
        "connect",
        "import",
        "size",
    ):
        assert f"\n{row} " in told.stdout


def test_a_row_that_does_not_exist_is_named_in_the_error():
    told = subprocess.run(
        [sys.executable, RUN, "--only", "nonsense"], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 2
    assert "no row begins so; there are receive, receive tls" in told.stderr
