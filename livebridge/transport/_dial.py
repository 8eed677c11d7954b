"""Opens a connection: name lookup, TCP, proxy, TLS and upgrade, under one deadline."""

from __future__ import annotations

import logging
import os
import ssl
from binascii import b2a_base64
from collections.abc import Mapping
from functools import cache
from hashlib import sha1
from typing import Final, Literal

import certifi
import trio

from livebridge.transport._address import Address, parse_address
from livebridge.transport._failures import FOREIGN, failure, not_a_websocket, refusal
from livebridge.transport._http import Answer, exchange
from livebridge.transport._proxy import proxy_from_environment
from livebridge.transport._socket import direct
from livebridge.transport._tls import TlsStream
from livebridge.transport._transport import (
    DIAL_TIMEOUT_SECONDS,
    MAX_MESSAGE_BYTES,
    MESSAGE_QUEUE_SIZE,
    RECEIVE_BUFFER_BYTES,
    ProxySetting,
    Transport,
)
from livebridge.transport._websocket import WebSocketTransport

# The constant that a server must mix into its answer (RFC 6455 §1.3).
_ACCEPT_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NONCE_BYTES: Final = 16
_SWITCHING_PROTOCOLS: Final = 101
_SUCCESS: Final = range(200, 300)

WEB_SCHEMES: Final = frozenset({"ws", "wss"})
_PROXY_SCHEMES: Final = frozenset({"http", "https"})

# What the handshake itself says; a caller's header of the same name would contradict it.
_OURS: Final = frozenset(
    {
        "connection",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "sec-websocket-accept",
        "transfer-encoding",
        "content-length",
    }
)

_log = logging.getLogger("livebridge.transport")


async def dial(
    nursery: trio.Nursery,
    url: str,
    *,
    headers: Mapping[str, str],
    ssl_context: ssl.SSLContext | None = None,
    proxy: ProxySetting | Literal["env"] = "env",
    dial_timeout: float = DIAL_TIMEOUT_SECONDS,
    max_message_size: int = MAX_MESSAGE_BYTES,
    receive_buffer_size: int = RECEIVE_BUFFER_BYTES,
    message_queue_size: int = MESSAGE_QUEUE_SIZE,
) -> Transport:
    """Open a WebSocket connection.

    After a failure nothing is left: no task in the nursery, no socket.

    Args:
        nursery: Where the connection's reader runs; close the transport before the nursery's block ends.
        url: ``ws://`` or ``wss://``; keep secrets out of it and in the headers.
        headers: Sent with the upgrade request.
        ssl_context: For ``wss``; by default certificates are verified against the system's authorities and
            certifi's (``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace both).
        proxy: URL of an HTTP proxy (``http://user:password@host:port``), ``None`` for none, ``"env"``
            for what ``https_proxy``, ``http_proxy``, ``all_proxy`` and ``no_proxy`` say.
        dial_timeout: Seconds for everything together.
        max_message_size: Bytes of the longest message accepted; a longer one closes with 1009.
        receive_buffer_size: Bytes asked for in one read.
        message_queue_size: Messages that may wait unread before reading pauses.

    Returns:
        The open transport.

    Raises:
        ConnectError: In every case of failure, with ``phase="dial"``, the HTTP status and text of a refusal,
            ``retry_after`` and whether trying again can help.
    """
    address = parse_address(url, what="URL", schemes=WEB_SCHEMES)
    via = _choose_proxy(address, proxy)
    started = trio.current_time()
    opened = _Opening()
    try:
        with trio.fail_after(dial_timeout):
            await opened.connect(via or address)
            if via is not None:
                await opened.tunnel(via, address)
            if address.tls:
                await opened.secure(address, ssl_context or default_context(*authorities()))
            trailing = await opened.upgrade(address, headers)
    except FOREIGN as error:
        opened.abandon()
        raise failure(error, doing=opened.doing, timeout=dial_timeout) from error
    except BaseException:
        opened.abandon()
        raise
    _log.debug("connected to %s in %.3f s", address.authority, trio.current_time() - started)
    return opened.start(
        nursery,
        trailing,
        max_message_size=max_message_size,
        receive_buffer_size=receive_buffer_size,
        message_queue_size=message_queue_size,
    )


