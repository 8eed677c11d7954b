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

    def __len__(self) -> int:
        return len(self._saved)

    def issue(self, handle: str, conversation: Conversation) -> None:
        """Let a new handle point at the conversation as it is now."""
        self._saved[handle] = Saved(conversation, conversation.snapshot())

    def revoke(self, conversation: Conversation) -> None:
        """Forget every handle of a conversation, as if they had expired."""
        self._saved = {
            handle: saved for handle, saved in self._saved.items() if saved.conversation is not conversation
        }

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
        return conversation

    def _expired(self, saved: Saved, now: float) -> bool:
        ended_at = saved.conversation.ended_at
        return ended_at is not None and now >= ended_at + self._ttl
