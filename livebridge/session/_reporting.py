"""What a session tells `livebridge.telemetry`. Callers look at ``BUS.active`` first; nothing here is secret.

One thing goes to the log as well, whoever listens: that the server has refused what it was sent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import attrs

from livebridge import transport, wire
from livebridge.auth import Auth, VertexAi
from livebridge.errors import CallbackError, HandlerError, LivebridgeError
from livebridge.protocol import CloseInfo, Phase, Plan, Unrecognized, Usage
from livebridge.session._options import Options
from livebridge.telemetry import BUS, PREFIX

_log: Final = logging.getLogger("livebridge.session")

_REFUSALS: Final = {1007: "invalid payload", 1008: "policy violation"}
"""Close codes (RFC 6455, section 7.4.1) of a server that does not want what it got."""

_MILLISECONDS: Final = 1000.0

_ROLES: Final = {"client": "user_requested", "server": "server_closed", "network": "network"}
"""Why a session closed, by who began it."""

_MANNERS: Final = {"client": "graceful", "server": "already_closed", "network": "forced"}
"""How a connection was closed, by who began it."""

_SEND: Final = (*PREFIX, "websocket", "send")
_MESSAGE_SENT: Final = (*PREFIX, "session", "message", "sent")
_SENDABLE: Final = tuple(field.name for field in attrs.fields(wire.ClientMessage) if field.name != "unknown")
_KINDS: Final = tuple(field.name for field in attrs.fields(wire.ServerMessage) if field.name != "unknown")


class Reported(Protocol):
    """What is used of a session's state."""

    @property
    def telemetry_id(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def options(self) -> Options: ...
    @property
    def auth(self) -> Auth: ...


def initialised(session: Reported) -> None:
    """A session exists."""
    _emit(session, "session.init", {}, auth=type(session.auth).__name__)


def ready(session: Reported, kind: str, gap: float | None) -> None:
    """A session can be talked to."""
    _emit(session, "session.ready", {} if gap is None else {"gap": gap}, kind=kind)


def moved(session: Reported, before: Phase, phase: Phase) -> None:
    """The connection manager's state has changed."""
    _emit(session, "session.status", {}, phase=phase.value, before=before.value)


def received(session: Reported, message: wire.ServerMessage | Unrecognized, size: int) -> None:
    """A frame of `size` bytes was read."""
    _emit(session, "websocket.receive", {"size": size}, auth_strategy=_strategy(session))
    if isinstance(message, Unrecognized):
        _emit(session, "session.unrecognized", {"size": size})
        return
    for kind in _KINDS:
        member: object = getattr(message, kind)
        if member is None:
            continue
        _emit(session, "session.message.received", {"size": size}, message_type=kind)
        _member(session, member)


def sent(session: Reported, payloads: Sequence[bytes]) -> None:
    """Frames were written."""
    if not BUS.wants(_SEND) and not BUS.wants(_MESSAGE_SENT):
        return
    for payload in payloads:
        message = wire.decode_client(payload)
        kind = next((name for name in _SENDABLE if getattr(message, name) is not None), "unknown")
        size = len(payload)
        _emit(session, "websocket.send", {"size": size}, message_type=kind, auth_strategy=_strategy(session))
        if kind == "setup":
            continue
        measurements: dict[str, float] = {"size": size}
        if message.tool_response is not None:
            measurements["response_count"] = len(message.tool_response.function_responses or ())
        _emit(session, "session.message.sent", measurements, message_type=kind)


def failed(session: Reported, error: object) -> None:
    """Something went wrong: a callback's fault, or the session's."""
    if isinstance(error, HandlerError):
        cause = type(error.error).__name__
        _emit(session, "session.callback_error", {}, callback=error.callback, error=cause)
    elif isinstance(error, CallbackError):
        _emit(session, "session.callback_error", {}, callback=None, error=type(error).__name__)
    elif isinstance(error, LivebridgeError):
        _emit(
            session,
            "session.error",
            {},
            error=type(error).__name__,
            code=error.code,
            status=error.status,
            phase=error.phase,
            retryable=error.retryable,
        )


def closed(session: Reported, info: CloseInfo) -> None:
    """A session has ended."""
    reason = "error" if info.error is not None else _ROLES[info.initiated_by]
    _emit(session, "session.close", {}, reason=reason, code=info.code)


def disconnected(session: Reported, info: transport.CloseInfo | None) -> None:
    """A connection has ended, if there was one."""
    if info is not None:
        if info.code in _REFUSALS and info.initiated_by == "server":
            why = _without_secrets(session, info.reason) or "no reason given"
            _log.warning("the server hung up with code %d (%s): %s", info.code, _REFUSALS[info.code], why)
        _emit(session, "websocket.close", {}, close_reason=_MANNERS[info.initiated_by], code=info.code)


def _without_secrets(session: Reported, text: str) -> str:
    """Strike out what a server may have quoted."""
    options, auth = session.options, session.auth
    known = (
        options.api_key,
        options.resume_handle,
        getattr(auth, "api_key", None),
        getattr(auth, "token", None),
    )
    for secret in known:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "…")
    return text


