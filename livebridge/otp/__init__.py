"""Actors and supervisors on trio, by the rules of Erlang's OTP. Nothing here knows of Gemini.

An *actor* is state that only one task ever touches. Others cannot reach into it; they send it messages, which
wait in its mailbox and are handled one at a time, in order. Whatever state it had between two messages is the
state it has at the start of the next one: no locks, no half-done updates, and one place to look when
something is wrong. An actor that meets a bug does not limp on. It ends, everybody who waited for it learns
why at once, and a *supervisor* starts a fresh one::

    class Till(GenServer):
        def __init__(self) -> None:
            self.cents = 0

        async def handle_cast(self, request: int) -> None:        # ref.cast(250)
            self.cents += request

        async def handle_call(self, request: str, caller: Caller) -> int:   # await ref.call("total")
            return self.cents

    registry = Registry()
    async with Supervisor.open([ChildSpec(id="till", start=Till)], registry=registry):
        till = registry.via("till")         # finds whichever incarnation is alive
        till.cast(250)
        assert await till.call("total") == 250

The pieces::

    your task ── call, cast, send ──> Ref ──> Mailbox ──> loop ──> handle_call   value, Reply, NOREPLY, Stop
                                              │                    handle_cast   None, Continue, Timeout, Stop
                                              │ system lane        handle_info   the same
                                              │ user lane          handle_continue, terminate
                                              │ other lanes          │
                                     ExitReason, a value  <──────────┘ how it ended
                                        │
                      monitors, callers, Supervisor: restart? (permanent, transient, temporary)
                                        one_for_one │ one_for_all │ rest_for_one, at most max_restarts in max_seconds

**Life.** `start` returns when ``init`` has; what ``init`` raises, ``start`` raises. Then messages, until a
callback returns `Stop` or raises, somebody stops or kills the actor, or the surroundings are cancelled.
``terminate`` runs once, hidden from cancellation and bounded in time, unless the actor was killed.

**Guarantees**

* Messages of one sender are handled in the order in which they were sent. What `call`, ``cast`` or ``send``
  accepted is handled, or counted as undelivered at the end; cancellation never falls between queue and
  handler.
* A bounded mailbox refuses (``cast``, ``send``) or makes wait (``call``, ``acast``); the system lane is never
  full, so that ``stop(drain=False)`` and ``ref.sys`` always get through.
* An end happens in one step: the name is free, every caller (in the handler, deferred, queued, waiting for
  room) has its `ActorExitError`, and the reason is set before anybody can look.
* A call that could only wait for itself, directly or around a circle of actors, raises `CallSelfError` at
  once.
* Ends are values. A crash raises nothing where the actor was started with `start`, and never an exception
  group at a supervisor: it becomes an `ExitReason`, one ERROR record of logger ``livebridge.otp``, and the
  supervisor's decision.
* A supervisor starts its children in order and stops them one by one in reverse, however it ends: leaving its
  block, an exception, cancellation, Ctrl-C, too many restarts, a start that failed half-way. It waits until
  each is really gone.

**What is not promised.** There is no order between messages of different senders. A task that shields itself,
or code that blocks the thread, survives ``kill``; a supervisor names such a `ZombieChild` instead of
pretending. A request whose caller has given up is still handled. There are no links between arbitrary actors,
no selective receive, no code upgrade.

**Beyond OTP.** Mailboxes are bounded. ``caller.reply_error`` raises in the caller alone. `Backoff` delays
restarts without blocking the supervisor. `GenServer.start_soon` runs tasks beside an actor that live and fall
with it, and `GenServer.open_lane` feeds it from a socket with back-pressure.

**Supervisors.** `Supervisor` has an order and a strategy. `DynamicSupervisor` has any number of equal
children, started by whoever asks, stopped together. `TaskSupervisor` runs functions whose failure is theirs
alone. The first two tell what they do as data (`ChildStarted` … `Escalated`) through ``on_event``.

**When not to use an actor.** For a function: call it. For one background task that you wait for: a nursery.
For state that one task owns anyway: a plain object. An actor pays when several tasks share state that
outlives any of them, or when a part must be able to fail and come back without taking the rest with it. It is
no way to use more processors either: everything runs in one thread, and a callback that computes for a second
delays everybody for a second.
"""

from __future__ import annotations

from livebridge.errors import (
    ActorError,
    ActorExitError,
    AlreadyStartedError,
    CallSelfError,
    CallTimeoutError,
    MailboxFullError,
    NoProcessError,
    RestartIntensityError,
    StartError,
)
from livebridge.otp._backoff import Backoff, Jitter
from livebridge.otp._caller import Caller
from livebridge.otp._child import ChildCounts, ChildHandle, ChildInfo
from livebridge.otp._dynamic import DynamicSupervisor
from livebridge.otp._events import (
    ChildBackingOff,
    ChildExited,
    ChildGivenUp,
    ChildKilled,
    ChildStarted,
    Escalated,
    SupervisorEvent,
    ZombieChild,
)
from livebridge.otp._intensity import RestartWindow
from livebridge.otp._mailbox import Lane, Mailbox
from livebridge.otp._meter import Statistics, Status, TraceEvent
from livebridge.otp._opening import Opening
from livebridge.otp._reason import KILLED, NOPROC, NORMAL, SHUTDOWN, ExitKind, ExitReason
from livebridge.otp._ref import Down, Monitor, Ref
from livebridge.otp._registry import NameRef, Registry
from livebridge.otp._server import GenServer
from livebridge.otp._spec import ChildSpec, ChildType, ShutdownWord
from livebridge.otp._start import start, start_link
from livebridge.otp._steps import NOREPLY, TIMEOUT, Continue, Ignore, Next, Reply, Stop, StopInit, Timeout
from livebridge.otp._strategy import AutoShutdown, Restart, Strategy
from livebridge.otp._supervisor import Supervisor
from livebridge.otp._sys import Sys
from livebridge.otp._tasks import Task, TaskSupervisor
from livebridge.otp._term import Term

__all__ = [
    "KILLED",
    "NOPROC",
    "NOREPLY",
    "NORMAL",
    "SHUTDOWN",
    "TIMEOUT",
    "ActorError",
    "ActorExitError",
    "AlreadyStartedError",
    "AutoShutdown",
    "Backoff",
    "CallSelfError",
    "CallTimeoutError",
    "Caller",
    "ChildBackingOff",
    "ChildCounts",
    "ChildExited",
    "ChildGivenUp",
    "ChildHandle",
    "ChildInfo",
    "ChildKilled",
    "ChildSpec",
    "ChildStarted",
    "ChildType",
    "Continue",
    "Down",
    "DynamicSupervisor",
    "Escalated",
    "ExitKind",
    "ExitReason",
    "GenServer",
    "Ignore",
    "Jitter",
    "Lane",
    "Mailbox",
    "MailboxFullError",
    "Monitor",
    "NameRef",
    "Next",
    "NoProcessError",
    "Opening",
    "Ref",
    "Registry",
    "Reply",
    "Restart",
    "RestartIntensityError",
    "RestartWindow",
    "ShutdownWord",
    "StartError",
    "Statistics",
    "Status",
    "Stop",
    "StopInit",
    "Strategy",
    "Supervisor",
    "SupervisorEvent",
    "Sys",
    "Task",
    "TaskSupervisor",
    "Term",
    "Timeout",
    "TraceEvent",
    "ZombieChild",
    "start",
    "start_link",
]
