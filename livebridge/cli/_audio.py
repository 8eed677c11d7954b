"""The only module that knows sound files: reads them as the Live API hears sound, and writes replies."""

from __future__ import annotations

import io
import wave
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

import attrs

from livebridge.errors import ConfigError

RATE_HZ: Final = 16_000
"""What the models hear natively."""

REPLY_RATE_HZ: Final = 24_000
"""What the models speak."""

_FULL_SCALE: Final = 32_767

_NATIVE: Final = (1, 2, RATE_HZ)
"""Channels, bytes per sample and rate that need no conversion."""

_EXTRA: Final = "pip install 'livebridge[audio]'"


@attrs.frozen(kw_only=True)
class Sound:
    """Sound as the Live API hears it: 16-bit mono PCM at 16 kHz.

    Attributes:
        pcm: The samples.
        name: Where it comes from, for people.
        cut_from: Seconds of the whole file, if only its beginning was taken.
    """

    pcm: bytes = attrs.field(repr=lambda pcm: f"<{len(pcm)} bytes>")
    name: str
    cut_from: float | None = None

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.pcm) / 2 / RATE_HZ


class _Samples(Protocol):
    """What is used of a numpy array."""

    @property
    def size(self) -> int: ...
    def mean(self, axis: int) -> _Samples: ...
    def clip(self, low: float, high: float) -> _Samples: ...
    def __mul__(self, factor: float) -> _Samples: ...
    def astype(self, kind: str) -> _Samples: ...
    def tobytes(self) -> bytes: ...


class _SoundFile(Protocol):
    """What is used of ``soundfile.SoundFile``."""

    samplerate: int
    frames: int

    def read(self, frames: int, *, dtype: str, always_2d: bool) -> _Samples: ...
    def close(self) -> None: ...


class _SoundFileModule(Protocol):
    def SoundFile(self, file: str) -> _SoundFile: ...  # noqa: N802 - the library's name


class _SoxrModule(Protocol):
    def resample(self, x: _Samples, in_rate: float, out_rate: float) -> _Samples: ...


def read_sound(path: Path, *, longest: float) -> Sound:
    """Read a recording.

    A WAV file that is 16 kHz, mono and 16-bit already is read as it is; anything else that libsndfile knows is
    mixed down and resampled, which takes the extra ``audio``.

    Args:
        path: The file.
        longest: Seconds; of a longer file only the beginning is taken.

    Raises:
        ConfigError: The file is missing, cannot be read, is no sound or holds none, or takes the extra.
    """
    _check(path)
    try:
        sound = _native(path, longest) or _converted(path, longest)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    if not sound.pcm:
        raise ConfigError(f"{path} holds no sound: it has no samples")
    return sound


def write_wav(path: Path, pcm: bytes, *, rate: int) -> None:
    """Write 16-bit mono PCM as a WAV file.

    Raises:
        ConfigError: The file cannot be written.
    """
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error


def _check(path: Path) -> None:
    """See that there is a file with something in it.

    Raises:
        ConfigError: There is none.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a directory; expected a sound file")
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    if not path.stat().st_size:
        raise ConfigError(f"{path} is empty; expected a sound file")


def _native(path: Path, longest: float) -> Sound | None:
    """The samples of a WAV file that needs no conversion, ``None`` for anything else."""
    try:
        with wave.open(str(path)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != _NATIVE:
                return None
            whole = file.getnframes() / RATE_HZ
            pcm = file.readframes(int(longest * RATE_HZ))
    except (wave.Error, EOFError):
        return None
    return Sound(
        pcm=pcm[: len(pcm) - len(pcm) % 2], name=path.name, cut_from=whole if whole > longest else None
    )


def _converted(path: Path, longest: float) -> Sound:
    """The samples of any sound file, resampled.

    Raises:
        ConfigError: The extra is missing, or the file is no sound.
    """
    try:
        soundfile = cast("_SoundFileModule", import_module("soundfile"))
        soxr = cast("_SoxrModule", import_module("soxr"))
    except (ImportError, OSError) as error:  # OSError: soundfile without its libsndfile
        raise ConfigError(
            f"{path} is no WAV file of 16 kHz, mono, 16-bit; to read other sound files: {_EXTRA}"
        ) from error
    try:
        file = soundfile.SoundFile(str(path))
        rate, frames = file.samplerate, file.frames
        samples = file.read(int(longest * rate), dtype="float32", always_2d=True)
        file.close()
        mono = samples.mean(axis=1) if samples.size else samples
        resampled = mono if rate == RATE_HZ or not samples.size else soxr.resample(mono, rate, RATE_HZ)
    except (RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise ConfigError(f"{path} cannot be read as a sound file: {_reason(error)}") from error
    pcm = (resampled.clip(-1.0, 1.0) * _FULL_SCALE).astype("<i2").tobytes()
    whole = frames / rate
    return Sound(pcm=pcm, name=path.name, cut_from=whole if whole > longest else None)


def _reason(error: Exception) -> str:
    """What the library says, without the file it names."""
    return str(error).rpartition("': ")[2] or type(error).__name__
