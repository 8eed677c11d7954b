"""The decisions of a supervisor, as tables: who is restarted, who falls with whom, what a command may do.

::

    restart      normal   shutdown   error   killed
    permanent    yes      yes        yes     yes
    transient    no       no         yes     yes
    temporary    no       no         no      no

    strategy       a crash of the i-th child takes down, and brings back
    one_for_one    the i-th
    one_for_all    all
    rest_for_one   the i-th and all that were started after it

    command           running           restarting        stopped
    start_child       already started   already started   already present
    restart_child     running           restarting        ok
    terminate_child   ok                ok                ok
    delete_child      running           restarting        ok
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeVar

from livebridge.otp._reason import ExitKind, ExitReason

Restart = Literal["permanent", "transient", "temporary"]
"""Which ends of a child lead to a restart."""

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Who falls with a crashed child."""

AutoShutdown = Literal["never", "any_significant", "all_significant"]
"""Whether the end of significant children ends the supervisor."""

Command = Literal["start_child", "restart_child", "terminate_child", "delete_child"]

T = TypeVar("T")


class ChildState(enum.Enum):
    """What a supervisor knows of a child."""

    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPED = "stopped"


RESTARTS: Final[dict[Restart, frozenset[ExitKind]]] = {
    "permanent": frozenset({"normal", "shutdown", "error", "killed", "noproc"}),
    "transient": frozenset({"error", "killed"}),
    "temporary": frozenset(),
}

OK: Final = ""

ANSWERS: Final[dict[Command, dict[ChildState, str]]] = {
    "start_child": {
        ChildState.RUNNING: "already started",
        ChildState.RESTARTING: "already started, and restarting",
        ChildState.STOPPED: "already present; restart_child starts it again, delete_child forgets it",
    },
    "restart_child": {
        ChildState.RUNNING: "running; terminate_child first",
        ChildState.RESTARTING: "restarting already",
        ChildState.STOPPED: OK,
    },
    "terminate_child": {ChildState.RUNNING: OK, ChildState.RESTARTING: OK, ChildState.STOPPED: OK},
    "delete_child": {
        ChildState.RUNNING: "running; terminate_child first",
        ChildState.RESTARTING: "restarting; terminate_child first",
        ChildState.STOPPED: OK,
    },
}


def must_restart(
    restart: Restart, reason: ExitReason, restart_if: Callable[[ExitReason], bool] | None = None
) -> bool:
    """Say whether a child that ended by itself comes back; ``restart_if`` replaces the table."""
    if restart_if is not None:
        return restart_if(reason)
    return reason.kind in RESTARTS[restart]


def victims(strategy: Strategy, order: Sequence[T], failed: T) -> list[T]:
    """Return the children that fall with ``failed``, itself among them, in start order."""
    if strategy == "one_for_one":
        return [failed]
    if strategy == "one_for_all":
        return list(order)
    return list(order[order.index(failed) :])


def must_shut_down(mode: AutoShutdown, *, significant: bool, others_left: bool) -> bool:
    """Say whether the end of a child by itself, which leads to no restart, ends the supervisor.

    Args:
        mode: The supervisor's ``auto_shutdown``.
        significant: Whether the child that ended is significant.
        others_left: Whether other significant children have not ended.
    """
    if mode == "never" or not significant:
        return False
    return mode == "any_significant" or not others_left
