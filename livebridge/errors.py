"""The whole exception tree of livebridge. It imports nothing.

::

    LivebridgeError
    ├── ConfigError                 an option, a callback or a message was wrong; nothing was sent
    │   └── CredentialsError        no credentials were found, or they could not be refreshed
    ├── ConnectionFailureError      something went wrong with a connection (code, reason, phase …)
    │   ├── ConnectError            TCP, TLS, proxy or the HTTP upgrade failed
    │   ├── SetupError              the upgrade worked, ``setupComplete`` did not come
    │   ├── ConnectionLostError     an established connection ended
    │   ├── ReconnectExhaustedError the reconnect policy gave up
    │   ├── SessionClosedError      the session is closing or closed
    │   └── SessionFailedError      the session ended for good because of an error
    ├── ProtocolError
    │   ├── DecodeError             bytes that are no Live API message
    │   ├── LocalProtocolError      we would have broken the rules of the conversation
    │   └── RemoteProtocolError     the server broke them
    ├── SendError
    │   ├── NotConnectedError       the session was never connected
    │   ├── OutboxFullError         ``nowait`` and no room
    │   ├── SendDroppedError        an accepted message was given up (said which and why)
    │   └── SendExpiredError        an accepted message waited too long for a connection
    ├── AlreadyReceivingError       a second consumer of ``messages()``
    ├── CallbackError
    │   ├── HandlerError            a callback raised, or returned what means nothing
    │   └── CallbackStalledError    a callback blocks the queue
    ├── ToolError
    │   └── OrphanedToolResultError a result whose call the server has forgotten
    ├── BudgetExceededError         a turn, or the session, has cost more tokens than it may
    ├── StoreError                  a resume store failed; the session goes on without it
    ├── RestError                   an HTTP call beside the WebSocket failed
    └── ActorError
        ├── ActorExitError          the actor you talk to is gone (its exit reason is ``.reason``)
        │   └── NoProcessError      it was gone before you asked
        ├── CallTimeoutError        no reply in time (a ``TimeoutError``)
        ├── CallSelfError           a call that could only wait for itself
        ├── MailboxFullError        the bounded lane has no room
        ├── AlreadyStartedError     the name is taken
        ├── StartError              a child could not be started
        └── RestartIntensityError   too many restarts; the supervisor gave up
"""

from __future__ import annotations

from typing import Literal

InitiatedBy = Literal["client", "server", "network"]
"""Who ended a connection: we, the Live API, or neither (a reset, an EOF, a timeout)."""


class LivebridgeError(Exception):
    """Base of every error livebridge raises on purpose.

    The six properties are ``None`` wherever they do not apply, so that one ``on_error`` can read them all.
    """

    @property
    def code(self) -> int | None:
        """WebSocket close code."""
        return None

    @property
    def reason(self) -> object | None:
        """Close reason text of a connection, or the exit reason of an actor."""
        return None

    @property
    def status(self) -> int | None:
        """HTTP status of a refused upgrade or of a REST call."""
        return None

    @property
    def phase(self) -> str | None:
        """Where it happened: ``dial``, ``setup``, ``ready`` or ``closing``."""
        return None

    @property
    def initiated_by(self) -> InitiatedBy | None:
        """Who ended the connection."""
        return None

    @property
    def retryable(self) -> bool | None:
        """Whether trying again can help."""
        return None


class ConfigError(LivebridgeError):
    """An option, a callback or a message is wrong; nothing was sent and nothing has changed."""


class CredentialsError(ConfigError):
    """No credentials were found, or they could not be obtained or refreshed."""


