import builtins
import importlib
import wave

import pytest

from livebridge.cli._audio import read_sound
from livebridge.cli._audio import write_wav as write_reply
from livebridge.errors import ConfigError


@pytest.fixture
def without_the_extra(monkeypatch):
    real = importlib.import_module

    def missing(name, package=None):
        if name in {"soundfile", "soxr"}:
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr("livebridge.cli._audio.import_module", missing)


def test_a_native_wav_file_is_read_as_it_is(tmp_path, write_wav, without_the_extra):
    path = write_wav(tmp_path / "native.wav")
    with wave.open(str(path)) as file:
        samples = file.readframes(file.getnframes())
    sound = read_sound(path, longest=10)
    assert (sound.pcm, sound.seconds, sound.cut_from) == (samples, 1.0, None)


def test_of_a_long_file_only_the_beginning_is_taken(tmp_path, write_wav, without_the_extra):
    sound = read_sound(write_wav(tmp_path / "long.wav"), longest=0.5)
    assert (sound.seconds, sound.cut_from) == (0.5, 1.0)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (8_000, 1), (48_000, 6), (16_000, 2)])
def test_any_rate_and_channel_count_becomes_16_khz_mono(tmp_path, write_wav, rate, channels):
    pytest.importorskip("soundfile")
    sound = read_sound(write_wav(tmp_path / "other.wav", rate=rate, channels=channels), longest=10)
    assert sound.seconds == pytest.approx(1.0, abs=0.01)
    loudest = max(abs(value) for value in memoryview(sound.pcm).cast("h"))
    assert 8000 < loudest < 10_000


def test_of_a_long_file_that_is_resampled_only_the_beginning_is_taken(tmp_path, write_wav):
    pytest.importorskip("soundfile")
    sound = read_sound(write_wav(tmp_path / "long.wav", rate=44_100), longest=0.5)
    assert sound.seconds == pytest.approx(0.5, abs=0.01)
    assert sound.cut_from == pytest.approx(1.0, abs=0.01)


def test_other_formats_without_the_extra_get_an_error_that_names_it(tmp_path, write_wav, without_the_extra):
    path = write_wav(tmp_path / "stereo.wav", channels=2)
    with pytest.raises(ConfigError, match=r"pip install 'livebridge\[audio\]'"):
        read_sound(path, longest=10)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no file"),
        (b"", "is empty"),
        (b"this is no sound at all", "cannot be read as a sound file: Format not recognised"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read as a sound file"),
    ],
)
def test_a_file_that_is_no_sound_gets_a_clear_sentence(tmp_path, content, told):
    pytest.importorskip("soundfile")
    path = tmp_path / "thing.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        read_sound(path, longest=10)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_file_without_samples_gets_a_clear_sentence(tmp_path, write_wav, rate):
    pytest.importorskip("soundfile")
    path = write_wav(tmp_path / "none.wav", seconds=0, silence=0, rate=rate)
    with pytest.raises(ConfigError, match="holds no sound"):
        read_sound(path, longest=10)


def test_a_directory_is_no_sound_file(tmp_path):
    with pytest.raises(ConfigError, match="is a directory"):
        read_sound(tmp_path, longest=10)


def test_a_file_that_may_not_be_read_gets_a_clear_sentence(tmp_path, write_wav, monkeypatch):
    path = write_wav(tmp_path / "private.wav")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(builtins, "open", refuse)
    with pytest.raises(ConfigError, match=r"cannot read .*Permission denied"):
        read_sound(path, longest=10)


def test_a_reply_is_a_wav_file_of_its_rate(tmp_path):
    path = tmp_path / "reply.wav"
    write_reply(path, bytes(4800), rate=24_000)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, 24_000, 2400)


def test_a_reply_that_cannot_be_written_gets_a_clear_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot write"):
        write_reply(tmp_path / "nowhere" / "reply.wav", bytes(2), rate=24_000)
