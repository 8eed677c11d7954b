"""What the doctor can see without a network: Python, packages, certificates, the proxy's address."""

from __future__ import annotations

import os
import platform
import re
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import attrs

from livebridge import __version__
from livebridge.cli._doctor_finding import Finding, fail, ok, warn
from livebridge.errors import ConnectError
from livebridge.transport import default_ssl_context, proxy_for

_REQUIREMENT: Final = re.compile(
    r"(?P<name>[\w.-]+)(\[.*?\])?\s*(>=\s*(?P<least>[\d.]+))?[^;]*(;.*extra == ['\"](?P<extra>\w+)['\"])?"
)
_MODULES: Final[Mapping[str, str]] = {"google-auth": "google.auth", "attrs": "attr"}
"""Packages whose module has another name than they have."""

_EXTRAS: Final[Mapping[str, str]] = {
    "audio": "recordings of any format in livebridge demo",
    "mcp": "MCP servers as tools",
}


@attrs.frozen(kw_only=True)
class Requirement:
    """A package that livebridge needs, or one of its extras does.

    Attributes:
        name: As on the package index.
        least: Oldest version that will do; empty for any.
        extra: Which extra needs it; ``None``: livebridge itself.
    """

    name: str
    least: str = ""
    extra: str | None = None

    @property
    def module(self) -> str:
        """What is imported."""
        return _MODULES.get(self.name, self.name.replace("-", "_"))


def read_requirements(lines: Sequence[str]) -> list[Requirement]:
    """Read the lines of a package's metadata; what cannot be read is left out."""
    found = [_REQUIREMENT.match(line) for line in lines]
    return [
        Requirement(name=match["name"], least=(match["least"] or "").strip("."), extra=match["extra"])
        for match in found
        if match is not None
    ]


def check_python() -> Finding:
    """Which Python runs; an older one than 3.11 would not have come so far."""
    what = f"{platform.python_implementation()} {platform.python_version()}"
    where = f"{platform.system()} {platform.machine()}; livebridge {__version__}"
    if sys.implementation.name != "cpython":
        return warn("python", f"{what} on {where}", "livebridge is tested with CPython only")
    return ok("python", f"{what} on {where}")


def check_packages() -> Iterator[Finding]:
    """Whether what livebridge needs is there, new enough, and can be imported."""
    try:
        needed = read_requirements(metadata.requires("livebridge") or [])
    except metadata.PackageNotFoundError:
        yield warn("packages", "livebridge is not installed, only found", "python -m pip install livebridge")
        return
    core = [each for each in needed if each.extra is None]
    trouble = [text for each in core if (text := _trouble(each))]
    if trouble:
        yield fail("packages", "; ".join(trouble), "python -m pip install --upgrade livebridge")
    else:
        yield ok("packages", f"{len(core)} there, trio {metadata.version('trio')}")
    for extra, purpose in _EXTRAS.items():
        missing = [text for each in needed if each.extra == extra and (text := _trouble(each))]
        if missing:
            yield ok(
                "packages",
                f"extra {extra} is not there, for {purpose}",
                f"if you want it: python -m pip install 'livebridge[{extra}]'",
            )
        else:
            yield ok("packages", f"extra {extra} is there")


def _trouble(requirement: Requirement) -> str:
    """What is wrong with a package; empty if nothing is."""
    try:
        version = metadata.version(requirement.name)
        import_module(requirement.module)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    except ImportError as error:
        return f"{requirement.name} cannot be imported ({error})"
    if _numbers(version) < _numbers(requirement.least):
        return f"{requirement.name} {version} is older than {requirement.least}"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: enough to compare releases."""
    match = re.match(r"[\d.]*", version)
    return tuple(int(part) for part in (match[0] if match else "").split(".") if part)


def check_tls(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether TLS can be spoken, and whom it trusts."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = environ.get(name)
        if path and not Path(path).exists():
            yield fail("tls", f"{name} names {path}, which does not exist", f"correct or unset {name}")
            return
    try:
        authorities = default_ssl_context().cert_store_stats()["x509_ca"]
    except (OSError, ssl.SSLError) as error:
        yield fail("tls", f"the certificates cannot be read: {error}", "correct SSL_CERT_FILE")
        return
    whose = "those of SSL_CERT_FILE or SSL_CERT_DIR" if _overridden(environ) else "the system's and certifi's"
    if authorities or environ.get("SSL_CERT_DIR"):
        yield ok("tls", f"{ssl.OPENSSL_VERSION}; {authorities} authorities loaded, {whose}")
    else:
        yield fail(
            "tls", f"no authority is trusted ({whose})", "unset SSL_CERT_FILE, or name a file that has some"
        )
    if environ.get("SSLKEYLOGFILE"):
        yield warn("tls", "SSLKEYLOGFILE is set: the keys of your connections are written there", "unset it")


def _overridden(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR"))


def check_proxy(url: str, environ: Mapping[str, str] = os.environ) -> Finding:
    """Which proxy the environment prescribes for the server, and whether it is of a kind that is known.

    Args:
        url: Where the server is.
        environ: The environment.
    """
    try:
        proxy = proxy_for(url, environ=environ)
        parts = urlsplit(proxy or "")
        port = f":{parts.port}" if parts.port else ""
    except (ConnectError, ValueError):
        return fail(
            "proxy", "the URL of the proxy cannot be read", "expected http://host:port in https_proxy"
        )
    if not proxy:
        return ok("proxy", "none: directly to the server")
    shown = f"{parts.scheme}://{'***@' if parts.username else ''}{parts.hostname}{port}"
    if parts.scheme not in {"http", "https"}:
        return fail(
            "proxy", f"{shown} is none that livebridge knows", "an HTTP proxy: https_proxy=http://host:port"
        )
    return ok("proxy", f"{shown}, by the environment")