class ConnectionFailureError(LivebridgeError):
    """Something went wrong with a connection.

    Args:
        message: What happened and what to do about it.
        code: WebSocket close code, if there was one.
        reason: Close reason text, as the server sent it.
        status: HTTP status of a refused upgrade.
        phase: ``dial``, ``setup``, ``ready`` or ``closing``.
        initiated_by: ``client``, ``server`` or ``network``.
        retryable: Whether trying again can help.
        hint: One sentence on the likely cause, where the code and text are known.
        retry_after: Seconds the server asked us to wait (``Retry-After``).
        attempt: Which failure in a row this was (from 1), where the session has counted.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        reason: str | None = None,
        status: int | None = None,
        phase: str | None = None,
        initiated_by: InitiatedBy | None = None,
        retryable: bool | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
        attempt: int | None = None,
    ) -> None:
        super().__init__(message if hint is None else f"{message} ({hint})")
        self._code = code
        self._reason = reason
        self._status = status
        self._phase = phase
        self._initiated_by = initiated_by
        self._retryable = retryable
        self.hint = hint
        self.retry_after = retry_after
        self.attempt = attempt

    @property
    def code(self) -> int | None:
        """WebSocket close code, ``None`` if no close frame was involved."""
        return self._code

    @property
    def reason(self) -> str | None:
        """Close reason text."""
        return self._reason

    @property
    def status(self) -> int | None:
        """HTTP status of a refused upgrade."""
        return self._status

    @property
    def phase(self) -> str | None:
        """Where it happened."""
        return self._phase

    @property
    def initiated_by(self) -> InitiatedBy | None:
        """Who ended the connection."""
        return self._initiated_by

    @property
    def retryable(self) -> bool | None:
        """Whether trying again can help."""
        return self._retryable


class ConnectError(ConnectionFailureError):
    """TCP, TLS, the proxy or the HTTP upgrade failed."""


class SetupError(ConnectionFailureError):
    """The WebSocket opened but ``setupComplete`` did not come."""


class ConnectionLostError(ConnectionFailureError):
    """An established connection ended."""


class ReconnectExhaustedError(ConnectionFailureError):
    """The reconnect policy gave up; the last failure is ``__cause__``."""


class SessionClosedError(ConnectionFailureError):
    """The session is closing or closed; nothing can be sent any more."""


class SessionFailedError(ConnectionFailureError):
    """The session ended for good because of an error; the error is ``__cause__``."""


class ProtocolError(LivebridgeError):
    """The rules of the Live API were broken, by one side or the other."""


class DecodeError(ProtocolError):
    """Bytes that are no Live API message (not JSON, or not a JSON object)."""


class LocalProtocolError(ProtocolError):
    """What was asked for is not legal in this state; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The server sent what it must not send in this state."""


class SendError(LivebridgeError):
    """A message was not, or will not be, delivered."""


class NotConnectedError(SendError):
    """The session has never been connected; call ``connect()`` first."""


class OutboxFullError(SendError):
    """There is no room for the message and the caller did not want to wait."""


class SendDroppedError(SendError):
    """A message that had been accepted was given up."""


class SendExpiredError(SendError):
    """A message that had been accepted waited too long for a connection."""


class AlreadyReceivingError(LivebridgeError):
    """``messages()`` (or ``receive()``) has a consumer already; there can be one."""


class CallbackError(LivebridgeError):
    """Something is wrong with a user callback."""


class HandlerError(CallbackError):
    """A callback raised, or returned what means nothing; the exception is ``__cause__``.

    Args:
        callback: Name of the callback, for example ``on_message``.
        argument: What it was called with.
        error: What it raised, or what is wrong with what it returned.
        returned: The latter.
    """

    def __init__(
        self, callback: str, argument: object, error: BaseException, *, returned: bool = False
    ) -> None:
        what = "returned no usable answer" if returned else f"raised {type(error).__name__}"
        super().__init__(f"{callback} {what}: {error}")
        self.callback = callback
        self.argument = argument
        self.error = error
        self.__cause__: BaseException | None = error


class CallbackStalledError(CallbackError):
    """A callback has kept the dispatcher for so long that frames pile up."""


class ToolError(LivebridgeError):
    """Something is wrong with a tool call."""


class OrphanedToolResultError(ToolError):
    """A tool finished, but the server has forgotten the call (its connection was replaced)."""


class BudgetExceededError(LivebridgeError):
    """A turn, or the whole session, has cost more tokens than its `livebridge.protocol.Budget` says.

    Args:
        message: What cost how much.
        scope: ``turn`` or ``session``.
        limit: The budget, in tokens.
        used: What was used, in tokens.
    """

    def __init__(self, message: str, *, scope: Literal["turn", "session"], limit: int, used: int) -> None:
        super().__init__(message)
        self.scope = scope
        self.limit = limit
        self.used = used


class StoreError(LivebridgeError):
    """A resume store failed, and the session goes on without it; what the store raised is ``__cause__``."""


class RestError(LivebridgeError):
    """An HTTP call beside the WebSocket failed.

    Args:
        message: What happened.
        status: HTTP status, ``None`` when no answer came.
        reason: The server's text.
        retryable: Whether trying again can help.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self._status = status
        self._reason = reason
        self._retryable = retryable

    @property
    def status(self) -> int | None:
        """HTTP status, ``None`` when no answer came."""
        return self._status

    @property
    def reason(self) -> str | None:
        """The server's text."""
        return self._reason

    @property
    def retryable(self) -> bool | None:
        """Whether trying again can help."""
        return self._retryable


class ActorError(LivebridgeError):
    """Base of what the actor toolkit (`livebridge.otp`) raises."""


class ActorExitError(ActorError):
    """The actor you talk to is gone, or went while you waited for it.

    Args:
        message: Who went, and why.
        reason: Its `livebridge.otp.ExitReason`. Where the reason is an exception, that is ``__cause__`` as well.
    """

    def __init__(self, message: str, *, reason: object) -> None:
        super().__init__(message)
        self._reason = reason

    @property
    def reason(self) -> object:
        """The `livebridge.otp.ExitReason` of the actor."""
        return self._reason


class NoProcessError(ActorExitError):
    """The actor was gone before you asked, or nobody holds that name."""


class CallTimeoutError(ActorError, TimeoutError):
    """No reply came in time. The request is not withdrawn; a late reply is discarded."""


class CallSelfError(ActorError):
    """An actor waited for itself, directly or through others that wait for it; nothing was sent."""


class MailboxFullError(ActorError):
    """The bounded user lane of a mailbox has no room; the message was not accepted."""


class AlreadyStartedError(ActorError):
    """The name (or the child id) is taken.

    Args:
        message: Which name is taken, and by whom.
        name: The name.
        ref: The `livebridge.otp.Ref` that holds it; ``None`` for a child that has none at present.
    """

    def __init__(self, message: str, *, name: object, ref: object = None) -> None:
        super().__init__(message)
        self.name = name
        self.ref = ref


class StartError(ActorError):
    """An actor or a child could not be started; where an exception says why, it is ``__cause__``."""


class RestartIntensityError(ActorError):
    """Too many restarts within the window; the supervisor stopped its children and gave up.

    The last crash is ``__cause__``.

    Args:
        message: Which supervisor gave up, and its limits.
        history: When the restarts were decided, as clock readings in seconds, oldest first.
    """

    def __init__(self, message: str, *, history: tuple[float, ...]) -> None:
        super().__init__(message)
        self.history = history
