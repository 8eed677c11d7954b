"""What must survive a restart of the session's process: the handle, and what no handle covers yet.

A snapshot is taken whenever one of the two changes, and adopted by the next incarnation, in this process or in
another one. Media is not part of it: what a microphone heard before a crash helps nobody afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.protocol._entries import Entry, Kind
from livebridge.protocol._handles import Handle

MAX_HANDLE_USES: Final = 2
"""Incarnations that may begin with the same handle and end without a new one. A third would most likely end the
same way: something in that conversation breaks the bot."""

_KEPT: Final = frozenset({Kind.CONTENT, Kind.TOOL, Kind.SIGNAL})
_VERSION: Final = 1


@attrs.frozen(kw_only=True)
class KeptMessage:
    """An accepted message that no handle covers.

    Attributes:
        kind: ``content``, ``tool`` or ``signal``.
        payload: The frame.
        written: Whether it was written to a connection that is gone now.
    """

    kind: Kind
    payload: bytes = attrs.field(repr=False)
    written: bool


@attrs.frozen(kw_only=True)
class Snapshot:
    """A session as another incarnation can continue it.

    Attributes:
        handle: The last good handle; a secret.
        fingerprint: Of the configuration it belongs to.
        saved_at: Wall-clock seconds since 1970; a handle is good for about two hours.
        epoch: Connections there have been; 0: the conversation has never begun.
        uses: Incarnations that began with this handle and have not ended cleanly or got a new one.
        messages: In order of acceptance.
    """

    handle: str | None = attrs.field(default=None, repr=False)
    fingerprint: str = ""
    saved_at: float = 0.0
    epoch: int = 0
    uses: int = 0
    messages: tuple[KeptMessage, ...] = ()

    @property
    def is_poisoned(self) -> bool:
        """Whether the handle has ended too many incarnations."""
        return self.uses >= MAX_HANDLE_USES

    def dumps(self) -> bytes:
        """The snapshot as bytes, for stores. They hold the handle: treat them as a secret."""
        return wire.dumps(
            {
                "version": _VERSION,
                "handle": self.handle,
                "fingerprint": self.fingerprint,
                "saved_at": self.saved_at,
                "epoch": self.epoch,
                "uses": self.uses,
                "messages": [
                    {"kind": m.kind.value, "payload": m.payload.decode(), "written": m.written}
                    for m in self.messages
                ],
            }
        )

    @classmethod
    def loads(cls, data: bytes) -> Snapshot:
        """Read what `dumps` wrote.

        Raises:
            DecodeError: It is something else.
        """
        value = wire.loads(data)
        try:
            if value["version"] != _VERSION:
                raise DecodeError(f"a snapshot of version {value['version']!r} cannot be read here")
            return cls(
                handle=value["handle"],
                fingerprint=str(value["fingerprint"]),
                saved_at=float(value["saved_at"]),
                epoch=int(value["epoch"]),
                uses=int(value["uses"]),
                messages=tuple(
                    KeptMessage(
                        kind=Kind(m["kind"]), payload=m["payload"].encode(), written=bool(m["written"])
                    )
                    for m in value["messages"]
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DecodeError("these bytes are no snapshot of a session") from error


def take(
    handle: Handle | None, entries: Sequence[Entry], *, saved_at: float, epoch: int, uses: int
) -> Snapshot:
    """Make a snapshot of what is unsettled now."""
    return Snapshot(
        handle=None if handle is None else handle.value,
        fingerprint="" if handle is None else handle.fingerprint,
        saved_at=saved_at,
        epoch=epoch,
        uses=uses,
        messages=tuple(
            KeptMessage(kind=entry.kind, payload=entry.payload, written=entry.state == "written")
            for entry in entries
            if entry.kind in _KEPT
        ),
    )