class _Opening:
    """A connection in the making: what is open so far, and what is being done."""

    def __init__(self) -> None:
        self.doing = "dialling"
        self._socket: trio.SocketStream | None = None
        self._stream: trio.abc.Stream | None = None

    async def connect(self, address: Address) -> None:
        self.doing = f"connecting to {address.authority}"
        self._socket = await trio.open_tcp_stream(address.host, address.port)
        self._stream = direct(self._socket)

    async def tunnel(self, proxy: Address, address: Address) -> None:
        if proxy.tls:
            await self.secure(proxy, default_context(*authorities()))
        self.doing = f"asking the proxy {proxy.authority} for {address.authority}"
        headers = {"Host": address.authority}
        if proxy.user:
            headers["Proxy-Authorization"] = f"Basic {_base64(proxy.user.encode())}"
        answer = await exchange(self._open_stream(), "CONNECT", address.authority, list(headers.items()))
        if answer.status not in _SUCCESS:
            raise refusal(answer, by=f"the proxy {proxy.authority}", sent=headers)

    async def secure(self, address: Address, context: ssl.SSLContext) -> None:
        self.doing = f"the TLS handshake with {address.authority}"
        stream = TlsStream(self._open_stream(), context, server_hostname=address.host)
        self._stream = stream
        await stream.do_handshake()

    async def upgrade(self, address: Address, headers: Mapping[str, str]) -> bytes:
        self.doing = f"the WebSocket upgrade at {address.authority}"
        nonce = _base64(os.urandom(_NONCE_BYTES))
        own = {name: value for name, value in headers.items() if name.lower() not in _OURS}
        request = [
            *([] if any(name.lower() == "host" for name in own) else [("Host", address.host_header)]),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", nonce),
            ("Sec-WebSocket-Version", "13"),
            *own.items(),
        ]
        answer = await exchange(self._open_stream(), "GET", address.resource, request)
        if answer.status != _SWITCHING_PROTOCOLS:
            raise refusal(answer, by=address.authority, sent=headers)
        _check_upgrade(answer, nonce)
        return answer.trailing

    def start(
        self,
        nursery: trio.Nursery,
        trailing: bytes,
        *,
        max_message_size: int,
        receive_buffer_size: int,
        message_queue_size: int,
    ) -> Transport:
        assert self._socket is not None
        transport = WebSocketTransport(
            self._open_stream(),
            self._socket,
            nursery,
            max_message_size=max_message_size,
            receive_buffer_size=receive_buffer_size,
            message_queue_size=message_queue_size,
        )
        nursery.start_soon(transport.run, trailing, name="livebridge.transport: reader")
        return transport

    def abandon(self) -> None:
        if self._socket is not None:
            self._socket.socket.close()

    def _open_stream(self) -> trio.abc.Stream:
        assert self._stream is not None
        return self._stream


def _choose_proxy(address: Address, proxy: ProxySetting) -> Address | None:
    chosen = proxy_from_environment(address, os.environ) if proxy == "env" else proxy
    return parse_address(chosen, what="proxy URL", schemes=_PROXY_SCHEMES) if chosen else None


def _check_upgrade(answer: Answer, nonce: str) -> None:
    if answer.header("upgrade").lower() != "websocket":
        raise not_a_websocket("it does not name websocket")
    if "upgrade" not in {token.strip().lower() for token in answer.header("connection").split(",")}:
        raise not_a_websocket("its Connection header does not say Upgrade")
    expected = _base64(sha1(nonce.encode() + _ACCEPT_GUID, usedforsecurity=False).digest())
    if answer.header("sec-websocket-accept") != expected:
        raise not_a_websocket("its Sec-WebSocket-Accept does not match")
    if answer.header("sec-websocket-extensions") or answer.header("sec-websocket-protocol"):
        raise not_a_websocket("it uses an extension or a subprotocol that was not offered")


def authorities() -> tuple[str, str]:
    """Whom the environment trusts: a file and a directory, each empty if it does not say."""
    return os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")


@cache
def default_context(cert_file: str, cert_dir: str) -> ssl.SSLContext:
    """Load the authorities once: it takes tens of milliseconds and a megabyte."""
    if cert_file or cert_dir:
        return ssl.create_default_context(cafile=cert_file or None, capath=cert_dir or None)
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()
