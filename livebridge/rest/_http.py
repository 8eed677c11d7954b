"""The only module that knows httpx2: one JSON call with credentials, retries and typed errors."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.auth import Auth, Way, headers_by
from livebridge.errors import DecodeError, RestError

_log = logging.getLogger("livebridge.rest")

# One first try and three more, as google-genai does when asked to retry at all.
_ATTEMPTS: Final = 4
_FIRST_DELAY_SECONDS: Final = 1.0
_LONGEST_DELAY_SECONDS: Final = 60.0

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_ERROR: Final = 400
_CREDENTIALS_REFUSED: Final = frozenset({401, 403})
_REASON_CHARACTERS: Final = 2000

# No proxy, whatever the environment says; its certificates still count.
_DIRECT: Final = {"http://": None, "https://": None, "all://": None}

# Shorter header values are no secrets, and hiding them would garble the text.
_SECRET_CHARACTERS: Final = 8


@attrs.frozen(kw_only=True)
class Call:
    """One HTTP call.

    Attributes:
        method: ``GET`` or ``POST``.
        url: Where, without a query and without a secret.
        query: Query parameters.
        body: Sent as JSON; ``None``: nothing.
        timeout: Seconds for one attempt.
        way: Through which proxy, trusting whom.
    """

    method: str
    url: str
    query: Mapping[str, str] = attrs.field(factory=dict)
    body: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    timeout: float = 30.0
    way: Way = attrs.field(factory=Way)


@attrs.frozen(kw_only=True)
class _Answer:
    status: int
    text: bytes = attrs.field(repr=False)
    retry_after: str = ""


async def fetch(auth: Auth, call: Call) -> Mapping[str, object]:
    """Make the call, again if that can help.

    A refused credential is refreshed and tried once more; 408, 425, 429, 5xx and network failures are tried up to
    four times, after what ``Retry-After`` asks for or a growing, random delay.

    Args:
        auth: Who we are.
        call: What to do.

    Returns:
        The JSON object that came back.

    Raises:
        CredentialsError: There are no credentials.
        RestError: It failed for good; with the HTTP status, the server's text and whether a later try can help.
    """
    attempt, refreshed = 1, False
    headers = await headers_by(auth, way=call.way)
    while True:
        try:
            answer = await _send(call, headers)
        except RestError as error:
            if attempt == _ATTEMPTS or not error.retryable:
                raise
            delay = _delay(attempt, "")
        else:
            if answer.status < _FIRST_ERROR:
                return _parse(call, answer)
            if answer.status in _CREDENTIALS_REFUSED and not refreshed:
                refreshed, headers = True, await headers_by(auth, way=call.way, refresh=True)
                continue
            if answer.status not in _AGAIN or attempt == _ATTEMPTS:
                raise _refusal(call, answer, headers)
            _log.info("%s %s: HTTP %d, trying again", call.method, call.url, answer.status)
            delay = _delay(attempt, answer.retry_after)
        attempt += 1
        await trio.sleep(delay)


async def _send(call: Call, headers: Mapping[str, str]) -> _Answer:
    # Importing an HTTP client takes as long as the rest of the package; a session never needs one.
    import httpx2  # noqa: PLC0415

    content = None if call.body is None else wire.dumps(call.body)
    direct = call.way.proxy is None
    sent = {**headers, "content-type": "application/json"}
    try:
        with trio.fail_after(call.timeout):
            # The scope above bounds the whole attempt, not only each of its steps.
            async with httpx2.AsyncClient(
                timeout=None,
                verify=call.way.ssl_context or True,
                proxy=None if direct or call.way.proxy == "env" else call.way.proxy,
                mounts=_DIRECT if direct else None,
            ) as client:
                response = await client.request(
                    call.method, call.url, params=dict(call.query), content=content, headers=sent
                )
    except trio.TooSlowError as error:
        raise RestError(
            f"{call.method} {call.url} took longer than {call.timeout:g} s", retryable=True
        ) from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as error:
        raise RestError(f"{call.method} {call.url} cannot be sent: {error}", retryable=False) from error
    except httpx2.HTTPError as error:
        raise RestError(
            f"{call.method} {call.url} failed: {str(error) or type(error).__name__}", retryable=True
        ) from error
    return _Answer(
        status=response.status_code,
        text=response.content,
        retry_after=response.headers.get("retry-after", ""),
    )


def _parse(call: Call, answer: _Answer) -> Mapping[str, object]:
    try:
        parsed: object = wire.loads(answer.text) if answer.text.strip() else {}
    except DecodeError as error:
        raise RestError(
            f"{call.method} {call.url}: the answer is not JSON", status=answer.status, retryable=False
        ) from error
    if not isinstance(parsed, Mapping):
        raise RestError(
            f"{call.method} {call.url}: the answer is no JSON object", status=answer.status, retryable=False
        )
    return parsed


def _refusal(call: Call, answer: _Answer, headers: Mapping[str, str]) -> RestError:
    reason = _reason(answer.text)
    for value in headers.values():
        for word in {value, *value.split()}:
            if len(word) >= _SECRET_CHARACTERS:
                reason = reason.replace(word, "***")
    return RestError(
        f"{call.method} {call.url} was refused with HTTP {answer.status}: {reason}",
        status=answer.status,
        reason=reason,
        retryable=answer.status in _AGAIN,
    )


def _reason(text: bytes) -> str:
    """Read Google's ``{"error": {"message": …}}``, or whatever else came."""
    try:
        parsed: object = wire.loads(text)
    except DecodeError:
        parsed = None
    error = parsed.get("error") if isinstance(parsed, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    found = message if isinstance(message, str) else text.decode(errors="replace")
    return found.strip()[:_REASON_CHARACTERS]


def _delay(attempt: int, retry_after: str) -> float:
    asked = _seconds(retry_after.strip())
    if asked is not None:
        return min(asked, _LONGEST_DELAY_SECONDS)
    return random.uniform(0.5, 1.0) * _FIRST_DELAY_SECONDS * 2.0 ** (attempt - 1)  # noqa: S311 - jitter


def _seconds(retry_after: str) -> float | None:
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time())
    except (ValueError, OverflowError):
        return None
