"""What a failed dial, a refused setup or a lost connection means: retry, start afresh, or give up.

One table (`RULES`), read from top to bottom; the first row that fits decides. A row fits if its phase, code,
HTTP status and text (a case-insensitive part of the reason) all fit, where given. Users put rows of their
own in front. The texts are those that users of the real server have reported.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import attrs


class Verdict(StrEnum):
    """What to do about a failure."""

    RETRY = "retry"
    """Dial again, with the handle if there is one."""

    RETRY_WITHOUT_MEDIA = "retry_without_media"
    """Dial again with the handle, but give buffered media up; the second time in a row, start afresh."""

    FRESH = "fresh"
    """Dial again without a handle."""

    REFRESH_CREDENTIALS = "refresh_credentials"
    """Ask for new credentials and dial once more; the second time in a row it is fatal."""

    FATAL = "fatal"
    """Trying again cannot help."""


@attrs.frozen(kw_only=True)
class Failure:
    """A failure, as far as the decision needs to know it.

    Attributes:
        phase: ``dial``, ``setup`` or ``ready``.
        code: WebSocket close code; ``None`` where no WebSocket was open.
        status: HTTP status of a refused upgrade.
        reason: Close reason or response text.
        retryable: What the transport thinks of a failed dial.
        had_handle: Whether the ``setup`` of this connection carried a handle.
        initiated_by: ``client``, ``server`` or ``network``.
        retry_after: Seconds the server asked us to wait.
        uptime: Seconds since ``setupComplete``; 0 before it.
        stable: Whether the connection had lived long enough to restore the retry budget.
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


@attrs.frozen(kw_only=True)
class Rule:
    """One row of the table; ``None`` fits anything."""

    verdict: Verdict
    phase: str | None = None
    codes: frozenset[int] | None = None
    statuses: frozenset[int] | None = None
    text: str | None = None
    had_handle: bool | None = None
    hint: str | None = None

    def fits(self, failure: Failure) -> bool:
        """Whether this row speaks about `failure`."""
        return (
            (self.phase is None or self.phase == failure.phase)
            and (self.codes is None or failure.code in self.codes)
            and (self.statuses is None or failure.status in self.statuses)
            and (self.text is None or self.text.lower() in failure.reason.lower())
            and (self.had_handle is None or self.had_handle == failure.had_handle)
        )


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


_CONFIG: Final = "the server refused the configuration"

RULES: Final[Sequence[Rule]] = (
    # Upgrade refused.
    Rule(
        verdict=Verdict.REFRESH_CREDENTIALS,
        statuses=_codes(401, 403),
        hint="check the API key or credentials, and that the Live API is enabled for them",
    ),
    Rule(verdict=Verdict.RETRY, statuses=_codes(408, 429, 500, 502, 503, 504)),
    Rule(
        verdict=Verdict.FATAL,
        statuses=_codes(404),
        hint="check base URL, API version and location: there is no Live API at this address",
    ),
    Rule(verdict=Verdict.FATAL, statuses=frozenset(range(400, 500))),
    # Texts that say more than their code.
    Rule(
        verdict=Verdict.FRESH,
        codes=_codes(1008),
        text="session not found",
        hint="the resumption handle is stale; the conversation starts afresh",
    ),
    Rule(
        verdict=Verdict.FATAL,
        codes=_codes(1007, 1008),
        text="api key",
        hint="get a valid API key; this one is unknown, expired or reported as leaked",
    ),
    Rule(
        verdict=Verdict.FATAL,
        codes=_codes(1007, 1008),
        text="not found",
        hint="this model is not served here: check model name, API version and, on Vertex, the location",
    ),
    Rule(
        verdict=Verdict.FATAL,
        codes=_codes(1008),
        text="billing",
        hint="the Live API on Vertex needs a project with billing enabled",
    ),
    Rule(verdict=Verdict.FATAL, codes=_codes(1007, 1008), text="location is not supported"),
    Rule(
        verdict=Verdict.RETRY_WITHOUT_MEDIA,
        codes=_codes(1007),
        text="input audio",
        hint="send 16-bit little-endian mono PCM and name its rate, for example audio/pcm;rate=16000",
    ),
    Rule(
        verdict=Verdict.RETRY_WITHOUT_MEDIA,
        phase="ready",
        codes=_codes(1007),
        text="CONTENT_TYPE_AUDIO",
        hint="this model refuses audio around function calls",
    ),
    Rule(
        verdict=Verdict.FATAL,
        codes=_codes(1007),
        text="is not supported",
        hint=_CONFIG,
    ),
    Rule(verdict=Verdict.FATAL, codes=_codes(1007), text="thinking level", hint=_CONFIG),
    Rule(
        verdict=Verdict.RETRY,
        codes=_codes(1008),
        text="operation is not implemented",
        hint="some models answer audio during a pending function call like this",
    ),
    Rule(verdict=Verdict.RETRY, codes=_codes(1008), text="aborted"),
    # Setup refused.
    Rule(
        verdict=Verdict.RETRY,
        phase="setup",
        codes=_codes(1007, 1008),
        had_handle=True,
        hint="the server refused to resume",
    ),
    Rule(
        verdict=Verdict.FATAL,
        phase="setup",
        codes=_codes(1007, 1008),
        hint=f"{_CONFIG}: model, modality, tools or a field it does not know",
    ),
    # Lost while talking.
    Rule(
        verdict=Verdict.RETRY_WITHOUT_MEDIA,
        phase="ready",
        codes=_codes(1007),
        hint="an argument of the last message was invalid, or the context is exhausted",
    ),
    Rule(verdict=Verdict.RETRY, phase="ready", codes=_codes(1008)),
    Rule(
        verdict=Verdict.FATAL,
        codes=_codes(1009),
        hint="a message was larger than max_message_size; raise it",
    ),
    Rule(verdict=Verdict.FATAL, codes=_codes(1002, 1003, 1010, 1015)),
    Rule(verdict=Verdict.FATAL, codes=frozenset(range(4000, 5000))),
    Rule(
        verdict=Verdict.RETRY,
        codes=_codes(1011),
        hint="a fault or overload on the server's side, or its connection limit",
    ),
    Rule(verdict=Verdict.RETRY),
)


@attrs.frozen(kw_only=True)
class Classified:
    """A verdict and, where the table knows one, a hint for people."""

    verdict: Verdict
    hint: str | None = None

    @property
    def retryable(self) -> bool:
        """Whether trying again can help."""
        return self.verdict is not Verdict.FATAL


def classify(failure: Failure, *, rules: Sequence[Rule] = ()) -> Classified:
    """What to do about `failure`.

    Args:
        failure: What happened.
        rules: Rows of the user's, asked first.
    """
    if failure.phase == "dial" and failure.status is None and failure.retryable is False:
        return Classified(verdict=Verdict.FATAL)
    rule = next(rule for rule in (*rules, *RULES) if rule.fits(failure))
    return Classified(verdict=rule.verdict, hint=rule.hint)
