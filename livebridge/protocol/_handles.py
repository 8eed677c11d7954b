"""The resumption handle: which one is the last good one, how long it lives, and when it is given up.

A handle is replaced only by an update that says ``resumable`` and carries a non-empty handle. While the
model generates or runs function calls the server sends ``resumable: false`` with an empty one; that says
"not now", never "forget what you had".
"""

from typing import Final

import attrs

HANDLE_TTL: Final = 7200.0 - 60.0
"""Seconds. "Resumption tokens are valid for 2 hours after the last session termination" (Live API guide),
less a minute so that a dial begun in time still arrives in time."""


@attrs.frozen(kw_only=True)
class Handle:
    """A resumption handle and what it stands for.

    Attributes:
        value: The opaque token. A secret: never in a repr.
        received_at: Seconds on the session's clock.
        epoch: The connection that gave it.
        fingerprint: Of the configuration it was given under (the model cannot change on a resume).
    """

    value: str = attrs.field(repr=False)
    received_at: float
    epoch: int
    fingerprint: str = ""


@attrs.define
class HandleBook:
    """Keeps the last good handle of a session.

    Args:
        ttl: Seconds a handle stays usable after the connection that gave it has ended.
        fingerprint: Of the current configuration; a handle of another one is not used.
    """

    ttl: float = HANDLE_TTL
    fingerprint: str = ""
    resumable: bool = False
    _handle: Handle | None = None
    _dropped_at: float | None = None
    _given_up: int = -1

    @property
    def current(self) -> Handle | None:
        """The last good handle, usable or not."""
        return self._handle

    def observe(self, new_handle: str | None, *, resumable: bool, now: float, epoch: int) -> bool:
        """Take note of a ``sessionResumptionUpdate``.

        Returns:
            Whether the handle was replaced. It is not by an update of an epoch that was given up: its
            conversation is to end with it.
        """
        if epoch <= self._given_up:
            return False
        self.resumable = resumable
        if not (resumable and new_handle):
            return False
        self._handle = Handle(value=new_handle, received_at=now, epoch=epoch, fingerprint=self.fingerprint)
        return True

    def adopt(self, handle: Handle, *, dropped_at: float | None) -> None:
        """Start from a handle of an earlier session or process."""
        self._handle = handle
        self._dropped_at = dropped_at

    def connected(self) -> None:
        """A setup was completed (with the handle or without)."""
        self._dropped_at = None
        self.resumable = False

    def dropped(self, now: float) -> None:
        """The connection ended; from now on the handle ages."""
        self.resumable = False
        if self._dropped_at is None:
            self._dropped_at = now

    def usable(self, now: float) -> Handle | None:
        """The handle to put into the next ``setup``; ``None`` for a fresh session."""
        handle = self._handle
        if handle is None or handle.fingerprint != self.fingerprint:
            return None
        if self._dropped_at is not None and now - self._dropped_at > self.ttl:
            return None
        return handle

    def forget(self) -> None:
        """Give the handle up: the server refused it, or asked for a fresh session."""
        self._handle = None
        self.resumable = False

    def give_up(self, epoch: int) -> None:
        """Give up the conversation of a connection that is still there, with every handle it may yet send."""
        self.forget()
        self._given_up = epoch
