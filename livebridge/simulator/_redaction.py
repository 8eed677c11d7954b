"""Takes out of messages what must not stand in a log: credentials, handles, and sound if it is not wanted."""

from collections.abc import Mapping
from typing import Final

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.simulator._fault_plan import camel

REDACTED: Final = "[redacted]"
DROPPED: Final = "droppedBytes"
"""Stands in a blob instead of ``data``: how many bytes of sound were dropped."""

LARGEST_SOUND_BYTES: Final = 16 * 2**20
"""No message is longer, so no sound in one is."""

DEEPEST_LEVEL: Final = 100
_SHORTEST_SECRET: Final = 6
"""Shorter ones would be found in ordinary words."""

_SECRET_MEMBERS: Final = frozenset(
    {
        "accessToken", "apiKey", "apiKeySecret", "apiKeyString", "credentialSecret", "headers", "idToken",
        "signature",
    }
)  # fmt: skip
"""Members of a setup that hold credentials."""

_HANDLES: Final = frozenset({("sessionResumption", "handle"), ("sessionResumptionUpdate", "newHandle")})


class Redaction:
    """Redacts the messages of one log.

    A handle is replaced by ``handle-1``, ``handle-2`` and so on, the same one always by the same, so that the log
    still shows which connection resumed what.

    Args:
        handles: Keep resumption handles as they are.
        audio: Keep sound; otherwise only its length is kept.
    """

    def __init__(self, *, handles: bool = False, audio: bool = True) -> None:
        self._keep_handles = handles
        self._keep_audio = audio
        self._secrets: set[str] = set()
        self._handles: dict[str, str] = {}

    def hide(self, secret: str | None) -> None:
        """From here on this text is redacted wherever it stands."""
        if secret and len(secret) >= _SHORTEST_SECRET:
            self._secrets.add(secret)

    def members(self, payload: bytes) -> dict[str, object]:
        """A message as members of a log's line: ``message`` if it is JSON, else ``base64``."""
        try:
            plain: object = wire.loads(payload)
        except DecodeError:
            for secret in self._secrets:
                payload = payload.replace(secret.encode(), REDACTED.encode())
            return {"base64": wire.encode_base64(payload)}
        return {"message": self._value(plain, path=())}

    def text(self, text: str) -> str:
        """A text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def _value(self, value: object, *, path: tuple[str, ...]) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._object(value, path=path)
        if isinstance(value, list):
            inner = (*path, "[]")
            return (
                REDACTED if len(path) >= DEEPEST_LEVEL else [self._value(item, path=inner) for item in value]
            )
        return value

    def _object(self, plain: Mapping[str, object], *, path: tuple[str, ...]) -> object:
        if len(path) >= DEEPEST_LEVEL:
            return REDACTED
        if not self._keep_audio and _is_sound(plain):
            return _without_sound(plain)
        return {name: self._member(value, path=(*path, camel(name))) for name, value in plain.items()}

    def _member(self, value: object, *, path: tuple[str, ...]) -> object:
        if path[0] in {"setup", "contextUpdate"} and path[-1] in _SECRET_MEMBERS:
            return REDACTED
        if not self._keep_handles and isinstance(value, str) and value and path[-2:] in _HANDLES:
            return self._handles.setdefault(value, f"handle-{len(self._handles) + 1}")
        return self._value(value, path=path)


def _is_sound(plain: Mapping[str, object]) -> bool:
    mime_type = plain.get("mimeType", plain.get("mime_type"))
    return (
        isinstance(mime_type, str) and mime_type.startswith("audio/") and isinstance(plain.get("data"), str)
    )


def _without_sound(plain: Mapping[str, object]) -> dict[str, object]:
    rest = {name: value for name, value in plain.items() if name != "data"}
    return {**rest, DROPPED: sound_bytes(plain)}


def sound_bytes(blob: Mapping[str, object]) -> int:
    """How many bytes a blob of a client's or a logged message holds; 0 for what is no blob."""
    dropped = blob.get(DROPPED)
    if isinstance(dropped, int):
        return dropped if 0 <= dropped <= LARGEST_SOUND_BYTES else 0
    try:
        return len(wire.decode_base64(str(blob.get("data", ""))))
    except DecodeError:
        return 0


def restored(plain: object) -> object:
    """A logged message with silence where sound was dropped."""
    if isinstance(plain, Mapping):
        if isinstance(plain.get(DROPPED), int):
            rest = {name: value for name, value in plain.items() if name != DROPPED}
            return {**rest, "data": wire.encode_base64(bytes(sound_bytes(plain)))}
        return {name: restored(value) for name, value in plain.items()}
    if isinstance(plain, list):
        return [restored(item) for item in plain]
    return plain
