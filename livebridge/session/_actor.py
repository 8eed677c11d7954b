"""The session as an actor: one mailbox, one ordered loop that runs user callbacks.

::

    SessionActor (GenServer)
    ├── mailbox -> dispatcher: callbacks, handle_call, handle_cast, handle_info       user code
    └── tasks beside it
        ├── connection manager -> one connection at a time: reader, sender, clocks    no user code
        └── tool tasks                                                                user code

Server frames come through a bounded lane of the mailbox, notices of the runtime through another; both share
one order with calls and casts, so everything of one connection is dispatched before ``on_resumed`` of the
next, and nothing starves.
"""

from __future__ import annotations

import inspect
import logging
from contextlib import suppress
from contextvars import ContextVar
from typing import Final

import trio

from livebridge import wire
from livebridge.errors import LivebridgeError, LocalProtocolError, NoProcessError
from livebridge.otp import (
    NOREPLY,
    NORMAL,
    Caller,
    Continue,
    Down,
    ExitReason,
    GenServer,
    Lane,
    Stop,
)
from livebridge.protocol import CloseInfo, GoAwayInfo, Marker, Unrecognized
from livebridge.session import _reporting as reporting
from livebridge.session._callbacks import CallbackRunner
from livebridge.session._continuity import Continuity
from livebridge.session._events import events_of, finish_transcripts
from livebridge.session._failure import broken
from livebridge.session._handler import Handler
from livebridge.session._handshake import Handshake
from livebridge.session._keeping import Keeping
from livebridge.session._manager import ConnectionManager
from livebridge.session._options import Function
from livebridge.session._outgoing import Outgoing
from livebridge.session._spending import Spending
from livebridge.session._state import Ended, Envelope, Notice, SessionState
from livebridge.session._stream import MessageStream
from livebridge.session._tool_box import ToolBox
from livebridge.session._tool_context import own_for
from livebridge.session._tools import Job, ToolRunner
from livebridge.session._verbs import Verbs
from livebridge.session._watchdog import Watchdog
from livebridge.telemetry import BUS
from livebridge.transport import Dial

_log: Final = logging.getLogger("livebridge.session")

NOTICE_CAPACITY: Final = 2**20
"""Notices are few and never wait for room; the number only has to be large."""

SHUTDOWN_DRAIN: Final = 2.0
"""Seconds that a supervisor's stop lets a connected session deliver what it accepted; ``terminate`` has 5."""

_current: ContextVar[Verbs] = ContextVar("livebridge_session")

_CONSUMING: Final = frozenset(
    {"on_message", "on_audio", "on_text", "on_transcription", "on_turn_complete", "on_tool_call"}
)


def current_session() -> Verbs:
    """The session whose callback (or tool) is running.

    Raises:
        LocalProtocolError: No session's code is running here.
    """
    try:
        return _current.get()
    except LookupError:
        raise LocalProtocolError("current_session() works inside callbacks and tools of a session") from None


