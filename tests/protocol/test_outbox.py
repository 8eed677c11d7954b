import pytest

from livebridge.errors import OutboxFullError
from livebridge.protocol import Kind, Outbox
from livebridge.protocol import _outbox as module


def accept(outbox: Outbox, *kinds: Kind, seconds: float = 0.1) -> list:
    return [
        outbox.accept(kind, kind.value.encode(), now=0.0, seconds=seconds if kind is Kind.AUDIO else 0.0)
        for kind in kinds
    ]


def connected(**options) -> Outbox:
    outbox = Outbox(**options)
    outbox.start_connection()
    return outbox


def test_everything_is_written_in_the_order_of_acceptance():
    outbox = connected()
    accept(outbox, Kind.SIGNAL, Kind.AUDIO, Kind.CONTENT, Kind.AUDIO, Kind.TOOL, Kind.VIDEO, Kind.SIGNAL)
    assert [entry.kind for entry in outbox.take()] == [
        Kind.SIGNAL, Kind.AUDIO, Kind.CONTENT, Kind.AUDIO, Kind.TOOL, Kind.VIDEO, Kind.SIGNAL,
    ]  # fmt: skip


def test_a_batch_is_bounded_in_bytes_but_never_empty():
    outbox = connected()
    for _ in range(3):
        outbox.accept(Kind.CONTENT, b"x" * 40, now=0.0)
    assert len(outbox.take(max_bytes=100)) == 2
    assert len(outbox.take(max_bytes=10)) == 1
    assert outbox.take() == []
    assert not outbox.is_idle
    outbox.written(now=0.0)
    assert outbox.is_idle


def test_content_is_refused_when_there_is_no_room_but_media_never():
    outbox = connected(max_messages=2)
    accept(outbox, Kind.CONTENT, Kind.TOOL)
    with pytest.raises(OutboxFullError, match="2 messages"):
        accept(outbox, Kind.CONTENT)
    accept(outbox, Kind.AUDIO)
    assert outbox.pending == 3
    outbox.take()
    outbox.written(now=0.0)
    accept(outbox, Kind.CONTENT)


def test_a_message_larger_than_the_bound_is_accepted_alone():
    outbox = connected(max_bytes=10)
    outbox.accept(Kind.CONTENT, b"x" * 50, now=0.0)
    assert not outbox.has_room(1)


def test_invariant_29_media_without_a_connection_is_a_window():
    outbox = Outbox(media_buffer=1.0)
    entries = accept(outbox, *[Kind.AUDIO] * 30)
    kept = [entry for entry in entries if entry.state == "accepted"]
    assert kept == entries[-10:]
    assert outbox.dropped_media == 20
    assert outbox.dropped_media_seconds == pytest.approx(2.0)


def test_signals_are_never_dropped_and_only_the_newest_picture_is_kept():
    outbox = Outbox(media_buffer=0.0)
    entries = accept(outbox, Kind.SIGNAL, Kind.VIDEO, Kind.AUDIO, Kind.VIDEO, Kind.SIGNAL)
    assert [entry.state for entry in entries] == ["accepted", "dropped", "dropped", "accepted", "accepted"]
    outbox.start_connection()
    assert [entry.kind for entry in outbox.take()] == [Kind.SIGNAL, Kind.VIDEO, Kind.SIGNAL]


def test_media_is_bounded_in_bytes_while_connected(monkeypatch):
    monkeypatch.setattr(module, "MAX_MEDIA_BYTES", 100)
    outbox = connected()
    entries = [outbox.accept(Kind.AUDIO, b"x" * 40, now=0.0, seconds=1.0) for _ in range(4)]
    assert [entry.state for entry in entries] == ["dropped", "dropped", "accepted", "accepted"]


def test_losing_the_connection_prunes_media_to_the_window():
    outbox = connected(media_buffer=0.2)
    accept(outbox, *[Kind.AUDIO] * 5)
    lost = outbox.connection_lost()
    assert len(lost.dropped) == 3


def test_what_was_in_flight_is_written_again():
    outbox = connected()
    accept(outbox, Kind.CONTENT)
    first = outbox.take()
    assert first[0].index == 1
    lost = outbox.connection_lost()
    assert lost.uncertain == ()
    outbox.start_connection()
    assert outbox.take() == first
    assert first[0].index == 1


def written(outbox, *kinds, now=0.0, reply="none"):
    entries = accept(outbox, *kinds)
    for entry in entries:
        if entry.kind is Kind.CONTENT:
            entry.reply = reply
    outbox.take()
    outbox.written(now=now)
    return entries


def test_without_acknowledgements_what_was_written_since_the_handle_is_uncertain():
    outbox = connected()
    (covered,) = written(outbox, Kind.CONTENT, reply="turn")
    assert outbox.has_uncovered_content
    outbox.turn_completed()
    outbox.covered(None, now=1.0)
    assert covered.state == "acked"
    assert not outbox.has_uncovered_content
    later = written(outbox, Kind.CONTENT, Kind.AUDIO)
    lost = outbox.connection_lost()
    assert lost.uncertain == (later[0],)
    assert lost.replayed == ()
    assert outbox.is_idle


