"""What can be typed: commands, options and their help."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

from livebridge import __version__
from livebridge.cli._doctor_options import fill_doctor
from livebridge.errors import ConfigError

DEFAULT_MODEL: Final = "gemini-3.1-flash-live-preview"
DEFAULT_PORT: Final = 9090

COMMANDS: Final = {
    "demo": "hear and see a conversation with a simulator; needs no key and no network",
    "chat": "type a line, the model's answer streams",
    "simulate": "run a Live API server on this machine, for tests of any client",
    "record": "stand between a client and a server, and log what they say",
    "chaos": "sessions against a simulator that misbehaves, and a verdict on what was lost",
    "models": "list the live models that your credentials can use",
    "token": "make an ephemeral token for a client that must not see your API key",
    "doctor": "see whether everything is there that a session takes, and what to do if not",
}

_DAY_SECONDS: Final = 86_400
_WEEK_SECONDS: Final = 7 * _DAY_SECONDS

_EXAMPLES: Final = """\
examples:
  livebridge demo
  livebridge demo --audio question.wav
  livebridge chat --simulate
  GEMINI_API_KEY=… livebridge chat
  livebridge simulate --port 9090
  livebridge record session.jsonl
  livebridge chaos --sessions 50 --seconds 60
  livebridge models --modality audio
  livebridge token --uses 1 --expire-minutes 30
  livebridge doctor --dial

"livebridge COMMAND --help" says more."""


_CHAOS: Final = (
    "Run many sessions against a simulator over real sockets, break their connections in every way known, and\n"
    "compare what they sent with what the simulator's models know in the end. The exit status is 0 if faults\n"
    "struck and nothing was lost, doubled, reordered or left over. Ctrl-C ends the fire and gives the verdict."
)

_CHAOS_EXAMPLES: Final = (
    "With vertex, sessions resume transparently, so that nothing at all may be lost. The Gemini API does not\n"
    "acknowledge messages; there, nothing may be lost without the session having said so.\n\n"
    "examples:\n  livebridge chaos\n  livebridge chaos --sessions 50 --seconds 600 --fault-every 5 --json\n"
    "  livebridge chaos --handover warm --seed 7"
)


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving, and whose help keeps the line breaks of its examples."""

    def error(self, message: str) -> NoReturn:
        """Report wrong usage.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f'{message}; "{self.prog} --help" shows what can be typed')


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read a command line.

    Returns:
        The options, with the command's name in ``command``; ``None`` there if none was typed.

    Raises:
        ConfigError: Something cannot be understood; the nearest known word is named.
        SystemExit: ``--help`` or ``--version`` has been answered.
    """
    parser, commands = _build()
    first = next((word for word in argv if not word.startswith("-")), None)
    if first is not None and first not in COMMANDS:
        raise ConfigError(f"there is no command {first!r}{_suggest(first, COMMANDS)}")
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        chosen = commands.get(arguments.command, parser)
        options = [option for action in chosen._actions for option in action.option_strings]  # noqa: SLF001 - argparse has no public list of them
        word = unknown[0]
        what = "option" if word.startswith("-") else "argument"
        raise ConfigError(f"{chosen.prog} has no {what} {word}{_suggest(word.partition('=')[0], options)}")
    return arguments


def help_text() -> str:
    """The help of the whole program."""
    return _build()[0].format_help()


