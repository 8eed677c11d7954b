import re

import pytest

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import StallPolicy, client_content, expects_answer, realtime_input
from livebridge.protocol import _stall as module
from livebridge.protocol._stall import RUNNING, SPEAKING, TABLE, Sign, Standing


def drawing() -> dict[tuple[str, str], str]:
    """The table in the docstring, as (standing, sign) to standing."""
    lines = [line.split() for line in module.__doc__.splitlines() if line.startswith("    ")]
    rows = [line for line in lines if len(line) == 1 + len(Standing) and "--after-->" not in line]
    standings = rows[0][1:]
    return {
        (before, row[0]): before if after == "." else after
        for row in rows[1:]
        for before, after in zip(standings, row[1:], strict=True)
    }


def test_the_drawing_and_the_table_agree():
    table = {
        (before.value, sign.value): TABLE[before].get(sign, before).value
        for before in Standing
        for sign in Sign
    }
    assert drawing() == table


def test_every_standing_has_a_row():
    assert set(TABLE) == set(Standing)
    assert set(Standing) == RUNNING | SPEAKING | {Standing.IDLE, Standing.ANSWERING}


def test_the_ladder_in_the_docstring_is_the_default():
    drawn = re.findall(r"--after--> (\w+)", module.__doc__)
    assert tuple(drawn) == StallPolicy().steps


@pytest.mark.parametrize(
    "options", [{"after": 0}, {"after": -1.0}, {"unsure_after": 0}, {"steps": ("evnt",)}]
)
def test_a_policy_that_makes_no_sense_is_refused(options):
    with pytest.raises(ConfigError):
        StallPolicy(**options)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (client_content("hello"), True),
        (client_content("hello", turn_complete=False), False),
        (client_content(), True),
        (realtime_input(text="hello"), True),
        (realtime_input(activity_end=True), True),
        (realtime_input(audio_stream_end=True), False),
        (realtime_input(activity_start=True), False),
        (realtime_input(audio=b"\0\0"), False),
        (wire.ClientMessage(tool_response=wire.ToolResponse()), False),
    ],
)
def test_what_asks_for_a_turn(message, expected):
    assert expects_answer(message) is expected
