"""What supervisors tell about their children, as data: for logs, metrics and tests."""

from __future__ import annotations

import logging
from typing import Final

from attrs import field, frozen

from livebridge.otp._reason import ExitReason


@frozen(kw_only=True)
class _Event:
    """What all events have: whose, and when.

    Attributes:
        supervisor: Name of the supervisor.
        at: Clock reading in seconds.
    """

    supervisor: object
    at: float


@frozen(kw_only=True)
class ChildStarted(_Event):
    """A child runs. ``restarts`` is 0 the first time."""

    id: object
    ref: object
    restarts: int


@frozen(kw_only=True)
class ChildExited(_Event):
    """A child has ended, by itself or because it was stopped (``requested``), after ``lived`` seconds."""

    id: object
    reason: ExitReason
    lived: float
    requested: bool


@frozen(kw_only=True)
class ChildBackingOff(_Event):
    """A child will be started again in ``delay`` seconds; ``attempt`` counts consecutive restarts from 0."""

    id: object
    delay: float
    attempt: int


@frozen(kw_only=True)
class ChildKilled(_Event):
    """A child did not end within ``grace`` seconds (0: ``brutal_kill``) and was killed."""

    id: object
    grace: float


@frozen(kw_only=True)
class ChildGivenUp(_Event):
    """A child failed and will not be restarted."""

    id: object
    reason: ExitReason


@frozen(kw_only=True)
class Escalated(_Event):
    """There were too many restarts; the supervisor stops its children and ends."""

    history: tuple[float, ...]
    reason: ExitReason


@frozen(kw_only=True)
class ZombieChild(_Event):
    """A child lives on, ``waited`` seconds after it was killed: it shields itself, or blocks.

    ``stack`` says where its tasks wait, innermost call last.
    """

    id: object
    waited: float
    stack: tuple[str, ...] = field(repr=False)


SupervisorEvent = (
    ChildStarted | ChildExited | ChildBackingOff | ChildKilled | ChildGivenUp | Escalated | ZombieChild
)
"""Anything that ``on_event`` receives."""

LEVELS: Final[dict[type[_Event], int]] = {
    ChildStarted: logging.DEBUG,
    ChildExited: logging.DEBUG,  # the actor itself reports an abnormal end
    ChildBackingOff: logging.INFO,
    ChildKilled: logging.WARNING,
    ChildGivenUp: logging.WARNING,
    Escalated: logging.ERROR,
    ZombieChild: logging.ERROR,
}
