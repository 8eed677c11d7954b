"""From a command line to an exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, Protocol, cast

from livebridge.cli._parser import help_text, parse
from livebridge.errors import ConfigError, CredentialsError, LivebridgeError

FAILED: Final = 1
WRONG_USAGE: Final = 2


class _Command(Protocol):
    """A module of a command, imported when it is asked for."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Run it; the exit status."""
        ...


def run_program(argv: Sequence[str] | None) -> int:
    """Run the command line.

    Args:
        argv: What was typed after the program's name; by default the process's own.

    Returns:
        The exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C, where a command did not end in order.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # nobody reads any more; the flush at exit must not complain either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(argv: Sequence[str]) -> int:
    try:
        arguments = parse(argv)
        if arguments.command is None:
            sys.stderr.write(help_text())
            return WRONG_USAGE
        logging.basicConfig(
            level=logging.INFO if arguments.verbose else logging.CRITICAL,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        command = cast("_Command", import_module(f"livebridge.cli._{arguments.command}"))
        return command.run(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except LivebridgeError as error:
        sys.stderr.write(f"livebridge: {error}\n")
        return _status(error)


def _status(error: LivebridgeError) -> int:
    """Missing credentials are wrong usage, whether a command saw that itself or its session did."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, CredentialsError):
            return FAILED if cause.retryable else WRONG_USAGE
        cause = cause.__cause__
    return WRONG_USAGE if isinstance(error, ConfigError) else FAILED
