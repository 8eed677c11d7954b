"""Ephemeral tokens from configurations as sessions take them: flat, nested, or google-genai's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ssl import SSLContext
from typing import Final

import attrs

from livebridge import rest, wire
from livebridge.auth import Auth, Secret
from livebridge.errors import ConfigError
from livebridge.protocol import LiveConfig, build_setup, check
from livebridge.rest import AuthToken, Moment

VERSION: Final = "v1alpha"
"""The only version of the API that has tokens."""

_ADDED: Final = ("session_resumption", "context_window_compression")
"""What `LiveConfig` has by default."""


async def create_token(
    *,
    uses: int | None = None,
    expire_time: Moment | str | None = None,
    new_session_expire_time: Moment | str | None = None,
    constraints: object = None,
    live_connect_constraints: object = None,
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

    As `livebridge.rest.create_token`, which has the table of what is locked; the constraints may be written as
    configurations of a session are::

        token = await create_token(
            uses=1,
            constraints={
                "model": "gemini-3.1-flash-live-preview",
                "config": {"response_modalities": ["AUDIO"], "temperature": 0.7},
            },
        )
        # in the client
        async with Session.start(model="gemini-3.1-flash-live-preview", auth=token.auth) as session: ...

    Nothing is added to the constraints: resumption and compression, which sessions switch on by themselves, are
    in them only if you write them.

    Args:
        uses: How many sessions it opens; 0: any number; ``None``: the server's default, 1.
        expire_time: When messages are rejected: a time, or how far from now, or RFC 3339 text.
        new_session_expire_time: When new sessions are rejected; the same forms.
        constraints: What a session with the token is bound to: ``{"model": …, "config": {…}}`` with the
            configuration in any form that `Session.start` takes, the fields of a configuration side by side with
            ``model``, or a `livebridge.wire.Setup`.
        live_connect_constraints: google-genai's word for `constraints`.
        lock_additional_fields: Names of fields of the setup or of its generation config.
        auth: As for `Session.start`; Gemini Developer API only.
        api_key: As for `Session.start`.
        api_version: ``v1alpha`` by default.
        base_url: Another host.
        timeout: Seconds for one attempt.
        proxy: URL of an HTTP proxy, ``"env"`` for the environment's, ``None`` for none.
        ssl_context: For ``https``; by default the usual authorities are trusted.

    Raises:
        ConfigError: An argument is wrong, the configuration would be refused by the server, or the credentials
            are not an API key of the Gemini Developer API.
        CredentialsError: There are no credentials.
        RestError: The call failed for good.
    """
    if constraints is not None and live_connect_constraints is not None:
        raise ConfigError("constraints and live_connect_constraints are one argument; give one of them")
    bound = constraints if live_connect_constraints is None else live_connect_constraints
    return await rest.create_token(
        uses=uses,
        expire_time=expire_time,
        new_session_expire_time=new_session_expire_time,
        constraints=None if bound is None else constraint_setup(bound),
        lock_additional_fields=lock_additional_fields,
        auth=auth,
        api_key=api_key,
        api_version=api_version,
        base_url=base_url,
        timeout=timeout,
        proxy=proxy,
        ssl_context=ssl_context,
    )


def constraint_setup(constraints: object) -> wire.Setup:
    """Make the setup that a token is bound to.

    Args:
        constraints: See `create_token`. The model's name is not completed here.

    Raises:
        ConfigError: It is none of the forms, or the server would refuse it.
    """
    if isinstance(constraints, wire.Setup):
        return constraints
    if isinstance(constraints, LiveConfig):
        constraints = {"config": constraints}
    members = _members(constraints)
    model = members.pop("model", None)
    if model is not None and not isinstance(model, str):
        raise ConfigError(f"constraints: model is the name of a model, not {type(model).__name__}")
    given = members.pop("config", None)
    if given is not None and members:
        raise ConfigError(
            f"constraints with config have no other fields beside model, but {', '.join(members)}"
        )
    config = _config(members if given is None else given)
    check(config, model=model or "", backend="gemini", api_version=VERSION)
    resumption = config.session_resumption
    setup = build_setup(
        config,
        model_resource=model or "",
        backend="gemini",
        handle=None if resumption is None else resumption.handle,
    )
    return setup if model else attrs.evolve(setup, model=None)


def _config(given: object) -> LiveConfig:
    """The configuration as it was written, without what a session would add."""
    if isinstance(given, LiveConfig):
        return given
    written = {name.replace("_", "").lower() for name in _members(given)}
    added = [name for name in _ADDED if name.replace("_", "") not in written]
    return attrs.evolve(LiveConfig.from_user(given), **dict.fromkeys(added))


def _members(value: object) -> dict[str, object]:
    dump = getattr(value, "model_dump", None)
    members = dump(exclude_none=True) if callable(dump) else value
    if not isinstance(members, Mapping):
        raise ConfigError(
            f"constraints take a mapping with model and config, or a Setup, not {type(value).__name__}"
        )
    return {str(name): item for name, item in members.items()}
