"""Every option of a session, with unit, default and check; one function turns keywords into them."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from ssl import SSLContext
from typing import Final, Literal, cast

import attrs

from livebridge.errors import ConfigError, LivebridgeError
from livebridge.protocol import (
    CALLBACKS,
    Budget,
    CircuitPolicy,
    LiveConfig,
    ModelCapabilities,
    ReconnectPolicy,
    StallPolicy,
)
from livebridge.session import _checks as checks
from livebridge.session._store import ResumeStore
from livebridge.transport import Dial, dial

CallbackErrorPolicy = Literal["log", "crash"] | Callable[[LivebridgeError], object]
"""What a raising callback means: go on (``log``), end the session (``crash``), or ask a function that returns
one of the two words."""


OrphanPolicy = Literal["reattach", "as_content", "drop", "send"]
"""What becomes of the result of a call whose connection was replaced."""

GateMode = Literal["auto", "send", "drop", "hold"]
"""What becomes of media while a blocking call is open."""

Function = Callable[[object], object]
"""A callback: one argument, and whatever it returns (an awaitable is awaited)."""


@attrs.frozen(kw_only=True)
class Keepalive:
    """How a silent connection is told from a dead one; any inbound frame counts as life.

    Attributes:
        ping_after: Seconds of inbound silence after which a ping is sent. Pongs of the Live API have been
            measured at 8 to 30 s, so this is slow on purpose.
        dead_after: Seconds of inbound silence after which the connection counts as lost. The clock stands
            still while the session itself does not read (its inbox is full).
        silence_after: Seconds without a frame written after which a tenth of a second of silence is sent as
            sound, against proxies that reap a connection without data although pings flow; ``None``: never. Only
            with automatic activity detection, while the microphone is open: not before the first sound, nor after
            an ``audioStreamEnd``, nor muted.
    """

    ping_after: float = 30.0
    dead_after: float = 75.0
    silence_after: float | None = None


@attrs.frozen(kw_only=True)
class Options:
    """What a session was started with. Durations are seconds, sizes are bytes.

    Both backends, the Gemini API and Vertex AI, take every option unless it says otherwise. What the model is asked
    for (voice, instructions, tools …) is described at `livebridge.protocol.LiveConfig`; its fields are given beside
    these, as keywords.

    Attributes:
        model: Model name, as any of the forms the Live API knows. Required.
        models: What is known of models that `livebridge.protocol.LIVE_MODELS` lacks (a newer one, a tuned one), by
            name; comes before the table. Default: none.
        config: What goes into ``setup``. The fields of `livebridge.protocol.LiveConfig`, flat or under this name.
        auth: Credentials, or a shorthand; by default found in the environment.
        api_key: Shorthand for ``auth=GeminiApi(api_key=…)``. A str, or a function (async or not) that is asked on
            every dial. Gemini API, and Vertex in express mode.
        project: Google Cloud project, for Vertex AI; ``project_id`` is the same. Vertex only; by default the
            environment's.
        location: Of that project: a region, ``global``, ``us`` or ``eu``. Vertex only; by default the environment's,
            else ``global``.
        api_version: Of the Live API; the backend's default if absent.
        base_url: Another server; ``http``, ``https``, ``ws`` and ``wss`` are kept as given. Default: the backend's.
        headers: Extra headers of the upgrade request. Default: none.
        proxy: URL of an HTTP proxy, ``"env"`` for the environment's, ``None`` for none; for the refresh of Google
            credentials, too. Default: ``"env"``.
        ssl_context: For ``wss``, and for the refresh of Google credentials; verification is on by default. Default:
            certificates of certifi.
        dial_timeout: For look-up, TCP, proxy, TLS and upgrade together; before that, once more, for whoever provides
            the credentials. Default: 10 s.
        setup_timeout: From ``setup`` to ``setupComplete``. Default: 10 s.
        keepalive: `Keepalive`, or seconds of silence before a ping; ``None`` for no pings. Default: ping after 30 s,
            dead after 75 s.
        max_message_size: Largest message read from the server. Default: 16 MiB.
        connect: Dial at once; otherwise `Session.connect` does. Default: ``True``.
        require_connected: The start (of a supervised session) waits until it is ready, and fails if it cannot be.
            Default: ``False``.
        connect_attempts: Dials before the first connect gives up, where retrying can help. A session that begins with
            a handle (given, or stored), or that a supervisor starts without `require_connected`, is bounded by
            `reconnect` instead. Default: 3.
        reconnect: When a lost connection is dialled again; ``None``: never. Default: ``ReconnectPolicy()``, which
            gives up after 300 s without a connection.
        media_buffer: Seconds of audio kept while there is no connection. Default: 1 s.
        max_media_lag: Seconds that sound and pictures wait for a network that does not keep up; older ones are given
            up, which ``on_error`` tells once until it has caught up. ``None``: they wait for ever. Default: 5 s.
        inbox_frames: Frames read but not yet dispatched, before reading stops. Default: 256.
        inbox_bytes: Bytes of the same. Default: 16 MiB.
        outbox_messages: Accepted messages that wait (media not counted), before ``send_…`` waits. Default: 256.
        outbox_bytes: Bytes of the same. Default: 4 MiB.
        content_max_age: Seconds an accepted message waits for a connection before it is given up and reported;
            ``None``: for ever. Default: 120 s.
        buffer_before_connect: Accept sends before the first `Session.connect`. Default: ``False``.
        write_timeout: For one write; a socket that blocks longer is abandoned. Default: 15 s.
        close_timeout: For everything `Session.close` does. Default: 5 s.
        tool_timeout: For an answer to a tool call, by callback or by hand; then the model is told. ``None``: no
            limit. Default: 60 s.
        tool_grace: Seconds that running tools get when the session closes in order. Default: 0 s.
        max_concurrent_tools: Tool calls that run at once; further ones wait in order. Default: 8.
        tool_response_mode: ``batch``: the answers to one message of calls travel together, when the last one is
            there; ``each``: one by one. Non-blocking calls are always answered one by one. Default: ``batch``.
        tool_error_detail: What the model is told of an exception: its ``message``, its ``type``, or that there was
            one (``generic``). A `ToolError` is always told in full. Default: ``message``.
        max_tool_response_bytes: Largest answer of a tool, as JSON; a larger one is answered with an error. Default:
            256 KiB.
        orphan_tool_results: What becomes of a result whose connection was replaced: ``reattach``, ``as_content``,
            ``drop`` or ``send``; ``None``: ``reattach`` with transparent resumption (Vertex),
            ``as_content`` without. It is reported to ``on_error``, too. Default: ``None``.
        realtime_during_tool_call: Sound, pictures and ``activityStart`` while a blocking call is open: ``send``,
            ``hold`` (bounded by `media_buffer`), ``drop``, or ``auto`` (``send`` or ``hold``, by model). Default:
            ``auto``.
        on_callback_error: What a raising callback means. ``log``: go on; ``crash``: end the session; or a function of
            the error that returns one of the two. Default: ``log``.
        max_callback_errors: ``(count, seconds)``: more errors in the window end the session. Default: ``None``, no
            limit.
        callback_timeout: For one asynchronous callback; ``None``: none. Default: ``None``.
        slow_callback: A synchronous callback that takes longer is logged, and so is an asynchronous callback or tool
            that holds the trio thread for longer from one checkpoint to the next. Default: 0.1 s.
        stall_timeout: Seconds of a full inbox before `CallbackStalledError` is reported. Default: 30 s.
        resume_handle: A handle of an earlier session to begin with. Default: none.
        resume_store: Keeps handle and unsettled messages across restarts; see `ResumeStore`. Default: none; in memory
            for a supervised session.
        resume_key: Under which name; by default the child id (supervised), else ``"session"``.
        forget_on_close: Delete the snapshot when the session is closed on purpose. Default: ``True``.
        replay: Without acknowledgements by index (Gemini API): ``unsent`` writes only what was never written;
            ``uncertain`` also what was written after the last handle. Default: ``unsent``. Vertex with transparent
            resumption knows what was read, and needs neither.
        unresumable: A connection that breaks while the server says "not resumable": ``resume_last`` uses the last
            handle all the same, ``fresh`` starts afresh, ``fail`` ends the session. Default: ``resume_last``.
        handover: Rotation: ``cold`` closes the old connection, then dials; ``warm`` dials the next one when the
            GoAway comes, so that the gap is one round trip. Default: ``cold``.
        stall: What is done about a model that has fallen silent; ``None``: nothing. Default: ``StallPolicy()``, which
            begins after 20 s.
        reseed_turns: How many of the last turns, as far as their words are known, a fresh session is told after the
            conversation was lost; what the user asked last and nobody answered is asked again. 0: none, the model
            starts without memory. Default: 20.
        circuit: When dials to this endpoint are stopped for all sessions; ``None``: the defaults.
        budget: Tokens that a turn, or the session, may cost; more is reported, or ends the session after that turn:
            see `livebridge.protocol.Budget`. Default: ``None``, no limit.
        max_connection_age: Rotate by ourselves after so many seconds; ``None``: wait for the GoAway. Default:
            ``None``.
        keep_audio: Collect the audio of a turn into `Turn.audio` (up to 8 MiB). Default: ``True``.
        dial: Opens transports: another implementation, or one in memory for tests. Default: a WebSocket.
    """

    model: str
    config: LiveConfig
    models: Mapping[str, ModelCapabilities] | None = None
    auth: object = None
    api_key: object = attrs.field(default=None, repr=False)
    project: str | None = None
    location: str | None = None
    api_version: str | None = None
    base_url: str | None = None
    headers: Mapping[str, str] | None = attrs.field(default=None, repr=False)
    proxy: str | None = attrs.field(default="env", repr=False)
    ssl_context: SSLContext | None = None
    dial_timeout: float = 10.0
    setup_timeout: float = 10.0
    keepalive: Keepalive | None = attrs.field(factory=Keepalive)
    max_message_size: int = 16 * 2**20
    connect: bool = True
    require_connected: bool = False
    connect_attempts: int = 3
    reconnect: ReconnectPolicy | None = attrs.field(factory=ReconnectPolicy)
    media_buffer: float = 1.0
    max_media_lag: float | None = 5.0
    inbox_frames: int = 256
    inbox_bytes: int = 16 * 2**20
    outbox_messages: int = 256
    outbox_bytes: int = 4 * 2**20
    content_max_age: float | None = 120.0
    buffer_before_connect: bool = False
    write_timeout: float = 15.0
    close_timeout: float = 5.0
    tool_timeout: float | None = 60.0
    tool_grace: float = 0.0
    max_concurrent_tools: int = 8
    tool_response_mode: str = "batch"
    tool_error_detail: str = "message"
    max_tool_response_bytes: int = 256 * 2**10
    orphan_tool_results: OrphanPolicy | None = None
    realtime_during_tool_call: GateMode = "auto"
    on_callback_error: CallbackErrorPolicy = "log"
    max_callback_errors: tuple[int, float] | None = None
    callback_timeout: float | None = None
    slow_callback: float = 0.1
    stall_timeout: float = 30.0
    resume_handle: str | None = attrs.field(default=None, repr=False)
    resume_store: ResumeStore | None = None
    resume_key: str = "session"
    forget_on_close: bool = True
    replay: str = "unsent"
    unresumable: str = "resume_last"
    handover: str = "cold"
    stall: StallPolicy | None = attrs.field(factory=StallPolicy)
    reseed_turns: int = 20
    circuit: CircuitPolicy | None = None
    budget: Budget | None = None
    max_connection_age: float | None = None
    keep_audio: bool = True
    dial: Dial = dial

    @property
    def is_manual(self) -> bool:
        """Whether the client tells when the user speaks (automatic activity detection is off)."""
        detection = self.config.realtime_input_config
        automatic = None if detection is None else detection.automatic_activity_detection
        return automatic is not None and bool(automatic.disabled)


_CHECKS: Final[Mapping[str, checks.Check]] = {
    "model": checks.kind(str),
    "models": checks.models,
    "project": checks.kind(str, or_none=True),
    "location": checks.kind(str, or_none=True),
    "api_version": checks.kind(str, or_none=True),
    "base_url": checks.base_url,
    "headers": checks.headers,
    "proxy": checks.proxy,
    "ssl_context": checks.kind(SSLContext, or_none=True),
    "dial_timeout": checks.number(above=0),
    "setup_timeout": checks.number(above=0),
    "max_message_size": checks.count(),
    "connect": checks.kind(bool),
    "require_connected": checks.kind(bool),
    "connect_attempts": checks.count(),
    "reconnect": checks.kind(ReconnectPolicy, or_none=True),
    "media_buffer": checks.number(),
    "max_media_lag": checks.number(above=0, or_none=True),
    "inbox_frames": checks.count(),
    "inbox_bytes": checks.count(),
    "outbox_messages": checks.count(),
    "outbox_bytes": checks.count(),
    "content_max_age": checks.number(above=0, or_none=True),
    "buffer_before_connect": checks.kind(bool),
    "write_timeout": checks.number(above=0),
    "close_timeout": checks.number(above=0),
    "tool_timeout": checks.number(above=0, or_none=True),
    "tool_grace": checks.number(),
    "max_concurrent_tools": checks.count(),
    "tool_response_mode": checks.one_of("batch", "each"),
    "tool_error_detail": checks.one_of("message", "type", "generic"),
    "max_tool_response_bytes": checks.count(),
    "orphan_tool_results": checks.one_of("reattach", "as_content", "drop", "send", None),
    "realtime_during_tool_call": checks.one_of("auto", "send", "drop", "hold"),
    "on_callback_error": checks.callback_policy,
    "max_callback_errors": checks.fuse,
    "callback_timeout": checks.number(above=0, or_none=True),
    "slow_callback": checks.number(above=0),
    "stall_timeout": checks.number(above=0),
    "resume_handle": checks.kind(str, or_none=True),
    "resume_store": checks.store,
    "resume_key": checks.kind(str),
    "forget_on_close": checks.kind(bool),
    "replay": checks.one_of("unsent", "uncertain"),
    "unresumable": checks.one_of("resume_last", "fresh", "fail"),
    "handover": checks.one_of("cold", "warm"),
    "stall": checks.kind(StallPolicy, or_none=True),
    "reseed_turns": checks.number(),
    "circuit": checks.kind(CircuitPolicy, or_none=True),
    "budget": checks.kind(Budget, or_none=True),
    "max_connection_age": checks.number(above=0, or_none=True),
    "keep_audio": checks.kind(bool),
    "dial": checks.function,
}
"""What each option must be; ``auth``, ``api_key`` and ``keepalive`` are looked at where they are used."""

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")

_ALIASES: Final = {"project_id": "project"}
"""Other words for options: those of the Elixir original."""

_OWN: Final = tuple(field.name for field in attrs.fields(Options) if field.name != "config")
_SETUP: Final = (
    "generation_config",
    "voice",
    *(field.name for field in attrs.fields(LiveConfig)),
)


def known_options() -> frozenset[str]:
    """Names of everything that `parse` accepts."""
    return frozenset({*_OWN, *_SETUP, *CALLBACKS, *_ALIASES, "config"})


def suggest(name: str, known: Iterable[str]) -> str:
    """``; did you mean x?`` if one of the known names is near, else nothing."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def parse(keywords: Mapping[str, object]) -> tuple[Options, dict[str, Function]]:
    """Turn the keywords of `Session.start` into options and callbacks.

    Raises:
        ConfigError: An unknown name (with the nearest known one), a wrong type, a missing model, a callback
            that is no function of one argument.
    """
    unknown = [name for name in keywords if name not in known_options() and _snake(name) not in _SETUP]
    if unknown:
        name = unknown[0]
        what = "callback" if name.startswith("on_") else "option"
        raise ConfigError(f"{name} is no {what} of a session{suggest(name, known_options())}")
    if not keywords.get("model"):
        raise ConfigError("the option model is required, for example model='gemini-3.1-flash-live-preview'")
    callbacks = {
        name: check_callback(name, keywords[name]) for name in CALLBACKS if keywords.get(name) is not None
    }
    setup = {name: value for name, value in keywords.items() if _snake(name) in _SETUP}
    config = LiveConfig.from_user(keywords.get("config"), **setup)
    own = _own(keywords)
    for name, value in own.items():
        if name in _CHECKS:
            _CHECKS[name](name, value)
    if "keepalive" in own:
        own["keepalive"] = _keepalive(own["keepalive"])
    return Options(config=config, **own), callbacks  # type: ignore[arg-type]  # checked one by one above


