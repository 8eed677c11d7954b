"""What can be done with a session: its life, waiting for the model, and (inherited) sending and state."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from livebridge import wire
from livebridge.errors import LocalProtocolError, SessionFailedError
from livebridge.protocol import ENDED, CloseInfo, PlayoutBuffer, Turn
from livebridge.session._checks import seconds
from livebridge.session._continuity import insisting
from livebridge.session._conversation import AudioConversation, Speaker, check_parts, under_way
from livebridge.session._sending import Senders
from livebridge.session._surroundings import check_in_trio


@attrs.frozen(kw_only=True)
class CloseResult:
    """What `Session.close` achieved.

    Attributes:
        info: How the session ended; ``None`` if the close was asked for inside a callback and goes on.
        undelivered: Accepted messages (media not counted) that were not written, or had to be written again.
        undispatched: Frames that were read and not given to callbacks any more.
    """

    info: CloseInfo | None = None
    undelivered: int = 0
    undispatched: int = 0


class Verbs(Senders):
    """What can be done with a running session; `livebridge.Session`, which says more, adds the ways to start one."""

    async def connect(self, *, timeout: float | None = None) -> None:
        """Dial and wait until the session is ready.

        Args:
            timeout: Seconds; by default the dial, setup and retry limits of the options bound it. When it
                passes, the session is closed.

        Raises:
            ConnectError: The dial failed; also when the credentials could not be obtained.
            SetupError: The server refused the setup.
            TimeoutError: `timeout` passed.
            SessionClosedError: The session is closed.
        """
        seconds("timeout", timeout)
        in_dispatcher = self._in_dispatcher()
        manager = self._actor.manager
        assert manager is not None
        if self._state.closing or self.closed:
            self._actor.outgoing.check_open()
        manager.connect()
        if in_dispatcher:
            await trio.lowlevel.checkpoint()
            return
        with trio.move_on_after(math.inf if timeout is None else timeout) as scope:
            await self.wait_ready()
        if scope.cancelled_caught:
            await self.close(drain=False)
            raise TimeoutError(f"the session was not ready within {timeout:g} s; it was closed")

    async def close(self, *, drain: bool = True, timeout: float | None = None) -> CloseResult:
        """End the session: deliver what was accepted, close the connection, call ``on_close``.

        Idempotent, and callable from anywhere. Inside a callback it only asks for the close and returns, the
        session ends after the callback; inside a tool, the tool is cancelled.

        Args:
            drain: Deliver what was accepted first, with one reconnect if need be.
            timeout: Seconds for all of it; by default the option ``close_timeout``. At the deadline what is
                left is given up and counted in the result.

        Raises:
            ConfigError: `timeout` is none.
        """
        seconds("timeout", timeout)
        state = self._state
        in_dispatcher = self._in_dispatcher()
        self._request_close(drain=drain, timeout=timeout)
        if in_dispatcher:
            await trio.lowlevel.checkpoint()
            return CloseResult()
        ref = self._actor.ref
        await ref.wait_exit()
        return CloseResult(
            info=state.close_info,
            undelivered=state.counters.undelivered,
            undispatched=state.counters.undispatched,
        )

    async def reconnect(self) -> None:
        """Replace the connection in order, at once; resumes with the last handle.

        Where there is no connection, the next dial does not wait for the back-off any longer.

        Raises:
            LivebridgeError: The session is closed, has failed, or was never connected; also while waiting.
        """
        self._actor.outgoing.check_open()
        manager = self._actor.manager
        assert manager is not None
        epoch = self._state.epoch
        manager.reconnect()
        await trio.lowlevel.checkpoint()
        while not self._in_dispatcher() and (self._state.epoch == epoch or not self._state.is_ready):
            await self._state.changed.wait()
            self._raise_if_ended()

    async def rotate(self) -> None:
        """Replace the connection at the next good moment, as after a GoAway: resumable, no turn, no tools.

        Returns at once; ``on_resumed`` tells when it has happened. After half a minute the moment is taken as
        it is. While a GoAway is pending, or without a connection, there is nothing to do.

        Raises:
            LivebridgeError: The session is closed, has failed, or was never connected.
        """
        self._actor.outgoing.check_open()
        manager = self._actor.manager
        if manager is not None and manager.link is not None:
            manager.link.plan_rotation()
        await trio.lowlevel.checkpoint()

    async def wait_ready(self) -> None:
        """Wait until what is sent goes straight to the server.

        Raises:
            ConnectError: The first dial failed for good.
            SetupError: The first setup failed for good.
            SessionFailedError: The session failed later.
            SessionClosedError: The session was closed.
            CallSelfError: Called inside a callback, which the wait would wait for.
        """
        self._refuse_in_dispatcher("wait_ready")
        state = self._state
        state.awaited += 1
        try:
            await trio.lowlevel.checkpoint()
            while not state.is_ready:
                self._raise_if_ended()
                await state.changed.wait()
        finally:
            state.awaited -= 1

    async def wait_closed(self) -> CloseInfo:
        """Wait until the session has ended, whoever ends it.

        Raises:
            SessionFailedError: It ended because of an error.
            CallSelfError: Called inside a callback.
        """
        self._refuse_in_dispatcher("wait_closed")
        await self._actor.ref.wait_exit()
        state = self._state
        if state.failure is not None:
            raise SessionFailedError(
                f"the session failed: {state.failure}",
                code=state.failure.code,
                status=state.failure.status,
                phase=state.failure.phase,
                retryable=False,
            ) from state.failure
        assert state.close_info is not None
        return state.close_info

    async def wait_turn(self, timeout: float | None = None) -> Turn:
        """Wait for the next turn that no `wait_turn` has returned yet.

        A turn that completed between two calls is kept (the last 32 of them, up to 16 MiB of audio).

        Raises:
            ConfigError: `timeout` is no number of seconds.
            TimeoutError: No turn within `timeout` seconds. The text names the last failure of a connection since
                the wait began.
            SessionClosedError: The session ended, and no turn is left.
            SessionFailedError: It failed, and no turn is left.
            CallSelfError: Called inside a callback.
        """
        seconds("timeout", timeout)
        self._refuse_in_dispatcher("wait_turn")
        began = trio.current_time()
        with trio.move_on_after(math.inf if timeout is None else timeout):
            return await self._next_turn()
        raise TimeoutError(f"no turn was completed within {timeout:g} s{self._trouble_since(began)}")

    async def ask(self, text: str, timeout: float | None = None) -> Turn:
        """Send text and wait for the turn that answers it.

        Turns that were complete before are set aside (as if `wait_turn` had returned them); a turn that this
        text interrupts is not taken for the answer, nor one that was interrupted by what still waits before it.

        Where a connection breaks and nobody knows whether the server has read the text (see the option ``replay``),
        it is written once more on the next connection, because you wait for the answer; not so when the model has
        called a tool for it.

        Raises:
            ConfigError: `text` is no text, or `timeout` no number of seconds.
            TimeoutError: No answer within `timeout` seconds. The text names the last failure of a connection since
                the question.
            LivebridgeError: As `send_text` and `wait_turn`.
        """
        seconds("timeout", timeout)
        self._refuse_in_dispatcher("ask")
        state = self._state
        began = trio.current_time()
        with trio.move_on_after(math.inf if timeout is None else timeout):
            state.completed.clear()
            ahead = state.generating + state.outbox.undelivered
            receipt = await self.send_text(text)
            with insisting(state, receipt.seq):
                while True:
                    turn = await self._next_turn()
                    if not (ahead and turn.interrupted):
                        return turn
                    ahead -= 1
        raise TimeoutError(f"no answer was completed within {timeout:g} s{self._trouble_since(began)}")

    async def _next_turn(self) -> Turn:
        state = self._state
        await trio.lowlevel.checkpoint()
        while not state.completed:
            if self.closed:
                self._actor.outgoing.check_open()
            await state.turned.wait()
        return state.completed.popleft()

    def _trouble_since(self, began: float) -> str:
        """What has happened to the connection since then, for the text of an error."""
        trouble = self._state.trouble
        if trouble is None or trouble[0] < began:
            return ""
        return f"; meanwhile a connection failed: {trouble[1]}"

    @asynccontextmanager
    async def messages(self) -> AsyncIterator[trio.MemoryReceiveChannel[wire.ServerMessage]]:
        """All server messages from now on, as a channel that outlives connections.

        When nobody gave a callback that consumes content, messages that came before are kept for the first
        consumer (256 at most). The channel ends when the session does.

        Raises:
            AlreadyReceivingError: There is a consumer already.
        """
        async with self._actor.stream.consume() as channel:
            yield channel

    async def receive(self) -> wire.ServerMessage | None:
        """One server message; ``None`` after the session has ended.

        Raises:
            AlreadyReceivingError: Somebody reads `messages`.
            CallSelfError: Called inside a callback.
        """
        self._refuse_in_dispatcher("receive")
        return await self._actor.stream.receive()

    @asynccontextmanager
    async def audio_conversation(
        self,
        *,
        microphone: AsyncIterable[bytes],
        speaker: Speaker,
        rate: int = 16_000,
        half_duplex: bool = False,
        max_seconds: float = 300.0,
    ) -> AsyncIterator[AudioConversation]:
        """Connect a microphone and a speaker for the length of a block.

        What the microphone yields is sent; what the model says is played, and no longer when the user cuts
        in. Tools and callbacks work as always. Leaving the block (or `AudioConversation.stop`) ends the
        conversation and keeps the session.

        Args:
            microphone: Yields pieces of 16-bit little-endian mono sound as they are heard, say 20 to 40 ms each.
            speaker: Plays what the model says; see `Speaker`.
            rate: Samples per second of the microphone.
            half_duplex: Send nothing while the model can be heard. For loudspeakers without echo cancellation,
                where the model would interrupt itself; the user cannot cut in then.
            max_seconds: How much of the model's speech may wait to be played.

        Raises:
            ConfigError: Microphone, speaker or rate is none.
            LocalProtocolError: The session is in a conversation already.
            SessionClosedError: The session is closed.
            SessionFailedError: The session has failed.
            Exception: What the microphone or the speaker raised, as it is.
        """
        check_parts(microphone, speaker, rate)
        self._actor.outgoing.check_open()
        speech = self._state.speech
        if speech.listener is not None:
            raise LocalProtocolError("the session is in an audio conversation already; stop that one first")
        conversation = AudioConversation(
            speech=speech,
            send=partial(self.send_audio, rate=rate),
            finish=self._end_of_sound,
            microphone=microphone,
            speaker=speaker,
            rate=rate,
            half_duplex=half_duplex,
            buffer=PlayoutBuffer(max_seconds=max_seconds),
        )
        async with under_way(conversation, self._actor.ref.wait_exit):
            yield conversation

    @property
    def in_conversation(self) -> bool:
        """Whether an audio conversation controls the session's sound."""
        return self._state.speech.listener is not None

    async def call(self, request: object, *, timeout: float | None = 5.0) -> object:
        """Ask the handler: its ``handle_call`` answers, whatever the connection does meanwhile.

        Raises:
            CallTimeoutError: No answer within `timeout` seconds.
            ActorExitError: The session has ended.
            CallSelfError: Called inside a callback of this session.
        """
        seconds("timeout", timeout)
        check_in_trio()
        return await self._actor.ref.call(request, timeout=timeout)

    def cast(self, request: object) -> None:
        """Tell the handler something; ``handle_cast`` gets it.

        Raises:
            MailboxFullError: Too much waits already.
        """
        self._actor.ref.cast(request)

    def _request_close(self, *, drain: bool, timeout: float | None) -> None:
        state = self._state
        manager = self._actor.manager
        if state.closing or self.closed or manager is None:
            return
        options = state.options
        state.closing = True
        state.drain = drain
        state.close_deadline = state.now + (options.close_timeout if timeout is None else timeout)
        if drain and options.tool_grace and state.tools_running:
            state.grace_until = min(state.now + options.tool_grace, state.close_deadline)
        else:
            self._actor.tools.cancel_all()
        manager.close()
        self._actor.bound_close()

    def _cut_short(self) -> None:
        """End now: no drain, and the callback that runs is cancelled."""
        self._actor.runner.interrupt()
        if self._actor.manager is not None:
            self._actor.manager.abort()

    def _raise_if_ended(self) -> None:
        state = self._state
        if state.failure is not None and not state.ever_connected:
            state.told = True
            raise state.failure
        if state.phase in ENDED or state.closing or self.closed:
            self._actor.outgoing.check_open()
