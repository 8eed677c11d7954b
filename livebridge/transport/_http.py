"""The only module that knows HTTP: one request on a fresh stream, for CONNECT and for the upgrade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs
import h11
import trio

# An answer that refuses explains itself in far less.
_BODY_BYTES: Final = 16 * 2**10

# A refusal is worth a short wait for its text, not the whole dial timeout.
_BODY_SECONDS: Final = 2.0

_READ_BYTES: Final = 64 * 2**10
_SWITCHING_PROTOCOLS: Final = 101

HeaderList = list[tuple[str, str]]


@attrs.frozen(kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: Beginning of the body of a refusal, decoded.
        trailing: Bytes after the head of an answer that hands the stream over (101, or 2xx to CONNECT).
    """

    status: int
    headers: HeaderList
    body: str = ""
    trailing: bytes = b""

    def header(self, name: str) -> str:
        """Return the values of a header joined by commas, or an empty string."""
        return ", ".join(value for key, value in self.headers if key == name)


class EarlyEndError(Exception):
    """The peer hung up before it had answered."""


async def exchange(stream: trio.abc.Stream, method: str, target: str, headers: HeaderList) -> Answer:
    """Send one request without a body and read its answer.

    Args:
        stream: Nothing else may have been read from it.
        method: ``GET`` or ``CONNECT``.
        target: What stands in the request line.
        headers: In the order to be sent.

    Returns:
        The answer; informational ones other than 101 are skipped.

    Raises:
        h11.RemoteProtocolError: What came is not HTTP.
        h11.LocalProtocolError: The request cannot be written as HTTP.
        EarlyEndError: The peer hung up first.
        trio.BrokenResourceError: The connection broke.
    """
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(method=method, target=target, headers=_encode(headers))
    head = connection.send(request)
    end = connection.send(h11.EndOfMessage())
    await stream.send_all((head or b"") + (end or b""))
    event = await _next_event(connection, stream)
    while isinstance(event, h11.InformationalResponse) and event.status_code != _SWITCHING_PROTOCOLS:
        event = await _next_event(connection, stream)
    assert isinstance(event, h11.InformationalResponse | h11.Response)
    answered = _decode(event.headers)
    if connection.their_state is h11.SWITCHED_PROTOCOL:
        return Answer(status=event.status_code, headers=answered, trailing=bytes(connection.trailing_data[0]))
    body = await _read_body(connection, stream)
    return Answer(status=event.status_code, headers=answered, body=body)


async def _next_event(connection: h11.Connection, stream: trio.abc.Stream) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        data = bytes(await stream.receive_some(_READ_BYTES))
        if not data and connection.their_state is h11.SEND_RESPONSE:
            raise EarlyEndError
        connection.receive_data(data)
    return event


async def _read_body(connection: h11.Connection, stream: trio.abc.Stream) -> str:
    body = bytearray()
    with trio.move_on_after(_BODY_SECONDS):
        try:
            while len(body) < _BODY_BYTES:
                event = await _next_event(connection, stream)
                if not isinstance(event, h11.Data):
                    break
                body += event.data
        except (h11.RemoteProtocolError, trio.BrokenResourceError):
            pass
    return body[:_BODY_BYTES].decode(errors="replace")


def _encode(headers: HeaderList) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]


def _decode(headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    return [(name.decode("ascii").lower(), value.decode("latin-1")) for name, value in headers]
