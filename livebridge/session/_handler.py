"""What a user writes: a `Handler` class with callbacks and state of its own, driven by a private actor."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from livebridge import wire
from livebridge.errors import ConfigError, LivebridgeError
from livebridge.otp import Caller
from livebridge.protocol import (
    CALLBACKS,
    AudioDelta,
    CloseInfo,
    GoAwayInfo,
    Interrupted,
    ReadyInfo,
    ReconnectingInfo,
    ResumedInfo,
    ResumptionUpdate,
    SessionLostInfo,
    StallInfo,
    Status,
    TextDelta,
    Transcript,
    Turn,
    Unrecognized,
    Usage,
)
from livebridge.session._checks import called_with
from livebridge.session._options import Function, check_callback
from livebridge.session._verbs import Verbs

_HANDLES: Final[Mapping[str, tuple[str, ...]]] = {
    "handle_call": ("request", "caller"),
    "handle_cast": ("request",),
    "handle_info": ("message",),
}
"""What the methods of an actor are called with."""


class Handler:
    """Callbacks of a session as methods, with state of your own.

    Every method is optional and may be ``async`` or not. They run one at a time, in the order in which things
    happened, in the session's receive loop; so they may use and change ``self`` freely. A callback that
    raises is logged and reported to `on_error`; the session lives on (option ``on_callback_error``).
    Sending from inside a callback is fine; waiting there for something that must come through the same
    loop (`Session.wait_turn`) raises `CallSelfError`.

    A method ``on_…`` or ``handle_…`` that is no callback is refused when the class is made.

    Example::

        class Concierge(Handler):
            def __init__(self) -> None:
                self.bookings = 0

            async def on_ready(self, info: ReadyInfo) -> None:
                if info.kind == "new":
                    await self.session.send_text("Greet the guest.")
    """

    _session: Verbs | None = None

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Refuse misspelt callbacks.

        Raises:
            ConfigError: A method looks like a callback and is none.
        """
        super().__init_subclass__(**kwargs)
        known = [*CALLBACKS, *_HANDLES]
        for name in vars(cls):
            if name.startswith(("on_", "handle_")) and name not in known and callable(vars(cls)[name]):
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ConfigError(f"{cls.__name__}.{name} is no callback{hint}")

    @property
    def session(self) -> Verbs:
        """The session that drives this handler.

        Raises:
            ConfigError: The handler has not been given to a session yet.
        """
        if self._session is None:
            raise ConfigError(f"{type(self).__name__} is not in a session yet; give it to Session.start")
        return self._session

    def on_message(self, message: wire.ServerMessage) -> object:
        """Invoked for every server message, resumption updates included, before all that follows from it."""

    def on_error(self, error: LivebridgeError) -> object:
        """Invoked when something went wrong: a callback raised, a message expired, the session failed."""

    def on_close(self, info: CloseInfo) -> object:
        """Invoked once, as the last callback of the session, whoever ended it."""

    def on_tool_call(self, tool_call: wire.ToolCall) -> object:
        """Invoked when the model asks for functions, in a task of its own beside the receive loop.

        Returns:
            ``None``: you answer with `Session.send_tool_response` (within ``tool_timeout``). A list of
            responses (dicts or `FunctionResponse`), or a `ToolResponse`: sent for you. Calls without an
            answer in it are answered with an error, so that the model never waits for nothing.
        """

    def on_tool_call_cancellation(self, ids: list[str]) -> object:
        """Invoked with the ids of calls that the model takes back; their tasks are cancelled already."""

    def on_transcription(self, transcript: Transcript) -> object:
        """Invoked for each piece of transcript, the user's and the model's."""

    def on_voice_activity(self, activity: wire.VoiceActivity) -> object:
        """Invoked when the server hears speech begin or end."""

    def on_session_resumption(self, update: ResumptionUpdate) -> object:
        """Invoked when there is a new handle with which the conversation can be resumed."""

    def on_go_away(self, info: GoAwayInfo) -> object:
        """Invoked when the server announces that it will hang up. The session changes over by itself."""

    def on_ready(self, info: ReadyInfo) -> object:
        """Invoked when the session can be talked to; ``info.kind`` says whether to greet."""

    def on_status(self, status: Status) -> object:
        """Invoked when the status changes."""

    def on_reconnecting(self, info: ReconnectingInfo) -> object:
        """Invoked when the connection is gone and another one will be tried."""

    def on_resumed(self, info: ResumedInfo) -> object:
        """Invoked when a new connection is ready, before anything it brings; forget half-built turns."""

    def on_session_lost(self, info: SessionLostInfo) -> object:
        """Invoked when the conversation could not be resumed; the model has forgotten it."""

    def on_audio(self, delta: AudioDelta) -> object:
        """Invoked for each piece of the model's speech."""

    def on_text(self, delta: TextDelta) -> object:
        """Invoked for each piece of the model's text (thoughts not included)."""

    def on_thought(self, delta: TextDelta) -> object:
        """Invoked for each piece of the model's thoughts."""

    def on_interrupted(self, info: Interrupted) -> object:
        """Invoked when the model was interrupted: throw away audio that has not been played."""

    def on_interrupt_now(self, info: Interrupted) -> object:
        """Invoked at once when the model was interrupted, before what is still queued for other callbacks.

        It must be a plain function that does not block: it runs where frames are read. `on_interrupted`
        follows in its turn.
        """

    def on_generation_complete(self, content: wire.ServerContent) -> object:
        """Invoked when the model has generated everything (playback may still be going on)."""

    def on_turn_complete(self, turn: Turn) -> object:
        """Invoked when the model's turn is over, with all of it."""

    def on_usage(self, usage: Usage) -> object:
        """Invoked with the token counts of a message that carries them."""

    def on_unrecognized(self, unrecognized: Unrecognized) -> object:
        """Invoked for bytes or members that no version known to livebridge has."""

    def on_stall(self, info: StallInfo) -> object:
        """Invoked when something that should have happened did not."""

    def handle_call(self, request: object, caller: Caller) -> object:
        """Invoked by ``await session.call(request)``; what it returns is the reply.

        Returns:
            The reply, or `livebridge.otp.NOREPLY` to answer later with ``caller.reply(value)``.
        """
        raise ConfigError(f"{type(self).__name__} answers no calls; define handle_call (got {request!r})")

    def handle_cast(self, request: object) -> object:
        """Invoked by ``session.cast(request)``; what it returns is ignored."""

    def handle_info(self, message: object) -> object:
        """Invoked for any other message sent to the session's actor."""


def callbacks_of(handler: Handler | None, keywords: Mapping[str, Function]) -> dict[str, Function]:
    """The callbacks that somebody really wrote, by name.

    Raises:
        ConfigError: `handler` is no `Handler` instance, one callback was given in both spellings, or a
            method cannot be called with its one argument.
    """
    if handler is None:
        return dict(keywords)
    if isinstance(handler, type):
        raise ConfigError(f"give an instance: Session.start({handler.__name__}(), …)")
    if not isinstance(handler, Handler):
        raise ConfigError(f"the first argument must be a Handler instance, not {handler!r}")
    found = dict(keywords)
    for name in CALLBACKS:
        if getattr(type(handler), name) is getattr(Handler, name) and name not in vars(handler):
            continue
        if name in keywords:
            raise ConfigError(f"{name} is given twice: as a keyword and by {type(handler).__name__}")
        found[name] = check_callback(name, getattr(handler, name), bound=f"{type(handler).__name__}.{name}")
    for name, arguments in _HANDLES.items():
        called_with(f"{type(handler).__name__}.{name}", getattr(handler, name), *arguments)
    return found
