"""Turns async methods into blocking ones with the same signature; the only module that knows descriptors."""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from livebridge.errors import SessionClosedError
from livebridge.threads._portal import Portal

P = ParamSpec("P")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Blocking(ABC, Generic[S_co]):
    """Something for any thread that stands for something in the trio thread."""

    _limit: float | None = None

    @abstractmethod
    def _reach(self) -> tuple[Portal, S_co]:
        """The way there, and what is there."""

    def within(self, seconds: float) -> Self:
        """The same with a time limit for each blocking call: ``session.within(5).receive()``.

        A call that takes longer is cancelled and raises `TimeoutError`. Futures of ``submit`` have no limit.
        """
        other = copy.copy(self)
        other._limit = seconds  # noqa: SLF001 - one of us
        return other


class BlockingVerb(Generic[P, T_co]):
    """A blocking method: call it, or ``submit`` it."""

    def __init__(
        self,
        owner: Blocking[S],
        verb: Callable[Concatenate[S, P], Awaitable[T_co]],
        name: str,
        afterwards: Callable[[S], T_co] | None,
    ) -> None:
        self._name = name
        self._limit = owner._limit  # noqa: SLF001 - made by the verbs of its owner
        self._portal, target = owner._reach()  # noqa: SLF001 - as above
        self._verb: Callable[P, Awaitable[T_co]] = partial(verb, target)
        self._afterwards: Callable[[], T_co] | None = None
        if afterwards is not None:
            self._afterwards = partial(afterwards, target)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """Do it in the trio thread and wait. Ctrl-C cancels it.

        Raises:
            TimeoutError: It took longer than ``within`` allows.
            SessionClosedError: The `LiveBridgeThread` is closed.
            CallSelfError: This is the trio thread.
        """
        work = partial(self._verb, *args, **kwargs)
        try:
            return self._portal.run(work, what=f"{self._name}()", limit=self._limit)
        except SessionClosedError:
            if self._afterwards is None:
                raise
            return self._afterwards()

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[T_co]:
        """Do it in the trio thread and do not wait. For asyncio: ``await asyncio.wrap_future(…)``.

        Cancelling the future, or the asyncio one around it, cancels the call.

        Raises:
            SessionClosedError: The `LiveBridgeThread` is closed.
            CallSelfError: This is the trio thread.
        """
        try:
            return self._portal.submit(partial(self._verb, *args, **kwargs))
        except SessionClosedError:
            if self._afterwards is None:
                raise
            future: Future[T_co] = Future()
            future.set_result(self._afterwards())
            return future


class Verb(Generic[S, P, T_co]):
    """The descriptor behind a blocking method.

    Args:
        verb: The async one; its first argument is what the owner stands for.
        afterwards: What it returns when the `LiveBridgeThread` is closed; ``None``: it raises then.
    """

    def __init__(
        self,
        verb: Callable[Concatenate[S, P], Awaitable[T_co]],
        *,
        afterwards: Callable[[S], T_co] | None = None,
    ) -> None:
        self._verb = verb
        self._afterwards = afterwards
        self._name = ""
        functools.update_wrapper(self, verb)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Blocking[S], owner: type) -> BlockingVerb[P, T_co]: ...
    def __get__(self, instance: Blocking[S] | None, owner: type) -> Self | BlockingVerb[P, T_co]:
        return self if instance is None else self._bound(instance)

    def __call__(self, instance: Blocking[S], /, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """The unbound form."""
        return self._bound(instance)(*args, **kwargs)

    def _bound(self, instance: Blocking[S]) -> BlockingVerb[P, T_co]:
        return BlockingVerb(instance, self._verb, self._name, self._afterwards)


class Reading(Generic[S, T_co]):
    """The descriptor behind an attribute that is read in the trio thread, at one instant.

    Args:
        read: Reads it.
        of: The class of what it is read from.
    """

    def __init__(self, read: Callable[[S], T_co], *, of: type[S]) -> None:
        self._read = read
        self._of = of
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        self.__doc__ = getattr(self._of, name).__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Blocking[S], owner: type) -> T_co: ...
    def __get__(self, instance: Blocking[S] | None, owner: type) -> Self | T_co:
        if instance is None:
            return self
        portal, target = instance._reach()  # noqa: SLF001 - it is the owner's
        return portal.read(partial(self._read, target), what=self._name, limit=instance._limit)  # noqa: SLF001


def at_once(act: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], Awaitable[T]]:
    """Make an async verb of a plain method, so that it runs in the trio thread."""

    @functools.wraps(act)
    async def verb(target: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return act(target, *args, **kwargs)

    return verb
