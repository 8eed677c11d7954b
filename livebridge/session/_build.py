"""From keywords to a session that is ready to be started: every check happens here, before any dial."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import attrs

from livebridge.auth import Auth, resolve_auth
from livebridge.errors import ConfigError
from livebridge.protocol import (
    Handle,
    HandleBook,
    History,
    ModelCapabilities,
    Outbox,
    Reconnector,
    ReconnectPolicy,
    StallWatch,
    TurnCollector,
    capabilities,
    check,
)
from livebridge.session import _checks as checks
from livebridge.session._actor import SessionActor
from livebridge.session._handler import Handler, callbacks_of
from livebridge.session._options import Options, parse
from livebridge.session._speech import Speech, urgent_of
from livebridge.session._state import SessionState
from livebridge.session._tool_box import tool_box
from livebridge.session._tool_context import INJECTED
from livebridge.session._verbs import Verbs

_V = TypeVar("_V", bound=Verbs)
_VERSION: Final = re.compile(r"/ws/google\.(?:ai\.generativelanguage|cloud\.aiplatform)\.(v\w+)")


def build(session: _V, handler: Handler | None, keywords: Mapping[str, object]) -> SessionActor:
    """Make the actor of a session.

    Raises:
        ConfigError: An option, a callback or the configuration is wrong; says which and what was expected.
        CredentialsError: No credentials were found.
    """
    options, given = parse(keywords)
    options = _with_http_options(options)
    callbacks = callbacks_of(handler, given)
    _check_free(handler)
    able = capabilities(options.model, options.models)
    box = tool_box(options.config, handler, able, INJECTED)
    options = attrs.evolve(options, config=options.config.with_declarations(box.declarations))
    auth = _auth(options)
    url = auth.endpoint(api_version=options.api_version, base_url=options.base_url)
    check(
        options.config,
        model=options.model,
        backend=auth.backend,
        api_version=_version_in(url),
        models=options.models,
    )
    urgent = urgent_of(callbacks)
    state = SessionState(
        options=options,
        auth=auth,
        capabilities=able,
        outbox=_outbox(options, auth),
        handles=_handles(options),
        reconnector=Reconnector(policy=options.reconnect or ReconnectPolicy()),
        wanted=frozenset(callbacks),
        turns=TurnCollector(keep_audio=options.keep_audio),
        stall=_stall(options, able),
        history=History(turns=options.reseed_turns if able.converses else 0),
        speech=Speech(urgent=urgent),
    )
    actor = SessionActor(
        state=state, callbacks=callbacks, handler=handler, session=session, dial=options.dial, box=box
    )
    session._bind(actor)  # noqa: SLF001 - the two halves of one object
    if handler is not None:
        handler._session = session  # noqa: SLF001 - Handler.session is the way to it
    return actor


def _check_free(handler: Handler | None) -> None:
    """One instance, one session: its callbacks would find the other one in ``self.session``."""
    other = None if handler is None else handler._session  # noqa: SLF001 - Handler.session is the way to it
    if other is not None and other._under_way:  # noqa: SLF001 - as above
        raise ConfigError(
            f"this {type(handler).__name__} already drives a session that has not ended;"
            " make one instance per session"
        )


def _auth(options: Options) -> Auth:
    """Find out who we are; a project beside ``auth="gemini"`` means nothing there, as in the original."""
    vertex = options.auth != "gemini"
    return resolve_auth(
        options.auth,
        api_key=_secret(options.api_key),
        project=options.project if vertex else None,
        location=options.location if vertex else None,
    )


def _with_http_options(options: Options) -> Options:
    """Let google-genai's ``http_options`` of a configuration fill in what the options leave open."""
    http = options.config.http_options
    if http is None:
        return options
    checks.base_url("http_options.base_url", http.base_url)
    checks.headers("http_options.headers", http.headers)
    return attrs.evolve(
        options,
        base_url=options.base_url or http.base_url,
        api_version=options.api_version or http.api_version,
        headers={**(http.headers or {}), **(options.headers or {})},
    )


def _version_in(url: str) -> str | None:
    """The API version that will be dialled; ``None`` where the address does not show one (a gateway)."""
    found = _VERSION.search(url)
    return None if found is None else found[1]


def _stall(options: Options, able: ModelCapabilities) -> StallWatch:
    """The stall watch; without a ladder where the model may decide not to answer."""
    proactivity = options.config.proactivity
    may_be_silent = not able.converses or (proactivity is not None and bool(proactivity.proactive_audio))
    return StallWatch(None if may_be_silent else options.stall, manual=options.is_manual)


@attrs.frozen
class _Asked:
    """A function that gives a key at once, or an awaitable, in the form of an async one."""

    function: Callable[[], object]

    async def __call__(self) -> str:
        given = self.function()
        if inspect.isawaitable(given):
            given = await given
        return given  # type: ignore[return-value]  # checked by whoever asks


def _secret(value: object) -> str | None:
    if callable(value) and not inspect.iscoroutinefunction(value):
        value = _Asked(value)
    if value is None or isinstance(value, str) or callable(value):
        return value  # type: ignore[return-value]  # what a function returns is checked when it is called
    raise ConfigError(
        f"option api_key must be a str or a function that returns one, not {type(value).__name__}"
    )


def _handles(options: Options) -> HandleBook:
    book = HandleBook(fingerprint=options.model)
    given = options.resume_handle
    resumption = options.config.session_resumption
    if given is None and resumption is not None:
        given = resumption.handle
    if given:
        handle = Handle(value=given, received_at=0.0, epoch=0, fingerprint=options.model)
        book.adopt(handle, dropped_at=None)
    return book


def _outbox(options: Options, auth: Auth) -> Outbox:
    resumption = options.config.session_resumption
    transparent = auth.backend == "vertex" and resumption is not None and bool(resumption.transparent)
    return Outbox(
        media_buffer=options.media_buffer,
        max_media_lag=options.max_media_lag,
        transparent=transparent,
        max_messages=options.outbox_messages,
        max_bytes=options.outbox_bytes,
        replay_uncertain=options.replay == "uncertain",
    )
