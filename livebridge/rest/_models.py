"""Which models there are, and which one to take."""

from __future__ import annotations

import builtins
import logging
import os
from collections.abc import Iterable, Mapping
from ssl import SSLContext
from typing import Final

import attrs

from livebridge.auth import Auth, EphemeralToken, Gateway, Secret, Way, resolve_auth
from livebridge.errors import ConfigError, RestError
from livebridge.rest._catalogue import ResponseModality, candidates, short
from livebridge.rest._http import Call, fetch

_log = logging.getLogger("livebridge.rest")

LIVE_METHOD: Final = "bidiGenerateContent"
"""The method a model must offer to hold a live conversation."""

# The stable version does not list previews, and most live models are previews.
_GEMINI_LIST_VERSION: Final = "v1beta"

# The most the server gives at once.
_PAGE_SIZE: Final = "1000"


@attrs.frozen(kw_only=True)
class Model:
    """One model, as the server lists it.

    Attributes:
        name: Resource name, for example ``models/gemini-…``.
        display_name: For people.
        description: What it is for.
        version: Its version.
        methods: What can be called on it; ``None``: the server does not say.
        input_token_limit: Tokens it reads at most.
        output_token_limit: Tokens it writes at most.
    """

    name: str
    display_name: str | None = None
    description: str | None = None
    version: str | None = None
    methods: tuple[str, ...] | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None

    @property
    def short_name(self) -> str:
        """The name without a prefix: what ``Session.start(model=…)`` takes."""
        return short(self.name)

    def offers(self, method: str) -> bool:
        """Tell whether a method can be called; also true when the server does not say."""
        return self.methods is None or method in self.methods


class Models:
    """What the backend offers; a namespace, not to be instantiated."""

    @staticmethod
    async def list(
        *,
        auth: Auth | str | None = None,
        api_key: Secret | None = None,
        api_version: str | None = None,
        base_url: str | None = None,
        timeout: float = 30.0,
        proxy: str | None = "env",
        ssl_context: SSLContext | None = None,
    ) -> builtins.list[Model]:
        """List every model that these credentials can see, page by page.

        Args:
            auth: As for `Session.start`.
            api_key: As for `Session.start`.
            api_version: By default ``GOOGLE_GENAI_API_VERSION``, then the backend's beta version, which lists
                previews too.
            base_url: Another host.
            timeout: Seconds for one attempt of one page.
            proxy: URL of an HTTP proxy, ``"env"`` for the environment's, ``None`` for none; for the refresh of
                Google credentials, too.
            ssl_context: For ``https``; by default the usual authorities are trusted.

        Returns:
            The models in the server's order.

        Raises:
            ConfigError: The arguments contradict each other, or these credentials have no HTTP API.
            CredentialsError: There are no credentials.
            RestError: A call failed for good.
        """
        who = resolve_auth(auth, api_key=api_key)
        way = Way(proxy=proxy, ssl_context=ssl_context)
        return await _list(who, api_version=api_version, base_url=base_url, timeout=timeout, way=way)

    @staticmethod
    async def resolve(
        modality: ResponseModality = "audio",
        *,
        candidates: Iterable[str] | None = None,
        available: Iterable[str | Model] | None = None,
        require_method: str = LIVE_METHOD,
        auth: Auth | str | None = None,
        api_key: Secret | None = None,
        api_version: str | None = None,
        base_url: str | None = None,
        timeout: float = 30.0,
        proxy: str | None = "env",
        ssl_context: SSLContext | None = None,
    ) -> str:
        """Pick a model that answers with sound, or with text, and that these credentials can use.

        In this order: the first candidate that is available; any other available model known to answer so; if
        the list of models cannot be had (a token or a gateway has none, or the network is down), the first
        candidate, with a warning in the log.

        Args:
            modality: ``audio`` or ``text``.
            candidates: Names to try, the best first; by default the live models this version knows.
            available: Names or models to choose from instead of asking the server.
            require_method: What a listed model must offer.
            auth: As for `Session.start`.
            api_key: As for `Session.start`.
            api_version: As for `list`.
            base_url: As for `list`.
            timeout: As for `list`.
            proxy: As for `list`.
            ssl_context: As for `list`.

        Returns:
            The candidate as it was given, or the short name of a listed model.

        Raises:
            ConfigError: There is no such modality, or no available model can do it; the text names what there is.
            CredentialsError: There are no credentials.
            RestError: The server refused to list its models.
        """
        who = resolve_auth(auth, api_key=api_key) if available is None or auth or api_key else None
        known = _known(modality, who)
        wanted = [*candidates] if candidates is not None else known
        if not wanted:
            raise ConfigError("candidates= is empty: nothing to choose from")
        if available is None:
            assert who is not None
            way = Way(proxy=proxy, ssl_context=ssl_context)
            listed = await _available(
                who, api_version=api_version, base_url=base_url, timeout=timeout, way=way
            )
            if listed is None:
                return wanted[0]
            available = listed
        usable = _usable(available, require_method)
        for name in (*wanted, *known):
            if short(name) in usable:
                return name
        offered = ", ".join(sorted(usable)) or "none"
        raise ConfigError(f"no available model answers with {modality}; live models available: {offered}")


