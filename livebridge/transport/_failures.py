"""The only place where what can go wrong while dialling becomes a `ConnectError`."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import h11
import trio

from livebridge.errors import ConnectError
from livebridge.transport._http import Answer, EarlyEndError

_REASON_CHARACTERS: Final = 2000

# Shorter header values (``1``, ``gzip``, a version) are no secrets, and hiding them would garble the text.
_SECRET_CHARACTERS: Final = 8

_SERVER_ERROR: Final = 500
_TRY_AGAIN: Final = frozenset({408, 425, 429})

_HINTS: Final[Mapping[int, str]] = {
    400: "the server finds the request malformed: check the credentials and the URL",
    401: "the credentials were not accepted",
    403: "the credentials are known but may not do this",
    404: "there is nothing at this path: check the base URL and the API version",
    407: "the proxy wants credentials: http://user:password@host:port",
    426: "the server wants another protocol version",
    429: "too many connections or requests: wait, or ask for more quota",
}

FOREIGN: Final = (
    OSError,
    ssl.SSLError,
    UnicodeError,
    h11.ProtocolError,
    trio.TooSlowError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    EarlyEndError,
)
"""Everything that name lookup, TCP, TLS and HTTP raise when they fail."""


def failure(error: BaseException, *, doing: str, timeout: float) -> ConnectError:
    """Say what a foreign exception means.

    Args:
        error: One of `FOREIGN`.
        doing: What was being done, for the message (``connecting to host:443``).
        timeout: The dial timeout in seconds.

    Returns:
        The error to raise from it.
    """
    # trio wraps what TLS and the operating system say.
    cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) and error.__cause__ else error
    retryable, hint = True, None
    match cause:
        case trio.TooSlowError():
            message = f"{doing} took longer than dial_timeout ({timeout:g} s)"
        case ssl.SSLCertVerificationError():
            message = f"{doing} failed: the certificate is not acceptable: {_tls_text(cause)}"
            retryable, hint = False, "give your own authority as ssl_context; do not switch verification off"
        case ssl.SSLError():
            message = f"{doing} failed: TLS: {_tls_text(cause)}"
        case trio.BrokenResourceError() | trio.ClosedResourceError() | EarlyEndError():
            message = f"{doing} failed: the peer hung up before it answered"
        case h11.LocalProtocolError() | UnicodeError():
            message, retryable = f"{doing} failed: a host name or header has illegal characters", False
        case h11.RemoteProtocolError():
            message = f"{doing} failed: the answer is not HTTP"
        case _:
            message, retryable = (
                f"{doing} failed: {_os_text(cause)}",
                not isinstance(cause, FileNotFoundError),
            )
    return _connect_error(message, retryable=retryable, hint=hint)


def refusal(answer: Answer, *, by: str, sent: Mapping[str, str]) -> ConnectError:
    """Say what an HTTP status other than the wished one means.

    Args:
        answer: The server's or proxy's answer.
        by: Who answered.
        sent: The headers that were sent: a server that quotes them must not put a secret into an error.

    Returns:
        The error to raise.
    """
    status = answer.status
    return ConnectError(
        f"{by} refused the connection with HTTP {status}",
        status=status,
        reason=_without_secrets(answer.body.strip()[:_REASON_CHARACTERS], sent),
        phase="dial",
        initiated_by="server",
        retryable=status in _TRY_AGAIN or status >= _SERVER_ERROR,
        retry_after=retry_after(answer.header("retry-after"), now=time.time()),
        hint=_HINTS.get(status),
    )


def retry_after(value: str, *, now: float) -> float | None:
    """Read a ``Retry-After`` header.

    Args:
        value: Seconds or an HTTP date; anything else counts as absent.
        now: Seconds since the epoch.

    Returns:
        Seconds to wait from now, never negative.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def not_a_websocket(problem: str) -> ConnectError:
    """Say that a server answered 101 but does not speak WebSocket as agreed."""
    return _connect_error(f"the server accepted the upgrade wrongly: {problem}")


def _connect_error(message: str, *, retryable: bool = False, hint: str | None = None) -> ConnectError:
    return ConnectError(message, phase="dial", initiated_by="network", retryable=retryable, hint=hint)


def _tls_text(error: ssl.SSLError) -> str:
    """Read the attributes that only errors raised by OpenSSL itself have."""
    return getattr(error, "verify_message", None) or getattr(error, "reason", None) or str(error)


def _os_text(error: BaseException) -> str:
    """Name the first cause: happy eyeballs raises an OSError whose cause is a group, one error an address."""
    group = error.__cause__
    if isinstance(group, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(_os_text(each) for each in group.exceptions))
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _without_secrets(text: str, sent: Mapping[str, str]) -> str:
    for value in sent.values():
        for word in {value, *value.split()}:
            if len(word) >= _SECRET_CHARACTERS:
                text = text.replace(word, "***")
    return text
