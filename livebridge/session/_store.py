"""Where a session's snapshot lives between incarnations: in memory, in an SQLite file, or where you like."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Protocol

import trio

from livebridge.protocol import Snapshot

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS livebridge_sessions (
    key TEXT PRIMARY KEY,
    snapshot BLOB NOT NULL
) WITHOUT ROWID
"""


class ResumeStore(Protocol):
    """Keeps one snapshot per key. Write your own with these three methods.

    A snapshot holds a resumption handle, which is a secret: whoever has it can continue the conversation.
    What a method raises is logged and reported to ``on_error`` as a `StoreError`, once until the store works again;
    the session goes on without it.
    """

    async def load(self, key: str) -> Snapshot | None:
        """The last snapshot saved under `key`; ``None`` if there is none."""
        ...

    async def save(self, key: str, snapshot: Snapshot) -> None:
        """Replace the snapshot under `key`."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the snapshot under `key`, if there is one."""
        ...


class MemoryResumeStore:
    """Snapshots that survive a restarted session, but not the process."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}

    async def load(self, key: str) -> Snapshot | None:
        """See `ResumeStore.load`."""
        await trio.lowlevel.checkpoint()
        return self._snapshots.get(key)

    async def save(self, key: str, snapshot: Snapshot) -> None:
        """See `ResumeStore.save`."""
        self._snapshots[key] = snapshot
        await trio.lowlevel.checkpoint()

    async def delete(self, key: str) -> None:
        """See `ResumeStore.delete`."""
        self._snapshots.pop(key, None)
        await trio.lowlevel.checkpoint()


class SqliteResumeStore:
    """Snapshots in an SQLite file: they survive the process. Several processes may share the file.

    Args:
        path: The file; made on first use, readable by its owner only.
        timeout: Seconds to wait for another process that writes.
    """

    def __init__(self, path: str | Path, *, timeout: float = 5.0) -> None:
        self._path = Path(path)
        self._timeout = timeout

    async def load(self, key: str) -> Snapshot | None:
        """See `ResumeStore.load`.

        Raises:
            OSError: The file cannot be made.
            sqlite3.Error: The file cannot be used.
            DecodeError: The stored bytes are no snapshot.
        """
        return await trio.to_thread.run_sync(self._load, key)

    async def save(self, key: str, snapshot: Snapshot) -> None:
        """See `ResumeStore.save`.

        Raises:
            sqlite3.Error: The file cannot be used.
        """
        await trio.to_thread.run_sync(self._save, key, snapshot)

    async def delete(self, key: str) -> None:
        """See `ResumeStore.delete`.

        Raises:
            sqlite3.Error: The file cannot be used.
        """
        await trio.to_thread.run_sync(self._delete, key)

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.touch(mode=0o600)
        with ExitStack() as undo:
            try:
                connection = undo.enter_context(closing(sqlite3.connect(self._path, timeout=self._timeout)))
                connection.execute(_TABLE)
            except sqlite3.Error as error:
                raise type(error)(f"{self._path}: {error}") from error  # SQLite names no file
            undo.pop_all()
        return connection

    def _load(self, key: str) -> Snapshot | None:
        with closing(self._open()) as connection, connection:
            row = connection.execute(
                "SELECT snapshot FROM livebridge_sessions WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else Snapshot.loads(row[0])

    def _save(self, key: str, snapshot: Snapshot) -> None:
        with closing(self._open()) as connection, connection:
            connection.execute(
                "INSERT OR REPLACE INTO livebridge_sessions VALUES (?, ?)", (key, snapshot.dumps())
            )

    def _delete(self, key: str) -> None:
        with closing(self._open()) as connection, connection:
            connection.execute("DELETE FROM livebridge_sessions WHERE key = ?", (key,))
