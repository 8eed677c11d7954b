"""The doors of the codec: frames to messages and back, plain values to messages and back."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from livebridge.errors import ConfigError, DecodeError
from livebridge.wire._base import Message
from livebridge.wire._client import ClientMessage
from livebridge.wire._json import dumps, loads
from livebridge.wire._misfit import MisfitError
from livebridge.wire._names import VERTEX_USAGE
from livebridge.wire._reader import message_from
from livebridge.wire._scalars import base64_from_bytes, bytes_from_base64
from livebridge.wire._server import ServerMessage
from livebridge.wire._writer import plain_from

M = TypeVar("M", bound=Message)


def decode_server(frame: bytes | bytearray | memoryview | str) -> ServerMessage:
    """Read one frame from the server.

    Both spellings of keys are read, and both vocabularies of ``usageMetadata``. An unknown member, and a
    known one whose value does not fit, is kept in ``unknown`` of the object it stands in; an unknown value
    of an enumeration stays a plain ``str``.

    Args:
        frame: The payload of one WebSocket message, UTF-8.

    Returns:
        The message; `ServerMessage.is_unrecognized` if it has members and none of them is known.

    Raises:
        DecodeError: It is no JSON object. Nothing else is ever raised, whatever the bytes.
    """
    return message_from(ServerMessage, loads(frame))


def decode_client(frame: bytes | bytearray | memoryview | str) -> ClientMessage:
    """Read one frame from a client, as a server does.

    Args:
        frame: The payload of one WebSocket message, UTF-8.

    Returns:
        The message, with the guarantees of `decode_server`.

    Raises:
        DecodeError: It is no JSON object. Nothing else is ever raised, whatever the bytes.
    """
    return message_from(ClientMessage, loads(frame))


def encode_client(message: ClientMessage) -> bytes:
    """Write one message to the server: compact JSON with camelCase keys.

    Args:
        message: What to send. Fields that are ``None`` are left out; all others are written, also ``False``,
            ``0`` and empty ones.

    Returns:
        The payload of one WebSocket message, UTF-8.

    Raises:
        ConfigError: A field holds a value of the wrong type, or one that JSON cannot hold.
    """
    if not isinstance(message, ClientMessage):
        raise ConfigError(f"expected a ClientMessage, got {type(message).__name__}")
    return dumps(plain_from(message))


def encode_server(message: ServerMessage, *, vertex: bool = False, pretty: bool = False) -> bytes:
    """Write one message as a server does.

    Args:
        message: What to send.
        vertex: Name the output counts of ``usageMetadata`` as Vertex does (``candidatesTokenCount``).
        pretty: Indent by two spaces and end with a newline, as the real servers do.

    Returns:
        The payload of one WebSocket message, UTF-8.

    Raises:
        ConfigError: A field holds a value of the wrong type, or one that JSON cannot hold.
    """
    if not isinstance(message, ServerMessage):
        raise ConfigError(f"expected a ServerMessage, got {type(message).__name__}")
    plain = plain_from(message)
    if vertex and message.usage_metadata is not None:
        usage = plain["usageMetadata"]
        plain["usageMetadata"] = {VERTEX_USAGE.get(key, key): value for key, value in usage.items()}
    return dumps(plain, pretty=pretty)


def encode_audio(data: bytes | bytearray | memoryview, mime_type: str) -> bytes:
    """Write one piece of microphone audio: the shortest way from samples to a frame.

    Args:
        data: Samples, for example 16-bit little-endian PCM, mono.
        mime_type: Their format, for example ``audio/pcm;rate=16000``.

    Returns:
        Exactly what `encode_client` gives for a ``RealtimeInput`` with this `Blob` as its ``audio``.

    Raises:
        ConfigError: ``data`` are no bytes, or ``mime_type`` is no text.
    """
    head, tail = _around_audio(mime_type)
    return b"".join((head, encode_base64(data).encode("ascii"), tail))


@lru_cache(maxsize=64)
def _around_audio(mime_type: str) -> tuple[bytes, bytes]:
    if not isinstance(mime_type, str):
        raise ConfigError(f"expected a MIME type, got {type(mime_type).__name__}")
    return b'{"realtimeInput":{"audio":{"data":"', b'","mimeType":' + dumps(mime_type) + b"}}}"


def to_plain(message: Message) -> dict[str, Any]:
    """Turn any message into plain JSON values with camelCase keys.

    Returns:
        A new ``dict``; free-form values inside it are not copied.

    Raises:
        ConfigError: A field holds a value of the wrong type.
    """
    return plain_from(message)


def from_plain(cls: type[M], plain: Mapping[str, Any]) -> M:
    """Make a message from plain JSON values, with the tolerance and the guarantees of `decode_server`.

    Raises:
        DecodeError: ``plain`` is no mapping, or nested too deeply.
    """
    return message_from(cls, plain)


def encode_base64(data: bytes | bytearray | memoryview) -> str:
    """Write bytes as standard base64 with padding.

    Raises:
        ConfigError: They are no bytes.
    """
    try:
        return base64_from_bytes(data)
    except MisfitError as misfit:
        raise ConfigError(str(misfit)) from None


def decode_base64(text: str) -> bytes:
    """Read base64 in the standard or the URL-safe alphabet, padded or not.

    Raises:
        DecodeError: It is no base64.
    """
    try:
        return bytes_from_base64(text)
    except MisfitError as misfit:
        raise DecodeError(str(misfit)) from None
