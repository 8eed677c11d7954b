"""The queue of an actor: a system lane served first, and one FIFO of bounded lanes.

Memory channels will not do: closing the last receiver throws the buffer away, and queued callers would hang.
This queue gives its leftovers back when it closes, so that each of them can be answered.

Two instants matter. *Accepted*: a message is in the queue, synchronously, and never leaves it but by being
taken or as a leftover. *Taken*: `get` removes it without any checkpoint afterwards, so that a cancellation
can never fall between the queue and the handler.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import trio

from livebridge.errors import MailboxFullError, NoProcessError
from livebridge.otp._reason import NOPROC

CALL: Final = 0
CAST: Final = 1
INFO: Final = 2
CONTINUE: Final = 3
STOP: Final = 4
SYSTEM: Final = 5
"""The kinds of entries; ints, because one is compared per message."""

# Sixteen messages are some 100 µs of dispatching: short enough for everybody else, and it spreads the 4 µs of
# a full checkpoint thin. Slow handlers meet the second bound first.
YIELD_AFTER_MESSAGES: Final = 16
YIELD_AFTER_SECONDS: Final = 0.005


class Lane:
    """A bounded stream of messages into a mailbox, in one arrival order with everything else in it.

    It is made for one producer that reads from somewhere else::

        while True:
            await lane.wait_capacity()
            frame = await receive()              # nothing may wait between here …
            lane.put_nowait(frame, cost=len(frame))    # … and here

    The bounds are kept by `wait_capacity`. `put_nowait` never refuses for want of room: what has been read
    cannot be put back, and a reader that gets several frames at once must be able to hand them all over.

    Attributes:
        capacity: How many messages may wait before `wait_capacity` blocks.
        max_cost: The same for the sum of their costs, in the unit of the producer (bytes, say).
        depth: How many messages wait.
        cost: Sum of the costs of those that wait and of the one being handled.
        peak: The highest ``depth`` there has been.
    """

    __slots__ = ("_mailbox", "_waiters", "capacity", "cost", "depth", "max_cost", "peak")

    def __init__(self, mailbox: Mailbox, *, capacity: int, max_cost: float) -> None:
        self._mailbox = mailbox
        self._waiters = trio.lowlevel.ParkingLot()
        self.capacity: int = capacity
        self.max_cost: float = max_cost
        self.depth: int = 0
        self.cost: int = 0
        self.peak: int = 0

    @property
    def full(self) -> bool:
        """Whether `wait_capacity` would block."""
        return self.depth >= self.capacity or self.cost >= self.max_cost

    async def wait_capacity(self) -> None:
        """Wait until there is room for one more message.

        Raises:
            NoProcessError: The actor has ended.
        """
        await trio.lowlevel.checkpoint()
        while not self._mailbox.closed:
            if not self.full:
                return
            await self._waiters.park()
        raise NoProcessError("the actor behind this lane has ended", reason=NOPROC)

    def put_nowait(self, message: object, *, cost: int = 0) -> None:
        """Append a message; the actor gets it as ``handle_info(message)``.

        Args:
            message: Anything.
            cost: Its share of ``max_cost``, given back when the handler has finished with the message.

        Raises:
            NoProcessError: The actor has ended; the message was not accepted.
        """
        mailbox = self._mailbox
        if mailbox.closed:
            raise NoProcessError("the actor behind this lane has ended", reason=NOPROC)
        self.depth = depth = self.depth + 1
        if depth > self.peak:  # noqa: PLR1730 - once per message, and max() costs twice as much
            self.peak = depth
        self.cost += cost
        mailbox.append((INFO, message, self, cost))

    def taken(self) -> None:
        """Count a message out of the queue; its cost stays until `finished`."""
        self.depth -= 1
        if self._waiters and not self.full:
            self._waiters.unpark_all()

    def finished(self, cost: int) -> None:
        """Give back the cost of a message whose handler has returned."""
        self.cost -= cost
        if self._waiters and not self.full:
            self._waiters.unpark_all()

    def wake(self) -> None:
        """Wake everybody who waits here, because the mailbox has closed."""
        self._waiters.unpark_all()


class _Putter:
    """Somebody who waits for room in the user lane, with the entry to be accepted."""

    __slots__ = ("accepted", "entry", "task")

    def __init__(self, task: trio.lowlevel.Task, entry: Entry) -> None:
        self.task = task
        self.entry = entry
        self.accepted = False


class UserLane:
    """The lane of calls, casts and infos. Whoever waits for room is admitted in order of arrival."""

    __slots__ = ("capacity", "cost", "depth", "mailbox", "putters")

    def __init__(self, mailbox: Mailbox, capacity: int) -> None:
        self.mailbox = mailbox
        self.capacity = capacity
        self.depth: int = 0
        self.cost: int = 0
        self.putters: dict[_Putter, None] = {}

    def taken(self) -> None:
        """Count a message out and admit the first that waits."""
        self.depth -= 1
        if self.putters:
            putter = next(iter(self.putters))
            del self.putters[putter]
            putter.accepted = True
            self.depth += 1
            self.mailbox.append(putter.entry)
            trio.lowlevel.reschedule(putter.task)

    def finished(self, cost: int) -> None:
        """Do nothing: messages of users have no cost."""


Entry = tuple[int, object, Lane | UserLane | None, int]
"""Kind, payload, the lane that counts it (``None``: it is not counted), its cost."""


class Mailbox:
    """A system lane without bound, served first, and a FIFO of bounded lanes. One task takes, many put.

    Args:
        capacity: Bound of the user lane.
    """

    __slots__ = (
        "_getter", "_lanes", "_queue", "_streak", "_suspended", "_system", "_user", "_yield_at",
        "accepted", "closed", "peak", "taken_at",
    )  # fmt: skip

    def __init__(self, capacity: int = 1024) -> None:
        self._queue: deque[Entry] = deque()
        self._system: deque[Entry] = deque()
        self._user = UserLane(self, capacity)
        self._lanes: list[Lane] = []
        self._getter: trio.lowlevel.Task | None = None
        self._suspended = False
        self._streak = 0
        self._yield_at = 0.0
        self.accepted: int = 0
        self.closed: bool = False
        self.peak: int = 0
        self.taken_at: float = 0.0

    @property
    def depth(self) -> int:
        """How many messages wait, those of the system lane not counted."""
        return len(self._queue)

    @property
    def ready(self) -> bool:
        """Whether `get` would find a message now."""
        return bool(self._system or (self._queue and not self._suspended))

    @property
    def full(self) -> bool:
        """Whether the user lane has no room."""
        return self._user.depth >= self._user.capacity or bool(self._user.putters)

    @property
    def suspended(self) -> bool:
        """Whether only the system lane is served."""
        return self._suspended

    @suspended.setter
    def suspended(self, value: bool) -> None:
        self._suspended = value
        self._wake()

    def open_lane(self, *, capacity: int = 256, max_cost: float = 16 * 2**20) -> Lane:
        """Add a bounded lane that shares the arrival order of the user lane."""
        lane = Lane(self, capacity=capacity, max_cost=max_cost)
        self._lanes.append(lane)
        return lane

    def put_nowait(self, message: object) -> None:
        """Append a message to the user lane.

        Raises:
            MailboxFullError: There is no room.
            NoProcessError: The mailbox is closed.
        """
        if self.closed:
            raise NoProcessError("the mailbox is closed", reason=NOPROC)
        if not self.offer(INFO, message):
            raise MailboxFullError(f"the mailbox is full ({self._user.capacity} messages wait)")

    async def put(self, message: object) -> None:
        """Append a message to the user lane as soon as there is room.

        There is a checkpoint before the message is accepted and none afterwards: cancelled means not
        accepted.

        Raises:
            NoProcessError: The mailbox is closed, or was while this task waited.
        """
        await trio.lowlevel.checkpoint()
        if not await self.offer_when_room(INFO, message):
            raise NoProcessError("the mailbox is closed", reason=NOPROC)

    def offer(self, kind: int, payload: object) -> bool:
        """Append to the user lane if there is room and nobody waits for it; say whether it was accepted."""
        user = self._user
        if user.depth >= user.capacity or user.putters:
            return False
        user.depth += 1
        self.append((kind, payload, user, 0))
        return True

    async def offer_when_room(self, kind: int, payload: object) -> bool:
        """Append to the user lane, waiting for room; ``False`` if the mailbox closes first."""
        if self.closed:
            return False
        if self.offer(kind, payload):
            return True
        user = self._user
        putter = _Putter(trio.lowlevel.current_task(), (kind, payload, user, 0))
        user.putters[putter] = None

        def abort(_: object) -> trio.lowlevel.Abort:
            del user.putters[putter]
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
        return putter.accepted

    def force(self, kind: int, payload: object) -> None:
        """Append in arrival order without counting: for what must not be lost, such as a ``Down``."""
        self.append((kind, payload, None, 0))

    def put_system(self, payload: object) -> None:
        """Append to the system lane."""
        self._system.append((SYSTEM, payload, None, 0))
        self._wake()

    def append(self, entry: Entry) -> None:
        """Append an entry whose lane has counted it already."""
        queue = self._queue
        queue.append(entry)
        self.accepted += 1
        if len(queue) > self.peak:  # noqa: PLR1730 - as in Lane.put_nowait
            self.peak = len(queue)
        if self._getter is not None:
            self._wake()

    async def get(self) -> object:
        """Take the next message.

        There is a checkpoint before it is taken and none afterwards. While messages wait, the checkpoint lets
        other tasks run once every 16 messages or 5 ms.
        """
        entry = await self.get_entry()
        if entry[2] is not None:
            entry[2].finished(entry[3])
        return entry[1]

    async def get_entry(self) -> Entry:
        """Take the next entry whole; whoever takes it calls ``lane.finished`` when done with it."""
        if self._system or (self._queue and not self._suspended):
            await self.breathe()
        while not (self._system or (self._queue and not self._suspended)):
            await self._park()
            self._restart_streak()
        if self._system:
            return self._system.popleft()
        entry = self._queue.popleft()
        lane = entry[2]
        if lane is not None:
            lane.taken()
        return entry

    def close(self) -> list[Entry]:
        """Refuse everything from now on, wake whoever waits for room, and return what nobody will take."""
        self.closed = True
        leftovers = [*self._system, *self._queue]
        self._system.clear()
        self._queue.clear()
        putters = list(self._user.putters)
        self._user.putters.clear()
        for putter in putters:
            trio.lowlevel.reschedule(putter.task)
        for lane in self._lanes:
            lane.wake()
        return leftovers

    async def breathe(self) -> None:
        """Meet a cancellation, and let other tasks run if this one has been busy for long; note the time."""
        self.taken_at = now = trio.current_time()
        self._streak += 1
        if self._streak >= YIELD_AFTER_MESSAGES or now >= self._yield_at:
            await trio.lowlevel.checkpoint()
            self._restart_streak()
        else:
            await trio.lowlevel.checkpoint_if_cancelled()

    def _restart_streak(self) -> None:
        self.taken_at = now = trio.current_time()
        self._streak = 0
        self._yield_at = now + YIELD_AFTER_SECONDS

    def _wake(self) -> None:
        task = self._getter
        if task is not None and (self._system or (self._queue and not self._suspended)):
            self._getter = None
            trio.lowlevel.reschedule(task)

    async def _park(self) -> None:
        self._getter = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self._getter = None
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
