"""Names for actors, as an object: there is no global table."""

from __future__ import annotations

from collections.abc import Callable

import trio

from livebridge.errors import AlreadyStartedError, NoProcessError
from livebridge.otp._cell import notify
from livebridge.otp._reason import NOPROC, NORMAL, ExitReason
from livebridge.otp._ref import Down, Monitor, Ref
from livebridge.otp._sys import Sys
from livebridge.otp._term import Term


class Registry:
    """A table of unique names.

    An actor started with ``name=`` and ``registry=`` holds its name from before ``init`` until its end; the
    name is free before anybody can learn of the end.
    """

    __slots__ = ("_refs",)

    def __init__(self) -> None:
        self._refs: dict[object, Ref] = {}

    def __repr__(self) -> str:
        return f"<Registry {len(self._refs)} names>"

    def __len__(self) -> int:
        return len(self._refs)

    def names(self) -> tuple[object, ...]:
        """Return the names taken, in the order they were."""
        return tuple(self._refs)

    def whereis(self, name: object) -> Ref | None:
        """Return who holds a name."""
        return self._refs.get(name)

    def via(self, name: object) -> NameRef:
        """Return an address that finds, at each use, whoever holds the name then."""
        return NameRef(self, name)

    def register(self, name: object, ref: Ref) -> None:
        """Take a name. An actor started with ``registry=`` does this itself.

        Raises:
            AlreadyStartedError: It is taken; ``.ref`` says by whom.
        """
        holder = self._refs.get(name)
        if holder is not None:
            raise AlreadyStartedError(f"the name {name!r} is taken by {holder!r}", name=name, ref=holder)
        self._refs[name] = ref

    def release(self, name: object, ref: Ref) -> None:
        """Free a name if ``ref`` still holds it."""
        if self._refs.get(name) is ref:
            del self._refs[name]


class NameRef:
    """A name used as an address: it survives restarts of the actor, which a `Ref` does not.

    It has the verbs of `Ref`. While nobody holds the name, ``cast`` and ``acast`` are ignored silently and
    the others raise `NoProcessError`.
    """

    __slots__ = ("_registry", "registered_name")

    def __init__(self, registry: Registry, name: object) -> None:
        self._registry = registry
        self.registered_name: object = name

    def __repr__(self) -> str:
        return f"<NameRef {self.registered_name!r}>"

    @property
    def name(self) -> object:
        """The name."""
        return self.registered_name

    @property
    def ref(self) -> Ref:
        """The address of who holds the name now.

        Raises:
            NoProcessError: Nobody does.
        """
        ref = self._registry.whereis(self.registered_name)
        if ref is None:
            raise NoProcessError(f"nobody holds the name {self.registered_name!r} now", reason=NOPROC)
        return ref

    @property
    def id(self) -> int:
        """Number of the present incarnation."""
        return self.ref.id

    @property
    def alive(self) -> bool:
        """Whether somebody holds the name."""
        return self._registry.whereis(self.registered_name) is not None

    @property
    def exit_reason(self) -> ExitReason | None:
        """``None`` while somebody holds the name, else ``noproc``."""
        return None if self.alive else NOPROC

    @property
    def sys(self) -> Sys:
        """Questions to the runtime of the present incarnation."""
        return self.ref.sys

    async def call(self, request: object, *, timeout: float | None = 5.0) -> Term:
        """Call whoever holds the name; see `Ref.call`."""
        return await self.ref.call(request, timeout=timeout)

    def cast(self, request: object) -> None:
        """Cast to whoever holds the name; see `Ref.cast`."""
        if self.alive:
            self.ref.cast(request)

    async def acast(self, request: object) -> None:
        """Cast to whoever holds the name, waiting for room; see `Ref.acast`."""
        if self.alive:
            await self.ref.acast(request)
        else:
            await trio.lowlevel.checkpoint()

    def send(self, message: object) -> None:
        """Send to whoever holds the name; see `Ref.send`."""
        self.ref.send(message)

    async def stop(
        self, reason: ExitReason = NORMAL, *, timeout: float | None = None, drain: bool = True
    ) -> None:
        """Stop whoever holds the name; see `Ref.stop`."""
        await self.ref.stop(reason, timeout=timeout, drain=drain)

    def stop_soon(self, reason: ExitReason = NORMAL, *, drain: bool = True) -> None:
        """Ask whoever holds the name to end; see `Ref.stop_soon`. Nobody does: nothing happens."""
        if self.alive:
            self.ref.stop_soon(reason, drain=drain)

    def kill(self) -> None:
        """Kill whoever holds the name; see `Ref.kill`."""
        self.ref.kill()

    def monitor(self, fn: Callable[[Down], object]) -> Monitor:
        """Watch the present incarnation; see `Ref.monitor`. Nobody there: ``noproc`` at once."""
        if self.alive:
            return self.ref.monitor(fn)
        notify(lambda reason: fn(Down(self, reason)), NOPROC)
        return Monitor(lambda: None)

    def monitor_into(self, other: Ref) -> Monitor:
        """Watch the present incarnation on behalf of another actor; see `Ref.monitor_into`."""
        return self.monitor(other.deliver)

    async def wait_exit(self) -> ExitReason:
        """Wait for the end of the present incarnation; see `Ref.wait_exit`."""
        return await self.ref.wait_exit()
