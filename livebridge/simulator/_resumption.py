"""Resumption handles: each one points at a conversation as it was at one moment."""

import attrs

from livebridge.simulator._conversation import Conversation, Snapshot
from livebridge.simulator._refusals import INVALID_ARGUMENT, SESSION_NOT_FOUND, STILL_CONNECTED, RefusedError


@attrs.frozen
class Saved:
    """What a handle points at."""

    conversation: Conversation
    snapshot: Snapshot


class HandleStore:
    """Every handle that has been issued.

    Args:
        ttl: Seconds a handle is valid after the last connection of its conversation has ended.
    """

    def __init__(self, *, ttl: float) -> None:
        self._ttl = ttl
        self._saved: dict[str, Saved] = {}
        self._lines: dict[Conversation, list[str]] = {}

    def __len__(self) -> int:
        return len(self._saved)

    def issue(self, handle: str, conversation: Conversation) -> None:
        """Let a new handle point at the conversation as it is now."""
        self._saved[handle] = Saved(conversation, conversation.snapshot())
        self._lines.setdefault(conversation, []).append(handle)

    def revoke(self, conversation: Conversation) -> None:
        """Forget every handle of a conversation, as if they had expired."""
        self._keep_of(conversation, [])

    def retain(self, conversation: Conversation, *, newest: int) -> Snapshot | None:
        """Revoke all handles of a conversation but the newest of those that its present state goes back to.

        Returns:
            The oldest moment a resumption can still go back to; ``None`` if nothing had to be revoked for that.
        """
        line = self._lines.get(conversation, [])
        if len(line) <= newest:
            return None
        self._keep_of(conversation, line[-newest:])
        return self._saved[line[-newest]].snapshot

    def _keep_of(self, conversation: Conversation, handles: list[str]) -> None:
        kept = set(handles)
        self._saved = {
            handle: saved
            for handle, saved in self._saved.items()
            if handle in kept or saved.conversation is not conversation
        }
        self._lines[conversation] = handles

    def resume(self, handle: str, *, model: str, vertex: bool, now: float) -> Conversation:
        """Take a conversation back to the moment of a handle.

        Raises:
            RefusedError: The handle is unknown or expired (1008), its conversation is still connected (1011), or
                the model or the backend is another one (1007).
        """
        saved = self._saved.get(handle)
        if saved is None or self._expired(saved, now):
            raise RefusedError(SESSION_NOT_FOUND)
        conversation = saved.conversation
        if conversation.connected:
            raise RefusedError(STILL_CONNECTED)
        if (conversation.model, conversation.vertex) != (model, vertex):
            raise RefusedError(INVALID_ARGUMENT)
        conversation.restore(saved.snapshot)
        line = self._lines[conversation]
        # handles that were issued after this one stand for what is no longer so
        self._lines[conversation] = line[: line.index(handle) + 1] if handle in line else [handle]
        return conversation

    def _expired(self, saved: Saved, now: float) -> bool:
        ended_at = saved.conversation.ended_at
        return ended_at is not None and now >= ended_at + self._ttl
