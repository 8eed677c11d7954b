"""A write that was cut off in the middle of a frame: what the server reads then, byte for byte."""

import json
import struct

import pytest
import trio
import trio.testing
import wsproto
from wsproto.events import AcceptConnection, Request, TextMessage

from livebridge.errors import LivebridgeError
from livebridge.session import Session

BIG = "x" * 2_000_000
"""Enough to fill the buffers of a kernel several times."""


@pytest.fixture
def real_time():
    """The jumping clock of this folder's other tests would jump while the kernel works."""
    return trio.testing.MockClock(rate=1.0)


def texts_in(data):
    """Unmasks the client's messages.

    Returns:
        The whole ones, and the beginning of the last one if that is not whole.
    """
    whole = []
    while len(data) >= 14:
        assert data[0] == 0x81, "a whole text message begins here, nothing else"
        length, at = data[1] & 0x7F, 2
        if length == 126:
            length, at = struct.unpack("!H", data[2:4])[0], 4
        elif length == 127:
            length, at = struct.unpack("!Q", data[2:10])[0], 10
        mask, body = data[at : at + 4], data[at + 4 : at + 4 + length]
        masks = (mask * (len(body) // 4 + 1))[: len(body)]
        text = (int.from_bytes(body) ^ int.from_bytes(masks)).to_bytes(len(body))
        if len(body) < length:
            return whole, text
        whole.append(text)
        data = data[at + 4 + length :]
    return whole, None


class Server:
    """Completes the setup of its first connection and reads no further until it is told to."""

    def __init__(self):
        self.url = ""
        self.go_on = trio.Event()
        self.rest = b""
        self.over = trio.Event()
        self._first = True

    async def run(self, *, task_status=trio.TASK_STATUS_IGNORED):
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        host, port = listener.socket.getsockname()
        self.url = f"ws://{host}:{port}"
        await trio.serve_listeners(self._serve, [listener], task_status=task_status)

    async def _serve(self, stream):
        first, self._first = self._first, False
        server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        try:
            await self._set_up(stream, server)
            if first:
                await self.go_on.wait()
                async for data in stream:
                    self.rest += data
                self.over.set()
            else:
                async for _ in stream:
                    pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.over.set()

    async def _set_up(self, stream, server):
        while True:
            server.receive_data(await stream.receive_some())
            for event in server.events():
                if isinstance(event, Request):
                    await stream.send_all(server.send(AcceptConnection()))
                elif isinstance(event, TextMessage):
                    update = {"newHandle": "h1", "resumable": True}
                    for message in ({"setupComplete": {}}, {"sessionResumptionUpdate": update}):
                        await stream.send_all(server.send(TextMessage(json.dumps(message))))
                    return


@pytest.mark.parametrize("how", ["reconnect", "close", "timeout"])
async def test_nothing_follows_half_a_frame(real_time, how):
    server = Server()
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        timeout = 0.5 if how == "timeout" else 20
        session = await Session.start_link(
            nursery, model="gemini-3.1-flash-live-preview", api_key="k", base_url=server.url, proxy=None,
            write_timeout=timeout, close_timeout=1, outbox_bytes=10 * len(BIG), stall=None,
        )  # fmt: skip
        with trio.fail_after(10):
            while session.handle is None:
                await trio.sleep(0.01)
            for number in range(5):
                await session.send_text(f"{number} {BIG}")
            while not session._actor.manager.link._is_writing:
                await trio.sleep(0.01)
            if how == "reconnect":
                await session.reconnect()
            elif how == "close":
                await session.close()
            else:
                while session.epoch < 2:
                    await trio.sleep(0.01)
            server.go_on.set()
            await server.over.wait()
        whole, half = texts_in(server.rest)
        assert [json.loads(text)["realtimeInput"]["text"][0] for text in whole] == [
            str(number) for number in range(len(whole))
        ]
        assert half is not None, "the write was cut off"
        prefix = f'{{"realtimeInput":{{"text":"{len(whole)} '.encode()
        assert half.startswith(prefix)
        assert half[len(prefix) :] == b"x" * (len(half) - len(prefix)), "and nothing was written after it"
        try:
            await session.close(drain=False)
        except LivebridgeError:
            pytest.fail("a close does not raise")
        nursery.cancel_scope.cancel()
