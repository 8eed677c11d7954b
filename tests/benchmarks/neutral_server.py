"""A server that both stacks talk to: it knows WebSocket framing and four plans, and does next to nothing else.

Which plan a connection gets stands in the path of its URL, so it is set through ``base_url`` alone:

``/idle``
    Answers ``setup`` and is silent.
``/receive-SIZE-COUNT``
    After ``setupComplete``: so many audio messages of so many bytes of PCM, as fast as they are taken.
``/send-COUNT``
    Counts frames of the client and answers the last one of them with one message.
``/paced-SIZE-RATE``
    Begins with the client's first frame after ``setup``: so many messages a second. The first eight bytes of
    the PCM are the time of the write (``time.monotonic_ns``, which all processes of a machine share).

Every message is its own frame and its own write, a hundred of them make a turn (``turnComplete``), and the
frames are built beforehand. Payloads of the client are skipped, not unmasked.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
import time
from base64 import b64encode
from hashlib import sha1
from pathlib import Path

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TURN_MESSAGES = 100
STAMP_BYTES = 9  # eight for the time, one more so that base64 needs no padding
GOLDEN = 0.6180339887498949  # multiples of it fill the unit interval evenly, however many there are

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def frame(payload: bytes, opcode: int = BINARY) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload


READY = frame(b'{"setupComplete":{}}')
TURN = frame(b'{"serverContent":{"turnComplete":true}}')
HEAD = b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"'
TAIL = b'"}}]}}}'


class Audio:
    """An audio message of a size, ready to be stamped."""

    def __init__(self, size: int) -> None:
        pcm = random.Random(size).randbytes(size - STAMP_BYTES)
        self._rest = b64encode(pcm) + TAIL
        whole = frame(HEAD + bytes(STAMP_BYTES // 3 * 4) + self._rest)
        self._head = whole[: whole.index(HEAD) + len(HEAD)]
        self.unstamped = self._head + b64encode(bytes(STAMP_BYTES)) + self._rest

    def stamped(self) -> bytes:
        stamp = b64encode(time.monotonic_ns().to_bytes(8, "little") + b"\0")
        return self._head + stamp + self._rest


class Idle:
    """Answers ``setup``, and that is all."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def ready(self) -> None: ...

    def heard(self, frames: int) -> None: ...

    def writable(self) -> None: ...


class Receive(Idle):
    """The client receives as fast as it can."""

    def __init__(self, peer: Peer, size: str, count: str) -> None:
        super().__init__(peer)
        self.audio = Audio(int(size)).unstamped
        self.left = int(count)

    def ready(self) -> None:
        self.writable()

    def writable(self) -> None:
        while self.left and self.peer.may_write:
            self.left -= 1
            self.peer.write(self.audio)
            if self.left % TURN_MESSAGES == 0:
                self.peer.write(TURN)


class Send(Idle):
    """The client sends as fast as it can."""

    def __init__(self, peer: Peer, count: str) -> None:
        super().__init__(peer)
        self.left = int(count)

    def heard(self, frames: int) -> None:
        self.left -= frames
        if self.left == 0:
            self.peer.write(Audio(48).unstamped)


class Paced(Idle):
    """Messages at the pace of speech, each with the time at which it was written."""

    def __init__(self, peer: Peer, size: str, rate: str) -> None:
        super().__init__(peer)
        self.audio = Audio(int(size))
        self.period = 1 / float(rate)
        self.sent = 0

    def heard(self, frames: int) -> None:
        if not self.sent:
            loop = asyncio.get_running_loop()
            self.sent = 1
            loop.call_at(loop.time() + self.period * (self.peer.number * GOLDEN % 1), self.tick, loop.time())

    def tick(self, began: float) -> None:
        if self.peer.is_gone:
            return
        if self.peer.may_write:
            self.peer.write(self.audio.stamped())
            if self.sent % TURN_MESSAGES == 0:
                self.peer.write(TURN)
        phase = self.peer.number * GOLDEN % 1
        asyncio.get_running_loop().call_at(began + self.period * (self.sent + phase), self.tick, began)
        self.sent += 1


PLANS = {"idle": Idle, "receive": Receive, "send": Send, "paced": Paced}


class Peer(asyncio.Protocol):
    """One connection."""

    count = 0

    def __init__(self) -> None:
        Peer.count += 1
        self.number = Peer.count
        self.may_write = True
        self.is_gone = False
        self._buffer = b""
        self._skip = 0
        self._upgraded = False
        self._set_up = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.write = transport.write

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_gone = True
        self.may_write = False

    def pause_writing(self) -> None:
        self.may_write = False

    def resume_writing(self) -> None:
        self.may_write = True
        self._plan.writable()

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            self._upgrade(data)
            return
        if self._skip >= len(data):
            self._skip -= len(data)
            return
        self._parse(self._buffer + data[self._skip :])

    def _upgrade(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        request, *lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        name, *arguments = request.split(b" ")[1].decode().split("/")[1].split("-")
        self._plan = PLANS[name](self, *arguments)
        accept = b64encode(sha1(headers[b"sec-websocket-key"] + GUID).digest())  # noqa: S324 - RFC 6455 says so
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._upgraded = True
        self._buffer = b""
        if rest:
            self._parse(rest)

    def _parse(self, data: bytes) -> None:
        """Count the client's frames by their headers; the header may be cut, the payload is skipped."""
        position, frames, available = 0, 0, len(data)
        while position + 8 <= available:
            opcode, size, start = data[position] & 15, data[position + 1] & 127, position + 2
            if size == 126:
                size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            elif size == 127:
                raise ValueError("no benchmark sends frames of 64 KiB")
            end = start + 4 + size
            if opcode in (CLOSE, PING):
                if end > available:
                    break
                self._control(opcode, data[start + 4 : end], data[start : start + 4])
            else:
                frames += 1
            position = end
        self._skip = max(0, position - available)
        self._buffer = data[position:]
        self._heard(frames)

    def _heard(self, frames: int) -> None:
        if frames and not self._set_up:
            self._set_up = True
            frames -= 1
            self.write(READY)
            self._plan.ready()
        if frames:
            self._plan.heard(frames)

    def _control(self, opcode: int, payload: bytes, mask: bytes) -> None:
        plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self.write(frame(plain, CLOSE if opcode == CLOSE else PONG))
        if opcode == CLOSE:
            self.is_gone = True
            self.may_write = False
            self._transport.close()


async def main(certificate: Path) -> None:
    """Serve plain and over TLS, say at which ports, and end with the standard input."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Peer, "127.0.0.1", 0, backlog=1024)
    secure = await loop.create_server(Peer, "127.0.0.1", 0, backlog=1024, ssl=context)
    print(*(server.sockets[0].getsockname()[1] for server in (plain, secure)), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
