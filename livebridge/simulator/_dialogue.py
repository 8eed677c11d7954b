"""One connection's conversation, without the connection: messages and the time go in, messages come out.

::

    dialogue = Dialogue(world, caller, now=now)
    dialogue.receive(plain, now=now)        # a client's message, as parsed JSON
    dialogue.take()                         # -> [ServerMessage, …, Hangup]
    dialogue.deadline                       # call advance() then

It never waits and never reads a clock, so every rule of it can be tested in microseconds.
"""

from collections.abc import Callable

from livebridge import wire
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._deadlines import Deadlines
from livebridge.simulator._exchange import Exchange
from livebridge.simulator._refusals import INVALID_ARGUMENT, Hangup, RefusedError
from livebridge.simulator._tokens import window
from livebridge.simulator._turns import Output
from livebridge.simulator._validation import check_shape, is_too_deep
from livebridge.simulator._world import Caller, World

SetupFilter = Callable[[wire.Setup], wire.Setup]
"""What an ephemeral token makes of a client's setup."""


def _as_it_is(setup: wire.Setup) -> wire.Setup:
    return setup


class Dialogue:
    """One connection's conversation.

    Attributes:
        conversation: The state it works on, ``None`` before ``setupComplete``.
        hung_up: Whether the server has ended it.

    Args:
        world: What the connections share.
        caller: Who is on this one.
        now: The clock.
        constrain: What the caller's credential makes of the setup; it may raise `RefusedError`.
    """

    def __init__(
        self, world: World, caller: Caller, *, now: float, constrain: SetupFilter = _as_it_is
    ) -> None:
        self.conversation: Conversation | None = None
        self.hung_up: bool = False
        self._world = world
        self._caller = caller
        self._constrain = constrain
        self._now = now
        self._out: list[Output] = []
        self._deadlines = Deadlines(world.settings, now=now)
        self._exchange: Exchange | None = None
        self._consumed = 0
        self._announced_resumable = True
        self._saved_length = 0
        self._saved_at = now

    def take(self) -> list[Output]:
        """What is to be sent, in order; a `Hangup` is the last."""
        out, self._out = self._out, []
        return out

    @property
    def deadline(self) -> float | None:
        """When `advance` must be called, ``None`` if there is nothing to wait for."""
        if self.hung_up:
            return None
        due = None if self._exchange is None else self._exchange.turns.due
        times = (due, self._deadlines.next, self._handle_due())
        return min((time for time in times if time is not None), default=None)

    @property
    def open_calls(self) -> int:
        """How many function calls wait for their answers."""
        return 0 if self._exchange is None else len(self._exchange.turns.calls)

    @property
    def busy(self) -> bool:
        """Whether the model is in the middle of an answer."""
        return self._exchange is not None and self._exchange.turns.state != "idle"

    def receive(self, plain: object, *, now: float) -> None:
        """Take a client's message, as parsed JSON.

        Anything the Live API does not allow ends in a `Hangup`; nothing is raised.
        """
        self._now = now
        try:
            self._receive(plain)
        except RefusedError as refusal:
            self._emit(refusal.hangup)
        self._after()

    def advance(self, now: float) -> None:
        """Do what is due."""
        self._now = now
        if self._exchange is not None and not self.hung_up:
            self._exchange.turns.advance(now)
        for output in self._deadlines.due(now):
            self._emit(output)
        self._after()

    def close(self, *, now: float) -> None:
        """The connection is gone."""
        self.hung_up = True
        if self.conversation is not None and self._exchange is not None:
            self._world.end(self.conversation, now=now)
            self._exchange = None

    def hang_up(self, hangup: Hangup, *, now: float) -> None:
        """End the connection from the server's side."""
        self._now = now
        self._emit(hangup)

    def go_away(self, seconds: float, *, now: float) -> None:
        """Announce the end of the connection in ``seconds``, and keep the word."""
        self._emit(self.announce_end(seconds, now=now))

    def announce_end(self, seconds: float, *, now: float) -> wire.ServerMessage:
        """Let the connection end in ``seconds``; the ``goAway`` that says so."""
        return self._deadlines.go_away(seconds, now=now)

    def cancel_calls(self, *, now: float) -> list[str]:
        """Take back every open function call; their ids."""
        self._now = now
        ids = [] if self._exchange is None else self._exchange.turns.cancel_calls(now=now)
        self._after()
        return ids

    def revoke_handles(self) -> None:
        """Forget every handle of the conversation."""
        if self.conversation is not None:
            self._world.handles.revoke(self.conversation)

    def _emit(self, output: Output) -> None:
        if self.hung_up:
            return
        self._out.append(output)
        if isinstance(output, Hangup):
            self.close(now=self._now)

    def _receive(self, plain: object) -> None:
        if self.hung_up:
            return
        if not isinstance(plain, dict) or is_too_deep(plain):
            raise RefusedError(INVALID_ARGUMENT)
        message = wire.from_plain(wire.ClientMessage, plain)
        check_shape(message, plain, strict=self._world.settings.strict)
        if self._exchange is not None:
            self._consumed += 1
            self._exchange.take(message, now=self._now)
            if self._exchange.video:
                self._deadlines.video_seen()
        elif message.setup is None or len(plain) != 1:
            raise RefusedError(INVALID_ARGUMENT)
        else:
            self._set_up(self._constrain(message.setup))

    def _set_up(self, setup: wire.Setup) -> None:
        conversation = self._world.begin(setup, self._caller, now=self._now)
        self.conversation = conversation
        self._exchange = Exchange(self._world, conversation, self._emit)
        self._saved_length = conversation.length
        self._saved_at = self._now
        self._announced_resumable = not self._world.settings.first_handle
        compression = window(setup.context_window_compression, conversation.profile.context_tokens)
        self._deadlines.begin(conversation, compressed=compression is not None)
        session_id = conversation.id if self._caller.vertex else None
        complete = wire.SetupComplete(session_id=session_id, voice_consent_signature=self._receipt(setup))
        self._emit(wire.ServerMessage(setup_complete=complete))

    def _receipt(self, setup: wire.Setup) -> wire.VoiceConsentSignature | None:
        """What answers the sound of somebody who agrees that their voice is used."""
        config = setup.generation_config or wire.GenerationConfig()
        speech = config.speech_config or wire.SpeechConfig()
        voice = (speech.voice_config or wire.VoiceConfig()).replicated_voice_config
        if voice is None or voice.consent_audio is None:
            return None
        return wire.VoiceConsentSignature(signature=self._world.make_uuid())

    def _after(self) -> None:
        """What follows from whatever has just happened."""
        conversation, exchange = self.conversation, self._exchange
        if conversation is None or exchange is None:
            return
        if conversation.setup.context_window_compression is None and self._overflows(conversation):
            self._emit(INVALID_ARGUMENT)
            return
        if not self._issues_handles(conversation):
            return
        if not exchange.turns.resumable:
            if self._announced_resumable:
                self._announced_resumable = False
                self._emit_update(wire.SessionResumptionUpdate())
        elif exchange.resumable:
            due = self._handle_due()
            if not self._announced_resumable or (due is not None and self._now >= due):
                self._issue(conversation)

    def _overflows(self, conversation: Conversation) -> bool:
        return conversation.tokens.total > conversation.profile.context_tokens

    def _issues_handles(self, conversation: Conversation) -> bool:
        return self._world.settings.handles != "never" and conversation.setup.session_resumption is not None

    def _handle_due(self) -> float | None:
        """When the next handle is due because something has happened, ``None`` if nothing has."""
        conversation, exchange, every = self.conversation, self._exchange, self._world.settings.handle_every
        if conversation is None or exchange is None or every is None or not exchange.resumable:
            return None
        if not self._issues_handles(conversation) or conversation.length == self._saved_length:
            return None
        return self._saved_at + every

    def _issue(self, conversation: Conversation) -> None:
        resumption = conversation.setup.session_resumption or wire.SessionResumptionConfig()
        self._announced_resumable = True
        self._saved_length = conversation.length
        self._saved_at = self._now
        self._emit_update(
            wire.SessionResumptionUpdate(
                new_handle=self._world.issue_handle(conversation),
                resumable=True,
                last_consumed_client_message_index=self._consumed or None if resumption.transparent else None,
            )
        )

    def _emit_update(self, update: wire.SessionResumptionUpdate) -> None:
        self._emit(wire.ServerMessage(session_resumption_update=update))
