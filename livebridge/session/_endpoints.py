"""What all sessions of one trio run share for one endpoint: a bound on concurrent dials, a circuit breaker."""

from __future__ import annotations

from typing import Final

import attrs
import trio

from livebridge.protocol import CircuitBreaker, CircuitPolicy

MAX_CONCURRENT_DIALS: Final = 8
"""Dials at once to one host: a thousand sessions that lost the same proxy do not come back at the same time."""


@attrs.define(eq=False)
class Endpoint:
    """One place that sessions dial.

    Attributes:
        limiter: Bounds concurrent dials.
        breaker: Stops dials where too many have failed.
    """

    limiter: trio.CapacityLimiter
    breaker: CircuitBreaker


_endpoints: trio.lowlevel.RunVar[dict[tuple[str, int], Endpoint]] = trio.lowlevel.RunVar(
    "livebridge_endpoints"
)


def endpoint_for(url: str, auth: object, policy: CircuitPolicy | None) -> Endpoint:
    """The shared state for `url` dialled with the credentials `auth`; made on first use."""
    try:
        known = _endpoints.get()
    except LookupError:
        known = {}
        _endpoints.set(known)
    key = (url, _identity(auth))
    if key not in known:
        known[key] = Endpoint(
            trio.CapacityLimiter(MAX_CONCURRENT_DIALS), CircuitBreaker(policy or CircuitPolicy())
        )
    return known[key]


def _identity(auth: object) -> int:
    """Equal credentials are one; those that cannot be compared are themselves."""
    try:
        return hash(auth)
    except TypeError:
        return id(auth)
