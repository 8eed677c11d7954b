"""What the doctor asks others: credentials, name look-up, the way to the server, the clock, and a session."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import trio

from livebridge.auth import Auth, VertexAi
from livebridge.cli._doctor_finding import Finding, fail, ok, warn
from livebridge.errors import ConnectError, CredentialsError, LivebridgeError
from livebridge.session import Session
from livebridge.transport import default_ssl_context, dial, proxy_for

PATIENCE: Final = 10.0
"""Seconds for each step; a step that takes longer would fail in a session, too."""

CLOCK_WARN: Final = 30.0
"""Seconds. A new ephemeral token is good for one minute by default, by our clock."""

CLOCK_FAIL: Final = 240.0
"""Seconds. Google refuses signed requests that are five minutes off."""

_REFUSED: Final = frozenset({400, 401, 403})
"""What a server says to somebody who does not tell who he is."""

_NOT_FOUND: Final = 404

_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


async def check_credentials(auth: Auth, environ: Mapping[str, str] = os.environ) -> Finding:
    """Whether headers can be made of the credentials; Google's are refreshed for that."""
    try:
        with trio.fail_after(PATIENCE):
            await auth.headers()
    except trio.TooSlowError:
        return fail(
            "credentials", f"no token within {PATIENCE:g} s", "is the way to Google's token server open?"
        )
    except CredentialsError as error:
        return fail("credentials", str(error), "see python -m pydoc livebridge.auth")
    if isinstance(auth, VertexAi):
        try:
            auth.model_resource("any")
        except LivebridgeError as error:
            return fail("credentials", str(error), "--project ID, or set GOOGLE_CLOUD_PROJECT")
        return ok("credentials", f"Google credentials, location {auth.location}")
    return _key(auth, environ)


def _key(auth: Auth, environ: Mapping[str, str]) -> Finding:
    kind = type(auth).__name__
    names = [name for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY") if environ.get(name)]
    if len({environ[name] for name in names}) > 1:
        return warn(
            "credentials", f"{kind}; GOOGLE_API_KEY and GEMINI_API_KEY differ, the first wins", "unset one"
        )
    where = f" from {names[0]}, {len(environ[names[0]])} characters" if names else ""
    return ok("credentials", f"{kind}{where}")


async def check_name(url: str) -> Finding:
    """Whether the server's name, or that of the proxy before it, can be looked up."""
    parts = urlsplit(proxy_for(url) or url)
    host, port = parts.hostname or "", parts.port or 443
    began = trio.current_time()
    try:
        with trio.fail_after(PATIENCE):
            found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    except (OSError, UnicodeError, trio.TooSlowError) as error:
        what = f"nothing within {PATIENCE:g} s" if isinstance(error, trio.TooSlowError) else _words(error)
        return fail("dns", f"{host}: {what}", "is there a network? behind a proxy set https_proxy")
    addresses = {str(entry[4][0]) for entry in found}
    took = (trio.current_time() - began) * 1000
    return ok(
        "dns", f"{host} has {len(addresses)} address{'es' if len(addresses) > 1 else ''}, {took:.0f} ms"
    )


async def check_server(url: str) -> Finding:
    """Whether the server can be reached and verified; it is not told who asks."""
    began = trio.current_time()
    refusal: ConnectError | None = None
    async with trio.open_nursery() as nursery:
        try:
            transport = await dial(nursery, url, headers={}, dial_timeout=PATIENCE)
        except ConnectError as error:
            refusal = error
        else:
            await transport.aclose()
    took = f"{(trio.current_time() - began) * 1000:.0f} ms"
    if refusal is None:
        return ok("server", f"{_host(url)} answers, {took}")
    return _what_it_means(refusal, _host(url), took)


def _what_it_means(refusal: ConnectError, host: str, took: str) -> Finding:
    """An HTTP answer of the server shows that the way is open; one of a proxy does not."""
    if refusal.status is None or not str(refusal).startswith(host):
        return fail("server", str(refusal), "is there a firewall, or a proxy that belongs into https_proxy?")
    if refusal.status in _REFUSED:
        return ok("server", f"{host} answers, {took} (HTTP {refusal.status}: it was not told who asks)")
    if refusal.status == _NOT_FOUND:
        return fail("server", str(refusal), "correct --base-url, or the base URL in the environment")
    return warn("server", str(refusal), "the server has trouble of its own; try again later")


async def check_clock(url: str) -> Finding:
    """Whether our clock is that of the server."""
    parts = urlsplit(url)
    if parts.hostname in _HERE:
        return ok("clock", "the server is on this machine")
    scheme = {"wss": "https", "ws": "http"}[parts.scheme]
    origin = urlunsplit((scheme, parts.netloc, "/", "", ""))
    try:
        with trio.fail_after(PATIENCE):
            said = await trio.to_thread.run_sync(_date_of, origin, abandon_on_cancel=True)
    except (OSError, ValueError, trio.TooSlowError) as error:
        return warn("clock", f"nobody to compare it with ({_words(error)})", "see that it is set by NTP")
    if said is None:
        return warn("clock", "the server does not say what time it is", "see that yours is set by NTP")
    off = time.time() - said
    text = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server's"
    if abs(off) >= CLOCK_FAIL:
        return fail("clock", text, "set it: certificates, Google credentials and tokens depend on it")
    if abs(off) >= CLOCK_WARN:
        return warn("clock", text, "set it: ephemeral tokens may be too old when they are made")
    return ok("clock", "agrees with the server's")


def _date_of(url: str) -> float | None:
    """What time a server says it is; blocks."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - http or https, as just made
    context = default_ssl_context() if url.startswith("https") else None
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:  # noqa: S310 - as above
            date = answer.headers.get("date")
    except urllib.error.HTTPError as refusal:
        with refusal:
            date = refusal.headers.get("date")
    return parsedate_to_datetime(date).timestamp() if date else None


async def check_session(model: str, options: Mapping[str, object]) -> Finding:
    """Whether a session can be opened; nothing is said in it.

    Args:
        model: With which model.
        options: Where to, and as whom.
    """
    began = trio.current_time()
    try:
        async with Session.start(model=model, connect_attempts=1, **options) as session:
            took = trio.current_time() - began
            await session.close()
    except LivebridgeError as error:
        return fail("session", f"{model}: {error}", "livebridge models lists what your credentials can use")
    return ok("session", f"{model} was ready after {took:.2f} s")


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'wss' else 80)}"


def _words(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
