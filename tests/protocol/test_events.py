"""What a server message leads to, and in which order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.protocol._events import CALLBACK_NAMES, CALLBACKS, Marker, message_events
from livebridge.protocol._shapes import (
    AudioDelta,
    Direction,
    Interrupted,
    ResumptionUpdate,
    TextDelta,
    Transcript,
    Unrecognized,
)
from livebridge.protocol._usage import Usage


def events(message, *wanted, epoch=0, turn=0):
    return message_events(message, frozenset(wanted) if wanted else CALLBACK_NAMES, epoch=epoch, turn=turn)


def content(**fields):
    return wire.ServerMessage(server_content=wire.ServerContent(**fields))


def sound(data=b"\1\2", mime_type="audio/pcm;rate=16000"):
    return wire.Part(inline_data=wire.Blob(data=data, mime_type=mime_type))


EVERYTHING = wire.ServerMessage(
    server_content=wire.ServerContent(
        model_turn=wire.Content(
            parts=[wire.Part(text="a"), wire.Part(text="t", thought=True), sound(), wire.Part(text="b")]
        ),
        turn_complete=True,
        interrupted=True,
        generation_complete=True,
        interim_input_transcription=wire.Transcription(text="i"),
        input_transcription=wire.Transcription(text="in"),
        output_transcription=wire.Transcription(text="out", finished=True),
    ),
    tool_call=wire.ToolCall(function_calls=[wire.FunctionCall(id="1")]),
    tool_call_cancellation=wire.ToolCallCancellation(ids=["0"]),
    usage_metadata=wire.UsageMetadata(total_token_count=3),
    go_away=wire.GoAway(time_left=9.0),
    session_resumption_update=wire.SessionResumptionUpdate(new_handle="h", resumable=True),
    voice_activity=wire.VoiceActivity(type="ACTIVITY_START"),
    unknown={"novelty": 1},
)


def test_every_part_of_a_message_counts_and_in_this_order():
    assert events(EVERYTHING, epoch=2, turn=5) == [
        ("on_message", EVERYTHING),
        ("on_interrupted", Interrupted(epoch=2, turn=4)),
        ("on_transcription", Transcript(direction=Direction.INPUT, text="i", interim=True, epoch=2, turn=5)),
        ("on_transcription", Transcript(direction=Direction.INPUT, text="in", epoch=2, turn=5)),
        (
            "on_transcription",
            Transcript(direction=Direction.OUTPUT, text="out", finished=True, epoch=2, turn=5),
        ),
        ("on_text", TextDelta(text="a", epoch=2, turn=5)),
        ("on_thought", TextDelta(text="t", epoch=2, turn=5)),
        ("on_audio", AudioDelta(data=b"\1\2", rate=16000, mime_type="audio/pcm;rate=16000", epoch=2, turn=5)),
        ("on_text", TextDelta(text="b", epoch=2, turn=5)),
        ("on_generation_complete", EVERYTHING.server_content),
        ("on_tool_call", EVERYTHING.tool_call),
        ("on_tool_call_cancellation", ["0"]),
        ("on_voice_activity", EVERYTHING.voice_activity),
        ("on_session_resumption", ResumptionUpdate(handle="h")),
        ("on_usage", Usage(total_token_count=3)),
        ("on_turn_complete", Marker.TURN),
        ("on_unrecognized", Unrecognized(raw={"novelty": 1})),
    ]


@pytest.mark.parametrize("name", sorted({name for name, _ in events(EVERYTHING)}))
def test_only_what_is_wanted_is_made(name):
    assert {made for made, _ in events(EVERYTHING, name)} == {name}
    assert [event for event in events(EVERYTHING) if event[0] == name] == events(EVERYTHING, name)


def test_nothing_is_made_for_nobody():
    assert message_events(EVERYTHING, frozenset()) == []


@pytest.mark.parametrize("name", ["on_go_away", "on_ready", "on_status", "on_close", "on_error"])
def test_what_needs_a_clock_or_a_connection_is_left_to_the_session(name):
    assert name in CALLBACKS
    assert events(EVERYTHING, name) == []


def test_an_empty_message_is_still_a_message():
    assert events(wire.ServerMessage()) == [("on_message", wire.ServerMessage())]


def test_an_empty_transcription_is_reported_as_one():
    (event,) = events(content(output_transcription=wire.Transcription()), "on_transcription")
    assert event[1] == Transcript(direction=Direction.OUTPUT, text="", finished=False)


def test_an_unresumable_update_is_no_handle():
    for update in (
        wire.SessionResumptionUpdate(resumable=False, new_handle=""),
        wire.SessionResumptionUpdate(resumable=True, new_handle=""),
        wire.SessionResumptionUpdate(new_handle="h"),
    ):
        assert events(wire.ServerMessage(session_resumption_update=update), "on_session_resumption") == []


def test_an_update_brings_the_servers_position():
    update = wire.SessionResumptionUpdate(
        resumable=True, new_handle="h", last_consumed_client_message_index=7
    )
    ((_, value),) = events(wire.ServerMessage(session_resumption_update=update), "on_session_resumption")
    assert (value.handle, value.resumable, value.last_consumed_client_message_index) == ("h", True, 7)


@pytest.mark.parametrize(
    ("signal", "kind"),
    [
        (wire.VadSignalType.VAD_SIGNAL_TYPE_SOS, wire.VoiceActivityType.ACTIVITY_START),
        (wire.VadSignalType.VAD_SIGNAL_TYPE_EOS, wire.VoiceActivityType.ACTIVITY_END),
        ("VAD_SIGNAL_TYPE_NEW", "VAD_SIGNAL_TYPE_NEW"),
    ],
)
def test_an_explicit_signal_is_voice_activity(signal, kind):
    message = wire.ServerMessage(
        voice_activity_detection_signal=wire.VoiceActivityDetectionSignal(vad_signal_type=signal)
    )
    assert events(message, "on_voice_activity") == [("on_voice_activity", wire.VoiceActivity(type=kind))]


def test_voice_activity_said_in_two_ways_is_reported_once():
    message = wire.ServerMessage(
        voice_activity=wire.VoiceActivity(type="ACTIVITY_START", audio_offset=1.5),
        voice_activity_detection_signal=wire.VoiceActivityDetectionSignal(
            vad_signal_type="VAD_SIGNAL_TYPE_SOS"
        ),
    )
    assert [value.audio_offset for _, value in events(message, "on_voice_activity")] == [1.5]


def test_a_signal_that_says_nothing_is_no_activity():
    message = wire.ServerMessage(voice_activity_detection_signal=wire.VoiceActivityDetectionSignal())
    assert events(message, "on_voice_activity") == []


def test_parts_without_words_or_sound_make_no_events():
    message = content(
        model_turn=wire.Content(parts=[wire.Part(), wire.Part(text=""), sound(b""), sound(b"x", "image/png")])
    )
    assert events(message, "on_text", "on_thought", "on_audio") == []
    assert events(content(model_turn=wire.Content()), "on_text") == []


def test_a_cancellation_without_ids_names_none():
    message = wire.ServerMessage(tool_call_cancellation=wire.ToolCallCancellation())
    assert events(message, "on_tool_call_cancellation") == [("on_tool_call_cancellation", [])]


def test_the_table_of_callbacks_is_complete_and_says_what_each_is_for():
    assert list(CALLBACKS)[:9] == [
        "on_message",
        "on_error",
        "on_close",
        "on_tool_call",
        "on_tool_call_cancellation",
        "on_transcription",
        "on_voice_activity",
        "on_session_resumption",
        "on_go_away",
    ]
    assert len(CALLBACKS) == 24
    assert all(callback.invoked.endswith(".") and callback.argument for callback in CALLBACKS.values())
    assert {name for name, _ in events(EVERYTHING)} <= CALLBACK_NAMES


def test_arguments_are_of_the_class_that_the_table_names():
    for name, value in events(EVERYTHING):
        if value is not Marker.TURN:
            assert isinstance(value, CALLBACKS[name].kind), name


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["text", "thought", "audio"]), max_size=8),
    st.booleans(),
    st.sets(st.sampled_from(sorted(CALLBACK_NAMES))),
)
def test_an_interruption_always_comes_before_the_parts(kinds, interrupted, wanted):
    make = {
        "text": wire.Part(text="x"),
        "thought": wire.Part(text="x", thought=True),
        "audio": sound(),
    }
    message = content(model_turn=wire.Content(parts=[make[kind] for kind in kinds]), interrupted=interrupted)
    names = [name for name, _ in message_events(message, frozenset(wanted))]
    assert set(names) <= wanted
    parts = [name for name in names if name in {"on_text", "on_thought", "on_audio"}]
    assert parts == [f"on_{kind}" for kind in kinds if f"on_{kind}" in wanted]
    if interrupted and "on_interrupted" in wanted:
        assert names.index("on_interrupted") == ("on_message" in wanted)
