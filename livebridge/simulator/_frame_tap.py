"""Reads WebSocket frames off a byte stream that somebody else carries; it takes no part in the conversation."""

from collections.abc import Iterator
from typing import Final

import attrs

_FINAL: Final = 0x80
_OPCODE: Final = 0x0F
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_TWO_BYTES: Final = 126
_MASK_BYTES: Final = 4
_HEAD_BYTES: Final = 2
_CONTROL: Final = 0x08
_TEXT: Final = 0x01
_CLOSE: Final = 0x08
_NO_CODE: Final = 1005


@attrs.frozen
class TappedMessage:
    """A whole message, put together from its fragments."""

    text: bool
    payload: bytes = attrs.field(repr=lambda payload: f"<{len(payload)} bytes>")


@attrs.frozen
class TappedClose:
    """A close frame; code 1005 stands for none in it."""

    code: int
    reason: str


class FrameTap:
    """Follows one direction of a WebSocket without extensions (RFC 6455, 5.2)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._text = False

    def feed(self, data: bytes) -> Iterator[TappedMessage | TappedClose]:
        """Take what has crossed; yields what is complete."""
        self._buffer += data
        while (frame := self._frame()) is not None:
            first, payload = frame
            opcode = first & _OPCODE
            if opcode == _CLOSE:
                code = int.from_bytes(payload[:2], "big") if len(payload) >= _HEAD_BYTES else _NO_CODE
                yield TappedClose(code, payload[2:].decode(errors="replace"))
            elif not opcode & _CONTROL:
                self._text = opcode == _TEXT if opcode else self._text
                self._parts.append(payload)
                if first & _FINAL:
                    whole = b"".join(self._parts)
                    self._parts.clear()
                    yield TappedMessage(self._text, whole)

    def _frame(self) -> tuple[int, bytes] | None:
        """Cut the next frame off the buffer: its first byte and its payload, unmasked."""
        if len(self._buffer) < _HEAD_BYTES:
            return None
        first, second = self._buffer[:2]
        length, start = second & _LENGTH, _HEAD_BYTES
        if length >= _TWO_BYTES:
            start += 2 if length == _TWO_BYTES else 8
            length = int.from_bytes(self._buffer[_HEAD_BYTES:start], "big")
        mask_at = start
        start += _MASK_BYTES if second & _MASKED else 0
        if len(self._buffer) < start or len(self._buffer) < start + length:
            return None
        payload = bytes(self._buffer[start : start + length])
        mask = bytes(self._buffer[mask_at:start])
        del self._buffer[: start + length]
        return first, _unmasked(payload, mask) if mask else payload


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // len(mask) + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")
