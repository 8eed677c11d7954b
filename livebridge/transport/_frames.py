"""RFC 6455 frames to bytes and back, for the client side; pure, it never waits.

A frame on the wire (RFC 6455 §5.2)::

     0               1               2               3
    +-+-+-+-+-------+-+-------------+-------------------------------+
    |F|R|R|R| opcode|M| length 7 bit| 16 or 64 bit length, if 126/7 |
    +-+-+-+-+-------+-+-------------+-------------------------------+
    | masking key (client to server only) | payload …               |
    +-------------------------------------+-------------------------+

A general WebSocket library builds several objects for each frame; here a message costs one slice, which is
what makes a session cheap. No extension is ever offered, so the three R bits must be zero.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from struct import Struct
from typing import Final

import attrs

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
_KNOWN_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})

NO_CODE_RECEIVED: Final = 1005
PROTOCOL_ERROR: Final = 1002
INVALID_TEXT: Final = 1007
MESSAGE_TOO_BIG: Final = 1009

_FIN: Final = 0x80
_RESERVED_BITS: Final = 0x70
_OPCODE_BITS: Final = 0x0F
_CONTROL_BIT: Final = 0x08
_MASKED: Final = 0x80
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_SHORT_HEADER_BYTES: Final = 2
_MASK_BYTES: Final = 4

# "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455 §5.5).
_CONTROL_PAYLOAD_BYTES: Final = 125
_CLOSE_REASON_BYTES: Final = _CONTROL_PAYLOAD_BYTES - 2

# "MUST NOT be set as a status code in a Close control frame by an endpoint" (RFC 6455 §7.4.1).
_NEVER_SENT: Final = frozenset({1004, 1005, 1006, 1015})
_LOWEST_CODE: Final = 1000
_HIGHEST_CODE: Final = 4999

_U16: Final = Struct("!H")
_U64: Final = Struct("!Q")


@attrs.frozen
class Ping:
    """The peer asks for a pong with this payload."""

    payload: bytes


@attrs.frozen
class Pong:
    """The peer answered a ping, or just shows that it lives."""

    payload: bytes


@attrs.frozen
class Close:
    """The peer's close frame; nothing after it counts."""

    code: int
    reason: str


@attrs.frozen
class Violation:
    """What came cannot be accepted; the connection must be closed with this code."""

    code: int
    reason: str


Inbound = bytes | Ping | Pong | Close | Violation
"""A whole message is plain ``bytes``; everything else is about the connection."""


