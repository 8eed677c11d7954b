"""Between errors and decisions: what the failure table needs to know, and what people should read."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import trio

from livebridge.errors import (
    ConnectError,
    ConnectionFailureError,
    LivebridgeError,
    ReconnectExhaustedError,
    SetupError,
)
from livebridge.protocol import Failure, Plan, Verdict
from livebridge.session._handshake import UnansweredError


@attrs.frozen(kw_only=True)
class Circumstances:
    """What a session knows about a failure besides the error.

    Attributes:
        had_handle: The setup of this connection carried a handle.
        uptime: Seconds since ``setupComplete``; 0 before it.
        stable: The count of attempts was put back to zero.
        rapid: See `livebridge.protocol.Failure`.
        go_away: The server had announced the end.
        renewable: Asking for credentials again can bring other ones.
        proven: A setup of this session was completed before.
        held: See `livebridge.protocol.Failure`.
    """

    had_handle: bool = False
    uptime: float = 0.0
    stable: bool = False
    rapid: bool = False
    go_away: bool = False
    renewable: bool = False
    proven: bool = False
    held: bool = False


def as_failure(error: ConnectionFailureError, known: Circumstances) -> Failure:
    """Reduce an error to what the table of failures looks at."""
    phase = (
        "dial" if isinstance(error, ConnectError) else "setup" if isinstance(error, SetupError) else "ready"
    )
    unanswered = isinstance(error, UnansweredError)
    return Failure(
        phase=phase,
        code=error.code,
        status=error.status,
        reason=error.reason or str(error),
        retryable=error.retryable,
        had_handle=known.had_handle,
        initiated_by=error.initiated_by,
        retry_after=error.retry_after,
        uptime=known.uptime,
        stable=known.stable,
        rapid=known.rapid,
        go_away=known.go_away,
        unanswered=unanswered,
        suspicious=isinstance(error, UnansweredError) and error.alive and not known.proven,
        renewable=known.renewable,
        held=known.held,
    )


def enrich(error: ConnectionFailureError, plan: Plan) -> ConnectionFailureError:
    """The same error with the table's hint, its phase, its number, and whether a retry can help."""
    kind = SetupError if isinstance(error, SetupError) else type(error)
    better = kind(
        str(error),
        code=error.code,
        reason=error.reason,
        status=error.status,
        phase=error.phase or "ready",
        initiated_by=error.initiated_by,
        retryable=plan.verdict is not Verdict.FATAL,
        hint=plan.hint if error.hint is None else None,
        retry_after=error.retry_after,
        attempt=plan.attempt,
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
        attempt=attempts,
    )
    given_up.__cause__ = error
    return given_up


def broken(error: BaseException | None) -> LivebridgeError:
    """What ended the session, where it was neither the connection nor the user: a fault in somebody's code."""
    causes = list(_causes(error))
    if len(causes) == 1 and isinstance(causes[0], LivebridgeError):
        return causes[0]
    told = "; ".join(f"{type(cause).__name__}: {cause}" for cause in causes)
    failure = LivebridgeError(f"the session broke: {told or 'nobody knows why'}")
    failure.__cause__ = causes[0] if len(causes) == 1 else error
    return failure


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """What a group was made of: in which nurseries that was is nobody's business."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each)
    elif error is not None and not isinstance(error, trio.Cancelled):
        yield error
