"""``livebridge models``: which live models these credentials can use, and what they answer with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from livebridge.auth import Auth, resolve_auth
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.errors import ConfigError
from livebridge.protocol import LIVE_MODELS, capabilities
from livebridge.rest import LIVE_METHOD, Model, Models

UNKNOWN: Final = "?"
"""What a model answers with, where nobody knows."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: Options contradict each other, or there are no credentials.
        RestError: The server refused to list its models.
    """
    auth = account(arguments)
    return run_until_interrupted(lambda: _show(auth, arguments))


def account(arguments: argparse.Namespace) -> Auth:
    """Whose models are listed.

    Raises:
        ConfigError: A project without ``--vertex``.
        CredentialsError: There are no credentials.
    """
    if arguments.vertex:
        return resolve_auth("vertex_ai", project=arguments.project, location=arguments.location)
    if arguments.project or arguments.location:
        raise ConfigError("--project and --location belong to --vertex")
    return resolve_auth()


async def _show(auth: Auth, arguments: argparse.Namespace) -> int:
    listed = await Models.list(auth=auth, base_url=arguments.base_url)
    models = [model for model in listed if arguments.all or model.offers(LIVE_METHOD)]
    wanted: str | None = arguments.modality
    if wanted is not None:
        models = [model for model in models if wanted.upper() in _answers(model)]
        models.sort(key=_rank)
    if not models:
        what = "live model" if wanted is None else f"live model that answers with {wanted}"
        sys.stderr.write(f"livebridge: no {what} is listed for these credentials\n")
        return 1
    width = max(len(model.short_name) for model in models)
    for model in models:
        answers = "|".join(_answers(model)).lower() or UNKNOWN
        print(f"{model.short_name:<{width}}  {answers:<10}  {model.display_name or ''}".rstrip())
    return 0


def _answers(model: Model) -> Sequence[str]:
    known = capabilities(model.name).response_modalities
    return sorted(known or ())


def _rank(model: Model) -> int:
    """The table of models has the one to take first in front; what it does not know comes last."""
    return _ORDER.index(name) if (name := capabilities(model.name).name) in _ORDER else len(_ORDER)


_ORDER: Final = tuple(LIVE_MODELS)
