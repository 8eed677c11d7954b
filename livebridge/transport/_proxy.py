"""Which HTTP proxy a connection goes through: the rules of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from livebridge.transport._address import Address


def proxy_from_environment(address: Address, environ: Mapping[str, str]) -> str | None:
    """Find the proxy that the environment prescribes.

    ``https_proxy`` serves ``wss``, ``http_proxy`` serves ``ws``, ``all_proxy`` both; lower case wins over
    upper case. ``no_proxy`` is a comma-separated list of names (their subdomains included), ``host:port``,
    IP addresses, networks (``10.0.0.0/8``), or ``*``. The local host is never reached through a proxy.

    Args:
        address: Where to connect.
        environ: The environment.

    Returns:
        A proxy URL, or ``None``.
    """
    if _is_local(address.host) or _is_excepted(address, _variable(environ, "no_proxy")):
        return None
    if address.tls:
        found = _variable(environ, "https_proxy")
    elif "REQUEST_METHOD" in environ:
        # In a CGI script, HTTP_PROXY may come from a "Proxy:" request header of an attacker.
        found = environ.get("http_proxy", "")
    else:
        found = _variable(environ, "http_proxy")
    found = found or _variable(environ, "all_proxy")
    if not found:
        return None
    return found if "://" in found else f"http://{found}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, environ.get(name.upper(), "")).strip()


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_excepted(address: Address, no_proxy: str) -> bool:
    entries = [
        entry.strip().lower().lstrip("*.") if entry.strip() != "*" else "*"
        for entry in no_proxy.split(",")
        if entry.strip()
    ]
    host = address.host.lower()
    return any(
        entry == "*"
        or entry in {host, f"{host}:{address.port}"}
        or host.endswith(f".{entry}")
        or f"{host}:{address.port}".endswith(f".{entry}")
        or _is_in_network(host, entry)
        for entry in entries
    )


def _is_in_network(host: str, entry: str) -> bool:
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False
