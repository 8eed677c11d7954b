"""Between errors and decisions: what the failure table needs to know, and what people should read."""

from __future__ import annotations

from typing import TypeVar

from livebridge.errors import (
    ConnectError,
    ConnectionFailureError,
    LivebridgeError,
    ReconnectExhaustedError,
    SetupError,
)
from livebridge.protocol import Failure, Plan, Verdict

_E = TypeVar("_E", bound=ConnectionFailureError)


def as_failure(error: ConnectionFailureError, *, uptime: float, stable: bool, had_handle: bool) -> Failure:
    """Reduce an error to what the table of failures looks at."""
    phase = (
        "dial" if isinstance(error, ConnectError) else "setup" if isinstance(error, SetupError) else "ready"
    )
    return Failure(
        phase=phase,
        code=error.code,
        status=error.status,
        reason=error.reason or str(error),
        retryable=error.retryable,
        had_handle=had_handle,
        initiated_by=error.initiated_by,
        retry_after=error.retry_after,
        uptime=uptime,
        stable=stable,
    )


def enrich(error: _E, plan: Plan) -> _E:
    """The same error with the table's hint, its phase, and whether a retry can help."""
    better = type(error)(
        str(error),
        code=error.code,
        reason=error.reason,
        status=error.status,
        phase=error.phase or "ready",
        initiated_by=error.initiated_by,
        retryable=plan.verdict is not Verdict.FATAL,
        hint=plan.hint if error.hint is None else None,
        retry_after=error.retry_after,
    )
    better.hint = error.hint or plan.hint
    better.__cause__ = error.__cause__ or error
    return better


def exhausted(error: LivebridgeError, *, attempts: int) -> ReconnectExhaustedError:
    """The policy has given up; `error` was the last failure."""
    given_up = ReconnectExhaustedError(
        f"gave up after {attempts} attempts; the last failure: {error}",
        code=error.code,
        status=error.status,
        reason=error.reason if isinstance(error.reason, str) else None,
        phase=error.phase,
        retryable=False,
    )
    given_up.__cause__ = error
    return given_up
