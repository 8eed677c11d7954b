"""Sessions."""

from livebridge.session._actor import current_session
from livebridge.session._handler import Handler
from livebridge.session._options import Keepalive
from livebridge.session._outgoing import SendReceipt
from livebridge.session._run import run
from livebridge.session._session import Session
from livebridge.session._statistics import Statistics
from livebridge.session._store import MemoryResumeStore, ResumeStore, SqliteResumeStore
from livebridge.session._supervised import run_supervised
from livebridge.session._verbs import CloseResult

__all__ = [
    "CloseResult",
    "Handler",
    "Keepalive",
    "MemoryResumeStore",
    "ResumeStore",
    "SendReceipt",
    "Session",
    "SqliteResumeStore",
    "Statistics",
    "current_session",
    "run",
    "run_supervised",
]
