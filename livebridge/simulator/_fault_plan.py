"""Finds out which faults strike: one plan for the simulator, one run of it for each connection."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial

import attrs

from livebridge import wire
from livebridge.simulator._faults import AtByte, Fault, Faults, Point, RefuseUpgrade, StallUpgrade, What


@attrs.frozen
class Torn:
    """A fault in the middle of the frame of a message.

    Attributes:
        what: What it does.
        byte: After how many bytes of the frame.
    """

    what: AtByte
    byte: int


@attrs.frozen
class ByteFault:
    """A fault in the middle of the whole stream of one side.

    Attributes:
        what: What it does.
        byte: After how many bytes.
        inbound: Whether they are the client's.
        strikes: Whether it does so, asked when these have passed.
    """

    what: AtByte
    byte: int
    inbound: bool
    strikes: Callable[[], bool]


class FaultPlan:
    """The faults of a simulator, and how often each has struck.

    Args:
        faults: The plan as data.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults.faults
        self._struck: Counter[int] = Counter()
        self._random = random.Random(faults.seed)  # noqa: S311  # chances, not secrets
        self._lifted = False

    def lift(self) -> None:
        """From now on nothing strikes."""
        self._lifted = True

    def dial(self, number: int, *, now: float) -> "FaultRun":
        """A connection begins."""
        mine = {
            index: fault
            for index, fault in enumerate(self._faults)
            if fault.dial is None or fault.dial == number
        }
        return FaultRun(self, mine, now=now)

    def stream(self, number: int) -> list[ByteFault]:
        """What goes wrong on the bytes of the n-th TCP connection, by position."""
        mine = [
            ByteFault(
                fault.what,
                fault.byte or fault.received_byte or 0,
                fault.received_byte is not None,
                partial(self.strikes, index, fault),
            )
            for index, fault in enumerate(self._faults)
            if fault.point == "bytes"
            and isinstance(fault.what, AtByte)
            and (fault.dial is None or fault.dial == number)
        ]
        return sorted(mine, key=lambda fault: fault.byte)

    def strikes(self, index: int, fault: Fault) -> bool:
        """Whether a fault whose conditions hold strikes this time."""
        if self._lifted or (fault.times and self._struck[index] >= fault.times):
            return False
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        self._struck[index] += 1
        return True


class FaultRun:
    """The faults of one connection.

    Attributes:
        struck: What they have done to it so far.
    """

    def __init__(self, plan: FaultPlan, faults: Mapping[int, Fault], *, now: float) -> None:
        self.struck: list[What] = []
        self._plan = plan
        self._faults = faults
        self._resumed: bool | None = None
        self._counts: Counter[Point] = Counter()
        self._kinds: Counter[str] = Counter()
        self._timed = {index: now + fault.after for index, fault in faults.items() if fault.after is not None}

    def upgrade(self) -> RefuseUpgrade | StallUpgrade | None:
        """What happens instead of the upgrade."""
        for index, fault in self._faults.items():
            what = fault.what
            if isinstance(what, RefuseUpgrade | StallUpgrade) and self._plan.strikes(index, fault):
                return what
        return None

    def received(self, plain: object) -> list[What]:
        """What goes wrong when this message has come."""
        kinds = client_kinds(plain)
        if "setup" in kinds and self._resumed is None:
            self._resumed = has_handle(plain)
        return [fault.what for fault in self._at("received", kinds)]

    def sent(self, message: wire.ServerMessage) -> list[What | Torn]:
        """What goes wrong when this message is to be sent."""
        return [
            fault.what
            if fault.byte is None or not isinstance(fault.what, AtByte)
            else Torn(fault.what, fault.byte)
            for fault in self._at("sent", server_kinds(message))
        ]

    @property
    def deadline(self) -> float | None:
        """When the next timed fault strikes, ``None`` if there is none."""
        return min(self._timed.values(), default=None)

    def due(self, now: float) -> list[What]:
        """The timed faults that strike by now."""
        due = [index for index, at in self._timed.items() if at <= now]
        for index in due:
            del self._timed[index]
        struck = [
            fault.what
            for index in due
            if self._fits_resumption(fault := self._faults[index]) and self._plan.strikes(index, fault)
        ]
        self.struck += struck
        return struck

    def _at(self, point: Point, kinds: Collection[str]) -> list[Fault]:
        self._counts[point] += 1
        self._kinds.update(kinds)
        struck = [
            fault
            for index, fault in self._faults.items()
            if fault.point == point and self._fits(fault, point, kinds) and self._plan.strikes(index, fault)
        ]
        self.struck += [fault.what for fault in struck]
        return struck

    def _fits(self, fault: Fault, point: Point, kinds: Collection[str]) -> bool:
        wanted = fault.received if point == "received" else fault.sent
        if wanted is not None and wanted != self._counts[point]:
            return False
        if fault.message is not None:
            if fault.message not in kinds:
                return False
            if fault.nth is not None and fault.nth != self._kinds[fault.message]:
                return False
        return self._fits_resumption(fault)

    def _fits_resumption(self, fault: Fault) -> bool:
        return fault.resumed is None or fault.resumed == bool(self._resumed)


def client_kinds(plain: object) -> set[str]:
    """The kinds of a client's message: its members, and those of its ``realtimeInput`` after a dot."""
    kinds: set[str] = set()
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            kind = camel(str(key))
            kinds.add(kind)
            if kind == "realtimeInput" and isinstance(value, Mapping):
                kinds.update(f"{kind}.{camel(str(inner))}" for inner in value)
    return kinds


def server_kinds(message: wire.ServerMessage) -> set[str]:
    """The kinds of a server's message: its members, and those of its ``serverContent``."""
    plain = wire.to_plain(message)
    return {*plain, *plain.get("serverContent", {})}


def has_handle(plain: object) -> bool:
    """Whether a setup asks for a resumption."""
    return bool(_member(_member(_member(plain, "setup"), "sessionResumption"), "handle"))


def _member(plain: object, name: str) -> object:
    if not isinstance(plain, Mapping):
        return None
    return next((value for key, value in plain.items() if camel(str(key)) == name), None)


def camel(name: str) -> str:
    """``realtime_input`` as ``realtimeInput``; camelCase stays."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
