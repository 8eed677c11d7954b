import os
import signal
import subprocess
import sys
import time
import wave

import pytest

from livebridge.cli import main
from livebridge.cli._demo import REPLY_NAME, _reply_path
from livebridge.simulator import ToneVoice


def rows(text):
    """(label, text) of every row with a time."""
    found = []
    for line in text.splitlines():
        if line[6:9] == " s ":
            found.append((line[10:23].strip(), line[23:]))
    return found


def reply(path):
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        return ToneVoice.decode(file.readframes(file.getnframes()))


def test_the_demo_shows_a_whole_conversation(tmp_path, capsys):
    out = tmp_path / "reply.wav"
    began = time.monotonic()
    assert main(["demo", "--out", str(out)]) == 0
    assert time.monotonic() - began < 30
    text = capsys.readouterr().out
    shown = rows(text)
    labels = [label for label, _ in shown]
    assert next(words for label, words in shown if label == "activity").startswith("speech began")
    assert ("you said", "What is the weather in Lisbon today?") in shown
    assert ("tool call", "get_weather(city='Lisbon')") in shown
    answers = [words for label, words in shown if label == "model"]
    assert answers[0].startswith("In Lisbon it is ")
    assert answers[1] == "You said: What is the weather in Lisbon today?"
    assert labels.index("tool call") < labels.index("tool answer") < labels.index("model")
    assert labels.index("go away") < labels.index("resumed")
    assert any(words.startswith("resumed on connection 2") for label, words in shown if label == "resumed")
    assert "usage" in labels
    assert "error" not in labels
    assert str(out) in text
    assert reply(out) == "".join(answers)


def test_a_recording_of_the_users_own_is_answered_honestly(tmp_path, write_wav, capsys):
    pytest.importorskip("soundfile")
    out = tmp_path / "reply.wav"
    recording = write_wav(tmp_path / "me.wav", rate=44_100, channels=2)
    assert main(["demo", "--audio", str(recording), "--out", str(out)]) == 0
    shown = rows(capsys.readouterr().out)
    assert any(label == "model" and "could not make out the words" in words for label, words in shown)
    assert any(label == "resumed" for label, _ in shown)
    assert "could not make out" in reply(out)


def test_silence_is_said_to_be_silence(tmp_path, write_wav, capsys):
    out = tmp_path / "reply.wav"
    assert main(["demo", "--audio", str(write_wav(tmp_path / "s.wav", amplitude=0)), "--out", str(out)]) == 0
    assert ("activity", "no speech was heard in this recording") in rows(capsys.readouterr().out)
    assert reply(out) == "You have not said anything before."


@pytest.mark.parametrize("moment", ["livebridge demo", "speech began", "model"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_demo_at_any_moment_without_leftovers(tmp_path, moment, number):
    command = [sys.executable, "-m", "livebridge", "demo", "--out", str(tmp_path / "reply.wav")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as demo:
        while moment not in demo.stdout.readline():
            pass
        demo.send_signal(number)
        _, complaints = demo.communicate(timeout=20)
    assert demo.returncode == 128 + number
    assert complaints == ""
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_does_not_end_is_stopped(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("livebridge.cli._demo.ALL_SECONDS", 0.5)
    assert main(["demo", "--out", str(tmp_path / "reply.wav")]) == 1
    assert ("error", "the demo was not over after 0 s and was stopped") in rows(capsys.readouterr().out)


def test_the_reply_goes_to_the_current_directory_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _reply_path(None) == tmp_path / REPLY_NAME


def test_the_demo_with_a_crash_shows_a_bot_that_comes_back_in_its_conversation(capsys):
    assert main(["demo", "--crash"]) == 0
    shown = rows(capsys.readouterr().out)
    ready = [text.split(",")[0] for label, text in shown if label == "ready"]
    assert ready == ["new", "resumed"]
    assert ("model", "Your name is Ada.") in shown
    assert any("restart 1" in text for label, text in shown if label == "supervisor")
    assert len({text for label, text in shown if label == "ready"}) == 2
