"""Decides who may open a WebSocket: paths, API keys, bearer tokens and ephemeral tokens."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

import attrs

from livebridge import wire
from livebridge.simulator._ephemeral import EphemeralTokens
from livebridge.simulator._refusals import BAD_API_KEY, RefusedError
from livebridge.simulator._settings import Settings

_GEMINI: Final = re.compile(
    r"/{1,2}ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)\.GenerativeService"
    r"\.BidiGenerateContent(Constrained)?"
)
_VERTEX: Final = re.compile(
    r"/{1,2}ws/google\.cloud\.aiplatform\.(v1|v1beta1)\.LlmBidiService/BidiGenerateContent"
)

_NO_KEY: Final = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
    "other form of API consumer identity to call this API."
)
_BAD_BEARER: Final = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_STATUS_NAMES: Final = {
    HTTPStatus.BAD_REQUEST: "INVALID_ARGUMENT",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "UNIMPLEMENTED",
    HTTPStatus.TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
}


@attrs.frozen(kw_only=True)
class HttpRequest:
    """An HTTP request.

    Attributes:
        method: ``GET`` or ``POST``, say.
        target: Path and query, as sent.
        headers: By lower-case name.
        body: What came after the head.
    """

    method: str
    target: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The target without its query. A double slash at its beginning is kept."""
        return urlsplit(f"http://simulator{self.target}").path

    def query(self, name: str) -> str | None:
        """The first value of a query member."""
        values = parse_qs(urlsplit(f"http://simulator{self.target}").query).get(name)
        return values[0] if values else None


@attrs.frozen(kw_only=True)
class HttpResponse:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Admission:
    """A caller who may come in.

    Attributes:
        vertex: Whether the path is the one of Vertex AI.
        version: The API version in the path.
        token: The ephemeral token, if that is the credential.
        key_is_good: Whether the API key is a known one; the Gemini API says so only after the upgrade.
    """

    vertex: bool
    version: str
    token: str | None = attrs.field(default=None, repr=False)
    key_is_good: bool = True

    def constrain(self, tokens: EphemeralTokens, setup: wire.Setup, *, wall_clock: float) -> wire.Setup:
        """What the credential makes of a setup.

        Raises:
            RefusedError: The key is wrong, or the token is unknown, expired or used up.
        """
        if not self.key_is_good:
            raise RefusedError(BAD_API_KEY)
        if self.token is None:
            return setup
        return tokens.use(self.token, setup, now=wall_clock)


def error_response(
    status: HTTPStatus, message: str, *, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A refusal with the JSON body Google's HTTP front sends."""
    name = _STATUS_NAMES.get(status, status.name)
    body = {"error": {"code": status.value, "message": message, "status": name}}
    return HttpResponse(
        status=status,
        body=wire.dumps(body, pretty=True),
        headers={"content-type": "application/json; charset=UTF-8", **(headers or {})},
    )


def admit(request: HttpRequest, settings: Settings) -> Admission | HttpResponse:
    """Decide on a WebSocket upgrade.

    Returns:
        An `Admission`, or the refusal to send.
    """
    gemini = _GEMINI.fullmatch(request.path)
    if gemini is not None:
        return _admit_gemini(request, settings, version=gemini[1], constrained=gemini[2] is not None)
    vertex = _VERTEX.fullmatch(request.path)
    if vertex is not None:
        return _admit_vertex(request, settings, version=vertex[1])
    return error_response(
        HTTPStatus.NOT_FOUND, f"The requested URL {request.path} was not found on this server."
    )


def api_key_of(request: HttpRequest) -> str | None:
    """The API key of a request, from its header or its query."""
    return request.headers.get("x-goog-api-key") or request.query("key")


def _admit_gemini(
    request: HttpRequest, settings: Settings, *, version: str, constrained: bool
) -> Admission | HttpResponse:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    token = credential if scheme.lower() == "token" else request.query("access_token")
    if token is not None:
        if not constrained or version == "v1":
            return error_response(HTTPStatus.UNAUTHORIZED, _BAD_BEARER)
        return Admission(vertex=False, version=version, token=token)
    key = api_key_of(request)
    if key is None or constrained:
        return error_response(HTTPStatus.FORBIDDEN, _NO_KEY)
    return Admission(vertex=False, version=version, key_is_good=key in settings.api_keys)


def _admit_vertex(request: HttpRequest, settings: Settings, *, version: str) -> Admission | HttpResponse:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        known = credential in settings.access_tokens
    else:
        known = api_key_of(request) in settings.api_keys
    if not known:
        return error_response(HTTPStatus.UNAUTHORIZED, _BAD_BEARER)
    return Admission(vertex=True, version=version)
