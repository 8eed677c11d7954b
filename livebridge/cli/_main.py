"""The first thing that runs: from here on Ctrl-C ends the program quietly, even in the middle of an import."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from livebridge.cli._starting import quiet_start


class _Program(Protocol):
    """The rest of the program, imported when Ctrl-C can do no harm any more."""

    def run_program(self, argv: Sequence[str] | None) -> int:
        """Run a command line; the exit status."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Nothing is raised: what goes wrong is one sentence on standard error.

    Args:
        argv: What was typed after the program's name; by default the process's own.

    Returns:
        The exit status.
    """
    try:
        with quiet_start():
            program = cast("_Program", import_module("livebridge.cli._program"))
            return program.run_program(argv)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
