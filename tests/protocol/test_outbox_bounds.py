"""What an outbox may give up, what it may not, and what it tells those who wait."""

import pytest

from livebridge.errors import OutboxFullError
from livebridge.protocol import Kind, Outbox
from livebridge.protocol import _outbox as module


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, "MAX_LEDGER_MESSAGES", 2)


def connected(**options):
    outbox = Outbox(**options)
    outbox.start_connection()
    return outbox


def write(outbox, *kinds, seconds=0.1):
    entries = [outbox.accept(kind, b"x", now=0.0, seconds=seconds) for kind in kinds]
    outbox.take()
    outbox.written(now=0.0)
    return entries


@pytest.mark.parametrize("transparent", [True, False])
def test_what_is_forgotten_for_want_of_room_is_no_longer_waited_for(small, transparent):
    outbox = connected(transparent=transparent)
    kind = Kind.AUDIO if transparent else Kind.CONTENT
    entries = write(outbox, *[kind] * 3)
    assert [entry.state for entry in entries] == ["dropped", "written", "written"]
    assert outbox.lossy


def test_without_acknowledgements_sound_does_not_stay_in_the_ledger(small):
    outbox = connected()
    write(outbox, *[Kind.AUDIO] * 5)
    assert outbox.unacknowledged == 0
    assert not outbox.lossy


def test_a_full_ledger_keeps_content_back_but_nothing_that_the_server_waits_for(small):
    outbox = connected(transparent=True)
    write(outbox, *[Kind.CONTENT] * 3)
    assert not outbox.has_room(1)
    with pytest.raises(OutboxFullError):
        outbox.accept(Kind.CONTENT, b"x", now=0.0)
    for kind in (Kind.TOOL, Kind.SIGNAL):
        assert outbox.has_room(1, kind)
        outbox.accept(kind, b"x", now=0.0)
    assert [entry.kind for entry in outbox.take()] == [Kind.TOOL, Kind.SIGNAL]
    outbox.written(now=0.0)
    assert outbox.unacknowledged == 5
    outbox.covered(5, now=0.0)
    assert outbox.has_room(1)
    assert not outbox.lossy


def test_the_bounds_of_what_waits_hold_for_answers_of_tools_too():
    outbox = connected(transparent=True, max_messages=2)
    outbox.accept(Kind.TOOL, b"x", now=0.0)
    outbox.accept(Kind.TOOL, b"x", now=0.0)
    assert not outbox.has_room(1, Kind.TOOL)


def test_signals_do_not_expire():
    outbox = Outbox()
    kinds = [Kind.CONTENT, Kind.SIGNAL, Kind.TOOL]
    entries = [outbox.accept(kind, b"x", now=0.0) for kind in kinds]
    assert outbox.expire(now=121.0, max_age=120.0) == [entries[0], entries[2]]
    assert [entry.state for entry in entries] == ["dropped", "accepted", "dropped"]
    outbox.start_connection()
    assert outbox.take() == [entries[1]]


def test_a_seed_counts_as_a_message():
    outbox = Outbox(transparent=True)
    outbox.start_connection(first_index=2)
    first, second = write(outbox, Kind.CONTENT, Kind.CONTENT)
    assert (first.index, second.index) == (2, 3)
    assert outbox.covered(2, now=0.0)
    assert (first.state, second.state) == ("acked", "written")
    outbox.connection_lost()
    outbox.start_connection()
    assert [entry.index for entry in outbox.take()] == [1]


@pytest.mark.parametrize(
    ("index", "possible"), [(None, True), (0, True), (2, True), (3, False), (10**30, False)]
)
def test_an_index_beyond_what_was_sent_is_noticed_and_means_all_of_it(index, possible):
    outbox = connected(transparent=True)
    write(outbox, Kind.CONTENT, Kind.CONTENT)
    assert outbox.covered(index, now=0.0) is possible
    assert outbox.unacknowledged == (0 if (index or 0) >= 2 else 2)


def test_what_was_written_is_written_again_whatever_conversation_the_next_connection_is():
    outbox = connected(transparent=True)
    entries = write(outbox, Kind.CONTENT, Kind.SIGNAL)
    assert outbox.connection_lost().replayed == tuple(entries)
    outbox.start_connection()
    assert outbox.take() == entries


def test_what_is_asked_again_goes_before_what_waits():
    outbox = connected()
    (asked,) = write(outbox, Kind.CONTENT)
    outbox.connection_lost()
    assert asked.state == "dropped"
    waiting = outbox.accept(Kind.CONTENT, b"y", now=0.0)
    outbox.requeue(asked)
    outbox.start_connection()
    assert outbox.undelivered == 2
    assert outbox.take() == [asked, waiting]
    outbox.written(now=0.0)
    assert outbox.is_idle


def test_media_that_waits_can_be_given_up_alone():
    outbox = Outbox()
    entries = [outbox.accept(kind, b"x", now=0.0) for kind in (Kind.AUDIO, Kind.CONTENT, Kind.VIDEO)]
    assert outbox.drop_media() == [entries[0], entries[2]]
    outbox.start_connection()
    assert outbox.take() == [entries[1]]


def test_a_smaller_message_takes_less_room():
    outbox = connected(max_bytes=10)
    entry = outbox.accept(Kind.TOOL, b"x" * 10, now=0.0)
    other = outbox.accept_ahead(b"start", now=0.0)
    outbox.withdraw(other)
    assert not outbox.has_room(1)
    outbox.amend(entry, b"x" * 4)
    assert outbox.has_room(6)
    assert outbox.is_waiting(entry)


def test_what_was_written_is_waited_for_in_vain_once_everything_is_given_up():
    outbox = connected()
    (written,) = write(outbox, Kind.CONTENT)
    waiting = outbox.accept(Kind.CONTENT, b"y", now=0.0)
    assert outbox.abandon() == [waiting]
    assert written.state == "dropped"
    assert outbox.unacknowledged == 0
