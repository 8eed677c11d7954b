"""A small HTTP API on loopback that answers what the test says."""

from __future__ import annotations

import functools
import json
from collections import deque

import attrs
import h11
import pytest
import trio


@attrs.define
class Seen:
    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@attrs.define
class HttpApi:
    """Answers are given in order; what was asked is kept."""

    url: str
    answers: deque = attrs.field(factory=deque)
    seen: list = attrs.field(factory=list)

    def answer(self, body, *, status: int = 200, headers: dict | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, headers or {}, content))

    def be_silent(self) -> None:
        """Take the next request and never answer it."""
        self.answers.append(None)

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            connection, request, body = h11.Connection(h11.SERVER), None, b""
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await stream.receive_some(65536))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return
            headers = {name.decode(): value.decode() for name, value in request.headers}
            self.seen.append(Seen(request.method.decode(), request.target.decode(), headers, body))
            if not self.answers:
                return
            answer = self.answers.popleft()
            if answer is None:
                await trio.sleep_forever()
            status, extra, content = answer
            fields = [("Content-Length", str(len(content))), ("Connection", "close"), *extra.items()]
            await stream.send_all(connection.send(h11.Response(status_code=status, headers=fields)))
            await stream.send_all(
                connection.send(h11.Data(data=content)) + connection.send(h11.EndOfMessage())
            )


@pytest.fixture
async def api():
    async with trio.open_nursery() as nursery:
        made = HttpApi("")
        listeners = await nursery.start(functools.partial(trio.serve_tcp, made.serve, 0, host="127.0.0.1"))
        made.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield made
        nursery.cancel_scope.cancel()
