"""What the sessions of one trio run share: a bound on concurrent dials per host, a circuit breaker per endpoint.

An endpoint is an address dialled with certain credentials. What is kept of it goes when the last of its sessions
has gone, but not before its breaker has nothing to tell any more: sessions that follow one another, each failing
alone, are a storm as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import attrs
import trio

from livebridge.protocol import CircuitBreaker, CircuitPolicy

MAX_CONCURRENT_DIALS: Final = 8
"""Dials at once to one host: a thousand sessions that lost the same proxy do not come back at the same time."""


@attrs.define(eq=False)
class Endpoint:
    """One place that sessions dial with the same credentials.

    Attributes:
        limiter: Bounds concurrent dials to its host.
        breaker: Stops dials where too many have failed.
        sessions: How many sessions use it.
    """

    limiter: trio.CapacityLimiter
    breaker: CircuitBreaker
    sessions: int = 0


@attrs.frozen(eq=False)
class _Key:
    """An address and credentials; equal credentials are one, also where they cannot be hashed."""

    url: str
    auth: object = attrs.field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.url == other.url and bool(self.auth == other.auth)

    def __hash__(self) -> int:
        try:
            return hash((self.url, self.auth))
        except TypeError:
            return hash((self.url, type(self.auth)))


@attrs.define(eq=False)
class _Directory:
    """All endpoints of one trio run."""

    endpoints: dict[_Key, Endpoint] = attrs.field(factory=dict)
    limiters: WeakValueDictionary[str, trio.CapacityLimiter] = attrs.field(factory=WeakValueDictionary)
    lingering: set[_Key] = attrs.field(factory=set)

    def find(self, key: _Key, policy: CircuitPolicy) -> Endpoint:
        known = self.endpoints.get(key)
        if known is None:
            host = urlsplit(key.url).netloc
            limiter = self.limiters.setdefault(host, trio.CapacityLimiter(MAX_CONCURRENT_DIALS))
            known = self.endpoints[key] = Endpoint(limiter, CircuitBreaker(policy))
        return known

    def sweep(self) -> None:
        """Forget what nobody uses and what has nothing to tell."""
        now = trio.current_time()
        for key in tuple(self.lingering):
            endpoint = self.endpoints[key]
            if endpoint.sessions == 0 and endpoint.breaker.is_at_rest(now=now):
                del self.endpoints[key]
            if endpoint.sessions > 0 or key not in self.endpoints:
                self.lingering.discard(key)


_directory: trio.lowlevel.RunVar[_Directory] = trio.lowlevel.RunVar("livebridge_endpoints")


@contextmanager
def shared_endpoint(url: str, auth: object, policy: CircuitPolicy | None) -> Iterator[Endpoint]:
    """What a session shares for `url` dialled with the credentials `auth`, for the length of a block.

    Args:
        url: Where it dials.
        auth: With which credentials.
        policy: Of the breaker; the first session of an endpoint decides.
    """
    try:
        directory = _directory.get()
    except LookupError:
        directory = _Directory()
        _directory.set(directory)
    directory.sweep()
    key = _Key(url, auth)
    endpoint = directory.find(key, policy or CircuitPolicy())
    endpoint.sessions += 1
    try:
        yield endpoint
    finally:
        endpoint.sessions -= 1
        directory.lingering.add(key)
        directory.sweep()
