import io
import re

import pytest

from livebridge.cli._console import Console, wants_color


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Gone(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def test_rows_have_a_time_a_label_and_a_text():
    stream = io.StringIO()
    Console(color=False, stream=stream).row("status", "ready")
    assert re.fullmatch(r" +\d+\.\d\d s  status       ready\n", stream.getvalue())


def test_pieces_of_one_label_share_a_row():
    stream = io.StringIO()
    console = Console(color=False, stream=stream)
    for piece in (" Hello", " there", "!"):
        console.piece("model", piece)
    console.piece("you said", "Hi")
    console.line("end")
    texts = [line.split("s  ", 1)[-1] for line in stream.getvalue().splitlines()]
    assert texts == ["model        Hello there!", "you said     Hi", "end"]


def test_colours_are_escape_sequences_around_the_label():
    stream = io.StringIO()
    console = Console(color=True, stream=stream)
    console.row("error", "no")
    assert "\x1b[1;31merror" in stream.getvalue()
    assert console.strong("x") == "\x1b[1mx\x1b[0m"


def test_a_reader_that_went_away_is_no_error():
    console = Console(color=False, stream=Gone())
    console.row("status", "ready")
    console.row("status", "closing")
    assert console.strong("x") == "x"


@pytest.mark.parametrize(
    ("choice", "environment", "stream", "expected"),
    [
        (None, {}, Terminal(), True),
        (None, {}, io.StringIO(), False),
        (None, {"NO_COLOR": "1"}, Terminal(), False),
        (None, {"TERM": "dumb"}, Terminal(), False),
        (True, {"NO_COLOR": "1"}, io.StringIO(), True),
        (False, {}, Terminal(), False),
    ],
)
def test_colours_are_chosen_by_option_then_environment_then_terminal(
    monkeypatch, choice, environment, stream, expected
):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(stream, choice) is expected
