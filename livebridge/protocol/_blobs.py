"""What users hand in as sound or as a picture becomes a `Blob`, checked against what the Live API takes.

Sound is raw 16-bit PCM, little-endian, mono; pictures are ``image/jpeg``, ``image/png`` and the like. The
server would answer a wrong kind with close code 1007, long after the mistake.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final, Protocol, runtime_checkable

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol._mime import INPUT_RATE_HZ, pcm_type

# Pillow cannot write the other modes as JPEG.
_JPEG_MODES: Final = frozenset({"1", "L", "RGB", "RGBX", "CMYK"})

# Memory layouts that hold bytes, or signed 16-bit samples.
_SAMPLE_FORMATS: Final = frozenset({"B", "b", "c", "h", "<h"})

_BYTES_PER_SAMPLE: Final = 2

_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)

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
        pcm: 16-bit signed little-endian mono samples: bytes, or any buffer of 16-bit integers (a NumPy
            ``int16`` array, ``array('h')``).
        rate: Samples per second.

    Returns:
        The frame and how long it sounds.

    Raises:
        ConfigError: No samples, half a sample, samples of another type, or no sensible rate.
    """
    if type(rate) is not int or rate <= 0:
        raise ConfigError(f"rate must be a positive whole number of samples per second, not {rate!r}")
    data = _samples(pcm, "audio")
    _check_samples(data, "audio")
    return AudioChunk(
        frame=wire.encode_audio(data, pcm_type(rate)), seconds=len(data) / _BYTES_PER_SAMPLE / rate
    )


def audio_blob(value: object, where: str = "audio") -> wire.Blob:
    """Make a `Blob` of sound.

    Args:
        value: Bytes (taken for 16 kHz PCM), ``(bytes, mime_type)``, a `Blob`, or a mapping of its fields.
        where: The argument's name for error texts.

    Raises:
        ConfigError: It is none of these, empty, not ``audio/…``, or PCM with half a sample.
    """
    if isinstance(value, tuple):
        blob = _pair(value, where, _AUDIO_FORMS)
    elif _is_buffer(value):
        blob = wire.Blob(data=_samples(value, where), mime_type=pcm_type(INPUT_RATE_HZ))
    else:
        blob = _given(value, where, _AUDIO_FORMS)
    _check_type(blob, "audio/", where)
    if (blob.mime_type or "").lower().startswith(("audio/pcm", "audio/l16")):
        _check_samples(blob.data or b"", where)
    return blob


def image_blob(value: object, where: str = "video") -> wire.Blob:
    """Make a `Blob` of one picture.

    Args:
        value: Bytes of a JPEG, PNG, GIF or WebP file, ``(bytes, mime_type)``, a `Blob`, a mapping of its
            fields, or a Pillow image (a JPEG file stays JPEG, everything else becomes PNG).
        where: The argument's name for error texts.

    Raises:
        ConfigError: It is none of these, empty, or not ``image/…``.
    """
    if isinstance(value, tuple):
        blob = _pair(value, where, _VIDEO_FORMS)
    elif _is_buffer(value):
        data = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
        blob = wire.Blob(data=data, mime_type=_sniff(data, where))
    elif isinstance(value, Picture):
        blob = _drawn(value, where)
    else:
        blob = _given(value, where, _VIDEO_FORMS)
    _check_type(blob, "image/", where)
    return blob


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
    try:
        view = memoryview(value)  # type: ignore[arg-type]  # TypeError is the answer
    except TypeError:
        raise ConfigError(f"{where} takes {_AUDIO_FORMS}, not {type(value).__name__}") from None
    if view.format not in _SAMPLE_FORMATS:
        raise ConfigError(
            f"{where} takes 16-bit signed samples; this buffer holds items of format {view.format!r}"
            " (convert floats to int16 first)"
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


def _check_type(blob: wire.Blob, prefix: str, where: str) -> None:
    if blob.mime_type is None or not blob.mime_type.startswith(prefix):
        raise ConfigError(f"{where} takes a MIME type that begins with {prefix!r}, not {blob.mime_type!r}")
    if not blob.data:
        raise ConfigError(f"{where} has no data")


def _check_samples(data: bytes, where: str) -> None:
    if not data:
        raise ConfigError(f"{where} has no data")
    if len(data) % _BYTES_PER_SAMPLE:
        raise ConfigError(
            f"{where} is 16-bit PCM and must have an even number of bytes, not {len(data)};"
            " keep the odd byte for the next chunk"
        )


def _sniff(data: bytes, where: str) -> str:
    for magic, mime_type in _MAGIC:
        if data.startswith(magic):
            return mime_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise ConfigError(f"{where}: these bytes are no picture that is recognised; give (bytes, 'image/…')")


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
