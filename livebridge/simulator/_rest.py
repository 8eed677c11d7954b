"""The HTTP calls beside the WebSocket: the list of models, and making ephemeral tokens."""

import re
from http import HTTPStatus
from typing import Final

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.simulator._ephemeral import EphemeralTokens, TokenRequestError, timestamp
from livebridge.simulator._gate import HttpRequest, HttpResponse, api_key_of, error_response
from livebridge.simulator._profiles import Profile
from livebridge.simulator._world import World

_MODELS: Final = re.compile(r"/{1,2}(?:v1|v1beta|v1alpha)/models(?:/([\w.-]+))?")
_PUBLISHER_MODELS: Final = re.compile(r"/{1,2}(?:v1|v1beta1)/publishers/google/models(?:/([\w.-]+))?")
_TOKENS: Final = re.compile(r"/{1,2}(?:v1|v1beta|v1alpha)/auth_tokens")
_BAD_KEY: Final = "API key not valid. Please pass a valid API key."
_PAGE_SIZE: Final = 50


def answer(request: HttpRequest, world: World, tokens: EphemeralTokens, *, wall_clock: float) -> HttpResponse:
    """Answer an HTTP request.

    Args:
        request: What was asked.
        world: The models and the keys.
        tokens: Where new tokens go.
        wall_clock: Seconds since 1970.
    """
    models = _MODELS.fullmatch(request.path)
    publisher_models = _PUBLISHER_MODELS.fullmatch(request.path)
    creates = _TOKENS.fullmatch(request.path) is not None
    if models is None and publisher_models is None and not creates:
        return error_response(
            HTTPStatus.NOT_FOUND, f"The requested URL {request.path} was not found on this server."
        )
    if request.method != ("POST" if creates else "GET"):
        return error_response(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not allowed here.")
    vertex = publisher_models is not None
    refusal = _refusal(request, world, vertex=vertex)
    if refusal is not None:
        return refusal
    if creates:
        return _create_token(request, world, tokens, wall_clock=wall_clock)
    found = models or publisher_models
    return _models(request, world, name=None if found is None else found[1], vertex=vertex)


def _refusal(request: HttpRequest, world: World, *, vertex: bool) -> HttpResponse | None:
    if api_key_of(request) in world.settings.api_keys:
        return None
    if not vertex:
        return error_response(HTTPStatus.BAD_REQUEST, _BAD_KEY)
    if _bearer_is_good(request, world):
        return None
    return error_response(HTTPStatus.UNAUTHORIZED, "Request had invalid authentication credentials.")


def _bearer_is_good(request: HttpRequest, world: World) -> bool:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and credential in world.settings.access_tokens


def _models(request: HttpRequest, world: World, *, name: str | None, vertex: bool) -> HttpResponse:
    listing = [_model(known, profile, vertex=vertex) for known, profile in world.settings.profiles.items()]
    if name is not None:
        profile = world.settings.profiles.get(name)
        if profile is None:
            return error_response(HTTPStatus.NOT_FOUND, f"Model is not found: models/{name}")
        return _json(_model(name, profile, vertex=vertex))
    start = _number(request.query("pageToken"), 0)
    size = _number(request.query("pageSize"), _PAGE_SIZE) or _PAGE_SIZE
    body: dict[str, object] = {"publisherModels" if vertex else "models": listing[start : start + size]}
    if start + size < len(listing):
        body["nextPageToken"] = str(start + size)
    return _json(body)


def _model(name: str, profile: Profile, *, vertex: bool) -> dict[str, object]:
    if vertex:
        return {"name": f"publishers/google/models/{name}", "versionId": "default", "launchStage": "GA"}
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "description": f"Simulated; answers in {' or '.join(profile.modalities).lower()}.",
        "inputTokenLimit": profile.context_tokens,
        "outputTokenLimit": 8192,
        "supportedGenerationMethods": ["countTokens", "bidiGenerateContent"],
    }


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else default


def _create_token(
    request: HttpRequest, world: World, tokens: EphemeralTokens, *, wall_clock: float
) -> HttpResponse:
    try:
        body = wire.loads(request.body or b"{}")
        token = tokens.create(body, now=wall_clock, make_name=lambda: world.make_uuid().replace("-", ""))
    except (DecodeError, TokenRequestError) as error:
        return error_response(HTTPStatus.BAD_REQUEST, f"Invalid JSON payload received. {error}")
    return _json(
        {
            "name": token.name,
            "uses": token.uses,
            "expireTime": timestamp(token.expires_at),
            "newSessionExpireTime": timestamp(token.new_session_expires_at),
        }
    )


def _json(value: object) -> HttpResponse:
    headers = {"content-type": "application/json; charset=UTF-8"}
    return HttpResponse(status=HTTPStatus.OK, body=wire.dumps(value, pretty=True), headers=headers)
