"""What can be typed after ``livebridge doctor``."""

from __future__ import annotations

import argparse


def fill_doctor(parser: argparse.ArgumentParser, *, model: str) -> None:
    """Describe the command.

    Args:
        parser: The command's.
        model: The one that ``--dial`` asks for by default.
    """
    parser.description = (
        "See whether everything is there that a live session takes: Python, packages, certificates, proxy,\n"
        "credentials (which are not shown), name look-up, the way to the server, the clock. One line each: ok, warn\n"
        "or fail, and what to do. The exit status is 1 if something fails. Without --dial nothing is sent to the\n"
        "server that tells who you are, except that Google credentials are refreshed."
    )
    parser.epilog = (
        "examples:\n  livebridge doctor\n  livebridge doctor --dial\n"
        "  livebridge doctor --vertex --project my-project --location us-central1 --dial\n"
        "  livebridge doctor --simulate\n  livebridge doctor --json"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--simulate", action="store_true", help="open a session to a simulator on this machine, not the API"
    )
    where.add_argument("--vertex", action="store_true", help="Vertex AI instead of the Gemini API")
    parser.add_argument("--project", metavar="ID", help="Google Cloud project (with --vertex)")
    parser.add_argument("--location", metavar="NAME", help="Google Cloud location (with --vertex)")
    parser.add_argument("--base-url", metavar="URL", help="another server, for example a simulator elsewhere")
    parser.add_argument(
        "--dial", action="store_true", help="also open a session with the credentials; costs no tokens"
    )
    parser.add_argument("--model", default=model, metavar="NAME", help="for --dial (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
