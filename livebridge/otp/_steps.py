"""What the callbacks of an actor may return or raise to say what happens next."""

from __future__ import annotations

import enum
from typing import Final

from attrs import field, frozen

from livebridge.otp._reason import NORMAL, ExitReason


@frozen
class Continue:
    """Run ``handle_continue(arg)`` next, before any message."""

    arg: object = None


@frozen
class Timeout:
    """Deliver ``handle_info(TIMEOUT)`` if no message comes within ``seconds``.

    Any message cancels it. With 0 seconds a message that is waiting already wins.
    """

    seconds: float


class Signal(enum.Enum):
    """Constants that stand for something no message or reply can be."""

    TIMEOUT = "TIMEOUT"
    NOREPLY = "NOREPLY"
    NO_VALUE = "NO_VALUE"

    def __repr__(self) -> str:
        return self.name


TIMEOUT: Final = Signal.TIMEOUT
"""What ``handle_info`` receives when an idle `Timeout` has run out."""

NOREPLY: Final = Signal.NOREPLY
"""Returned by ``handle_call``: the reply will come later, through ``caller.reply``."""

NO_VALUE: Final = Signal.NO_VALUE
"""Stands for "no reply" inside a `Stop`, where ``None`` is a reply."""


@frozen
class Stop:
    """End the actor: ``terminate(reason)`` runs, and then the caller (if any) gets ``reply``.

    ``reply`` has a meaning in ``handle_call`` only; left out, the caller gets an `ActorExitError`.
    """

    reason: ExitReason = NORMAL
    reply: object = field(default=NO_VALUE, kw_only=True)


Next = Continue | Timeout | Stop | None
"""What ``handle_cast``, ``handle_info`` and ``handle_continue`` may return."""


@frozen
class Reply:
    """Answer the caller at once with ``value``, and then do ``then``."""

    value: object
    then: Next = None


class StopInit(Exception):  # noqa: N818 - a decision of ``init``, not a failure of the program
    """Raised in ``init``: do not start, and do not log a crash. It leaves ``start`` as it is.

    Args:
        reason: Why; anything that helps whoever starts the actor.
    """

    def __init__(self, reason: object = None) -> None:
        super().__init__(f"init declined to start: {reason}")
        self.reason = reason


class Ignore(Exception):  # noqa: N818 - a decision of ``init``, not a failure
    """Raised in ``init``: there is nothing to run here. ``start`` returns ``None``."""
