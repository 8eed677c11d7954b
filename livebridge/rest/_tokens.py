"""Ephemeral tokens: a server makes one with its key, a client opens a session with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from ssl import SSLContext
from typing import Final

import attrs

from livebridge import wire
from livebridge.auth import Auth, EphemeralToken, GeminiApi, Secret, Way, resolve_auth
from livebridge.errors import ConfigError, RestError
from livebridge.rest._http import Call, fetch

# The only version that has tokens.
_VERSION: Final = "v1alpha"

# "If set, this value must be less than 20 hours in the future."
_LONGEST_LIFE: Final = timedelta(hours=20)

Moment = datetime | timedelta
"""A time with a time zone, or how far from now."""


@attrs.frozen(kw_only=True)
class AuthToken:
    """An ephemeral token.

    Attributes:
        name: ``auth_tokens/…``; the secret itself.
        expire_time: When messages are rejected, if the server said so (RFC 3339).
        new_session_expire_time: When new sessions are rejected, if the server said so (RFC 3339).
        uses: How many sessions it opens, if the server said so; 0: any number.
    """

    name: str = attrs.field(repr=False)
    expire_time: str | None = None
    new_session_expire_time: str | None = None
    uses: int | None = None

    @property
    def auth(self) -> EphemeralToken:
        """What `Session.start(auth=…)` takes."""
        return EphemeralToken(self.name)


async def create_token(
    *,
    uses: int | None = None,
    expire_time: Moment | str | None = None,
    new_session_expire_time: Moment | str | None = None,
    constraints: wire.Setup | Mapping[str, object] | None = None,
    lock_additional_fields: Iterable[str] | None = None,
    auth: Auth | str | None = None,
    api_key: Secret | None = None,
    api_version: str | None = None,
    base_url: str | None = None,
    timeout: float = 30.0,
    proxy: str | None = "env",
    ssl_context: SSLContext | None = None,
) -> AuthToken:
    """Make an ephemeral token for one client, so that it never sees the API key.

    What the client may set itself depends on two arguments:

    ==================  ==============================  =====================================================
    ``constraints``     ``lock_additional_fields``      locked
    ==================  ==============================  =====================================================
    ``None``            ``None``                        nothing
    ``None``            names                           these fields, at the server's defaults
    a setup             ``None``                        everything: what the client asks for is ignored
    a setup             ``[]``                          the fields that the setup has
    a setup             names                           the fields that the setup has, and these
    ==================  ==============================  =====================================================

    Args:
        uses: How many sessions it opens; 0: any number; ``None``: the server's default, 1. Resuming a
            session is no use.
        expire_time: When messages are rejected: a time, how far from now, or RFC 3339 text; by default in 30
            minutes; at most 20 hours ahead.
        new_session_expire_time: When new sessions are rejected; by default in 60 seconds; at most 20 hours
            ahead.
        constraints: The setup that a session with it gets, in any form that `livebridge.wire.Setup` can be
            made of. The model may be a short name.
        lock_additional_fields: Names of fields of the setup or of its generation config, in either case.
        auth: As for `Session.start`; Gemini Developer API only.
        api_key: As for `Session.start`.
        api_version: ``v1alpha`` by default.
        base_url: Another host.
        timeout: Seconds for one attempt.
        proxy: URL of an HTTP proxy, ``"env"`` for the environment's, ``None`` for none.
        ssl_context: For ``https``; by default the usual authorities are trusted.

    Returns:
        The token.

    Raises:
        ConfigError: An argument is wrong, or the credentials are not an API key of the Gemini Developer API.
        CredentialsError: There are no credentials.
        RestError: The call failed for good.
    """
    who = resolve_auth(auth, api_key=api_key)
    if not isinstance(who, GeminiApi):
        raise ConfigError(
            f"ephemeral tokens are made with an API key of the Gemini Developer API, not with {type(who).__name__}"
        )
    setup = _setup(constraints, who)
    body = _body(uses, expire_time, new_session_expire_time, setup, lock_additional_fields)
    url = f"{who.rest_url(api_version=api_version or _VERSION, base_url=base_url)}/auth_tokens"
    way = Way(proxy=proxy, ssl_context=ssl_context)
    answer = await fetch(who, Call(method="POST", url=url, body=body, timeout=timeout, way=way))
    name = answer.get("name")
    if not isinstance(name, str) or not name:
        raise RestError("the server made a token without a name", retryable=False)
    return AuthToken(
        name=name,
        expire_time=_text(answer.get("expireTime")),
        new_session_expire_time=_text(answer.get("newSessionExpireTime")),
        uses=count if isinstance(count := answer.get("uses"), int) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _setup(constraints: wire.Setup | Mapping[str, object] | None, who: GeminiApi) -> wire.Setup | None:
    if constraints is None:
        return None
    setup = wire.from_user(wire.Setup, constraints, where="constraints")
    return attrs.evolve(setup, model=who.model_resource(setup.model)) if setup.model else setup


def _body(
    uses: int | None,
    expire_time: Moment | str | None,
    new_session_expire_time: Moment | str | None,
    setup: wire.Setup | None,
    lock_additional_fields: Iterable[str] | None,
) -> dict[str, object]:
    _check_uses(uses)
    if isinstance(lock_additional_fields, str):
        raise ConfigError("lock_additional_fields must be a list of names, not one string")
    now = datetime.now(UTC)
    plain = None if setup is None else wire.to_plain(setup)
    entries: dict[str, object | None] = {
        "uses": uses,
        "expireTime": _timestamp("expire_time", expire_time, now),
        "newSessionExpireTime": _timestamp("new_session_expire_time", new_session_expire_time, now),
        "bidiGenerateContentSetup": plain,
        "fieldMask": _field_mask(plain, lock_additional_fields),
    }
    return {key: value for key, value in entries.items() if value is not None}


def _check_uses(uses: object) -> None:
    if uses is not None and (isinstance(uses, bool) or not isinstance(uses, int) or uses < 0):
        raise ConfigError(f"uses must be a whole number, 0 for any number of sessions, not {uses!r}")


def _timestamp(argument: str, moment: Moment | str | None, now: datetime) -> str | None:
    if moment is None:
        return None
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise ConfigError(f"{argument} is no RFC 3339 time: {moment!r}") from None
    if not isinstance(moment, datetime | timedelta):
        raise ConfigError(f"{argument} must be a datetime or a timedelta, not {type(moment).__name__}")
    when = now + moment if isinstance(moment, timedelta) else moment
    if when.tzinfo is None:
        raise ConfigError(f"{argument} must have a time zone: datetime.now(UTC) + timedelta(minutes=30)")
    if not now < when <= now + _LONGEST_LIFE:
        raise ConfigError(f"{argument} must lie in the future, but less than 20 hours ahead")
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _field_mask(setup: Mapping[str, object] | None, additional: Iterable[str] | None) -> str | None:
    if additional is None:
        return None
    paths = [*_paths(setup or {}), *(_path(name) for name in additional)]
    return ",".join(dict.fromkeys(paths)) or None


def _paths(setup: Mapping[str, object]) -> Iterable[str]:
    """Name what a setup has, one level deep; an empty object stands for itself."""
    for key, value in setup.items():
        if isinstance(value, Mapping) and value:
            yield from (f"{key}.{inner}" for inner in value)
        else:
            yield key


def _path(name: str) -> str:
    steps = [_camel(step) for step in name.split(".")]
    if steps[0] in _GENERATION_FIELDS and steps[0] not in _SETUP_FIELDS:
        return ".".join(("generationConfig", *steps))
    if steps[0] not in _SETUP_FIELDS:
        near = get_close_matches(steps[0], [*_SETUP_FIELDS, *_GENERATION_FIELDS], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"lock_additional_fields: {name!r} is no field of a setup{hint}")
    return ".".join(steps)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


_SETUP_FIELDS: Final = {_camel(each.name) for each in attrs.fields(wire.Setup)} - {"unknown"}
_GENERATION_FIELDS: Final = {_camel(each.name) for each in attrs.fields(wire.GenerationConfig)} - {"unknown"}
