"""What a failed dial, a refused setup or a lost connection means: retry, start afresh, or give up.

One table (`RULES`), read from top to bottom; the first row that fits decides (see `Rule`). Users put rows of
their own in front. The texts are those that users of the real server have reported.

Three thoughts run through the table. A plain loss of the network never costs the conversation. What the
server itself says, and says again although it was asked again with the same handle, is laid at the handle's
door: the next session is a fresh one. And only what no fresh session can cure either is fatal.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from livebridge.protocol._verdicts import Failure, Rule, Verdict


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


_REFUSED: Final = _codes(1007, 1008)
_CONFIG: Final = "the server refused the configuration"
_SLOW: Final = 10.0
"""Seconds. A server that is out of capacity or quota is not to be pressed."""

_RETRY, _NO_MEDIA, _FRESH = Verdict.RETRY, Verdict.RETRY_WITHOUT_MEDIA, Verdict.FRESH
_RENEW, _FATAL = Verdict.REFRESH_CREDENTIALS, Verdict.FATAL

_STATUSES: Final = (
    Rule(
        verdict=_RENEW,
        statuses=_codes(401, 403),
        hint="check the API key or credentials, and that the Live API is enabled for them",
    ),
    Rule(verdict=_RETRY, statuses=_codes(408, 429, 500, 502, 503, 504)),
    Rule(
        verdict=_RETRY,
        then=(_FRESH,),
        phase="setup",
        statuses=frozenset(range(400, 500)),
        had_handle=True,
        hint="the server refused to resume",
    ),
    Rule(verdict=_FATAL, phase="setup", statuses=frozenset(range(400, 500)), hint=_CONFIG),
    Rule(
        verdict=_FATAL,
        statuses=_codes(404),
        hint="check base URL, API version and location: there is no Live API at this address",
    ),
    Rule(verdict=_FATAL, statuses=frozenset(range(400, 500))),
)
"""An upgrade that was refused, or an error object in place of ``setupComplete``."""

_CREDENTIALS: Final = (
    *(
        Rule(verdict=_RENEW, codes=_REFUSED, text=text, renewable=True, hint="the credentials were refused")
        for text in ("api key", "token expired", "token has expired", "used too many times")
    ),
    Rule(
        verdict=_FATAL,
        codes=_REFUSED,
        text="api key",
        hint="get a valid API key; this one is unknown, expired or reported as leaked",
    ),
    *(
        Rule(
            verdict=_FATAL,
            codes=_REFUSED,
            text=text,
            hint="the token is used up; give an async function that makes a new one for each dial",
        )
        for text in ("token expired", "token has expired", "used too many times")
    ),
)

_TEXTS: Final = (
    Rule(
        verdict=_FRESH,
        then=(_FRESH, _FATAL),
        codes=_codes(1008),
        text="session not found",
        hint="the resumption handle is stale; the conversation starts afresh",
    ),
    Rule(
        verdict=_FATAL,
        codes=_REFUSED,
        text="not found",
        hint="this model is not served here: check model name, API version and, on Vertex, the location",
    ),
    Rule(
        verdict=_FATAL,
        codes=_codes(1008),
        text="billing",
        hint="the Live API on Vertex needs a project with billing enabled",
    ),
    Rule(verdict=_FATAL, codes=_REFUSED, text="location is not supported"),
    Rule(
        verdict=_NO_MEDIA,
        then=(_FATAL,),
        codes=_codes(1007),
        text="input audio",
        hint="send 16-bit little-endian mono PCM and name its rate, for example audio/pcm;rate=16000",
    ),
    Rule(
        verdict=_NO_MEDIA,
        phase="ready",
        codes=_codes(1007),
        text="CONTENT_TYPE_AUDIO",
        hint="this model refuses audio around function calls",
    ),
    Rule(verdict=_FATAL, codes=_codes(1007), text="not supported", hint=_CONFIG),
    Rule(verdict=_FATAL, codes=_codes(1007), text="thinking level", hint=_CONFIG),
    Rule(
        verdict=_FRESH,
        then=(_FATAL,),
        phase="ready",
        codes=_codes(1007),
        text="precondition check failed",
        hint="the history cannot be used by this model; a fresh session is told it as text",
    ),
)
"""Texts that say more than their code."""

_CAPACITY: Final = (
    *(
        Rule(
            verdict=_RETRY,
            then=(_RETRY, _RETRY, _FATAL),
            codes=_codes(1008, 1011, 1013),
            text=text,
            wait=_SLOW,
            hint="the quota is used up, or too many sessions are open: see the limits of the project",
        )
        for text in ("resource_exhausted", "resource exhausted", "quota", "credits", "billing")
    ),
    *(
        Rule(verdict=_RETRY, codes=_codes(1011, 1013), text=text, wait=_SLOW, hint="the server is overloaded")
        for text in ("OVERLOADED", "DEADLINE_EXCEEDED")
    ),
)
"""Too little of something: neither the handle nor the setup is to blame, and haste makes it worse."""

_SETUP: Final = (
    Rule(
        verdict=_RETRY,
        phase="setup",
        codes=_codes(1011),
        had_handle=True,
        held=True,
        hint="the server may not have noticed yet that the connection before has ended",
    ),
    Rule(
        verdict=_RETRY,
        then=(_FRESH,),
        phase="setup",
        codes=_codes(*_REFUSED, 1011),
        had_handle=True,
        renew=True,
        hint="the server refused to resume",
    ),
    Rule(
        verdict=_RETRY,
        then=(_RETRY, _FATAL),
        phase="setup",
        codes=_codes(1008),
        text="aborted",
    ),
    Rule(
        verdict=_FATAL,
        phase="setup",
        codes=_REFUSED,
        hint=f"{_CONFIG}: model, modality, tools or a field it does not know",
    ),
    Rule(verdict=_RETRY, then=(_FRESH,), unanswered=True, suspicious=True, had_handle=True),
    Rule(verdict=_RETRY, then=(_FATAL,), unanswered=True, suspicious=True, hint=_CONFIG),
    Rule(verdict=_RETRY, then=(_RETRY, _RETRY, _FATAL), unanswered=True, had_handle=False, hint=_CONFIG),
)
"""A setup that was refused or left unanswered. The server may refuse a resume while it still holds the earlier
connection (1011), so a handle has two tries; and where it did not answer our close, the first refusal is none."""

_READY: Final = (
    Rule(
        verdict=_NO_MEDIA,
        phase="ready",
        codes=_codes(1007),
        had_handle=True,
        hint="an argument of the last message was invalid, or the context is exhausted",
    ),
    Rule(
        verdict=_NO_MEDIA,
        then=(_FATAL,),
        phase="ready",
        codes=_codes(1007),
        hint="an argument of the last message was invalid, or the context is exhausted",
    ),
    Rule(
        verdict=_RETRY,
        then=(_RETRY, _FRESH, _FATAL),
        phase="ready",
        codes=_codes(1008),
        text="operation is not implemented",
        lasting=True,
        hint="some models answer audio during a pending function call like this",
    ),
    Rule(verdict=_RETRY, phase="ready", codes=_codes(1008), text="aborted", rapid=False),
    Rule(verdict=_RETRY, phase="ready", codes=_codes(1008), go_away=True),
    Rule(verdict=_RETRY, then=(_FRESH, _FATAL), phase="ready", codes=_codes(1008)),
)
"""A conversation that the server broke off for a reason. Some proxies abort every connection at a certain age
(1008): that is no more than the loss of a connection."""

_HOPELESS: Final = (
    Rule(
        verdict=_FATAL,
        codes=_codes(1009),
        hint="a message was larger than max_message_size; raise it",
    ),
    Rule(
        verdict=_RETRY,
        then=(_RETRY, _FATAL),
        codes=_codes(1002),
        initiated_by="client",
        hint="what came was no WebSocket frame; something on the way spoils the stream",
    ),
    Rule(verdict=_FATAL, codes=_codes(1002, 1003, 1010, 1015)),
    Rule(verdict=_FATAL, codes=frozenset(range(4000, 5000))),
)
"""What another try would meet again. A stream that was spoilt on the way is a fault of the network, if it is
not so each time."""

_FAULTS: Final = (
    Rule(verdict=_RETRY, codes=_codes(1011), text="keepalive ping timeout"),
    Rule(verdict=_RETRY, phase="ready", codes=_codes(1011), go_away=True),
    *(
        Rule(
            verdict=_RETRY,
            then=(_FRESH,),
            codes=_codes(1011),
            text=text,
            renew=True,
            hint="an overload, the limit of a connection's life, or credentials that cannot resume",
        )
        for text in ("unavailable", "deadline expired")
    ),
    Rule(
        verdict=_RETRY,
        then=(_FRESH,),
        codes=_codes(1011),
        hint="a fault or overload on the server's side, or its connection limit",
    ),
)
"""Faults of the server, and of what it keeps for a handle."""

_LOSSES: Final = (
    Rule(verdict=_RETRY, then=(_RETRY, _RETRY, _FRESH), phase="setup", had_handle=True),
    Rule(verdict=_RETRY),
)
"""All else is the network's doing, or a server that restarts. One outage can cut off several setups, so these
say little about a handle; but a handle that never gets through is given up in the end."""

RULES: Final[Sequence[Rule]] = (
    *_STATUSES,
    *_CREDENTIALS,
    *_TEXTS,
    *_CAPACITY,
    *_SETUP,
    *_READY,
    *_HOPELESS,
    *_FAULTS,
    *_LOSSES,
)
"""The whole table."""


@attrs.frozen(kw_only=True)
class Classified:
    """A verdict and, where the table knows one, a hint for people.

    Attributes:
        verdict: What the row says the first time.
        rule: The row.
        hint: For people.
    """

    verdict: Verdict
    rule: Rule
    hint: str | None = None

    @property
    def retryable(self) -> bool:
        """Whether trying again can help."""
        return self.verdict is not Verdict.FATAL


_HOPELESS_DIAL: Final = Rule(verdict=Verdict.FATAL)


def classify(failure: Failure, *, rules: Sequence[Rule] = ()) -> Classified:
    """What to do about `failure`.

    Args:
        failure: What happened.
        rules: Rows of the user's, asked first.
    """
    if failure.phase == "dial" and failure.status is None and failure.retryable is False:
        rule = _HOPELESS_DIAL
    else:
        rule = next(rule for rule in (*rules, *RULES) if rule.fits(failure))
    return Classified(verdict=rule.verdict, hint=rule.hint, rule=rule)
