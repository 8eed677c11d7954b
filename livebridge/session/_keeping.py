"""Keeps a session's snapshot in its store: loads it before the first dial, saves it when it changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

import attrs
import trio

from livebridge.errors import StoreError
from livebridge.otp import ExitReason
from livebridge.protocol import Handle, Snapshot, take_snapshot
from livebridge.session._continuity import Continuity
from livebridge.session._state import SessionState
from livebridge.session._store import ResumeStore

_log: Final = logging.getLogger("livebridge.session")
_T = TypeVar("_T")

SAVE_INTERVAL: Final = 0.2
"""Seconds between two saves: a burst of sends is one write."""

STORE_TIMEOUT: Final = 5.0
"""Seconds a store may take; a session does not wait longer for its memory."""


@attrs.define(eq=False)
class Keeping:
    """The dealings of one session with its store.

    Args:
        state: The session's.
        continuity: What is told about restored sessions.
        store: Where snapshots live.
        key: Under which this session's is found.
    """

    state: SessionState
    continuity: Continuity
    store: ResumeStore
    key: str
    _uses: int = 0
    _epochs: int = 0
    _saved_handle: str | None = None
    _saved_revision: int = -1
    _complaint: str = ""

    async def restore(self) -> None:
        """Adopt the snapshot of an earlier incarnation, if there is a usable one."""
        snapshot = await self._guarded("load", self.store.load(self.key))
        if snapshot is None:
            return
        if snapshot.handle is None and not snapshot.epoch and not snapshot.messages:
            return
        state = self.state
        self._epochs = snapshot.epoch
        age = max(0.0, time.time() - snapshot.saved_at)
        if snapshot.handle is not None:
            handle = Handle(
                value=snapshot.handle,
                received_at=state.now - age,
                epoch=0,
                fingerprint=snapshot.fingerprint,
            )
            state.handles.adopt(handle, dropped_at=state.now - age)
        self.continuity.restored(snapshot, age=age)
        self._saved_handle = snapshot.handle
        self._saved_revision = state.outbox.revision
        self._uses = snapshot.uses + 1
        await self._save(snapshot=attrs.evolve(snapshot, uses=self._uses))

    async def run(self) -> None:
        """Save whenever the handle or the unsettled messages have changed."""
        while True:
            if not self._has_changed():
                await self.state.dirty.wait()
                continue
            await self._save()
            await trio.sleep(SAVE_INTERVAL)

    async def end(self, reason: ExitReason) -> None:
        """The last save; a session that was closed on purpose is forgotten."""
        if reason.kind == "normal" and self.state.failure is None and self.state.options.forget_on_close:
            await self._guarded("delete", self.store.delete(self.key))
            return
        if not reason.abnormal:
            self._uses = 0
        await self._save()

    def _has_changed(self) -> bool:
        handle = self.state.handles.current
        value = None if handle is None else handle.value
        return value != self._saved_handle or self.state.outbox.revision != self._saved_revision

    async def _save(self, snapshot: Snapshot | None = None) -> None:
        state = self.state
        if snapshot is None:
            handle = state.handles.current
            value = None if handle is None else handle.value
            if value != self._saved_handle:
                self._saved_handle = value
                self._uses = 0
            entries = tuple(state.outbox.unsettled())
            self._saved_revision = state.outbox.revision
            epoch = self._epochs + state.epoch
            snapshot = take_snapshot(handle, entries, saved_at=time.time(), epoch=epoch, uses=self._uses)
        await self._guarded("save", self.store.save(self.key, snapshot))

    async def _guarded(self, verb: str, awaitable: Awaitable[_T]) -> _T | None:
        """Wait for the store; what it raises is told once, until it works again or fails in another way."""
        try:
            with trio.fail_after(STORE_TIMEOUT):
                result = await awaitable
        except trio.TooSlowError as error:
            self._complain(verb, f"no answer within {STORE_TIMEOUT:g} s", error)
        except Exception as error:  # noqa: BLE001 - a third party's store may raise anything
            self._complain(verb, f"{type(error).__name__}: {error}", error)
        else:
            self._complaint = ""
            return result
        return None

    def _complain(self, verb: str, why: str, error: Exception) -> None:
        if why == self._complaint:
            _log.debug("the resume store still cannot %s: %s", verb, why)
            return
        self._complaint = why
        problem = StoreError(f"the resume store could not {verb}: {why}; the session goes on without it")
        problem.__cause__ = error
        _log.error("%s", problem)
        self.state.notify("on_error", problem)
