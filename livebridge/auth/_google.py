"""The only module that knows google-auth: tokens, fetched and refreshed in worker threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Protocol, TypeVar, runtime_checkable

import attrs
import trio

from livebridge.auth._failures import credentials_failure, provided
from livebridge.auth._headers import checked
from livebridge.auth._ways import Way

_T = TypeVar("_T")

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)

_NO_DEFAULT: Final = (
    "cannot find application default credentials; run 'gcloud auth application-default login',"
    " set GOOGLE_APPLICATION_CREDENTIALS, or pass credentials="
)

_SCHEMES: Final = ("http", "https")

_USUAL: Final = Way()
"""As the environment says."""

# google-auth asks for 120 s; a dial that waits so long is lost anyway.
_REQUEST_SECONDS: Final = 20.0


@runtime_checkable
class GoogleCredentials(Protocol):
    """What we use of ``google.auth.credentials.Credentials``; ``quota_project_id`` is optional."""

    @property
    def token(self) -> str | None:
        """The bearer token, ``None`` before the first refresh."""
        ...

    @property
    def valid(self) -> bool:
        """Whether there is a token that has not expired."""
        ...

    def refresh(self, request: object) -> None:
        """Get a new token; blocks."""
        ...


CredentialsSource = GoogleCredentials | Callable[[], Awaitable[GoogleCredentials | str]]
"""google-auth credentials, or an async function that returns them or a bare token, asked on every dial."""


@attrs.frozen(kw_only=True)
class Bearer:
    """A token and who pays for its use."""

    token: str = attrs.field(repr=False)
    quota_project: str | None = None


@attrs.define
class GoogleTokens:
    """Hands out a bearer token, valid now; one refresh at a time, however many sessions ask.

    Attributes:
        source: Where credentials come from; ``None`` means application default credentials.
        project: The project that the default credentials belong to, once they were found.
    """

    source: CredentialsSource | None = attrs.field(repr=False)
    project: str | None = None
    _default: GoogleCredentials | None = attrs.field(default=None, init=False, repr=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False, repr=False)

    async def bearer(self, *, refresh: bool = False, way: Way = _USUAL) -> Bearer:
        """Return a token, refreshed in a worker thread when it has to be.

        Args:
            refresh: Get a new one even if the old one seems good.
            way: How to get there.

        Raises:
            CredentialsError: There are no credentials, or the refresh failed.
        """
        known = self._default if self.source is None else self.source
        before = known.token if isinstance(known, GoogleCredentials) else None
        async with self._lock:
            credentials = await self._credentials(way)
            if isinstance(credentials, str):
                return Bearer(token=checked(credentials, what="access token"))
            # Whoever waited for the lock while another refreshed takes that token.
            stale = refresh and credentials.token == before
            if stale or not credentials.valid:
                await _in_thread(lambda: _refresh(credentials, way), "cannot refresh the Google credentials")
            return Bearer(
                token=checked(credentials.token or "", what="access token"),
                quota_project=getattr(credentials, "quota_project_id", None),
            )

    async def _credentials(self, way: Way) -> GoogleCredentials | str:
        if isinstance(self.source, GoogleCredentials):
            return self.source
        if self.source is not None:
            return await provided(self.source, what="credentials")
        if self._default is None:
            credentials, found = await _in_thread(lambda: _load_default(way), _NO_DEFAULT)
            self._default, self.project = credentials, self.project or found
            return credentials
        return self._default


async def _in_thread(work: Callable[[], _T], failed: str) -> _T:
    try:
        return await trio.to_thread.run_sync(work, abandon_on_cancel=True)
    except Exception as error:
        raise credentials_failure(failed, error) from error


def _load_default(way: Way) -> tuple[GoogleCredentials, str | None]:
    # Importing google-auth takes longer than importing this whole package, and most users never need it.
    import google.auth  # noqa: PLC0415

    found: tuple[GoogleCredentials, str | None] = google.auth.default(
        scopes=_SCOPES,
        request=partial(_request, way=way),  # type: ignore[arg-type] # google-auth only ever calls it
    )
    return found


def _refresh(credentials: GoogleCredentials, way: Way) -> None:
    credentials.refresh(partial(_request, way=way))


@attrs.frozen(kw_only=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    data: bytes = attrs.field(repr=False)


def _request(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    *,
    way: Way = _USUAL,
    **_: object,
) -> _Response:
    """Make one HTTP request for google-auth, which brings no HTTP client of its own; blocks."""
    import urllib.error  # noqa: PLC0415 - only needed here, and heavy
    import urllib.request  # noqa: PLC0415 - as above

    from google.auth.exceptions import TransportError  # noqa: PLC0415 - as above

    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310 - google-auth's own URLs
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(_proxies(way)),
        urllib.request.HTTPSHandler(context=way.ssl_context),
    )
    seconds = min(timeout or _REQUEST_SECONDS, _REQUEST_SECONDS)
    try:
        with opener.open(request, timeout=seconds) as answer:
            return _Response(status=answer.status, headers=dict(answer.headers), data=answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return _Response(status=answer.code, headers=dict(answer.headers), data=answer.read())
    except OSError as error:
        raise TransportError(  # type: ignore[no-untyped-call] # google-auth annotates no exceptions
            f"{type(error).__name__} while asking for a token", retryable=True
        ) from error


def _proxies(way: Way) -> dict[str, str] | None:
    """As urllib wants to be told: ``None`` means that it looks into the environment."""
    if way.proxy == "env":
        return None
    return {} if way.proxy is None else dict.fromkeys(_SCHEMES, way.proxy)
