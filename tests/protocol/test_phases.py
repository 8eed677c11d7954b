import re

import pytest

from livebridge.protocol import CONNECTED, ENDED, ENDING, PHASES, Event, Phase, follow
from livebridge.protocol import _phases as module


def test_every_phase_has_a_row():
    assert set(PHASES) == set(Phase)


def test_the_drawing_and_the_table_agree():
    drawn = set(re.findall(r"^    (\w+) +--([\w ]+)--> +(\w+)$", module.__doc__, re.MULTILINE))
    table = {
        (phase.value, event.value, after.value)
        for phase, row in PHASES.items()
        for event, after in row.items()
        if event not in (Event.CLOSE, Event.CLOSED)
    }
    assert drawn - {("closing", "closed", "closed")} == table


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in ENDED])
def test_close_leads_to_closing_and_closed_ends_everything(phase):
    assert follow(phase, Event.CLOSE) is Phase.CLOSING
    assert follow(phase, Event.CLOSED) is Phase.CLOSED


@pytest.mark.parametrize("phase", sorted(ENDED))
def test_an_ended_session_stays_ended(phase):
    assert PHASES[phase] == {}
    with pytest.raises(KeyError):
        follow(phase, Event.DIAL)


def test_the_sets_of_phases_are_what_their_names_say():
    assert {Phase.READY, Phase.GOAWAY} == CONNECTED
    assert ENDED < ENDING
    assert all(phase.status.value in {"disconnected", "closing"} for phase in ENDING)