def _suggest(word: str, known: Sequence[str] | dict[str, str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"


def _build() -> tuple[_Parser, dict[str, argparse.ArgumentParser]]:
    parser = _Parser(
        prog="livebridge",
        description="Real-time conversations with Gemini through the Live API.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"livebridge {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    built: dict[str, argparse.ArgumentParser] = {}
    for name, fill in _FILLS.items():
        built[name] = commands.add_parser(
            name,
            help=COMMANDS[name],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        fill(built[name])
        _add_common(built[name])
    return parser, built


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="show the log on standard error")
    parser.add_argument(
        "--color",
        action=argparse.BooleanOptionalAction,
        help="colour the output (default: on a terminal, unless NO_COLOR is set)",
    )


def _fill_demo(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Start a simulated Live API server on this machine, open a session to it over a real WebSocket, play a\n"
        "spoken question at its own pace, and show live what happens: activity detection, transcripts, a tool\n"
        "call, token counts, a GoAway in mid-answer and the reconnect after it. Ends by itself, in less than\n"
        "30 seconds; Ctrl-C ends it at any moment."
    )
    parser.epilog = "examples:\n  livebridge demo\n  livebridge demo --audio me.wav --out reply.wav"
    parser.add_argument(
        "--audio",
        type=Path,
        metavar="FILE",
        help="play this recording instead, of any rate and channel count; the simulator cannot understand it,"
        " and says so",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where the reply goes, a 24 kHz WAV (default: livebridge-reply.wav in this directory)",
    )
    parser.add_argument(
        "--crash",
        action="store_true",
        help="show something else: a supervised bot that breaks and comes back in the same conversation",
    )


def _fill_chat(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Type a line, the model's answer streams. Lines may be piped in; the end of input ends the chat.\n"
        "Credentials come from the environment: GEMINI_API_KEY (or GOOGLE_API_KEY), or with --vertex those of\n"
        "Google Cloud (gcloud auth application-default login)."
    )
    parser.epilog = (
        "examples:\n  livebridge chat --simulate\n  GEMINI_API_KEY=… livebridge chat --system 'Answer in verse.'\n"
        "  echo 'What is trio?' | livebridge chat\n  livebridge chat --vertex --project my-project"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--simulate", action="store_true", help="talk to a simulator; needs no key and no network"
    )
    where.add_argument("--vertex", action="store_true", help="Vertex AI instead of the Gemini API")
    _add_place(parser)
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="NAME", help="the model (default: %(default)s)"
    )
    parser.add_argument("--system", metavar="TEXT", help="system instruction")
    _add_base_url(parser)


def _fill_simulate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run a Live API server on this machine. Any client of any language that lets you set a base URL can\n"
        "talk to it, by the Gemini API's path or Vertex AI's. Ctrl-C stops it."
    )
    parser.epilog = (
        "A brain file is Python and defines `brain`, an object with respond(conversation, cue); see\n"
        "livebridge.simulator. Without one the simulator answers by a dozen rules.\n\n"
        "A faults file says what goes wrong and when; livebridge.simulator.load_faults describes it.\n\n"
        "examples:\n  livebridge simulate\n  livebridge simulate --port 0 --pace real --connection-lifetime 30\n"
        "  livebridge simulate --brain concierge.py --faults chaos.toml\n  livebridge simulate --replay session.jsonl"
    )
    _add_listening(parser)
    parser.add_argument("--brain", type=Path, metavar="FILE", help="what decides what the model says")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="what goes wrong, as TOML")
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="play back a log of livebridge record, over and over, instead of simulating a model",
    )
    parser.add_argument(
        "--pace", choices=["fast", "real"], default="real", help="how fast it speaks (default: %(default)s)"
    )
    _add_seconds(parser, "--connection-lifetime", 600, help="hang up after so long")
    _add_seconds(parser, "--go-away-lead", 60, least=0, help="announce that so long before")


def _fill_record(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Stand between clients and a Live API server, and log every message: one JSON object per line, with time\n"
        "and direction. Point a client's base URL here; its credentials go on to the server and are not logged,\n"
        "what is said is. Ctrl-C ends it. livebridge simulate --replay serves the log."
    )
    parser.epilog = (
        "examples:\n  livebridge record session.jsonl\n"
        "  livebridge record session.jsonl --upstream https://us-central1-aiplatform.googleapis.com\n"
        "  livebridge record session.jsonl --simulate --no-audio --force"
    )
    parser.add_argument("log", type=Path, metavar="FILE", help="where the log goes")
    parser.add_argument("--upstream", metavar="URL", help="the server (default: the Gemini API)")
    parser.add_argument("--simulate", action="store_true", help="the server is a simulator of our own")
    _add_listening(parser)
    parser.add_argument("--force", action="store_true", help="replace a log that is there already")
    parser.add_argument(
        "--audio", action=argparse.BooleanOptionalAction, default=True, help="log sound (default: yes)"
    )
    parser.add_argument(
        "--handles",
        action="store_true",
        help="log resumption handles as they are; they open the conversation",
    )


