"""The bytes of broken messages and torn frames."""

from typing import Final

from livebridge import wire
from livebridge.simulator._faults import Inject

TEXT_OPCODE: Final = 1
BINARY_OPCODE: Final = 2
_FINAL: Final = 0x80
_TWO_BYTE_LENGTH: Final = 126
_EIGHT_BYTE_LENGTH: Final = 127
_LARGEST_TWO_BYTE: Final = 0xFFFF

_INJECTED: Final = {
    "garbage": b"\x00\x01garbage{]",
    "array": b"[1, 2, 3]",
    "empty": b"",
    "unknown_message": b'{"novelMessage": {"since": "tomorrow"}}',
    "error": b'{"error": {"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"}}',
    "interrupted": b'{"serverContent": {"interrupted": true}}',
}


def frame(opcode: int, payload: bytes) -> bytes:
    """An unmasked, final WebSocket frame, made by hand (RFC 6455, 5.2)."""
    length = len(payload)
    if length < _TWO_BYTE_LENGTH:
        head = bytes([_FINAL | opcode, length])
    elif length <= _LARGEST_TWO_BYTE:
        head = bytes([_FINAL | opcode, _TWO_BYTE_LENGTH]) + length.to_bytes(2, "big")
    else:
        head = bytes([_FINAL | opcode, _EIGHT_BYTE_LENGTH]) + length.to_bytes(8, "big")
    return head + payload


def injected(inject: Inject) -> bytes:
    """The frame of something a client must survive."""
    if inject.what == "invalid_utf8":
        return frame(TEXT_OPCODE, b'{"setupComplete": "\xff\xfe"}')
    return frame(BINARY_OPCODE, _payload(inject))


def _payload(inject: Inject) -> bytes:
    if inject.what == "deep":
        return b'{"a":' * inject.size + b"1" + b"}" * inject.size
    if inject.what == "oversize":
        return b'{"padding": "' + b"x" * inject.size + b'"}'
    return _INJECTED[inject.what]


def distorted(payload: bytes) -> bytes:
    """A message with members nobody knows and an enum value from the future."""
    plain: object = wire.loads(payload)
    if not isinstance(plain, dict):
        return payload
    plain["novelMember"] = {"nested": [1, "two", None]}
    content = plain.get("serverContent")
    if isinstance(content, dict):
        content["turnCompleteReason"] = "REASON_FROM_THE_FUTURE"
        content["novelContent"] = True
    return wire.dumps(plain)


def silence(seconds: float, *, rate: int, vertex: bool) -> wire.ServerMessage:
    """A ``modelTurn`` with that much silence."""
    mime_type = "audio/pcm" if vertex else f"audio/pcm;rate={rate}"
    blob = wire.Blob(data=bytes(2 * round(seconds * rate)), mime_type=mime_type)
    turn = wire.Content(parts=[wire.Part(inline_data=blob)], role="model" if vertex else None)
    return wire.ServerMessage(server_content=wire.ServerContent(model_turn=turn))