def _own(keywords: Mapping[str, object]) -> dict[str, object]:
    """The options that are not part of the setup, under their own names."""
    own = {name: keywords[name] for name in _OWN if name in keywords}
    for alias, name in _ALIASES.items():
        if keywords.get(alias) is not None:
            if own.get(name) not in (None, keywords[alias]):
                raise ConfigError(f"{alias} and {name} are one option, given twice with different values")
            own[name] = keywords[alias]
    return own


def _snake(name: str) -> str:
    """``responseModalities`` is ``response_modalities``: fields of a setup may be spelt as on the wire."""
    return _HUMP.sub(r"_\1", name).lower()


def _keepalive(value: object) -> Keepalive | None:
    if value is None or isinstance(value, Keepalive):
        return value
    checks.number(above=0, or_none=True)("keepalive", value)
    seconds = float(value)  # type: ignore[arg-type]  # a number, as just checked
    return Keepalive(ping_after=seconds, dead_after=seconds * 2.5)


def check_callback(name: str, function: object, *, bound: str | None = None) -> Function:
    """See that a callback can be called with its one argument, and does something when it is.

    Raises:
        ConfigError: It cannot, or it would not.
    """
    argument = getattr(CALLBACKS[name].argument, "__name__", CALLBACKS[name].argument)
    checks.called_with(bound or name, function, str(argument))
    return cast("Function", function)
