"""Where the server acknowledges messages by index, an outbox loses and doubles nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from livebridge.protocol import Kind, Outbox


class TransparentMachine(RuleBasedStateMachine):
    """Transparent resumption: the server's state is a prefix of what was accepted, and in the end all of it.

    The model server consumes in order, snapshots its state into handles, and forgets everything after the last
    snapshot when a connection ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(transparent=True)
        self.accepted = 0
        self.up = False
        self.socket: list[int] = []
        self.server: list[int] = []
        self.consumed = 0
        self.snapshot: list[int] = []
        self.handle: list[int] | None = None
        self.updates: list[tuple[list[int] | None, int | None]] = []

    @rule()
    def app_sends(self) -> None:
        if self.outbox.has_room(8):
            self.accepted += 1
            self.outbox.accept(Kind.CONTENT, b"%08d" % self.accepted, now=0.0)

    @precondition(lambda self: not self.up)
    @rule()
    def connect(self) -> None:
        self.up = True
        self.socket = []
        self.updates = []
        self.consumed = 0
        self.server = list(self.handle or [])
        self.outbox.start_connection()

    @precondition(lambda self: self.up)
    @rule(limit=st.integers(1, 40))
    def write(self, limit: int) -> None:
        batch = self.outbox.take(max_bytes=limit)
        self.socket += [int(entry.payload) for entry in batch]
        if batch:
            self.outbox.written(now=0.0)

    @precondition(lambda self: self.up)
    @rule(limit=st.integers(1, 40))
    def write_and_break(self, limit: int) -> None:
        self.outbox.take(max_bytes=limit)
        self.drop()

    @precondition(lambda self: self.up and self.socket)
    @rule()
    def server_consumes_one(self) -> None:
        self.server.append(self.socket.pop(0))
        self.consumed += 1

    @precondition(lambda self: self.up)
    @rule(resumable=st.booleans())
    def server_updates(self, resumable: bool) -> None:
        index = self.consumed or None
        self.updates.append((list(self.server) if resumable else None, index))

    @precondition(lambda self: self.up and self.updates)
    @rule()
    def client_reads_update(self) -> None:
        handle, index = self.updates.pop(0)
        if handle is not None:
            self.handle = handle
            self.outbox.covered(index, now=0.0)

    @precondition(lambda self: self.up)
    @rule()
    def drop(self) -> None:
        self.up = False
        self.outbox.connection_lost()

    @invariant()
    def the_server_has_a_prefix(self) -> None:
        assert self.server == list(range(1, len(self.server) + 1))

    def teardown(self) -> None:
        if not self.up:
            self.connect()
        while batch := self.outbox.take():
            self.socket += [int(entry.payload) for entry in batch]
            self.outbox.written(now=0.0)
        self.server += self.socket
        assert self.server == list(range(1, self.accepted + 1))


TestTransparent = TransparentMachine.TestCase
TestTransparent.settings = settings(max_examples=200, stateful_step_count=40)
