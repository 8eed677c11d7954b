"""Sessions: real-time conversations that outlive their connections.

A session is an actor. It has one mailbox and one loop that runs your callbacks, one at a time, in the order in
which things happened; beside it run tasks that never run your code::

    your callbacks ◀── dispatcher ◀── inbox ◀── reader ◀── WebSocket
                          ▲                        │ tap: handles, acknowledgements, GoAway, cancellations
    your other tasks ── call, cast                 ▼
    your sends ──────▶ outbox ────▶ sender ──────▶ WebSocket
                                       ▲
                       connection manager: dial, setup, rotate, back off, resume, give up
    your tools: one task and one cancel scope each

Three ways in::

    async with Session.start(model=MODEL, on_transcription=show) as session:      # a block
        turn = await session.ask("What is machine learning?", timeout=30)

    spec = Session.child_spec(Concierge, id="table-1", model=MODEL)               # under a Supervisor
    run_supervised([spec])

    livebridge.run(model=MODEL, on_turn_complete=ask_next)                        # a script

Callbacks are keywords ``on_…`` or methods of a `Handler`; each takes one argument, is sync or async, and may be
left out. The options of a session are the fields of `livebridge.protocol.LiveConfig` (what the model is asked
for) and of `livebridge.session.Options` (how the session behaves), all as keywords.

Tools are functions in ``tools=[…]`` (sync ones run in threads), methods of a `Handler` marked with `tool`, and
open client sessions of MCP servers. Signature, hints and docstring become the declaration, and what JSON cannot
express is refused before anything is dialled; arguments arrive as the annotated types; what a function returns, or
raises, is the answer. A parameter annotated with `Session`, `livebridge.wire.FunctionCall` or `ToolContext` is
filled in by the session. Functions that were only declared are for ``on_tool_call``, or for whoever answers by
hand::

    @tool(behavior="non_blocking", timeout=300)
    async def book(people: int, at: datetime, context: ToolContext) -> Booking:
        'Book a table.'

Guarantees:

* Every frame that was read is dispatched once, in wire order, also those before a close or a reset.
* For each message ``on_message`` comes first; ``on_interrupted`` comes before any part that follows it.
* Everything of one connection comes before ``on_resumed`` of the next; ``on_close`` is last, once.
* A callback that is slow, or never returns, stops neither pongs, nor tool cancellation, nor `Session.close`.
* What a send accepted is written in the order of acceptance, over every connection, or reported: as uncertain in
  ``on_resumed``, as expired in ``on_error``, as undelivered in `CloseResult`. Media is given up sooner: what was lost
  with a connection is told in ``on_resumed``, what a slow network did not take in ``on_error``, once, and all of it
  is counted in `Session.statistics`.
* A planned change of connections waits for the end of what is being said, and for the answer, up to its deadline.
* Each tool call gets exactly one answer, unless the server takes it back.
* Only one connection at a time has a ``setup`` sent; a lost one is dialled again with the last good handle.
* ``on_ready`` and ``on_resumed`` say honestly whether the model still knows the conversation.

Not guaranteed: that the model answers only once after a replay (it hears the input again), and, on the Gemini
API, whether a message that was written just before a connection broke was read: it has no acknowledgements. Such a
message is reported as uncertain, also where the server may well have read it.

Waiting inside a callback for what comes after the callback (`Session.wait_turn`, `Session.call`) raises
`CallSelfError`; sending there is fine.

When not to use it: for requests that need no live conversation, or to play with the wire itself; for the latter
use `livebridge.wire` and `livebridge.transport`.
"""

from livebridge.session._actor import current_session
from livebridge.session._conversation import AudioConversation, Speaker
from livebridge.session._handler import Handler
from livebridge.session._options import Keepalive, Options
from livebridge.session._outgoing import SendReceipt
from livebridge.session._run import run
from livebridge.session._session import Session
from livebridge.session._statistics import Statistics
from livebridge.session._store import MemoryResumeStore, ResumeStore, SqliteResumeStore
from livebridge.session._supervised import run_supervised
from livebridge.session._tokens import create_token
from livebridge.session._tool_context import ToolContext
from livebridge.session._tool_mark import tool
from livebridge.session._verbs import CloseResult

__all__ = [
    "AudioConversation",
    "CloseResult",
    "Handler",
    "Keepalive",
    "MemoryResumeStore",
    "Options",
    "ResumeStore",
    "SendReceipt",
    "Session",
    "Speaker",
    "SqliteResumeStore",
    "Statistics",
    "ToolContext",
    "create_token",
    "current_session",
    "run",
    "run_supervised",
    "tool",
]
