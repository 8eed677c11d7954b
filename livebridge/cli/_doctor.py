"""``livebridge doctor``: is everything there that a live session takes?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

import attrs

from livebridge import __version__
from livebridge.auth import Auth, GeminiApi, VertexExpress, resolve_auth
from livebridge.cli._console import wants_color
from livebridge.cli._doctor_finding import Finding, fail
from livebridge.cli._doctor_local import check_packages, check_proxy, check_python, check_tls
from livebridge.cli._doctor_network import (
    check_clock,
    check_credentials,
    check_name,
    check_server,
    check_session,
)
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.errors import ConfigError, CredentialsError
from livebridge.simulator import LiveSimulator

FAILED: Final = 1
"""There will be no session."""

_NOBODY: Final = "nobody"
"""Stands for a key where only the address of the server matters; it is sent nowhere."""

_KEYLESS: Final = (
    "set GEMINI_API_KEY (a key is made at https://aistudio.google.com/apikey) or use --vertex;"
    " the simulator needs none: --simulate"
)


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 if nothing fails.

    Raises:
        ConfigError: Options contradict each other, or the base URL is none.
    """
    if not arguments.vertex and (arguments.project or arguments.location):
        raise ConfigError("--project and --location belong to --vertex")
    if arguments.simulate and arguments.base_url:
        raise ConfigError("--simulate brings its own server; leave --base-url out")
    return run_until_interrupted(lambda: _run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    findings: list[Finding] = []
    color = wants_color(sys.stdout, arguments.color)
    async with aclosing(examine(arguments)) as found:
        async for finding in found:
            findings.append(finding)
            if not arguments.json:
                print("\n".join(finding.lines(color=color)), flush=True)
    if arguments.json:
        print(json.dumps(to_plain(findings), indent=2))
    else:
        print(f"\n{_conclusion(findings)}")
    return FAILED if _count(findings, "fail") else 0


async def examine(arguments: argparse.Namespace) -> AsyncGenerator[Finding, None]:
    """Look at one thing after the other; what cannot succeed after a failure is not tried."""
    yield check_python()
    for finding in (*check_packages(), *check_tls()):
        yield finding
    if arguments.simulate:
        yield await _simulated(arguments.model)
        return
    auth, finding = await _account(arguments)
    yield finding
    open_so_far = finding.level != "fail"
    url = (auth or _anybody(arguments)).endpoint(base_url=arguments.base_url)
    proxy = check_proxy(url)
    yield proxy
    reachable = proxy.level != "fail"
    for look in (check_name, check_server, check_clock):
        if reachable:
            finding = await look(url)
            reachable = finding.level != "fail" or look is check_clock
            yield finding
    if arguments.dial:
        if open_so_far and reachable and auth is not None:
            yield await check_session(arguments.model, {"auth": auth, "base_url": arguments.base_url})
        else:
            yield fail("session", "not tried, because of what fails above")


def to_plain(findings: Sequence[Finding]) -> dict[str, object]:
    """The findings as plain values, for other programs."""
    return {
        "ok": not _count(findings, "fail"),
        "livebridge": __version__,
        "findings": [attrs.asdict(finding) for finding in findings],
    }


async def _account(arguments: argparse.Namespace) -> tuple[Auth | None, Finding]:
    """Who we are, if that can be told, and what there is to say about it."""
    try:
        if arguments.vertex:
            auth = resolve_auth("vertex_ai", project=arguments.project, location=arguments.location)
        else:
            auth = resolve_auth()
    except CredentialsError:
        return None, fail("credentials", "no API key was found in the environment", _KEYLESS)
    return auth, await check_credentials(auth)


def _anybody(arguments: argparse.Namespace) -> Auth:
    return VertexExpress(api_key=_NOBODY) if arguments.vertex else GeminiApi(api_key=_NOBODY)


async def _simulated(model: str) -> Finding:
    async with LiveSimulator.serve() as simulator:
        return await check_session(model, simulator.connection)


def _conclusion(findings: Sequence[Finding]) -> str:
    failures, warnings = _count(findings, "fail"), _count(findings, "warn")
    if failures:
        return f"{failures} to mend before a session can be had."
    return f"Ready, with {warnings} to look at." if warnings else "Ready."


def _count(findings: Sequence[Finding], level: str) -> int:
    return sum(finding.level == level for finding in findings)