def _fill_chaos(parser: argparse.ArgumentParser) -> None:
    parser.description = _CHAOS
    parser.epilog = _CHAOS_EXAMPLES
    parser.add_argument(
        "--sessions", type=_number(int, 1, 1000), default=10, metavar="N", help="(default: %(default)s)"
    )
    _add_seconds(parser, "--seconds", 30, most=_WEEK_SECONDS, help="how long they are under fire")
    _add_seconds(parser, "--fault-every", 5, help="time between two faults of one session, on average")
    parser.add_argument(
        "--seed",
        type=_number(int, 0, 2**31),
        default=0,
        metavar="S",
        help="what the faults are drawn from (default: %(default)s)",
    )
    parser.add_argument(
        "--backend", choices=["vertex", "gemini"], default="vertex", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--handover",
        choices=["cold", "warm"],
        default="cold",
        help="how a connection is replaced after a GoAway (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")


def _fill_models(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "List the live models that your credentials can use: name, what it answers with, and its title.\n"
        "With --modality only those that answer so, the one to take first in the first line."
    )
    parser.epilog = "examples:\n  livebridge models\n  livebridge models --modality audio | head -1"
    parser.add_argument("--modality", choices=["audio", "text"], help="only models that answer with this")
    parser.add_argument("--all", action="store_true", help="also models that hold no live conversations")
    parser.add_argument("--vertex", action="store_true", help="Vertex AI, with Google credentials")
    _add_place(parser)
    _add_base_url(parser)


def _fill_token(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make an ephemeral token with your API key and print it. A client gives it as its API key and can open\n"
        "sessions with it, and nothing else. The token is a secret: print it where it is meant to go."
    )
    parser.epilog = (
        "With --model everything the client may set is locked; with --lock only the fields of --config and those\n"
        "that are named.\n\n"
        "examples:\n  livebridge token --uses 1 --expire-minutes 30\n"
        "  livebridge token --model gemini-3.1-flash-live-preview --config '{\"temperature\": 0.7}'"
    )
    parser.add_argument(
        "--uses",
        type=_number(int, 0, 10**9),
        metavar="N",
        help="sessions it opens; 0 for any number (default: 1)",
    )
    minutes = _number(float, 0.01, 20 * 60)
    parser.add_argument(
        "--expire-minutes", type=minutes, metavar="M", help="messages are refused after this (default: 30)"
    )
    parser.add_argument(
        "--new-session-minutes",
        type=minutes,
        metavar="M",
        help="new sessions are refused after this (default: 1)",
    )
    parser.add_argument("--model", metavar="NAME", help="bind the token to this model")
    parser.add_argument("--config", metavar="JSON", help="and to this configuration, as a session takes it")
    parser.add_argument("--lock", metavar="FIELD", nargs="*", help="lock these fields, instead of everything")
    _add_base_url(parser)


def _add_listening(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_number(int, 0, 65_535),
        default=DEFAULT_PORT,
        help="port, 0 for any free one (default: %(default)s)",
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="ID", help="Google Cloud project (with --vertex)")
    parser.add_argument("--location", metavar="NAME", help="Google Cloud location (with --vertex)")


def _add_seconds(
    parser: argparse.ArgumentParser,
    option: str,
    default: float,
    *,
    least: float = 0.1,
    most: float = _DAY_SECONDS,
    help: str,  # noqa: A002 - argparse's word
) -> None:
    parser.add_argument(
        option,
        type=_number(float, least, most),
        default=float(default),
        metavar="SECONDS",
        help=f"{help} (default: %(default)g)",
    )


def _add_base_url(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base-url", metavar="URL", help="another server, for example a simulator elsewhere")


def _number(kind: type[int | float], low: float, high: float) -> Callable[[str], float]:
    """What reads a number within bounds."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    return read


_FILLS: Final[dict[str, Callable[[argparse.ArgumentParser], None]]] = {
    "demo": _fill_demo,
    "chat": _fill_chat,
    "simulate": _fill_simulate,
    "record": _fill_record,
    "chaos": _fill_chaos,
    "models": _fill_models,
    "token": _fill_token,
    "doctor": partial(fill_doctor, model=DEFAULT_MODEL),
}