def test_a_handle_after_a_turn_covers_what_asked_for_it_and_not_what_was_written_meanwhile():
    outbox = connected()
    first, context, second = accept(outbox, Kind.CONTENT, Kind.CONTENT, Kind.CONTENT)
    first.reply = second.reply = "turn"
    outbox.take()
    outbox.written(now=0.0)
    outbox.turn_completed()
    outbox.covered(None, now=1.0)
    assert [first.state, context.state, second.state] == ["acked", "written", "written"]
    outbox.turn_completed()
    outbox.covered(None, now=2.0)
    assert outbox.unacknowledged == 0


def test_two_turns_cover_two_messages_that_asked_for_one():
    outbox = connected()
    entries = written(outbox, Kind.CONTENT, Kind.CONTENT, Kind.CONTENT, reply="turn")
    outbox.turn_completed()
    outbox.turn_completed()
    outbox.covered(None, now=1.0)
    assert [entry.state for entry in entries] == ["acked", "acked", "written"]


def test_a_turn_proves_nothing_of_what_was_written_after_it_came():
    outbox = connected()
    (first,) = written(outbox, Kind.CONTENT, reply="turn")
    outbox.turn_completed()
    outbox.turn_completed()
    (second,) = written(outbox, Kind.CONTENT, reply="turn")
    outbox.covered(None, now=1.0)
    assert [first.state, second.state] == ["acked", "written"]


def test_a_turn_that_waited_for_the_answer_of_a_tool_proves_that_it_was_read():
    outbox = connected()
    question, answer = written(outbox, Kind.CONTENT, Kind.TOOL, reply="turn")
    outbox.turn_completed()
    outbox.covered(None, now=1.0)
    assert [question.state, answer.state] == ["acked", "acked"]
    (late,) = written(outbox, Kind.TOOL)
    outbox.covered(None, now=2.0)
    assert late.state == "written"


@pytest.mark.parametrize("cut_in", [False, True])
def test_also_among_sound_a_whole_turn_proves_that_the_answer_it_waited_for_was_read(cut_in):
    outbox = connected()
    sound, context, answer = written(outbox, Kind.AUDIO, Kind.CONTENT, Kind.TOOL)
    outbox.turn_completed(whole=not cut_in)
    outbox.covered(None, now=1.0)
    expected = "written" if cut_in else "acked"
    assert [context.state, answer.state] == [expected] * 2
    assert sound.state == "written"


def unclear(outbox, doubt):
    """Write something that may bring about a turn of its own."""
    (entry,) = accept(outbox, doubt)
    if doubt is Kind.TOOL:
        entry.reply = "perhaps"
    outbox.take()
    outbox.written(now=0.0)


@pytest.mark.parametrize("doubt", [Kind.AUDIO, Kind.TOOL])
def test_among_what_may_bring_about_turns_of_its_own_only_time_proves_that_a_message_was_read(doubt):
    outbox = connected()
    unclear(outbox, doubt)
    outbox.covered(None, now=0.0)
    (entry,) = written(outbox, Kind.CONTENT, reply="turn")
    outbox.turn_completed()
    outbox.covered(None, now=4.9)
    assert entry.state == "written"
    unclear(outbox, doubt)
    outbox.turn_completed()
    outbox.covered(None, now=5.0)
    assert entry.state == "acked"


def test_once_the_doubt_is_two_handles_old_turns_prove_something_again():
    outbox = connected()
    unclear(outbox, Kind.AUDIO)
    outbox.covered(None, now=1.0)
    outbox.covered(None, now=2.0)
    (entry,) = written(outbox, Kind.CONTENT, now=2.0, reply="turn")
    outbox.turn_completed()
    outbox.covered(None, now=3.0)
    assert entry.state == "acked"


@pytest.mark.parametrize(("reply", "seconds"), [("none", 5.0), ("turn", 30.0)])
def test_a_handle_covers_without_a_turn_what_was_written_long_before(reply, seconds):
    outbox = connected()
    (entry,) = written(outbox, Kind.CONTENT, reply=reply)
    outbox.covered(None, now=seconds - 0.1)
    assert entry.state == "written"
    outbox.covered(None, now=seconds)
    assert entry.state == "acked"


def test_the_first_handle_of_a_connection_does_not_cover_what_was_just_written():
    outbox = connected()
    outbox.turn_completed()
    outbox.connection_lost()
    outbox.start_connection()
    (entry,) = written(outbox, Kind.CONTENT, reply="turn")
    outbox.covered(None, now=0.1)
    assert outbox.connection_lost().uncertain == (entry,)


def test_uncertain_messages_are_written_again_if_asked_for():
    outbox = connected(replay_uncertain=True)
    entry, *_ = accept(outbox, Kind.CONTENT)
    outbox.take()
    outbox.written(now=0.0)
    assert outbox.connection_lost().replayed == (entry,)
    outbox.start_connection()
    assert outbox.take() == [entry]