def retrying(session: Reported, plan: Plan, *, attempts: int, error: LivebridgeError) -> None:
    """A connection will be tried again."""
    policy = session.options.reconnect
    most = None if policy is None else policy.max_attempts
    measurements = {"delay": plan.delay, "delay_ms": plan.delay * _MILLISECONDS}
    if most is not None:
        measurements["attempts_remaining"] = max(0, most - attempts)
    _emit(session, "websocket.retry", measurements, error=type(error).__name__)


@contextmanager
def connecting(session: Reported) -> Iterator[None]:
    """A connection is dialled inside this block."""
    whereto = {
        "auth_strategy": _strategy(session),
        "location": session.auth.location if isinstance(session.auth, VertexAi) else None,
    }
    began = time.perf_counter()
    _emit(session, "websocket.connect.start", {}, **whereto)
    try:
        yield
    except BaseException as error:
        _emit(session, "websocket.connect.exception", _took(began), **whereto, error=type(error).__name__)
        raise
    _emit(session, "websocket.connect.stop", _took(began), **whereto)


def _member(session: Reported, member: object) -> None:
    """The events that single members of a server message have of their own."""
    match member:
        case wire.ToolCall():
            for call in member.function_calls or ():
                _emit(session, "session.tool_call", {}, call_id=call.id, function_name=call.name)
        case wire.ToolCallCancellation():
            ids = tuple(member.ids or ())
            _emit(session, "session.tool_call_cancellation", {"count": len(ids)}, call_ids=ids)
        case wire.SessionResumptionUpdate():
            _emit(session, "session.resumption_update", {}, resumable=bool(member.resumable))
        case wire.VoiceActivity():
            offset = {} if member.audio_offset is None else {"audio_offset": member.audio_offset}
            _emit(session, "session.voice_activity", offset, type=member.type)
        case wire.VoiceActivityDetectionSignal():
            _emit(session, "session.voice_activity", {}, type=member.vad_signal_type)
        case wire.UsageMetadata():
            _emit(session, "session.usage", _counts(Usage.from_wire(member)))
        case wire.GoAway():
            left = member.time_left
            times = {} if left is None else {"time_left": left, "time_left_ms": left * _MILLISECONDS}
            _emit(session, "session.go_away", times)


def _counts(usage: Usage) -> dict[str, float]:
    return {
        "prompt_token_count": usage.prompt_token_count,
        "output_token_count": usage.output_token_count,
        "thoughts_token_count": usage.thoughts_token_count,
        "tool_use_prompt_token_count": usage.tool_use_prompt_token_count,
        "cached_content_token_count": usage.cached_content_token_count,
        "total_token_count": usage.total_token_count,
    }


def _took(began: float) -> dict[str, float]:
    seconds = time.perf_counter() - began
    return {"duration": seconds, "duration_ms": seconds * _MILLISECONDS}


def _strategy(session: Reported) -> str:
    return type(session.auth).__name__


def _emit(session: Reported, name: str, measurements: Mapping[str, float], **metadata: object) -> None:
    event = (*PREFIX, *name.split("."))
    if not BUS.wants(event):
        return
    BUS.emit(
        event,
        {"system_time": time.time(), **measurements},
        {
            "session_id": session.telemetry_id,
            "model": session.options.model,
            "epoch": session.epoch,
            **metadata,
        },
    )
