"""``livebridge token``: an ephemeral token for a client that must not see the API key."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from livebridge import wire
from livebridge.auth import resolve_auth
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.errors import ConfigError, DecodeError
from livebridge.session import create_token


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: An option is wrong, or there is no API key.
        RestError: The server refused.
    """
    constraints = _constraints(arguments)
    return run_until_interrupted(lambda: _make(arguments, constraints))


async def _make(arguments: argparse.Namespace, constraints: dict[str, object] | None) -> int:
    token = await create_token(
        uses=arguments.uses,
        expire_time=_from_now(arguments.expire_minutes),
        new_session_expire_time=_from_now(arguments.new_session_minutes),
        constraints=constraints,
        lock_additional_fields=arguments.lock,
        auth=resolve_auth("gemini"),
        base_url=arguments.base_url,
    )
    print(token.name)
    uses = "any number of sessions" if token.uses == 0 else f"{token.uses or 1} session(s)"
    until = f", until {token.expire_time}" if token.expire_time else ""
    sys.stderr.write(f"livebridge: good for {uses}{until}\n")
    return 0


def _from_now(minutes: float | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)


def _constraints(arguments: argparse.Namespace) -> dict[str, object] | None:
    """What the token is bound to.

    Raises:
        ConfigError: ``--config`` is no JSON object, or has no model to belong to.
    """
    if arguments.config is not None and arguments.model is None:
        raise ConfigError("--config belongs to a model; name it with --model")
    if arguments.model is None:
        return None
    return {"model": arguments.model, "config": _parsed(arguments.config or "{}")}


def _parsed(text: str) -> object:
    try:
        config: object = wire.loads(text.encode())
    except DecodeError as error:
        raise ConfigError(f"--config is no JSON: {error}") from error
    if not isinstance(config, dict):
        raise ConfigError('--config takes a JSON object, for example \'{"responseModalities": ["AUDIO"]}\'')
    return config
