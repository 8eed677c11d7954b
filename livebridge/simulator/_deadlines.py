"""When a connection must end, and when that is announced."""

from livebridge import wire
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._refusals import DEADLINE_EXPIRED, Hangup
from livebridge.simulator._settings import Settings


class Deadlines:
    """The clock of one connection: its lifetime with ``goAway`` before it, and the session's limit.

    Args:
        settings: The durations.
        now: When the connection was opened.
    """

    def __init__(self, settings: Settings, *, now: float) -> None:
        self._settings = settings
        self._end_at: float | None = None
        self._go_away_at: float | None = None
        self._session_end_at: float | None = None
        self._session_began_at = now
        lifetime, lead = settings.connection_lifetime, settings.go_away_lead
        if lifetime is not None:
            self._end_at = now + lifetime
            if lead is not None:
                self._go_away_at = now + max(0.0, lifetime - lead)

    def begin(self, conversation: Conversation, *, compressed: bool) -> None:
        """A conversation goes on here; without compression its length is limited."""
        self._session_began_at = conversation.connections[0].opened_at
        limit = self._settings.session_limit
        if limit is not None and not compressed:
            self._session_end_at = self._session_began_at + limit

    def video_seen(self) -> None:
        """A video frame came: the session's limit is the shorter one from now on."""
        limit = self._settings.video_session_limit
        if limit is not None and self._session_end_at is not None:
            self._session_end_at = min(self._session_end_at, self._session_began_at + limit)

    @property
    def next(self) -> float | None:
        """When something is due, ``None`` for never."""
        times = (self._go_away_at, self._end_at, self._session_end_at)
        return min((time for time in times if time is not None), default=None)

    def due(self, now: float) -> list[wire.ServerMessage | Hangup]:
        """What must be sent by now."""
        if self._end_at is not None and now >= self._end_at:
            return [self._settings.lifetime_close]
        if self._session_end_at is not None and now >= self._session_end_at:
            return [DEADLINE_EXPIRED]
        if self._go_away_at is not None and now >= self._go_away_at:
            self._go_away_at = None
            left = None if self._end_at is None else self._end_at - now
            return [wire.ServerMessage(go_away=wire.GoAway(time_left=left))]
        return []

    def go_away(self, seconds: float, *, now: float) -> wire.ServerMessage:
        """Announce the end in ``seconds`` and keep the word."""
        self._go_away_at = None
        self._end_at = now + seconds
        return wire.ServerMessage(go_away=wire.GoAway(time_left=seconds))