class _ViolationError(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.violation = Violation(code, reason)


class FrameDecoder:
    """Turns the bytes of a server into messages and control frames.

    After a `Close` or a `Violation` everything further is ignored.

    Args:
        max_message_size: Bytes a message may have; a longer one is refused when its header arrives.
    """

    def __init__(self, max_message_size: int) -> None:
        self._max_message_size = max_message_size
        self._buffer = bytearray()
        self._wanted = _SHORT_HEADER_BYTES
        self._parts: list[bytes] = []
        self._parts_size = 0
        self._parts_opcode: int | None = None
        self._done = False

    def feed(self, data: bytes | bytearray) -> list[Inbound]:
        """Take what came from the network.

        Args:
            data: Any cut of the byte stream.

        Returns:
            What is complete now, in order; a `Close` or `Violation` is always the last.
        """
        if self._done:
            return []
        source: bytes | bytearray = data
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return []
            source = self._buffer
        found: list[Inbound] = []
        try:
            position = self._parse(source, found)
        except _ViolationError as error:
            found.append(error.violation)
            self._done = True
        if self._done:
            self._buffer = bytearray()
        elif source is self._buffer:
            del self._buffer[:position]
        else:
            self._buffer += source[position:]
        return found

    def _parse(self, source: bytes | bytearray, found: list[Inbound]) -> int:
        """Take every complete frame, and return where the first incomplete one starts."""
        position, available = 0, len(source)
        while not self._done:
            start = position + _SHORT_HEADER_BYTES
            if start > available:
                self._wanted = _SHORT_HEADER_BYTES
                break
            first, length = source[position], source[position + 1]
            if length >= _LENGTH_16:
                start += _extra_header_bytes(length)
                if start > available:
                    self._wanted = start - position
                    break
                length = _long_length(source, position, length)
            self._check(first, length)
            end = start + length
            if end > available:
                self._wanted = end - position
                break
            self._take(first, bytes(source[start:end]), found)
            position = end
        return position

    def _check(self, first: int, length: int) -> None:
        """Refuse a frame by its header, before its payload is waited for."""
        opcode = first & _OPCODE_BITS
        if first & _RESERVED_BITS:
            raise _ViolationError(PROTOCOL_ERROR, "reserved bits are set, but no extension was agreed")
        if opcode not in _KNOWN_OPCODES:
            raise _ViolationError(PROTOCOL_ERROR, f"unknown opcode {opcode:#x}")
        if opcode & _CONTROL_BIT:
            if not first & _FIN or length > _CONTROL_PAYLOAD_BYTES:
                raise _ViolationError(PROTOCOL_ERROR, "a control frame is fragmented or too long")
        elif (opcode == CONTINUATION) != (self._parts_opcode is not None):
            raise _ViolationError(PROTOCOL_ERROR, "a fragment is out of place")
        elif self._parts_size + length > self._max_message_size:
            raise _ViolationError(
                MESSAGE_TOO_BIG, f"a message is longer than the {self._max_message_size} bytes accepted here"
            )

    def _take(self, first: int, payload: bytes, found: list[Inbound]) -> None:
        opcode = first & _OPCODE_BITS
        if opcode == PING:
            found.append(Ping(payload))
        elif opcode == PONG:
            found.append(Pong(payload))
        elif opcode == CLOSE:
            found.append(_parse_close(payload))
            self._done = True
        elif first & _FIN and self._parts_opcode is None:
            found.append(_checked(opcode, payload))
        else:
            self._take_fragment(first, payload, found)

    def _take_fragment(self, first: int, payload: bytes, found: list[Inbound]) -> None:
        if self._parts_opcode is None:
            self._parts_opcode = first & _OPCODE_BITS
        if payload:
            self._parts.append(payload)
            self._parts_size += len(payload)
        if first & _FIN:
            message, opcode = b"".join(self._parts), self._parts_opcode
            self._parts, self._parts_size, self._parts_opcode = [], 0, None
            found.append(_checked(opcode, message))


def _extra_header_bytes(length: int) -> int:
    if length & _MASKED:
        # "A client MUST close a connection if it detects a masked frame" (RFC 6455 §5.1).
        raise _ViolationError(PROTOCOL_ERROR, "the server masked a frame")
    return _U16.size if length == _LENGTH_16 else _U64.size


def _long_length(source: bytes | bytearray, position: int, length: int) -> int:
    reader, shortest = (_U16, _LENGTH_16) if length == _LENGTH_16 else (_U64, 2**16)
    actual: int = reader.unpack_from(source, position + _SHORT_HEADER_BYTES)[0]
    if actual < shortest:
        # "the minimal number of bytes MUST be used to encode the length" (RFC 6455 §5.2).
        raise _ViolationError(PROTOCOL_ERROR, "a frame length is not encoded in the fewest bytes")
    return actual


def _checked(opcode: int, message: bytes) -> bytes:
    if opcode == TEXT and not message.isascii():
        try:
            message.decode()
        except UnicodeDecodeError as error:
            raise _ViolationError(INVALID_TEXT, f"a text message is not UTF-8 ({error.reason})") from None
    return message


def _parse_close(payload: bytes) -> Close:
    if not payload:
        return Close(NO_CODE_RECEIVED, "")
    if len(payload) < _U16.size:
        raise _ViolationError(PROTOCOL_ERROR, "a close frame carries half a code")
    code: int = _U16.unpack_from(payload)[0]
    # The code and the text are all we will ever learn about why: whatever they are, they are passed on.
    return Close(code, payload[_U16.size :].decode(errors="replace"))


def encode_texts(messages: Sequence[bytes]) -> bytes:
    """Build masked text frames, one for each message.

    Args:
        messages: UTF-8 text.

    Returns:
        The bytes to write.
    """
    # "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source
    # of entropy" (RFC 6455 §5.3). One system call serves the whole batch.
    keys = os.urandom(_MASK_BYTES * len(messages))
    return b"".join(
        _frame(TEXT, message, keys[_MASK_BYTES * index : _MASK_BYTES * (index + 1)])
        for index, message in enumerate(messages)
    )


def encode_ping(payload: bytes) -> bytes:
    """Build a masked ping frame (payload of at most 125 bytes)."""
    return _frame(PING, payload, os.urandom(_MASK_BYTES))


def encode_pong(payload: bytes) -> bytes:
    """Build a masked pong frame (payload of at most 125 bytes)."""
    return _frame(PONG, payload, os.urandom(_MASK_BYTES))


def encode_close(code: int, reason: str = "") -> bytes:
    """Build a masked close frame.

    Args:
        code: A code that may not be sent (1005, 1006, out of range …) becomes an empty close frame.
        reason: Cut to 123 bytes of whole characters.

    Returns:
        The bytes to write.
    """
    if code in _NEVER_SENT or not _LOWEST_CODE <= code <= _HIGHEST_CODE:
        return _frame(CLOSE, b"", os.urandom(_MASK_BYTES))
    text = reason.encode(errors="replace")[:_CLOSE_REASON_BYTES].decode(errors="ignore").encode()
    return _frame(CLOSE, _U16.pack(code) + text, os.urandom(_MASK_BYTES))


def _frame(opcode: int, payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    if size < _LENGTH_16:
        header = bytes((_FIN | opcode, _MASKED | size))
    elif size < 2**16:
        header = bytes((_FIN | opcode, _MASKED | _LENGTH_16)) + _U16.pack(size)
    else:
        header = bytes((_FIN | opcode, _MASKED | _LENGTH_64)) + _U64.pack(size)
    return header + key + mask(payload, key)


def mask(payload: bytes, key: bytes) -> bytes:
    """Exclusive-or the payload with the repeated key, as one big number: no loop in Python.

    Args:
        payload: Any bytes.
        key: Four bytes.

    Returns:
        As many bytes as the payload has; masking twice gives the payload back.
    """
    size = len(payload)
    pad = (key * (size // _MASK_BYTES + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")
