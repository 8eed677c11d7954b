"""How to start a child, when to restart it and how to stop it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Final, Literal, get_args

from attrs import field, frozen

from livebridge.errors import ConfigError
from livebridge.otp._backoff import Backoff
from livebridge.otp._reason import ExitReason
from livebridge.otp._strategy import Restart
from livebridge.otp._term import AnyCallable
from livebridge.otp._words import check_word

ShutdownWord = Literal["infinity", "brutal_kill"]
ChildType = Literal["worker", "supervisor"]

WORKER_SHUTDOWN_SECONDS: Final = 5.0
"""OTP's default for workers; supervisors get all the time their children need."""


@frozen(kw_only=True)
class ChildSpec:
    """What a supervisor knows about a child.

    Attributes:
        id: Its name within the supervisor, and in the supervisor's registry. A `DynamicSupervisor` needs none.
        start: Called anew for each incarnation with ``args`` and ``kwargs``: a `GenServer` class, a function that
            returns a fresh `GenServer`, or an async function, which is then the child.
        args: Positional arguments of ``start``.
        kwargs: Keyword arguments of ``start``.
        restart: ``permanent``: always; ``transient``: after an abnormal end; ``temporary``: never, and the spec is
            forgotten at its end.
        shutdown: Seconds from the request to stop until it is killed; ``"infinity"``; or ``"brutal_kill"``: no
            request, no ``terminate``. By default 5.0, and ``"infinity"`` for a supervisor.
        type: ``worker`` or ``supervisor``; only for counting and the default of ``shutdown``.
        significant: Its end by itself may end the supervisor, see ``auto_shutdown``. Not for ``permanent``.
        backoff: Delays between restarts; ``None`` restarts at once.
        restart_if: Replaces the rule of ``restart`` for ends by itself.
    """

    id: Hashable = None
    start: AnyCallable
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(factory=dict)
    restart: Restart = "permanent"
    type: ChildType = "worker"
    shutdown: float | ShutdownWord = field()
    significant: bool = False
    backoff: Backoff | None = None
    restart_if: Callable[[ExitReason], bool] | None = None

    @shutdown.default
    def _shutdown_by_type(self) -> float | ShutdownWord:
        return "infinity" if self.type == "supervisor" else WORKER_SHUTDOWN_SECONDS

    def __attrs_post_init__(self) -> None:
        if not callable(self.start):
            raise ConfigError(
                f"ChildSpec.start must be callable (a GenServer class, a factory or an async function); got "
                f"{type(self.start).__name__}: a restart needs a fresh instance"
            )
        check_word("ChildSpec.restart", self.restart, get_args(Restart))
        check_word("ChildSpec.type", self.type, get_args(ChildType))
        if self.significant and self.restart == "permanent":
            raise ConfigError(
                "ChildSpec: a permanent child cannot be significant, because it never ends for good"
            )
        if isinstance(self.shutdown, str):
            check_word("ChildSpec.shutdown", self.shutdown, get_args(ShutdownWord))
        elif not self.shutdown >= 0:
            raise ConfigError(
                f"ChildSpec.shutdown must be seconds, 'infinity' or 'brutal_kill'; got {self.shutdown}"
            )

    @property
    def grace(self) -> float:
        """Seconds between the request to stop and the kill."""
        if isinstance(self.shutdown, str):
            return math.inf if self.shutdown == "infinity" else 0.0
        return self.shutdown
