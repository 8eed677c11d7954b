"""``livebridge record``: stand between a client and a Live API server, and write down what they say."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from livebridge.cli._console import Console, wants_color
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.errors import ConfigError
from livebridge.simulator import LiveSimulator, Recorder

DEFAULT_UPSTREAM: Final = "https://generativelanguage.googleapis.com"
"""The Gemini API; Vertex AI has a host per location."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: The log is there already or cannot be written, the upstream is no URL, or the port is taken.
    """
    if arguments.simulate and arguments.upstream:
        raise ConfigError("--simulate brings its own server; leave --upstream out")
    path: Path = arguments.log
    if path.exists() and not arguments.force:
        raise ConfigError(f"{path} is there already; --force replaces it")
    console = Console(color=wants_color(sys.stdout, arguments.color))
    return run_until_interrupted(lambda: _record(console, arguments))


async def _record(console: Console, arguments: argparse.Namespace) -> int:
    async with _upstream(console, arguments) as upstream:
        recorder = Recorder(
            arguments.log,
            upstream=upstream,
            handles=arguments.handles,
            audio=arguments.audio,
            report=lambda number, what: console.row("connection", f"[{number}] {what}" if number else what),
        )
        try:
            async with recorder.serve(host=arguments.host, port=int(arguments.port)):
                console.line(f"Recording what clients of {console.strong(recorder.url)} and {upstream} say.")
                console.line(f"The log is {arguments.log}; Ctrl-C ends it.")
                console.line()
                try:
                    await trio.sleep_forever()
                finally:
                    console.line(f"{recorder.messages} messages on {recorder.connections} connections.")
        except OSError as error:
            where = f"{arguments.host}:{int(arguments.port)}"
            raise ConfigError(f"cannot listen on {where}: {error.strerror or error}") from error


@asynccontextmanager
async def _upstream(console: Console, arguments: argparse.Namespace) -> AsyncIterator[str]:
    """The server: the given one, or a simulator for as long as the recording lasts."""
    if not arguments.simulate:
        yield arguments.upstream or DEFAULT_UPSTREAM
        return
    async with LiveSimulator.serve(pace="real") as simulator:
        console.line(f"The server is a simulator; its API key is {simulator.settings.api_keys[0]}.")
        yield simulator.url
