"""What users hand in as sound or as a picture becomes a `Blob`, checked against what the Live API takes.

Sound is raw 16-bit PCM, little-endian, mono; pictures are ``image/jpeg`` or ``image/png``. The server would answer
a wrong kind with close code 1007, long after the mistake, and the conversation could be lost with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Final, Protocol, runtime_checkable

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._mime import INPUT_RATE_HZ, audio_rate, pcm_type

# Pillow cannot write the other modes as JPEG.
_JPEG_MODES: Final = frozenset({"1", "L", "RGB", "RGBX", "CMYK"})

# Memory layouts that hold bytes, or signed 16-bit samples.
_WIDE_FORMATS: Final = frozenset({"h", "<h"})
_SAMPLE_FORMATS: Final = frozenset({"B", "b", "c"}) | _WIDE_FORMATS

# "16 kHz native, others resampled". Telephones have the lowest rate in use; a rate outside is a mistake: kilohertz
# perhaps, or bits per second.
LOWEST_RATE_HZ: Final = 8_000
HIGHEST_RATE_HZ: Final = 384_000

_BYTES_PER_SAMPLE: Final = 2

_PCM_TYPES: Final = frozenset({"audio/pcm", "audio/l16"})

# "image frames image/jpeg/image/png"
_MAGIC: Final[Mapping[str, bytes]] = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}

_AUDIO_FORMS: Final = "bytes of 16-bit PCM, (bytes, 'audio/…') or a Blob"
_VIDEO_FORMS: Final = "JPEG or PNG bytes, (bytes, 'image/…'), a Blob or a PIL image"


@runtime_checkable
class Picture(Protocol):
    """What is used of a Pillow image: the format of its file, its pixel format, and `save`."""

    format: str | None
    mode: str

    def save(self, file: BytesIO, kind: str, /, **options: str) -> None:
        """Write it."""


@attrs.frozen(kw_only=True)
class AudioChunk:
    """A piece of microphone sound, ready to be written.

    Attributes:
        frame: The whole client message as JSON.
        seconds: How long it sounds.
    """

    frame: bytes = attrs.field(repr=False)
    seconds: float


def audio_chunk(pcm: object, rate: int = INPUT_RATE_HZ) -> AudioChunk:
    """Make a frame of raw samples: the fast way of sending sound.

    Args:
        pcm: 16-bit signed little-endian mono samples: bytes, any buffer of 16-bit integers (a NumPy ``int16``
            array, ``array('h')``), or what `audio_blob` takes besides.
        rate: Samples per second; a type that comes with the sound (``audio/pcm;rate=…``) says it itself.

    Returns:
        The frame and how long it sounds.

    Raises:
        ConfigError: No samples, half a sample, samples of another type, several channels, a file in place of
            samples, or no sensible rate.
    """
    _check_rate(rate)
    if _is_buffer(pcm):
        data, mime_type = _samples(pcm, "audio"), pcm_type(rate)
        _check_samples(data, "audio")
    else:
        blob = audio_blob(pcm)
        data, mime_type = blob.data or b"", blob.mime_type or ""
        rate = audio_rate(mime_type, default=INPUT_RATE_HZ) or INPUT_RATE_HZ
    return AudioChunk(frame=wire.encode_audio(data, mime_type), seconds=len(data) / _BYTES_PER_SAMPLE / rate)


def audio_blob(value: object, where: str = "audio") -> wire.Blob:
    """Make a `Blob` of sound.

    Args:
        value: Bytes (taken for 16 kHz PCM), ``(bytes, mime_type)``, a `Blob`, or a mapping of its fields.
        where: The argument's name for error texts.

    Raises:
        ConfigError: It is none of these, empty, not raw PCM, has half a sample, several channels or no sensible
            rate.
    """
    if isinstance(value, list):
        raise ConfigError(
            f"{where} takes one piece of sound at a time, not a list of {len(value)}: send them one by one,"
            " or all of them with send_media_stream()"
        )
    if isinstance(value, tuple):
        blob = _pair(value, where, _AUDIO_FORMS)
    elif _is_buffer(value):
        blob = wire.Blob(data=_samples(value, where), mime_type=pcm_type(INPUT_RATE_HZ))
    else:
        blob = _given(value, where, _AUDIO_FORMS)
    mime_type = _checked_type(blob, "audio/", where)
    if mime_type not in _PCM_TYPES:
        raise ConfigError(
            f"{where} takes raw 16-bit PCM (audio/pcm;rate={INPUT_RATE_HZ}), not {mime_type}: decode it first"
        )
    _check_rate(audio_rate(blob.mime_type, default=INPUT_RATE_HZ))
    _check_samples(blob.data or b"", where)
    return blob


def image_blob(value: object, where: str = "video") -> wire.Blob:
    """Make a `Blob` of one picture.

    Args:
        value: Bytes of a JPEG or PNG file, ``(bytes, mime_type)``, a `Blob`, a mapping of its fields, or a
            Pillow image (a JPEG file stays JPEG, everything else becomes PNG).
        where: The argument's name for error texts.

    Raises:
        ConfigError: It is none of these, empty, of another type, or not of the type that it is said to be.
    """
    if isinstance(value, tuple):
        blob = _pair(value, where, _VIDEO_FORMS)
    elif _is_buffer(value):
        data = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
        return wire.Blob(data=data, mime_type=_sniff(data, where))
    elif isinstance(value, Picture):
        return _drawn(value, where)
    else:
        blob = _given(value, where, _VIDEO_FORMS)
    _check_picture(blob, where)
    return blob


def is_picture(value: object) -> bool:
    """Whether a piece of media is meant as a picture: its type says so, or it is a Pillow image."""
    if isinstance(value, bytes | bytearray | memoryview):
        return False
    if isinstance(value, tuple):
        kind: object = value[-1] if value else None
    elif isinstance(value, Mapping):
        kind = value.get("mime_type") or value.get("mimeType")
    else:
        kind = getattr(value, "mime_type", None)
    return isinstance(value, Picture) or (isinstance(kind, str) and kind.startswith("image/"))


def _is_buffer(value: object) -> bool:
    if isinstance(value, bytes | bytearray | memoryview):
        return True
    try:
        memoryview(value)  # type: ignore[arg-type]  # that is the question
    except TypeError:
        return False
    return True


def _samples(value: object, where: str) -> bytes:
    if isinstance(value, bytes):
        return value
    view = memoryview(value)  # type: ignore[arg-type]  # a buffer, as the caller has found
    if view.format not in _SAMPLE_FORMATS:
        raise ConfigError(
            f"{where} takes 16-bit signed samples; this buffer holds items of format {view.format!r}"
            " (convert floats to int16 first)"
        )
    if view.format in _WIDE_FORMATS and sum(size > 1 for size in view.shape or ()) > 1:
        raise ConfigError(
            f"{where} takes one channel; these samples have the shape {view.shape}: mix the channels, or send one"
            " of them, for example pcm[:, 0]"
        )
    return view.tobytes()


def _pair(value: tuple[object, ...], where: str, forms: str) -> wire.Blob:
    match value:
        case (bytes() | bytearray() | memoryview() as data, str() as mime_type):
            return wire.Blob(data=bytes(data), mime_type=mime_type)
    raise ConfigError(f"{where} takes {forms}, not a tuple of {[type(item).__name__ for item in value]}")


def _given(value: object, where: str, forms: str) -> wire.Blob:
    if value is None or isinstance(value, str | int | float | list):
        raise ConfigError(f"{where} takes {forms}, not {type(value).__name__}")
    return wire.from_user(wire.Blob, value, where=where)


def _checked_type(blob: wire.Blob, prefix: str, where: str) -> str:
    """The type without its parameters."""
    if blob.mime_type is None or not blob.mime_type.startswith(prefix):
        raise ConfigError(f"{where} takes a MIME type that begins with {prefix!r}, not {blob.mime_type!r}")
    if not blob.data:
        raise ConfigError(f"{where} has no data")
    return blob.mime_type.partition(";")[0].strip().lower()


def _check_rate(rate: object) -> None:
    if type(rate) is not int or not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        raise ConfigError(
            "rate must be a whole number of samples per second"
            f" from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}, not {rate!r}"
        )


def _check_samples(data: bytes, where: str) -> None:
    if not data:
        raise ConfigError(f"{where} has no data")
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        raise ConfigError(f"{where}: this is a WAV file; send its samples (Python's wave module reads them)")
    if len(data) % _BYTES_PER_SAMPLE:
        raise ConfigError(
            f"{where} is 16-bit PCM and must have an even number of bytes, not {len(data)};"
            " keep the odd byte for the next chunk"
        )


def _check_picture(blob: wire.Blob, where: str) -> None:
    mime_type = _checked_type(blob, "image/", where)
    if mime_type not in _MAGIC:
        hint = "; did you mean image/jpeg?" if mime_type == "image/jpg" else ""
        raise ConfigError(f"{where} takes {' or '.join(_MAGIC)}, not {mime_type}{hint}")
    found = _sniff(blob.data or b"", where)
    if found != mime_type:
        raise ConfigError(f"{where} is said to be {mime_type}, but its bytes are {found}")


def _sniff(data: bytes, where: str) -> str:
    for mime_type, magic in _MAGIC.items():
        if data.startswith(magic):
            return mime_type
    raise ConfigError(f"{where}: these bytes are no JPEG and no PNG file")


def _drawn(picture: Picture, where: str) -> wire.Blob:
    """Write a Pillow image: "keep" leaves the bytes of a JPEG file as lossy as they are."""
    is_file = picture.format == "JPEG" and bool(getattr(picture, "filename", ""))
    kind, options = ("JPEG", {"quality": "keep"}) if is_file and picture.mode in _JPEG_MODES else ("PNG", {})
    file = BytesIO()
    try:
        picture.save(file, kind, **options)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{where}: the picture cannot be written as {kind}: {error}") from error
    return wire.Blob(data=file.getvalue(), mime_type=f"image/{kind.lower()}")
