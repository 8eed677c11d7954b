"""The class that users write: callbacks and their state, nothing of the runtime."""

from __future__ import annotations

import difflib
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final, TypeVarTuple

from livebridge.errors import ActorError, ConfigError
from livebridge.otp._caller import Caller
from livebridge.otp._mailbox import Lane
from livebridge.otp._reason import ExitReason
from livebridge.otp._ref import Ref, cell_of
from livebridge.otp._steps import Continue, Next, Timeout
from livebridge.otp._term import Term

LOGGER: Final = logging.getLogger("livebridge.otp")
Ts = TypeVarTuple("Ts")

SECRET_WORDS: Final = (
    "key", "token", "secret", "passw", "credential", "bearer", "authorization", "handle", "cookie",
)  # fmt: skip
"""Attributes whose names contain one of these never show their value."""

REDACTED: Final = "<redacted>"


class GenServer:
    """An actor: private state, one mailbox, and callbacks that run one at a time.

    Write a subclass with the callbacks you need. ``__init__`` is yours, there is nothing to call; the runtime
    owns one name on ``self``, ``_actor``. An instance runs once; a restart makes a new one.

    Attributes:
        mailbox_capacity: Bound of the user lane.
        terminate_timeout: Seconds that ``terminate`` may take.
    """

    mailbox_capacity: ClassVar[int] = 1024
    terminate_timeout: ClassVar[float] = 5.0
    _actor: Ref

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        _check_callbacks(cls)

    @property
    def ref(self) -> Ref:
        """The address of this actor.

        Raises:
            ActorError: It has not been started.
        """
        try:
            return self._actor
        except AttributeError:
            raise ActorError(
                f"{type(self).__name__} has no ref yet: start it with otp.start or a Supervisor"
            ) from None

    async def init(self, *args: Term, **kwargs: Term) -> Continue | Timeout | None:
        """Invoked first; whoever starts the actor waits for it.

        Args:
            args: What was given to ``start`` after the actor. Declare your own parameters in its place.
            kwargs: Never given; it is here so that any parameters are a legal override.

        Returns:
            ``None``; `Continue` to go on with ``handle_continue`` before any message; or a `Timeout`.

        Raises:
            Ignore: There is nothing to run; ``start`` returns ``None``.
            StopInit: Do not start, and do not log a crash.
            Exception: Any other leaves ``start`` as it is and is logged. ``terminate`` is not called.
        """
        return None

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        """Invoked for each ``call``.

        Returns:
            The reply; or `Reply` to reply and do something next; or `NOREPLY`, `Continue` or `Timeout` to
            reply later through ``caller.reply``; or `Stop`, with or without a reply.

        What it raises ends the actor, and the caller gets an `ActorExitError`. To raise only in the caller
        use ``caller.reply_error`` and return `NOREPLY`. Left out, every call ends the actor: it is a bug.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_call, but was called")

    async def handle_cast(self, request: Term) -> Next:
        """Invoked for each ``cast``.

        Returns:
            ``None``, `Continue`, `Timeout` or `Stop`.

        What it raises ends the actor. Left out, every cast ends the actor: it is a bug.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_cast, but got a cast")

    async def handle_info(self, message: Term) -> Next:
        """Invoked for every other message: ``send``, lanes, monitors (`Down`) and `TIMEOUT`.

        Returns:
            ``None``, `Continue`, `Timeout` or `Stop`.

        What it raises ends the actor. Left out, messages are logged and forgotten.
        """
        LOGGER.warning("%s got a %s, but has no handle_info", self.ref.name, type(message).__name__)
        return None

    async def handle_continue(self, arg: Term) -> Next:
        """Invoked with the argument of a `Continue`, before any message.

        Returns:
            ``None``, `Continue`, `Timeout` or `Stop`.

        What it raises ends the actor. Left out, a `Continue` ends the actor: it is a bug.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_continue, but returned Continue")

    async def terminate(self, reason: ExitReason) -> None:
        """Invoked once at the end, unless the actor is killed or ``init`` did not succeed.

        It may wait: cancellation from outside does not reach it. After ``terminate_timeout`` seconds it is
        cut off and the reason becomes ``killed``. What it raises becomes the reason.
        """

    def format_state(self) -> dict[str, object]:
        """Show the state, for ``sys.get_state`` and crash reports, without secrets.

        Left out, all attributes are shown but those whose names speak of keys, tokens, secrets or handles.
        """
        return {
            name: REDACTED if any(word in name.lower() for word in SECRET_WORDS) else value
            for name, value in vars(self).items()
            if name != "_actor"
        }

    def format_message(self, message: object) -> str:
        """Name a message in crash reports and status. Left out: the name of its type, never its content."""
        return type(message).__qualname__

    def start_soon(self, fn: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: str | None = None) -> None:
        """Start a task beside the actor, which lives at most as long as the actor does.

        It may be called in ``init``, in any callback and in ``terminate``, and from the tasks themselves. The
        tasks are hidden from outer cancellation until ``terminate`` is done, then cancelled; ``kill`` cancels
        them too. An `Exception` that escapes one ends the actor with reason ``error``: ``terminate`` runs,
        nothing is raised.

        Args:
            fn: An async function.
            args: Its arguments.
            name: A name for the task; the function's name by default.

        Raises:
            ActorError: The actor has not been started.
            NoProcessError: It has ended.
        """
        label = name if name is not None else getattr(fn, "__qualname__", type(fn).__qualname__)
        cell_of(self.ref).start_soon(functools.partial(fn, *args), label)

    def open_lane(self, *, capacity: int = 256, max_cost: float = 16 * 2**20) -> Lane:
        """Open a bounded stream of messages into this actor, in one arrival order with calls and casts.

        Args:
            capacity: How many messages may wait before ``lane.wait_capacity()`` blocks.
            max_cost: The same for the sum of their costs; 16 MiB by default.

        Raises:
            ActorError: The actor has not been started.
        """
        return cell_of(self.ref).mailbox.open_lane(capacity=capacity, max_cost=max_cost)


CALLBACKS: Final = tuple(name for name in vars(GenServer) if name.startswith("handle_"))
ASYNC_CALLBACKS: Final = ("init", "terminate", *CALLBACKS)


def _check_callbacks(cls: type[GenServer]) -> None:
    """Refuse callbacks that would never be called, or could not be awaited."""
    for name in dir(cls):
        if name.startswith("handle_") and name not in CALLBACKS:
            nearest = difflib.get_close_matches(name, CALLBACKS, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"{cls.__name__}.{name} is no callback; did you mean {nearest}? "
                "(handle_ names belong to the callbacks of GenServer; give a helper another name)"
            )
    for name in ASYNC_CALLBACKS:
        fn = inspect.getattr_static(cls, name)
        if inspect.isfunction(fn) and not inspect.iscoroutinefunction(inspect.unwrap(fn)):
            raise ConfigError(f"{cls.__name__}.{name} must be `async def`: the actor awaits it")