def _known(modality: str, who: Auth | None) -> builtins.list[str]:
    return candidates(modality, backend="gemini" if who is None else who.backend)


def _usable(available: Iterable[str | Model], method: str) -> set[str]:
    return {
        short(each) if isinstance(each, str) else each.short_name
        for each in available
        if isinstance(each, str) or each.offers(method)
    }


async def _available(
    who: Auth, *, api_version: str | None, base_url: str | None, timeout: float, way: Way
) -> builtins.list[Model] | None:
    if isinstance(who, EphemeralToken | Gateway):
        _log.warning("%s cannot list models: taking the first candidate", type(who).__name__)
        return None
    try:
        return await _list(who, api_version=api_version, base_url=base_url, timeout=timeout, way=way)
    except RestError as error:
        if not error.retryable:
            raise
        _log.warning("cannot list models (%s): taking the first candidate", error)
        return None


async def _list(
    who: Auth, *, api_version: str | None, base_url: str | None, timeout: float, way: Way
) -> builtins.list[Model]:
    if api_version is None and who.backend == "gemini" and not os.environ.get("GOOGLE_GENAI_API_VERSION"):
        api_version = _GEMINI_LIST_VERSION
    path = "models" if who.backend == "gemini" else "publishers/google/models"
    url = f"{who.rest_url(api_version=api_version, base_url=base_url)}/{path}"
    found: builtins.list[Model] = []
    token, seen = "", set[str]()
    while token not in seen:
        seen.add(token)
        query = {"pageSize": _PAGE_SIZE} | ({"pageToken": token} if token else {})
        page = await fetch(who, Call(method="GET", url=url, query=query, timeout=timeout, way=way))
        found.extend(_read_models(page.get("models") or page.get("publisherModels")))
        # A server that hands out the same token again would keep us here for ever.
        token = _text(page, "nextPageToken") or ""
    return found


def _read_models(entries: object) -> Iterable[Model]:
    if not isinstance(entries, builtins.list):
        return
    for entry in entries:
        if isinstance(entry, Mapping) and (name := _text(entry, "name")):
            yield Model(
                name=name,
                display_name=_text(entry, "displayName"),
                description=_text(entry, "description"),
                version=_text(entry, "version") or _text(entry, "versionId"),
                methods=_texts(entry, "supportedGenerationMethods"),
                input_token_limit=_number(entry, "inputTokenLimit"),
                output_token_limit=_number(entry, "outputTokenLimit"),
            )


def _text(entry: Mapping[str, object], key: str) -> str | None:
    value = entry.get(key)
    return value if isinstance(value, str) else None


def _number(entry: Mapping[str, object], key: str) -> int | None:
    value = entry.get(key)
    return value if isinstance(value, int) else None


def _texts(entry: Mapping[str, object], key: str) -> tuple[str, ...] | None:
    value = entry.get(key)
    return tuple(str(each) for each in value) if isinstance(value, builtins.list) else None
