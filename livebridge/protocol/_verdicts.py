"""The words of the table of failures: what happened, what to do about it, and what one row looks like."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import attrs


class Verdict(StrEnum):
    """What to do about a failure."""

    RETRY = "retry"
    """Dial again, with the handle if there is one."""

    RETRY_WITHOUT_MEDIA = "retry_without_media"
    """Dial again with the handle, but give buffered media up."""

    FRESH = "fresh"
    """Dial again without a handle."""

    REFRESH_CREDENTIALS = "refresh_credentials"
    """Ask for new credentials and dial again."""

    FATAL = "fatal"
    """Trying again cannot help."""


@attrs.frozen(kw_only=True)
class Failure:
    """A failure, as far as the decision needs to know it.

    Attributes:
        phase: ``dial``, ``setup`` or ``ready``.
        code: WebSocket close code; ``None`` where no WebSocket was open.
        status: HTTP status of a refused upgrade, or of an error object in place of ``setupComplete``.
        reason: Close reason or response text.
        retryable: What the transport thinks of a failed dial.
        had_handle: Whether the ``setup`` of this connection carried a handle.
        initiated_by: ``client``, ``server`` or ``network``.
        retry_after: Seconds the server asked us to wait.
        uptime: Seconds since ``setupComplete``; 0 before it.
        stable: Whether the connection had lived long enough to restore the retry budget.
        rapid: Whether it ended shortly after ``setupComplete`` (`ReconnectPolicy.rapid_drop`).
        go_away: Whether the server had announced the end of this connection.
        unanswered: The setup was sent, and nothing ended the wait for ``setupComplete`` but our patience.
        suspicious: The line was alive all the while, and no setup of this session was ever completed: it is
            the setup that must be at fault.
        renewable: Whether asking for credentials again can bring other ones.
        held: The server may still hold the connection before this one: it has not answered our close.
    """

    phase: str
    code: int | None = None
    status: int | None = None
    reason: str = ""
    retryable: bool | None = None
    had_handle: bool = False
    initiated_by: str | None = None
    retry_after: float | None = None
    uptime: float = 0.0
    stable: bool = False
    rapid: bool = False
    go_away: bool = False
    unanswered: bool = False
    suspicious: bool = False
    renewable: bool = False
    held: bool = False


@attrs.frozen(kw_only=True)
class Rule:
    """One row of the table; a condition that is ``None`` fits anything.

    A row says what to do the first time, the second time in a row, and so on (``verdict``, then ``then``); what
    ends "in a row" is `Reconnector`'s business.

    Attributes:
        verdict: What to do the first time.
        then: What to do the second time in a row, the third …; the last word stays. By default new
            credentials and giving media up help once (then: fatal; afresh, then fatal), and all else is done
            as often as it takes.
        phase: ``dial``, ``setup`` or ``ready``.
        codes: WebSocket close codes.
        statuses: HTTP statuses.
        text: Part of the reason, in any case.
        had_handle: See `Failure`, as for the conditions that follow.
        initiated_by: See `Failure`.
        rapid: See `Failure`.
        go_away: See `Failure`.
        unanswered: See `Failure`.
        suspicious: See `Failure`.
        renewable: See `Failure`.
        held: See `Failure`.
        wait: Seconds to wait at least (and twice as many at most, unless the back-off is longer).
        renew: Starting afresh goes with new credentials.
        lasting: It counts as "in a row" for a whole conversation, whatever progress there was in between.
        hint: For people.
    """

    verdict: Verdict
    then: Sequence[Verdict] | None = None
    phase: str | None = None
    codes: frozenset[int] | None = None
    statuses: frozenset[int] | None = None
    text: str | None = None
    had_handle: bool | None = None
    initiated_by: str | None = None
    rapid: bool | None = None
    go_away: bool | None = None
    unanswered: bool | None = None
    suspicious: bool | None = None
    renewable: bool | None = None
    held: bool | None = None
    wait: float = 0.0
    renew: bool = False
    lasting: bool = False
    hint: str | None = None

    def fits(self, failure: Failure) -> bool:
        """Whether this row speaks about `failure`."""
        return (
            (self.codes is None or failure.code in self.codes)
            and (self.statuses is None or failure.status in self.statuses)
            and (self.text is None or self.text.lower() in failure.reason.lower())
            and all(
                wanted is None or wanted == given
                for wanted, given in (
                    (self.phase, failure.phase),
                    (self.had_handle, failure.had_handle),
                    (self.initiated_by, failure.initiated_by),
                    (self.rapid, failure.rapid),
                    (self.go_away, failure.go_away),
                    (self.unanswered, failure.unanswered),
                    (self.suspicious, failure.suspicious),
                    (self.renewable, failure.renewable),
                    (self.held, failure.held),
                )
            )
        )

    def said(self, times: int) -> Verdict:
        """What this row says the ``times``-th time in a row (from 1)."""
        then = _THEN.get(self.verdict, ()) if self.then is None else self.then
        words = (self.verdict, *then)
        return words[min(times, len(words)) - 1]


_THEN: Final[Mapping[Verdict, Sequence[Verdict]]] = {
    Verdict.REFRESH_CREDENTIALS: (Verdict.FATAL,),
    Verdict.RETRY_WITHOUT_MEDIA: (Verdict.FRESH, Verdict.FATAL),
}
