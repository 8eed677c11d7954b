"""Ephemeral tokens: made over HTTP, spent on setups, with expiry, uses, constraints and locks."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import ConfigError, DecodeError
from livebridge.simulator._refusals import EXPIRED_KEY, UNAVAILABLE, RefusedError

DEFAULT_LIFE_SECONDS: Final = 30 * 60.0
DEFAULT_NEW_SESSION_SECONDS: Final = 60.0
LONGEST_LIFE_SECONDS: Final = 20 * 60 * 60.0
_CAMEL: Final = re.compile(r"(?<!^)(?=[A-Z])")


class TokenRequestError(ConfigError):
    """A token cannot be made as asked."""


@attrs.define(kw_only=True)
class EphemeralToken:
    """A token that has been made.

    Attributes:
        name: ``auth_tokens/…``, the secret itself.
        expires_at: When messages are refused, as seconds since 1970.
        new_session_expires_at: When new sessions are refused.
        uses: How many new sessions it is good for; 0 is any number.
        constraints: A setup that holds what the client must use.
        field_mask: Which fields of it are locked; ``None`` locks everything.
        used: How many new sessions it has begun.
    """

    name: str = attrs.field(repr=False)
    expires_at: float
    new_session_expires_at: float
    uses: int = 1
    constraints: wire.Setup | None = None
    field_mask: tuple[str, ...] | None = None
    used: int = 0


class EphemeralTokens:
    """Every ephemeral token of a simulator."""

    def __init__(self) -> None:
        self._tokens: dict[str, EphemeralToken] = {}

    def create(self, request: object, *, now: float, make_name: Callable[[], str]) -> EphemeralToken:
        """Make a token from the body of ``POST /{version}/auth_tokens``.

        Args:
            request: The parsed body.
            now: Seconds since 1970.
            make_name: Gives a fresh name without its prefix.

        Raises:
            TokenRequestError: A member is wrong.
        """
        if not isinstance(request, Mapping):
            raise TokenRequestError("the request body must be a JSON object")
        known = {"uses", "expireTime", "newSessionExpireTime", "bidiGenerateContentSetup", "fieldMask"}
        unknown = sorted(set(request) - known)
        if unknown:
            raise TokenRequestError(f'Unknown name "{unknown[0]}": Cannot find field.')
        uses = request.get("uses", 1)
        if not isinstance(uses, int) or uses < 0:
            raise TokenRequestError("uses must be a number from 0 on")
        token = EphemeralToken(
            name=f"auth_tokens/{make_name()}",
            expires_at=_time(request.get("expireTime"), now, DEFAULT_LIFE_SECONDS),
            new_session_expires_at=_time(
                request.get("newSessionExpireTime"), now, DEFAULT_NEW_SESSION_SECONDS
            ),
            uses=uses,
            constraints=_constraints(request.get("bidiGenerateContentSetup")),
            field_mask=_mask(request.get("fieldMask")),
        )
        self._tokens[token.name] = token
        return token

    def use(self, name: str, setup: wire.Setup, *, now: float) -> wire.Setup:
        """Spend a token on a setup; resuming a session is not a use.

        Returns:
            The setup with everything the token locks.

        Raises:
            RefusedError: The token is unknown, expired or used up.
        """
        token = self._tokens.get(name)
        if token is None or now >= token.expires_at:
            raise RefusedError(EXPIRED_KEY)
        resumption = setup.session_resumption
        if resumption is None or not resumption.handle:
            if now >= token.new_session_expires_at:
                raise RefusedError(EXPIRED_KEY)
            if token.uses and token.used >= token.uses:
                raise RefusedError(UNAVAILABLE)
            token.used += 1
        return locked(setup, token)


def locked(setup: wire.Setup, token: EphemeralToken) -> wire.Setup:
    """A client's setup with what the token locks put in its place.

    Without a field mask the token's setup counts and the client's is ignored, except for its resumption handle.
    """
    if token.constraints is None:
        return setup
    if token.field_mask is None:
        resumption = setup.session_resumption or token.constraints.session_resumption
        return attrs.evolve(token.constraints, session_resumption=resumption)
    for path in token.field_mask:
        setup = _locked_field(setup, token.constraints, path)
    return setup


def _locked_field(setup: wire.Setup, constraints: wire.Setup, path: str) -> wire.Setup:
    outer, _, inner = path.partition(".")
    outer = snake(outer)
    if outer not in attrs.fields_dict(wire.Setup) or (outer == "session_resumption"):
        return setup
    wanted = getattr(constraints, outer)
    current = getattr(setup, outer)
    if inner and isinstance(wanted, wire.Message):
        name = snake(inner.partition(".")[0])
        if name in attrs.fields_dict(type(wanted)):
            changes = {name: getattr(wanted, name)}
            wanted = attrs.evolve(type(wanted)() if current is None else current, **changes)
    return attrs.evolve(setup, **{outer: wanted})


def snake(name: str) -> str:
    """``responseModalities`` as ``response_modalities``."""
    return _CAMEL.sub("_", name).lower()


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _time(value: object, now: float, default: float) -> float:
    if value is None:
        return now + default
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise TokenRequestError(f"expected an RFC 3339 time, got {value!r}") from None
    seconds = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if seconds > now + LONGEST_LIFE_SECONDS:
        raise TokenRequestError("the expiration time must be less than 20 hours in the future")
    return seconds


def _constraints(value: object) -> wire.Setup | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TokenRequestError("bidiGenerateContentSetup must be an object")
    try:
        return wire.from_plain(wire.Setup, value)
    except DecodeError as error:
        raise TokenRequestError(str(error)) from None


def _mask(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(path for path in str(value).split(",") if path)
