"""Who has the floor: what is known of speech, by what the server tells and by what it does not."""

import math

import pytest

from livebridge.protocol import Entry, Kind, LiveConfig
from livebridge.session._floor import BOUNDARY, LISTEN, UNANSWERED, Floor
from livebridge.session._frames import SILENCE, STREAM_END

MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}


def sound(seconds, payload=b"{}"):
    return Entry(1, Kind.AUDIO, payload, 0.0, seconds)


def free(floor, now, since=0.0):
    return floor.free_at(since) <= now


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, (False, False, False)),
        ({"realtime_input_config": {}}, (False, False, False)),
        (MANUAL, (True, False, False)),
        ({"explicit_vad_signal": True}, (False, True, False)),
        ({"input_audio_transcription": {}}, (False, False, True)),
    ],
)
def test_what_the_server_will_tell_is_read_from_the_configuration(config, found):
    floor = Floor.of(LiveConfig.from_user(config))
    assert (floor.manual, floor.signals, floor.transcribes) == found


def test_where_nothing_was_said_the_floor_is_free():
    assert free(Floor(), 0.0)


def test_an_open_activity_holds_the_floor_and_its_end_asks_for_an_answer():
    floor = Floor(manual=True)
    floor.begin_activity()
    assert floor.free_at(0.0) == math.inf
    floor.end_activity(5.0)
    assert floor.free_at(0.0) == 5.0 + UNANSWERED
    floor.turn_ended(7.0)
    assert free(floor, 7.0)


def test_sound_outside_of_an_activity_is_no_speech():
    floor = Floor(manual=True)
    floor.wrote([sound(10.0)], 0.0)
    assert free(floor, 0.0)


def test_speech_that_the_server_hears_holds_the_floor_until_it_is_answered():
    floor = Floor()
    floor.speech(1.0, begins=True)
    assert floor.free_at(0.0) == math.inf
    floor.speech(2.0, begins=False)
    assert floor.free_at(0.0) == 2.0 + UNANSWERED
    floor.turn_ended(3.0)
    floor.wrote([sound(60.0)], 0.0)
    assert free(floor, 3.0), "the server would have told"


def test_transcribed_words_stand_unanswered():
    floor = Floor()
    floor.understood(4.0)
    assert floor.transcribes
    assert floor.free_at(0.0) == 4.0 + UNANSWERED


def test_sound_without_a_word_is_silence_after_a_while_where_words_are_transcribed():
    floor = Floor(transcribes=True)
    floor.wrote([sound(30.0)], 0.0)
    assert floor.free_at(100.0) == 100.0 + LISTEN


def test_sound_of_which_nobody_tells_may_be_speech_until_a_turn_ends():
    floor = Floor()
    floor.wrote([sound(0.1)], 0.0)
    assert floor.free_at(50.0) == math.inf
    floor.turn_ended(60.0)
    floor.wrote([sound(BOUNDARY)], 0.0)
    assert free(floor, 60.0, since=50.0)
    floor.wrote([sound(0.1)], 0.0)
    assert floor.free_at(50.0) == math.inf


def test_a_turn_that_ended_before_the_rotation_was_asked_for_is_no_boundary():
    floor = Floor()
    floor.turn_ended(10.0)
    floor.wrote([sound(1.0)], 0.0)
    assert floor.free_at(11.0) == math.inf


def test_the_end_of_an_interrupted_turn_is_not_the_answer():
    floor = Floor()
    floor.wrote([sound(1.0)], 0.0)
    floor.interrupted(5.0)
    floor.turn_ended(5.1)
    assert floor.free_at(0.0) == math.inf
    floor.turn_ended(8.0)
    assert free(floor, 8.0)


def test_the_end_of_the_stream_asks_for_an_answer_if_there_was_sound():
    end = Entry(2, Kind.SIGNAL, STREAM_END, 0.0)
    floor = Floor()
    floor.wrote([end], 1.0)
    assert free(floor, 1.0)
    floor.wrote([sound(1.0), end], 2.0)
    assert floor.free_at(0.0) == 2.0 + UNANSWERED


def test_a_question_holds_the_floor_for_a_while():
    floor = Floor()
    floor.asked(1.0)
    assert floor.free_at(0.0) == 1.0 + UNANSWERED


def test_a_new_connection_has_heard_nothing_but_an_activity_stays_open():
    floor = Floor(streaming=True, stale=True)
    floor.begin_activity()
    floor.speech(1.0, begins=True)
    floor.interrupted(1.0)
    floor.wrote([sound(3.0)], 0.0)
    floor.connected()
    assert (floor.activity, floor.streaming, floor.stale, floor.unheard) == (True, True, False, 0.0)
    floor.end_activity(-1000.0)
    assert free(floor, 0.0)


def test_what_was_written_after_the_handle_is_unheard_and_our_own_silence_is_not():
    floor = Floor()
    floor.model_spoke()
    floor.wrote([sound(1.5), sound(0.1, SILENCE), Entry(2, Kind.CONTENT, b"{}", 0.0)], 0.0)
    assert (floor.stale, floor.unheard) == (True, 1.5)
    floor.covered()
    assert (floor.stale, floor.unheard) == (False, 0.0)


def test_speech_in_progress_is_no_part_of_the_conversation_for_which_a_handle_stands():
    floor = Floor(manual=True)
    floor.wrote([sound(5.0)], 0.0)
    floor.begin_activity()
    floor.wrote([sound(1.5)], 0.0)
    floor.covered()
    assert floor.unheard == 1.5
    floor.end_activity(1.0)
    floor.covered()
    assert floor.unheard == 1.5
    floor.turn_ended(2.0)
    floor.covered()
    assert floor.unheard == 0.0


@pytest.mark.parametrize(
    ("told", "left"), [({"signals": True}, 0.0), ({"transcribes": True}, 0.0), ({}, 1.5)]
)
def test_at_a_free_floor_sound_is_silence_if_the_server_would_have_told(told, left):
    floor = Floor(**told)
    floor.wrote([sound(1.5)], 0.0)
    floor.rotates()
    assert floor.unheard == left
