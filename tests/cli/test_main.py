import subprocess
import sys

import pytest

import livebridge
from livebridge.cli import main
from livebridge.cli._parser import COMMANDS
from livebridge.errors import CredentialsError, SessionFailedError


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["dmeo"], "there is no command 'dmeo'; did you mean demo?"),
        (["converse"], "there is no command 'converse'; there are chaos, chat, demo"),
        (["demo", "--audoi", "x"], "livebridge demo has no option --audoi; did you mean --audio?"),
        (["simulate", "--prot=3"], "livebridge simulate has no option --prot=3; did you mean --port?"),
        (["--verison"], "livebridge has no option --verison; did you mean --version?"),
        (["chat", "hello"], "livebridge chat has no argument hello"),
        (["simulate", "--port", "99999"], "argument --port: 99999 is not between 0 and 65535"),
        (["simulate", "--port", "http"], "argument --port: 'http' is no number"),
        (["chat", "--simulate", "--vertex"], "not allowed with argument --simulate"),
        (["chat", "--project", "x"], "--project and --location belong to --vertex"),
        (["chat", "--simulate", "--base-url", "http://x"], "--simulate brings its own server"),
        (["chat"], "no API key was found: set GEMINI_API_KEY"),
        (["demo", "--audio", "/no/such.wav"], "there is no file /no/such.wav"),
        (["demo", "--out", "/no/such/dir/x.wav"], "there is no directory /no/such/dir"),
        (["demo", "--out", "/"], "--out / is a directory"),
        (["simulate", "--brain", "/no/brain.py"], "--brain: there is no file /no/brain.py"),
        (["simulate", "--faults", "/no/chaos.toml"], "--faults: there is no file /no/chaos.toml"),
        (["simulate", "--replay", "/no/log"], "--replay: there is no file /no/log"),
        (["simulate", "--replay", "x", "--brain", "y"], "--brain and --faults have no say in it"),
        (["record"], "the following arguments are required: FILE"),
        (["record", "/no/such/log"], "cannot write the log /no/such/log"),
        (["record", "/"], "/ is there already; --force replaces it"),
        (["record", "/no/log", "--simulate", "--upstream", "http://x"], "--simulate brings its own server"),
        (["record", "/no/log", "--upstream", "x"], "expected a base URL"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(argv, told, capsys):
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("livebridge: ")
    assert told in captured.err


def test_no_command_shows_the_help_and_is_wrong_usage(capsys):
    assert main([]) == 2
    assert "livebridge demo" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_names_examples_and_is_no_failure(argv, capsys):
    assert main(argv) == 0
    help_text = capsys.readouterr().out
    assert "examples:" in help_text
    assert all(len(line) <= 115 for line in help_text.splitlines())


def test_the_version_is_the_package_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"livebridge {livebridge.__version__}\n"


def test_an_interrupted_command_has_the_status_shells_expect(monkeypatch):
    def interrupt(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr("livebridge.cli._program._run", interrupt)
    assert main([]) == 130


def test_a_session_that_fails_is_one_sentence_and_status_1(monkeypatch, capsys):
    monkeypatch.setenv("GEMINI_API_KEY", "some-key")
    assert main(["chat", "--base-url", "http://127.0.0.1:9"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("livebridge: ")
    assert "127.0.0.1:9" in told
    assert "some-key" not in told


def test_python_m_livebridge_is_the_same_program():
    ran = subprocess.run(
        [sys.executable, "-m", "livebridge", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"livebridge {livebridge.__version__}\n"


def test_a_reader_that_stops_reading_is_no_failure():
    with subprocess.Popen(
        [sys.executable, "-m", "livebridge", "demo", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0


@pytest.mark.parametrize("command", ["chat", "models"])
def test_missing_google_credentials_have_one_status_everywhere(command, typed, monkeypatch, capsys):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
    typed("")
    assert main([command, "--vertex", "--project", "p"]) == 2
    assert "cannot find application default credentials" in capsys.readouterr().err


def test_credentials_that_could_not_be_had_just_now_are_no_wrong_usage(monkeypatch, capsys):
    class UnavailableError(CredentialsError):
        retryable = True

    def unavailable(argv):
        raise SessionFailedError("no session") from UnavailableError("no network")

    monkeypatch.setattr("livebridge.cli._program.parse", unavailable)
    assert main(["chat"]) == 1
    assert capsys.readouterr().err == "livebridge: no session\n"
