"""What all connections of one simulator share: conversations, handles, ids, what it can recognise."""

import random
import uuid
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._conversation import ConnectionRecord, Conversation
from livebridge.simulator._recordings import Recordings
from livebridge.simulator._records import Heard
from livebridge.simulator._refusals import TOO_MANY_SESSIONS, RefusedError
from livebridge.simulator._resumption import HandleStore
from livebridge.simulator._settings import Settings
from livebridge.simulator._validation import check_model, check_setup

CALL_ID_DIGITS: Final = 10**18


@attrs.frozen(kw_only=True)
class Caller:
    """Who is on a connection.

    Attributes:
        number: 1 for the first connection of the simulator.
        vertex: Whether it came by the Vertex AI path.
        version: API version of the path.
    """

    number: int
    vertex: bool
    version: str


class World:
    """The state of a simulator without its sockets.

    Attributes:
        settings: How it behaves.
        conversations: Every conversation, oldest first.
        handles: Every resumption handle.
        recordings: Sounds it knows by heart.
        random: Where ids and chances come from.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings
        self.conversations: list[Conversation] = []
        self.handles: HandleStore = HandleStore(ttl=settings.handle_ttl)
        self.recordings: Recordings = Recordings()
        self.random: random.Random = random.Random(settings.seed)  # noqa: S311  # ids of a simulator guard nothing

    def begin(self, setup: wire.Setup, caller: Caller, *, now: float) -> Conversation:
        """Answer a setup: a new conversation, or one that is resumed.

        Raises:
            RefusedError: The setup is wrong, the handle is not valid, or there are too many sessions.
        """
        model, profile = check_model(
            setup, self.settings.profiles, vertex=caller.vertex, version=caller.version
        )
        check_setup(setup, profile, vertex=caller.vertex, version=caller.version)
        handle = None if setup.session_resumption is None else setup.session_resumption.handle
        if sum(conversation.connected for conversation in self.conversations) >= self.settings.max_sessions:
            raise RefusedError(TOO_MANY_SESSIONS)
        if handle:
            conversation = self.handles.resume(handle, model=model, vertex=caller.vertex, now=now)
            conversation.setup = setup
        else:
            conversation = Conversation(
                session_id=self.make_uuid(), model=model, vertex=caller.vertex, setup=setup, profile=profile
            )
            self.conversations.append(conversation)
        conversation.connected = True
        conversation.connections.append(
            ConnectionRecord(number=caller.number, resumed=bool(handle), opened_at=now)
        )
        return conversation

    def end(self, conversation: Conversation, *, now: float) -> None:
        """A connection is gone; the conversation waits to be resumed."""
        conversation.connected = False
        conversation.ended_at = now

    def issue_handle(self, conversation: Conversation) -> str:
        """A new handle for the conversation as it is now."""
        handle = self.make_uuid().replace("-", "")
        self.handles.issue(handle, conversation)
        if self.settings.keep_handles is not None:
            self.forget(conversation, keep_handles=self.settings.keep_handles)
        return handle

    def forget(self, conversation: Conversation, *, keep_handles: int) -> Heard:
        """Let all handles but the newest expire, and drop what only they needed; returns that."""
        oldest = self.handles.retain(conversation, newest=keep_handles)
        return Heard(inputs=(), history=()) if oldest is None else conversation.drop_records(before=oldest)

    def make_uuid(self) -> str:
        """A fresh UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def make_call_id(self, *, vertex: bool) -> str:
        """A fresh id of a function call, in the backend's style."""
        if vertex:
            return self.make_uuid()
        return f"function-call-{self.random.randrange(CALL_ID_DIGITS, CALL_ID_DIGITS * 10)}"
