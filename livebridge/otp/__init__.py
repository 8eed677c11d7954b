"""Actors and supervisors on trio."""

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
from livebridge.otp._caller import Caller
from livebridge.otp._mailbox import Lane, Mailbox
from livebridge.otp._meter import Statistics, Status, TraceEvent
from livebridge.otp._reason import KILLED, NOPROC, NORMAL, SHUTDOWN, ExitReason
from livebridge.otp._ref import Down, Monitor, Ref
from livebridge.otp._registry import NameRef, Registry
from livebridge.otp._server import GenServer
from livebridge.otp._start import start, start_link
from livebridge.otp._steps import NOREPLY, TIMEOUT, Continue, Ignore, Next, Reply, Stop, StopInit, Timeout
from livebridge.otp._sys import Sys
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
    "CallSelfError",
    "CallTimeoutError",
    "Caller",
    "Continue",
    "Down",
    "ExitReason",
    "GenServer",
    "Ignore",
    "Lane",
    "Mailbox",
    "MailboxFullError",
    "Monitor",
    "NameRef",
    "Next",
    "NoProcessError",
    "Ref",
    "Registry",
    "Reply",
    "RestartIntensityError",
    "StartError",
    "Statistics",
    "Status",
    "Stop",
    "StopInit",
    "Sys",
    "Term",
    "Timeout",
    "TraceEvent",
    "start",
    "start_link",
]
