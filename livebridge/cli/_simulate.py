"""``livebridge simulate``: a Live API server on this machine."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import trio

from livebridge.cli._console import Console, wants_color
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.errors import ConfigError
from livebridge.simulator import Brain, Faults, LiveSimulator, Replay, load_brain, load_fault_file


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: The brain, the faults or the log cannot be loaded, or the port is taken.
    """
    console = Console(color=wants_color(sys.stdout, arguments.color))
    if arguments.replay is not None:
        if arguments.brain or arguments.faults:
            raise ConfigError("--replay plays what was said once; --brain and --faults have no say in it")
        replay = Replay(_existing("--replay", arguments.replay), pace=arguments.pace, repeat=True)
        return run_until_interrupted(lambda: _play(console, arguments, replay))
    brain = None if arguments.brain is None else load_brain(_existing("--brain", arguments.brain))
    faults = None if arguments.faults is None else load_fault_file(_existing("--faults", arguments.faults))
    return run_until_interrupted(lambda: _serve(console, arguments, brain, faults))


def _existing(option: str, path: Path) -> str:
    if not path.is_file():
        raise ConfigError(f"{option}: there is no file {path}")
    return str(path)


async def _serve(
    console: Console, arguments: argparse.Namespace, brain: Brain | None, faults: Faults | None
) -> int:
    try:
        async with LiveSimulator.serve(
            brain=brain,
            faults=faults,
            host=arguments.host,
            port=int(arguments.port),
            pace=arguments.pace,
            connection_lifetime=arguments.connection_lifetime,
            go_away_lead=arguments.go_away_lead,
            keep_audio=False,
        ) as simulator:
            _introduce(console, simulator)
            await _watch(console, simulator)
    except OSError as error:
        raise _not_listening(arguments, error) from error
    return 0


async def _play(console: Console, arguments: argparse.Namespace, replay: Replay) -> int:
    try:
        async with replay.serve(host=arguments.host, port=int(arguments.port)):
            console.line(
                f"The log {arguments.replay} is played at {console.strong(replay.url)}, for any API key."
            )
            await trio.sleep_forever()
    except OSError as error:
        raise _not_listening(arguments, error) from error


def _not_listening(arguments: argparse.Namespace, error: OSError) -> ConfigError:
    where = f"{arguments.host}:{int(arguments.port)}"
    return ConfigError(f"cannot listen on {where}: {error.strerror or error}")


def _introduce(console: Console, simulator: LiveSimulator) -> None:
    key = simulator.settings.api_keys[0]
    console.line(f"A Live API server listens on {console.strong(simulator.url)}; the API key is {key}.")
    console.line()
    console.line(f"  livebridge     GEMINI_API_KEY={key} livebridge chat --base-url {simulator.url}")
    console.line(f'  google-genai   genai.Client(api_key="{key}",')
    console.line(f'                              http_options={{"base_url": "{simulator.url}"}})')
    console.line()


async def _watch(console: Console, simulator: LiveSimulator) -> None:
    """Show connections and turns as they come; until cancelled."""
    shown: dict[str, int] = {}
    dials = 0
    while True:
        if simulator.dials > dials:
            dials = simulator.dials
            console.row("connection", f"number {dials}")
        for number, conversation in enumerate(simulator.conversations, start=1):
            history = conversation.history
            first = min(shown.get(conversation.id, 0), len(history))
            for turn in history[first:]:
                console.row(turn.role, f"[{number}] {turn.text}")
            shown[conversation.id] = len(history)
        await simulator.wait_for(partial(_moved, _progress(simulator)))


def _progress(simulator: LiveSimulator) -> tuple[int, int]:
    return simulator.dials, sum(one.length for one in simulator.conversations)


def _moved(since: tuple[int, int], simulator: LiveSimulator) -> bool:
    return _progress(simulator) != since
