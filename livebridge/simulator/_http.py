"""Reads one HTTP request off a stream and writes a response; an upgrade leaves the stream to the WebSocket."""

from contextlib import suppress
from typing import Final

import h11
import trio

from livebridge.simulator._gate import HttpRequest, HttpResponse

RECEIVE_BYTES: Final = 65_536
LARGEST_BODY_BYTES: Final = 1_048_576
RESPONSE_SECONDS: Final = 10.0


class HttpError(Exception):
    """The peer speaks no HTTP, or went away in the middle of it."""


async def read_request(stream: trio.abc.Stream) -> tuple[HttpRequest, bytes]:
    """Read one request.

    Returns:
        The request, and what has been read beyond it.

    Raises:
        HttpError: There was none.
    """
    connection = h11.Connection(h11.SERVER)
    head: h11.Request | None = None
    body = bytearray()
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(bytes(await stream.receive_some(RECEIVE_BYTES)))
            elif isinstance(event, h11.Request):
                head = event
                if is_upgrade(_headers(event)):
                    break
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                break
            if len(body) > LARGEST_BODY_BYTES:
                raise HttpError("the body is too large")
    except (h11.RemoteProtocolError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise HttpError(str(error)) from error
    if head is None:
        raise HttpError("the connection was closed before a request")
    request = HttpRequest(
        method=head.method.decode(),
        target=head.target.decode(),
        headers=_headers(head),
        body=bytes(body),
    )
    return request, connection.trailing_data[0]


def _headers(head: h11.Request) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}


def is_upgrade(headers: dict[str, str]) -> bool:
    """Whether a request asks for a WebSocket."""
    return headers.get("upgrade", "").lower() == "websocket"


def request_bytes(request: HttpRequest) -> bytes:
    """A request as it goes over the wire, with the headers it has and no others."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


def response_bytes(response: HttpResponse) -> bytes:
    """A response as it goes over the wire; the connection closes after it."""
    headers = {
        **response.headers,
        "content-length": str(len(response.body)),
        "server": "scaffolding on HTTPServer2",
        "connection": "close",
    }
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(b"GET / HTTP/1.1\r\nhost: simulator\r\n\r\n")
    connection.next_event()
    connection.next_event()
    head = h11.Response(status_code=response.status, headers=list(headers.items()))
    parts = (head, h11.Data(data=response.body), h11.EndOfMessage())
    return b"".join(connection.send(part) or b"" for part in parts)


async def respond(stream: trio.abc.Stream, response: HttpResponse) -> None:
    """Send a response and close the stream; a client that has gone, or does not read, is none of our business."""
    with trio.move_on_after(RESPONSE_SECONDS), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await stream.send_all(response_bytes(response))
        await stream.aclose()
