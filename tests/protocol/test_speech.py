import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import AudioDelta, Direction, PlayoutBuffer, TurnNumbers, Utterances, playing_time


def content(**fields):
    return wire.ServerContent(**fields)


def message(**fields):
    return wire.ServerMessage(server_content=content(**fields))


SAYS = {"model_turn": wire.Content(parts=[wire.Part(text="a")])}
CALLS = wire.ServerMessage(tool_call=wire.ToolCall(function_calls=[wire.FunctionCall(id="1")]))


# numbers


def numbers(*messages):
    counter = TurnNumbers()
    return [counter.feed(each) for each in messages]


def test_a_turn_has_one_number_from_its_first_word_to_its_end():
    assert numbers(message(**SAYS), message(**SAYS), message(turn_complete=True), message(**SAYS)) == [
        1,
        1,
        1,
        2,
    ]


def test_an_interruption_raises_the_number_at_once_and_the_end_of_the_cut_turn_does_not_raise_it_again():
    cut = message(interrupted=True)
    assert numbers(message(**SAYS), cut, message(turn_complete=True), message(**SAYS)) == [1, 2, 2, 2]


def test_what_follows_an_interruption_in_the_same_message_belongs_to_what_comes_next():
    assert numbers(message(**SAYS), message(interrupted=True, **SAYS), message(**SAYS)) == [1, 2, 2]


def test_a_turn_in_which_the_model_only_called_a_tool_counts():
    assert numbers(CALLS, message(turn_complete=True), message(**SAYS)) == [1, 1, 2]


def test_an_empty_turn_does_not_count():
    assert numbers(wire.ServerMessage(), message(turn_complete=True), message(**SAYS)) == [1, 1, 1]


def test_a_turn_that_lost_its_connection_ends_there():
    counter = TurnNumbers()
    counter.restart()
    assert counter.feed(message(**SAYS)) == 1
    counter.restart()
    counter.restart()
    assert counter.feed(message(**SAYS)) == 2


# utterances


def says(direction, text="x", *, finished=None):
    name = "input_transcription" if direction is Direction.INPUT else "output_transcription"
    return {name: wire.Transcription(text=text, finished=finished, language_code="en")}


USER, MODEL = says(Direction.INPUT), says(Direction.OUTPUT)


def feed(utterances, now=0.0, **fields):
    over = utterances.feed(content(**fields), now=now, turn=7, epoch=2)
    return [each.direction for each in over]


def test_the_end_of_a_turn_finishes_both_sides_once():
    utterances = Utterances()
    assert feed(utterances, **USER, **MODEL) == []
    assert feed(utterances, turn_complete=True) == [Direction.INPUT, Direction.OUTPUT]
    assert feed(utterances, turn_complete=True) == []
    assert utterances.due is None


def test_an_interruption_finishes_what_the_model_said_only():
    utterances = Utterances()
    feed(utterances, **USER, **MODEL)
    assert feed(utterances, interrupted=True) == [Direction.OUTPUT]
    assert feed(utterances, turn_complete=True) == [Direction.INPUT]


def test_what_the_server_finished_is_not_finished_again():
    utterances = Utterances()
    feed(utterances, **USER)
    feed(utterances, **says(Direction.INPUT, finished=True))
    assert feed(utterances, turn_complete=True) == []


def test_an_utterance_of_which_nothing_more_comes_is_over_after_a_while():
    utterances = Utterances(quiet=3.0)
    feed(utterances, now=10.0, **USER)
    feed(utterances, now=12.0, **USER)
    assert utterances.due == 15.0
    assert utterances.expire(now=14.9) == []
    (over,) = utterances.expire(now=15.0)
    assert (over.direction, over.text, over.finished, over.turn, over.epoch) == ("input", "", True, 7, 2)
    assert over.language_code == "en"
    assert utterances.expire(now=99.0) == []


def test_an_end_without_words_begins_nothing():
    utterances = Utterances()
    feed(utterances, **says(Direction.INPUT, text=""))
    assert utterances.due is None


@given(st.lists(st.sampled_from(["user", "model", "interrupted", "turn", "wait", "end"])))
def test_every_utterance_is_finished_exactly_once(events):
    utterances = Utterances(quiet=1.0)
    open_now = set()
    now = 0.0
    for event in events:
        now += 0.01
        if event == "wait":
            now += 1.0
            over = [each.direction for each in utterances.expire(now=now)]
        elif event == "end":
            over = [each.direction for each in utterances.end()]
        else:
            fields = {"user": USER, "model": MODEL}.get(event) or {
                "interrupted" if event == "interrupted" else "turn_complete": True
            }
            over = feed(utterances, now=now, **fields)
        assert len(over) == len(set(over))
        assert set(over) <= open_now
        open_now -= set(over)
        if event in ("user", "model"):
            open_now.add(Direction.INPUT if event == "user" else Direction.OUTPUT)
        if event in ("turn", "wait", "end"):
            assert open_now == set()


# playout


def piece(turn, seconds=1.0, rate=100):
    return AudioDelta(data=bytes(int(seconds * rate) * 2), rate=rate, turn=turn)


def test_sound_leaves_in_the_order_in_which_it_came():
    buffer = PlayoutBuffer()
    pieces = [piece(1), piece(1, 2.0), piece(2)]
    assert all(buffer.put(each) for each in pieces)
    assert (len(buffer), buffer.seconds) == (3, 4.0)
    assert [buffer.get() for _ in range(4)] == [*pieces, None]
    assert buffer.seconds == 0.0


def test_an_interruption_empties_it_and_keeps_late_pieces_of_the_same_turn_out():
    buffer = PlayoutBuffer()
    buffer.put(piece(1))
    buffer.put(piece(2))
    assert buffer.flush(1) == 1.0
    assert not buffer.put(piece(1, 0.5))
    assert buffer.flushed_seconds == 1.5
    assert buffer.get() == piece(2)


def test_what_does_not_fit_is_given_up_from_its_first_piece_on_and_counted():
    buffer = PlayoutBuffer(max_seconds=2.5)
    assert [buffer.put(piece(1)) for _ in range(3)] == [True, True, False]
    assert not buffer.put(piece(1, 0.1))
    assert buffer.dropped_seconds == pytest.approx(1.1)
    buffer.get()
    assert not buffer.put(piece(1, 0.1))
    assert buffer.put(piece(2))


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_a_buffer_without_room_is_refused(seconds):
    with pytest.raises(ConfigError, match="max_seconds"):
        PlayoutBuffer(max_seconds=seconds)


@given(st.lists(st.tuples(st.sampled_from(["put", "get", "flush"]), st.integers(1, 3), st.floats(0.1, 1.0))))
def test_no_second_of_sound_disappears_uncounted(steps):
    buffer = PlayoutBuffer(max_seconds=2.0)
    put = played = 0.0
    for step, turn, seconds in steps:
        if step == "put":
            delta = piece(turn, seconds)
            put += playing_time(delta)
            buffer.put(delta)
        elif step == "get":
            delta = buffer.get()
            played += 0.0 if delta is None else playing_time(delta)
        else:
            buffer.flush(turn)
        assert buffer.seconds <= 2.0 + 1e-9
        gone = played + buffer.dropped_seconds + buffer.flushed_seconds
        assert put == pytest.approx(gone + buffer.seconds)
