"""``livebridge chat``: type a line, the model's answer streams."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from livebridge.auth import resolve_auth
from livebridge.cli._console import wants_color
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.cli._keyboard import lines
from livebridge.errors import ConfigError, ConnectionFailureError, CredentialsError, LivebridgeError
from livebridge.protocol import (
    Direction,
    GoAwayInfo,
    ResumedInfo,
    SessionLostInfo,
    TextDelta,
    Transcript,
    capabilities,
)
from livebridge.session import Session
from livebridge.simulator import LiveSimulator
from livebridge.wire import Modality

NO_KEY: Final = (
    "no API key was found: set GEMINI_API_KEY (or GOOGLE_API_KEY), or use --vertex, or try it without any: "
    "livebridge chat --simulate"
)


ANSWER_SECONDS: Final = 120.0
"""A model that thinks and calls tools may take a while; one that is silent for longer will stay so."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: Options contradict each other, or there are no credentials.
        LivebridgeError: The session could not be opened, or failed.
    """
    if not arguments.vertex and (arguments.project or arguments.location):
        raise ConfigError("--project and --location belong to --vertex")
    if arguments.simulate and arguments.base_url:
        raise ConfigError("--simulate brings its own server; leave --base-url out")
    if sys.stdin is None:
        raise ConfigError("standard input is closed; there is nobody to chat with")
    connection = {} if arguments.simulate else _connection(arguments)
    return run_until_interrupted(lambda: _chat(arguments, connection))


def _connection(arguments: argparse.Namespace) -> dict[str, object]:
    """The options that say where the session goes, and as whom."""
    connection: dict[str, object] = {"base_url": arguments.base_url} if arguments.base_url else {}
    if arguments.vertex:
        connection["auth"] = resolve_auth("vertex_ai", project=arguments.project, location=arguments.location)
        return connection
    try:
        connection["auth"] = resolve_auth()
    except CredentialsError as error:
        raise CredentialsError(NO_KEY) from error
    return connection


class _Screen:
    """Shows an answer as it streams; prompts and notices only where a person types."""

    def __init__(self, *, person: bool, color: bool) -> None:
        self._person = person
        self._color = color
        self._open = False

    @property
    def callbacks(self) -> dict[str, object]:
        """Every callback by its name."""
        return {name: getattr(self, name) for name in dir(self) if name.startswith("on_")}

    def prompt(self) -> None:
        """Ask for a line."""
        if self._person:
            self._write("> ")

    def leave(self) -> None:
        """The last prompt gets no answer."""
        if self._person:
            self._write("\n")

    def answered(self) -> None:
        """An answer is complete."""
        self._open = False
        self._write("\n")

    def notice(self, text: str) -> None:
        """Say something that is not the model's."""
        if self._open:
            self.answered()
        sys.stderr.write(f"\x1b[33m{text}\x1b[0m\n" if self._color else f"{text}\n")

    def on_text(self, delta: TextDelta) -> None:
        """Show a piece of an answer in text."""
        self._say(delta.text)

    def on_transcription(self, transcript: Transcript) -> None:
        """Show a piece of a spoken answer."""
        if transcript.direction is Direction.OUTPUT:
            self._say(transcript.text)

    def on_go_away(self, info: GoAwayInfo) -> None:
        """Say that the connection will be replaced."""
        if self._person:
            self.notice(f"(connection {info.epoch} ends soon; the conversation goes on)")

    def on_resumed(self, info: ResumedInfo) -> None:
        """Say that it was replaced."""
        if self._person:
            self.notice(f"(connection {info.epoch}: {info.continuity})")

    def on_session_lost(self, info: SessionLostInfo) -> None:
        """Say that the model has forgotten."""
        self.notice(f"(the conversation could not be resumed, the model has forgotten it: {info.reason})")

    def on_error(self, error: LivebridgeError) -> None:
        """Show it, unless it ends the chat (then it is reported there) or the session mends it by itself."""
        if not isinstance(error, ConnectionFailureError):
            self.notice(f"({error})")

    def _say(self, text: str) -> None:
        self._open = True
        self._write(text)

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


async def _chat(arguments: argparse.Namespace, connection: dict[str, object]) -> int:
    screen = _Screen(person=sys.stdin.isatty(), color=wants_color(sys.stderr, arguments.color))
    async with (
        _server(arguments, connection) as found,
        Session.start(
            model=arguments.model,
            system_instruction=arguments.system,
            **_modality(arguments.model),
            **screen.callbacks,
            **found,
        ) as session,
    ):
        if sys.stdin.isatty():
            screen.notice(f"{arguments.model}: type a line; Ctrl-D or Ctrl-C ends the chat.")
        screen.prompt()
        async with aclosing(lines()) as typed:
            async for line in typed:
                if line.strip():
                    await _answer(session, screen, line)
                screen.prompt()
        screen.leave()
    return 0


async def _answer(session: Session, screen: _Screen, line: str) -> None:
    try:
        await session.ask(line, timeout=ANSWER_SECONDS)
    except TimeoutError:
        screen.notice(f"(no answer within {ANSWER_SECONDS:g} s)")
    else:
        screen.answered()


@asynccontextmanager
async def _server(
    arguments: argparse.Namespace, connection: dict[str, object]
) -> AsyncIterator[dict[str, object]]:
    """Where to go: the given connection, or a simulator for the length of the chat."""
    if not arguments.simulate:
        yield connection
        return
    async with LiveSimulator.serve(pace="real") as simulator:
        yield simulator.connection


def _modality(model: str) -> dict[str, object]:
    """Text from models that write; from those that only speak, speech and its transcript."""
    able = capabilities(model).response_modalities
    if able is not None and Modality.TEXT in able:
        return {"response_modalities": ["TEXT"]}
    return {"response_modalities": ["AUDIO"], "output_audio_transcription": {}, "keep_audio": False}
