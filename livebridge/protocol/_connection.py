"""The rules of one connection: what may be sent when, and what a frame means before anybody sees it.

The life of a connection, one row per state (`TRANSITIONS` is this drawing as a table)::

    START       --send setup-->        SETUP_SENT
    START       --eof-->               CLOSED
    SETUP_SENT  --setup complete-->    READY
    SETUP_SENT  --eof-->               CLOSED
    READY       --eof-->               CLOSED
    CLOSED      --eof-->               CLOSED

"The client should wait for setupComplete before sending additional messages" (Live API reference); so
nothing but ``setup`` may leave before `READY`, and ``setup`` leaves exactly once.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from livebridge import wire
from livebridge.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from livebridge.protocol._shapes import Unrecognized


class ConnectionState(StrEnum):
    """Where a connection stands."""

    START = "START"
    SETUP_SENT = "SETUP_SENT"
    READY = "READY"
    CLOSED = "CLOSED"


class Step(StrEnum):
    """What moves a connection on."""

    SEND_SETUP = "send setup"
    SETUP_COMPLETE = "setup complete"
    EOF = "eof"


TRANSITIONS: Final[Mapping[ConnectionState, Mapping[Step, ConnectionState]]] = {
    ConnectionState.START: {
        Step.SEND_SETUP: ConnectionState.SETUP_SENT,
        Step.EOF: ConnectionState.CLOSED,
    },
    ConnectionState.SETUP_SENT: {
        Step.SETUP_COMPLETE: ConnectionState.READY,
        Step.EOF: ConnectionState.CLOSED,
    },
    ConnectionState.READY: {Step.EOF: ConnectionState.CLOSED},
    ConnectionState.CLOSED: {Step.EOF: ConnectionState.CLOSED},
}

_LEGAL: Final[Mapping[ConnectionState, str]] = {
    ConnectionState.START: "setup",
    ConnectionState.SETUP_SENT: "nothing (wait for setupComplete)",
    ConnectionState.READY: "clientContent, realtimeInput, toolResponse, contextUpdate",
    ConnectionState.CLOSED: "nothing (the connection has ended)",
}


class SetupRefusedError(RemoteProtocolError):
    """The server sent an error object in place of ``setupComplete``.

    Args:
        message: What happened.
        status: What the error's number, or its name, is as an HTTP status.
        reason: The server's text.
    """

    def __init__(self, message: str, *, status: int | None, reason: str) -> None:
        super().__init__(message)
        self._status = status
        self._reason = reason

    @property
    def status(self) -> int | None:
        """The HTTP status that says the same."""
        return self._status

    @property
    def reason(self) -> str:
        """The server's text."""
        return self._reason


class LiveProtocol:
    """One connection's conversation, without any I/O.

    Bytes from the network never raise: what cannot be read is returned as an `Unrecognized` value, and the
    one thing a server may not do before ``setupComplete``, answering with an error object, is kept in
    `refusal` for the shell to act upon.
    """

    def __init__(self) -> None:
        self._state = ConnectionState.START
        self._refusal: SetupRefusedError | None = None
        self._setup_complete: wire.SetupComplete | None = None

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._state

    @property
    def refusal(self) -> RemoteProtocolError | None:
        """The error object that the server sent in place of ``setupComplete``, with its status and reason."""
        return self._refusal

    @property
    def setup_complete(self) -> wire.SetupComplete | None:
        """The server's answer to ``setup``."""
        return self._setup_complete

    def send(self, message: wire.ClientMessage) -> bytes:
        """Encode a message that is legal now.

        Args:
            message: Exactly one member set.

        Returns:
            The frame to write.

        Raises:
            LocalProtocolError: The message is not legal in this state; nothing has changed.
        """
        names = [name for name in _MEMBERS if getattr(message, name) is not None]
        if len(names) != 1:
            raise LocalProtocolError(
                f"a client message carries exactly one of {', '.join(_MEMBERS)}, not {names or 'nothing'}"
            )
        legal = ConnectionState.START if names[0] == "setup" else ConnectionState.READY
        self._require(legal, names[0])
        frame = wire.encode_client(message)
        if names[0] == "setup":
            self._step(Step.SEND_SETUP)
        return frame

    def admit(self) -> None:
        """Check that frames encoded earlier (by the outbox) may be written now.

        Raises:
            LocalProtocolError: The connection is not ready.
        """
        self._require(ConnectionState.READY, "an accepted message")

    def receive(self, frame: bytes) -> wire.ServerMessage | Unrecognized:
        """Read one frame.

        Returns:
            The message; an `Unrecognized` value for bytes that are no message, or for an object none of
            whose members is known.
        """
        try:
            message = wire.decode_server(frame)
        except DecodeError:
            return Unrecognized(raw=bytes(frame))
        if message.setup_complete is not None and self._state is ConnectionState.SETUP_SENT:
            self._setup_complete = message.setup_complete
            self._step(Step.SETUP_COMPLETE)
        if message.is_unrecognized:
            if self._state is ConnectionState.SETUP_SENT:
                self._note_refusal(message)
            return Unrecognized(raw=bytes(frame))
        return message

    def receive_eof(self) -> None:
        """Note that nothing more will come. Idempotent."""
        self._step(Step.EOF)

    def _note_refusal(self, message: wire.ServerMessage) -> None:
        error = (message.unknown or {}).get("error")
        if error is None:
            return
        details = error if isinstance(error, Mapping) else {"message": error}
        text, number, name = (details.get(key) for key in ("message", "code", "status"))
        reason = str(error if text is None else text)
        self._refusal = SetupRefusedError(
            f"the server answered setup with an error: {reason}",
            status=number if number in _HTTP_ERRORS else _STATUSES.get(str(name)),
            reason=reason if name is None else f"{name}: {reason}",
        )

    def _require(self, state: ConnectionState, what: str) -> None:
        if self._state is not state:
            raise LocalProtocolError(
                f"cannot send {what} in state {self._state}; legal now: {_LEGAL[self._state]}"
            )

    def _step(self, step: Step) -> None:
        self._state = TRANSITIONS[self._state][step]


_MEMBERS: Final = ("setup", "client_content", "realtime_input", "tool_response", "context_update")

_HTTP_ERRORS: Final = range(400, 600)

_STATUSES: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""What Google's names of errors are in HTTP, for error objects whose number is another one."""
