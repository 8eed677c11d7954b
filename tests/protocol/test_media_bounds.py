"""Which media is given up when it waits for too long, and which is kept whatever happens."""

import pytest

from livebridge.protocol import Entry, Kind, Outbox
from livebridge.protocol._media import outside_window, too_late, too_much


def sound(*ages, seconds=1.0, now=100.0):
    return [Entry(1, Kind.AUDIO, b"x" * 10, now - age, seconds) for age in ages]


def picture(age, now=100.0):
    return Entry(1, Kind.VIDEO, b"x" * 10, now - age)


def test_without_a_connection_the_last_seconds_and_the_last_picture_are_kept():
    old, new = picture(9), picture(1)
    audio = sound(5, 4, 3, 2, 1)
    assert outside_window([old, *audio, new], seconds=2.0) == [old, *audio[:3]]


def test_seconds_that_do_not_add_up_in_binary_are_kept_to_the_last():
    audio = sound(*[1] * 10, seconds=0.1)
    assert outside_window(audio, seconds=1.0) == []


def test_sound_is_late_when_there_is_more_of_it_than_may_wait_and_it_has_waited_as_long():
    audio = sound(8, 7, 6, 5, 4, 3, 2, 1)
    assert too_late(audio, now=100.0, seconds=5.0) == audio[:3]


def test_much_sound_at_once_is_no_lag():
    assert too_late(sound(*[1] * 60), now=100.0, seconds=5.0) == []


def test_little_sound_is_kept_however_old_it_is():
    assert too_late(sound(60, 50), now=100.0, seconds=5.0) == []


def test_of_late_pictures_the_newest_is_kept():
    pictures = [picture(9), picture(8), picture(7)]
    assert too_late(pictures, now=100.0, seconds=5.0) == pictures[:2]
    assert too_late([picture(4), picture(3)], now=100.0, seconds=5.0) == []


@pytest.mark.parametrize(("excess", "count"), [(0, 0), (1, 1), (10, 1), (11, 2), (99, 3)])
def test_the_oldest_makes_room(excess, count):
    audio = sound(3, 2, 1)
    assert too_much(audio, excess=excess) == audio[:count]


def lagging(lag=2.0):
    outbox = Outbox(max_media_lag=lag)
    outbox.start_connection()
    return outbox


def test_a_connection_that_does_not_keep_up_lags_by_no_more_than_the_bound_until_it_has_caught_up():
    outbox = lagging()
    entries = [outbox.accept(Kind.AUDIO, b"x", now=float(at), seconds=1.0) for at in range(10)]
    assert [entry.state for entry in entries] == ["dropped"] * 7 + ["accepted"] * 3
    assert outbox.lagging
    assert (outbox.dropped_media, outbox.dropped_media_seconds) == (7, 7.0)
    assert outbox.backlog == 3, "what was given up is gone"
    outbox.take(max_bytes=1)
    outbox.written(now=10.0)
    assert outbox.lagging
    outbox.take()
    outbox.written(now=10.0)
    assert not outbox.lagging


def test_content_is_no_lag_and_is_not_given_up():
    outbox = lagging()
    content = outbox.accept(Kind.CONTENT, b"x", now=0.0)
    audio = outbox.accept(Kind.AUDIO, b"x", now=60.0, seconds=1.0)
    assert (content.state, audio.state, outbox.lagging) == ("accepted", "accepted", False)


def test_without_a_bound_media_waits_for_ever():
    outbox = lagging(None)
    for at in range(100):
        outbox.accept(Kind.AUDIO, b"x", now=float(at), seconds=1.0)
    assert (outbox.pending, outbox.lagging) == (100, False)


def test_what_is_written_again_is_no_lag():
    outbox = Outbox(max_media_lag=2.0, transparent=True)
    outbox.start_connection()
    for at in range(10):
        outbox.accept(Kind.AUDIO, b"x", now=float(at), seconds=1.0)
        outbox.take()
        outbox.written(now=float(at))
    assert len(outbox.connection_lost().replayed) == 10
    outbox.start_connection()
    outbox.accept(Kind.AUDIO, b"x", now=60.0, seconds=1.0)
    assert (outbox.pending, outbox.lagging) == (11, False)


def test_a_new_connection_has_not_lagged_yet():
    outbox = lagging(1.0)
    for at in range(5):
        outbox.accept(Kind.AUDIO, b"x", now=float(at), seconds=1.0)
    assert outbox.lagging
    outbox.connection_lost()
    outbox.start_connection()
    assert not outbox.lagging


def test_a_signal_can_be_accepted_ahead_of_media_and_signals_but_not_of_content():
    outbox = Outbox(max_messages=1)
    kinds = [Kind.CONTENT, Kind.AUDIO, Kind.SIGNAL]
    for kind in kinds:
        outbox.accept(kind, b"old", now=0.0, beyond=True)
    ahead = outbox.accept_ahead(b"new", now=0.0)
    outbox.start_connection()
    assert [entry.payload for entry in outbox.take()] == [b"old", b"new", b"old", b"old"]
    assert ahead.index == 2


def test_where_nothing_waits_that_it_belongs_before_it_comes_last():
    outbox = Outbox()
    outbox.accept(Kind.CONTENT, b"old", now=0.0)
    outbox.accept_ahead(b"new", now=0.0)
    assert [entry.payload for entry in outbox.take()] == [b"old", b"new"]