def test_a_message_replayed_twice_is_counted_once():
    outbox = connected(transparent=True, max_messages=1)
    accept(outbox, Kind.CONTENT)
    for _ in range(3):
        outbox.take()
        outbox.written(now=0.0)
        outbox.connection_lost()
        outbox.start_connection()
        outbox.take()
        outbox.connection_lost()
        outbox.start_connection()
    outbox.take()
    outbox.written(now=0.0)
    assert outbox._messages == 0
    assert outbox._bytes == 0


def test_sound_is_replayed_too_where_the_server_acknowledges_by_index():
    outbox = connected(transparent=True)
    (entry,) = accept(outbox, Kind.AUDIO)
    outbox.take()
    outbox.written(now=0.0)
    assert outbox.connection_lost().replayed == (entry,)
    outbox.start_connection()
    assert outbox.take() == [entry]


def test_a_missing_index_acknowledges_nothing():
    outbox = connected(transparent=True)
    accept(outbox, Kind.CONTENT, Kind.CONTENT)
    outbox.take()
    outbox.written(now=0.0)
    outbox.covered(None, now=0.0)
    assert outbox.unacknowledged == 2
    outbox.covered(1, now=0.0)
    assert outbox.unacknowledged == 1
    outbox.covered(99, now=0.0)
    assert outbox.unacknowledged == 0


def test_old_messages_are_given_up_and_reported():
    outbox = Outbox()
    old = outbox.accept(Kind.CONTENT, b"old", now=0.0)
    new = outbox.accept(Kind.CONTENT, b"new", now=50.0)
    assert outbox.expire(now=121.0, max_age=120.0) == [old]
    assert old.state == "dropped"
    outbox.start_connection()
    assert outbox.take() == [new]


def test_giving_up_media_leaves_the_rest():
    outbox = connected()
    entries = accept(outbox, Kind.AUDIO, Kind.CONTENT, Kind.VIDEO)
    assert outbox.drop_media() == [entries[0], entries[2]]
    assert outbox.take() == [entries[1]]


def test_abandoning_returns_everything_that_was_not_written():
    outbox = connected()
    entries = accept(outbox, Kind.CONTENT, Kind.AUDIO)
    outbox.take(max_bytes=1)
    assert outbox.unsent() == entries
    assert outbox.abandon() == entries
    assert outbox.is_idle
    assert all(entry.state == "dropped" for entry in entries)


def test_an_observer_hears_of_every_change():
    outbox = connected()
    entry = outbox.accept(Kind.CONTENT, b"x", now=0.0)
    seen = []
    entry.observer = lambda entry: seen.append(entry.state)
    outbox.take()
    outbox.written(now=0.0)
    outbox.covered(None, now=60.0)
    assert seen == ["written", "acked"]


def test_what_a_store_should_keep_is_everything_that_no_handle_covers():
    outbox = connected()
    entries = accept(outbox, Kind.CONTENT, Kind.TOOL, Kind.CONTENT)
    outbox.take(max_bytes=1)
    outbox.written(now=0.0)
    outbox.take(max_bytes=1)
    assert list(outbox.unsettled()) == entries


def test_the_ledger_gives_up_media_first_and_says_that_it_is_lossy(monkeypatch):
    monkeypatch.setattr(module, "MAX_LEDGER_MESSAGES", 2)
    outbox = connected(transparent=True)
    entries = accept(outbox, Kind.CONTENT, Kind.AUDIO, Kind.CONTENT)
    outbox.take()
    outbox.written(now=0.0)
    assert outbox.lossy
    assert list(outbox.unsettled()) == [entries[0], entries[2]]


def test_a_full_ledger_of_content_makes_senders_wait_and_forgets_nothing(monkeypatch):
    monkeypatch.setattr(module, "MAX_LEDGER_MESSAGES", 1)
    outbox = connected(transparent=True)
    accept(outbox, Kind.CONTENT, Kind.CONTENT)
    outbox.take()
    outbox.written(now=0.0)
    assert outbox.unacknowledged == 2
    assert not outbox.has_room(1)
    outbox.covered(1, now=0.0)
    assert outbox.has_room(1)


def test_without_acknowledgements_the_ledger_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(module, "MAX_LEDGER_BYTES", 10)
    outbox = connected()
    accept(outbox, Kind.CONTENT, Kind.CONTENT)
    outbox.take()
    outbox.written(now=0.0)
    assert outbox.unacknowledged == 1
    assert outbox.lossy


def test_what_is_asked_again_is_written_before_everything_that_waits():
    outbox = connected()
    first, second = written(outbox, Kind.CONTENT, Kind.CONTENT)
    outbox.connection_lost()
    (waiting,) = accept(outbox, Kind.CONTENT)
    for entry in (second, first):
        outbox.requeue(entry)
    assert outbox.undelivered == 3
    outbox.start_connection()
    assert outbox.take() == [first, second, waiting]
    outbox.written(now=1.0)
    assert (outbox.undelivered, outbox.unacknowledged) == (0, 3)