class SessionActor(GenServer):
    """Drives one session. Private: users see `Session`, and `Ref` where it is supervised.

    Args:
        state: Shared state.
        callbacks: The user's, by name.
        handler: The user's handler, if one was given.
        session: The public face.
        dial: Opens transports.
        box: The functions that the model may call.
    """

    def __init__(
        self,
        *,
        state: SessionState,
        callbacks: dict[str, Function],
        handler: Handler | None,
        session: Verbs,
        dial: Dial,
        box: ToolBox,
    ) -> None:
        self.state = state
        self.handler = handler
        self.session = session
        self.dial = dial
        functions = dict(callbacks)
        if handler is not None:
            functions |= {"handle_cast": handler.handle_cast, "handle_info": handler.handle_info}
        self.runner = CallbackRunner(state, functions)
        self.stream = MessageStream(state, hold=not (_CONSUMING & state.wanted))
        self.outgoing = Outgoing(state, in_callback=session._in_dispatcher)  # noqa: SLF001 - two halves of one object
        self.tools = ToolRunner(
            state,
            self.outgoing,
            callbacks.get("on_tool_call"),
            self._start_tool,
            lambda: self.stream.is_manual or "on_message" in state.wanted,
            box,
            own_for(session),
        )
        self.manager: ConnectionManager | None = None
        self.keeping: Keeping | None = None
        self.loop_task: trio.lowlevel.Task | None = None
        self.supervised = False
        self.spending = Spending(state, session._request_close)  # noqa: SLF001 - the two halves of one object

    async def init(self) -> Continue | None:
        """Open the lanes and start the connection manager; dialling comes after."""
        options = self.state.options
        if BUS.active:
            reporting.initialised(self.state)
        inbox: Lane = self.open_lane(capacity=options.inbox_frames, max_cost=options.inbox_bytes)
        self.state.notices = self.open_lane(capacity=NOTICE_CAPACITY, max_cost=float("inf"))
        self.state.inbox = inbox
        continuity = Continuity(self.state)
        self.manager = ConnectionManager(
            self.state,
            Handshake(self.state, self.dial),
            continuity,
            self.tools,
            inbox,
            patient=self.supervised and not options.require_connected,
        )
        self.session._bind(self)  # noqa: SLF001 - the two halves of one object
        self.ref.monitor(self._gone)
        _current.set(self.session)
        self.start_soon(self.manager.run, name="connection manager")
        self.start_soon(self._watch_inbox, inbox, name="inbox watch")
        if "on_transcription" in self.state.wanted:
            self.start_soon(finish_transcripts, self.state, name="transcript clock")
        if self.state.stall.policy is not None:
            watchdog = Watchdog(self.state, self.manager, self.outgoing)
            self.start_soon(watchdog.run, name="stall watch")
        if options.resume_store is not None:
            self.keeping = Keeping(self.state, continuity, options.resume_store, options.resume_key)
            await self.keeping.restore()
            self.start_soon(self.keeping.run, name="resume store")
        if options.require_connected:
            self.manager.connect()
            await self.session.wait_ready()
        self.loop_task = trio.lowlevel.current_task()
        return Continue("connect") if options.connect else None

    async def handle_continue(self, arg: object) -> None:
        """Dial, now that whoever started the session has its reference."""
        assert self.manager is not None
        self.manager.connect()

    async def handle_info(self, message: object) -> Stop | None:
        """Dispatch what came through the lanes; anything else is the user's."""
        if isinstance(message, Envelope):
            await self._dispatch(message)
        elif isinstance(message, Notice):
            await self.runner.run(message.callback, message.argument)
        elif isinstance(message, Ended):
            return await self._ended(message)
        else:
            await self.runner.run("handle_info", message)
        return None

    async def handle_call(self, request: object, caller: Caller) -> object:
        """Let the user's handler answer; what it raises is raised in the caller."""
        if self.handler is None:
            caller.reply_error(LocalProtocolError("this session has no Handler that could answer a call"))
            return NOREPLY
        try:
            reply = self.handler.handle_call(request, caller)
            if inspect.isawaitable(reply):
                reply = await self.runner.guard(reply)
        except Exception as error:  # noqa: BLE001 - the caller asked, the caller is told
            caller.reply_error(error)
            await self.runner.failed("handle_call", request, error)
            return NOREPLY
        return NOREPLY if self.runner.interrupted else reply

    async def handle_cast(self, request: object) -> None:
        """Pass a cast to the user's handler."""
        await self.runner.run("handle_cast", request)

    async def terminate(self, reason: ExitReason) -> None:
        """Close what is open, then tell the user, once, that this was the end."""
        state = self.state
        if reason.kind == "error" and state.failure is None:
            state.failure = broken(reason.exc)
        if self.manager is not None:
            if self.supervised and reason.kind == "shutdown" and reason.term is None:
                await self._drain(self.manager)
            if not self.manager.finished.is_set():
                self.manager.abort()
            await self.manager.finished.wait()
        self.tools.cancel_all()
        if state.inbox is not None:
            state.counters.undispatched += state.inbox.depth
        state.closed = True
        if self.keeping is not None:
            await self.keeping.end(reason)
        if state.close_info is None:
            state.close_info = CloseInfo(code=None, reason="", initiated_by="client")
        if BUS.active:
            reporting.closed(state, state.close_info)
        await self.runner.run("on_close", state.close_info)

    def _gone(self, _: Down) -> None:
        """The actor has ended, perhaps without `terminate`: nobody may wait for it any longer."""
        state = self.state
        state.closed = True
        self.stream.end()
        state.counters.undelivered = state.outbox.undelivered
        state.outbox.abandon()
        state.changed.set()
        state.turned.set()
        state.room.set()

    async def _drain(self, manager: ConnectionManager) -> None:
        """A supervisor asked for the end: what was accepted is delivered if the connection is there."""
        state = self.state
        if state.is_ready and not state.closing:
            state.closing = True
            state.close_deadline = state.now + SHUTDOWN_DRAIN
            manager.close()
            with trio.move_on_at(state.close_deadline):
                await manager.finished.wait()

    def bound_close(self) -> None:
        """See that the close that was just asked for, by whomever, ends in time."""
        with suppress(NoProcessError):
            self.start_soon(self._end_at_close_deadline, name="close deadline")

    async def _end_at_close_deadline(self) -> None:
        await trio.sleep_until(self.state.close_deadline)
        self.runner.interrupt()
        await self.ref.stop(drain=False)

    def format_state(self) -> dict[str, object]:
        """For ``sys.get_state`` and crash reports; nothing secret."""
        state = self.state
        return {
            "model": state.options.model,
            "phase": state.phase.value,
            "epoch": state.epoch,
            "pending_sends": state.outbox.pending,
            "pending_tool_calls": len(state.ledger.pending),
        }

    async def _dispatch(self, envelope: Envelope) -> None:
        message = envelope.message
        state = self.state
        run = self.runner.run
        if isinstance(message, Unrecognized):
            await run("on_unrecognized", message)
            return
        turn = state.turns.feed(message, epoch=envelope.epoch, turn=envelope.turn)
        if turn is not None:
            state.complete(turn)
        for name, argument in events_of(envelope, message, state):
            await run(name, turn if argument is Marker.TURN else argument)
        if state.options.budget is not None:
            self.spending.look(turn)
        if message.tool_call is not None:
            self.tools.begin(message.tool_call, envelope.call_keys)
        if message.go_away is not None:
            await self._go_away(message.go_away, envelope)
        if self.stream.is_manual:
            await self.runner.guard(self.stream.put(message))

    async def _go_away(self, go_away: wire.GoAway, envelope: Envelope) -> None:
        handle = self.state.handles.current
        info = GoAwayInfo(
            time_left=go_away.time_left,
            deadline=envelope.deadline if envelope.deadline is not None else envelope.received_at,
            handle=None if handle is None else handle.value,
            epoch=envelope.epoch,
        )
        await self.runner.run("on_go_away", info)

    async def _ended(self, ended: Ended) -> Stop:
        for transcript in self.state.speech.utterances.end():
            await self.runner.run("on_transcription", transcript)
        if ended.error is None:
            return Stop(NORMAL)
        await self._complain(ended.error)
        if ended.fatal or self._is_told():
            return Stop(ExitReason.shutdown(ended.error))
        return Stop(ExitReason.error(ended.error))

    def _is_told(self) -> bool:
        """Whether the first connect failed and somebody waits for it: told once is enough."""
        state = self.state
        return not self.supervised and not state.ever_connected and (state.told or state.awaited > 0)

    async def _complain(self, error: LivebridgeError) -> None:
        if BUS.active:
            reporting.failed(self.state, error)
        await self.runner.run("on_error", error)

    def _start_tool(self, job: Job) -> None:
        self.start_soon(job, name="tool call")

    async def _watch_inbox(self, inbox: Lane) -> None:
        """Say so, once per stall, when a callback has kept the inbox full for too long."""
        seconds = self.state.options.stall_timeout
        full_since: float | None = None
        while True:
            await trio.sleep(seconds / 4)
            now = trio.current_time()
            if not inbox.full:
                full_since = None
            elif full_since is None:
                full_since = now
            elif now - full_since >= seconds:
                full_since = float("inf")
                _log.warning(
                    "a callback has kept the inbox full for %.0f s; nothing is read meanwhile", seconds
                )
                self.state.report_stall(seconds)
