"""What a session log holds, and how it is written and read: one JSON object per line, or as Google's tools write it.

::

    {"log": "livebridge", "version": 1}
    {"connection": 1, "at": 0.0, "event": "opened", "path": "/ws/…"}
    {"connection": 1, "at": 0.002, "event": "message", "from": "client", "opcode": "text", "message": {"setup": …}}
    {"connection": 1, "at": 0.051, "event": "message", "from": "server", "opcode": "binary", "message": …}
    {"connection": 1, "at": 9.7, "event": "closed", "from": "server", "code": 1000, "reason": ""}
    {"connection": 2, "at": 9.9, "event": "refused", "status": 503}

``at`` is in seconds since the first connection. A message that is no JSON stands as ``base64``; ``code`` is absent if
the connection ended without a close frame.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeVar

import attrs

from livebridge import wire
from livebridge.errors import ConfigError, DecodeError
from livebridge.simulator._redaction import restored

FORMAT: Final = "livebridge"
VERSION: Final = 1
_GOOGLES: Final = re.compile(rb"([<>])(\d+) ")

Peer = Literal["client", "server"]
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class LoggedMessage:
    """A message that crossed the wire.

    Attributes:
        at: Seconds since the log began.
        sender: Who sent it.
        text: Whether it came in a text frame.
        payload: What was in it.
    """

    at: float
    sender: Peer
    text: bool
    payload: bytes = attrs.field(repr=lambda payload: f"<{len(payload)} bytes>")


@attrs.frozen(kw_only=True)
class LoggedClose:
    """The end of a connection.

    Attributes:
        at: Seconds since the log began.
        sender: Who ended it.
        code: Of the close frame; ``None`` if there was none.
        reason: Of the close frame.
    """

    at: float
    sender: Peer
    code: int | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class LoggedRefusal:
    """The server answered an upgrade with something else than 101.

    Attributes:
        at: Seconds since the log began.
        status: The HTTP status.
        retry_after: What the header of this name said.
    """

    at: float
    status: int
    retry_after: str | None = None


LogEntry = LoggedMessage | LoggedClose | LoggedRefusal


@attrs.define(kw_only=True)
class LoggedConnection:
    """One connection of a log.

    Attributes:
        path: What the client asked for, without the query; empty if the log does not say.
        opened_at: Seconds since the log began.
        entries: What happened on it, in order.
    """

    path: str = ""
    opened_at: float = 0.0
    entries: list[LogEntry] = attrs.field(factory=list, repr=lambda entries: f"<{len(entries)}>")


class LogWriter:
    """Writes a log, line by line; each is complete on the disk at once.

    Attributes:
        messages: How many messages have been written.

    Args:
        file: Where to.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.messages: int = 0
        self._file = file
        self._line({"log": FORMAT, "version": VERSION})

    def write(self, connection: int, at: float, event: str, **members: object) -> None:
        """Write one line; members that are ``None`` are left out."""
        self.messages += event == "message"
        head = {"connection": connection, "at": round(at, 6), "event": event}
        self._line({**head, **{name: value for name, value in members.items() if value is not None}})

    def _line(self, members: Mapping[str, object]) -> None:
        self._file.write(wire.dumps(members) + b"\n")
        self._file.flush()


def read_log(path: str | Path) -> list[LoggedConnection]:
    """Read a log.

    Args:
        path: A file that `Recorder` has written, or one of Google's ``.websocket.log`` files: messages, each after
            ``>`` (from the client) or ``<``, its length and a space.

    Returns:
        Its connections, in the order in which they were opened.

    Raises:
        ConfigError: It cannot be read, or it is no such file.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the log {path}: {error.strerror}") from error
    connections = _read_googles(data, path) if data[:1] in {b"<", b">"} else _read_ours(data, path)
    if not connections:
        raise ConfigError(f"{path} holds no connection")
    return connections


def _read_googles(data: bytes, path: str | Path) -> list[LoggedConnection]:
    connection = LoggedConnection()
    position = 0
    while position < len(data):
        head = _GOOGLES.match(data, position)
        end = 0 if head is None else head.end() + int(head[2])
        if head is None or not head.end() < end <= len(data):
            raise ConfigError(f"{path}: expected > or <, a length, a space and a message at byte {position}")
        sender: Peer = "client" if head[1] == b">" else "server"
        # the length counts a line feed that is not part of the message
        payload = data[head.end() : end - 1]
        connection.entries.append(
            LoggedMessage(at=0.0, sender=sender, text=sender == "client", payload=payload)
        )
        position = end
    return [connection]


def _read_ours(data: bytes, path: str | Path) -> list[LoggedConnection]:
    connections: dict[int, LoggedConnection] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            plain = wire.loads(line)
            if number == 1:
                _check_head(plain)
            else:
                _read_line(plain, connections)
        except (DecodeError, _LineError) as error:
            raise ConfigError(f"{path}, line {number}: {error}") from error
    return list(connections.values())


class _LineError(Exception):
    pass


def _check_head(plain: object) -> None:
    if not isinstance(plain, Mapping) or plain.get("log") != FORMAT:
        raise _LineError("this is no session log")
    if plain.get("version") != VERSION:
        raise _LineError(f"version {plain.get('version')} of the format is not known here")


def _read_line(plain: object, connections: dict[int, LoggedConnection]) -> None:
    if not isinstance(plain, Mapping):
        raise _LineError("expected an object")
    at = _member(plain, "at", float)
    connection = connections.setdefault(_member(plain, "connection", int), LoggedConnection(opened_at=at))
    match plain.get("event"):
        case "opened":
            connection.path = _member(plain, "path", str)
        case "message":
            connection.entries.append(_message(plain, at))
        case "closed":
            code = None if "code" not in plain else _member(plain, "code", int)
            reason = str(plain.get("reason", ""))
            connection.entries.append(LoggedClose(at=at, sender=_sender(plain), code=code, reason=reason))
        case "refused":
            after = None if "retry_after" not in plain else _member(plain, "retry_after", str)
            status = _member(plain, "status", int)
            connection.entries.append(LoggedRefusal(at=at, status=status, retry_after=after))
        case other:
            raise _LineError(f"unknown event {other!r}")


def _message(plain: Mapping[str, object], at: float) -> LoggedMessage:
    if "base64" in plain:
        payload = wire.decode_base64(_member(plain, "base64", str))
    elif "message" in plain:
        payload = wire.dumps(restored(plain["message"]), pretty=True)
    else:
        raise _LineError("a message has neither message nor base64")
    return LoggedMessage(at=at, sender=_sender(plain), text=plain.get("opcode") == "text", payload=payload)


def _sender(plain: Mapping[str, object]) -> Peer:
    sender = plain.get("from")
    if sender == "client":
        return "client"
    if sender == "server":
        return "server"
    raise _LineError(f"from is client or server, not {sender!r}")


def _member(plain: Mapping[str, object], name: str, kind: type[T]) -> T:
    value = plain.get(name)
    if kind is float and isinstance(value, int):
        value = float(value)
    if not isinstance(value, kind):
        raise _LineError(f"{name} is missing or no {kind.__name__}")
    return value
