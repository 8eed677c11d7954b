"""When a turn is over and what is in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.protocol._turns import TurnCollector, ends_turn
from livebridge.protocol._usage import Usage


def content(**fields):
    return wire.ServerMessage(server_content=wire.ServerContent(**fields))


def parts(*items):
    return content(model_turn=wire.Content(parts=items))


def sound(data, mime_type="audio/pcm;rate=24000"):
    return wire.Part(inline_data=wire.Blob(data=data, mime_type=mime_type))


DONE = content(turn_complete=True)


@pytest.mark.parametrize(
    ("fields", "over"),
    [
        ({}, False),
        ({"turn_complete": True}, True),
        ({"turn_complete": False}, False),
        ({"interrupted": True}, False),
        ({"generation_complete": True}, False),
        ({"turn_complete": True, "interaction_status": "INTERACTION_STATUS_UNSPECIFIED"}, True),
        ({"turn_complete": True, "interaction_status": wire.InteractionStatus.IN_PROGRESS}, False),
        ({"turn_complete": True, "interaction_status": wire.InteractionStatus.REQUIRES_ACTION}, False),
        ({"turn_complete": True, "interaction_status": wire.InteractionStatus.IDLE}, True),
        ({"interaction_status": "IDLE"}, True),
    ],
)
def test_a_turn_is_over_when_the_server_says_so(fields, over):
    assert ends_turn(wire.ServerContent(**fields)) is over
    assert (TurnCollector().feed(content(**fields)) is not None) is over


def test_a_message_without_content_ends_nothing():
    assert not ends_turn(None)
    assert TurnCollector().feed(wire.ServerMessage()) is None


def test_a_turn_holds_everything_that_was_in_its_messages():
    collector = TurnCollector()
    call = wire.FunctionCall(id="1", name="f")
    grounding = wire.GroundingMetadata(web_search_queries=["q"])
    urls = wire.UrlContextMetadata()
    for message in (
        content(input_transcription=wire.Transcription(text="hel")),
        content(input_transcription=wire.Transcription(text="lo")),
        parts(wire.Part(text="hm", thought=True), wire.Part(text="a"), sound(b"\1\2", "audio/pcm;rate=8000")),
        wire.ServerMessage(tool_call=wire.ToolCall(function_calls=[call])),
        wire.ServerMessage(tool_call=wire.ToolCall()),
        content(output_transcription=wire.Transcription(text="said"), grounding_metadata=grounding),
        parts(sound(b"\3\4", "audio/pcm;rate=8000"), wire.Part(text="b"), wire.Part()),
        content(generation_complete=True, url_context_metadata=urls),
    ):
        assert collector.feed(message) is None
        assert collector.in_progress
    turn = collector.feed(
        wire.ServerMessage(
            server_content=wire.ServerContent(
                turn_complete=True, turn_complete_reason="NEED_MORE_INPUT", waiting_for_input=True
            ),
            usage_metadata=wire.UsageMetadata(prompt_token_count=2),
        ),
        epoch=3,
    )
    assert turn is not None
    assert (turn.text, turn.thoughts, turn.audio, turn.audio_rate) == ("ab", "hm", b"\1\2\3\4", 8000)
    assert (turn.input_transcript, turn.output_transcript) == ("hello", "said")
    assert turn.usage == Usage(prompt_token_count=2, total_token_count=2)
    assert turn.complete_reason == "NEED_MORE_INPUT"
    assert turn.tool_calls == (call,)
    assert (turn.grounding, turn.url_context) == (grounding, urls)
    assert (turn.waiting_for_input, turn.generation_complete, turn.interrupted) == (True, True, False)
    assert (turn.truncated, turn.epoch) == (False, 3)
    assert not collector.in_progress


def test_the_text_of_a_spoken_turn_is_its_transcript():
    collector = TurnCollector()
    collector.feed(content(output_transcription=wire.Transcription(text="Good day.")))
    assert collector.feed(DONE).text == "Good day."


def test_an_empty_turn_is_a_turn():
    turn = TurnCollector().feed(DONE)
    assert (turn.text, turn.audio, turn.usage) == ("", b"", None)


def test_one_turn_leaves_nothing_to_the_next():
    collector = TurnCollector()
    collector.feed(content(interrupted=True, model_turn=wire.Content(parts=[wire.Part(text="x")])))
    first = collector.feed(DONE)
    second = collector.feed(DONE)
    assert (first.text, first.interrupted) == ("x", True)
    assert (second.text, second.interrupted) == ("", False)


def test_a_task_in_the_background_makes_one_turn_of_several():
    collector = TurnCollector()
    collector.feed(parts(wire.Part(text="one ")))
    assert collector.feed(content(turn_complete=True, interaction_status="IN_PROGRESS")) is None
    collector.feed(parts(wire.Part(text="two")))
    assert collector.feed(content(turn_complete=True, interaction_status="IDLE")).text == "one two"


def test_sound_is_left_out_when_nobody_keeps_it():
    collector = TurnCollector(keep_audio=False)
    collector.feed(parts(sound(b"\1\2")))
    turn = collector.feed(DONE)
    assert (turn.audio, turn.truncated) == (b"", False)


def test_pictures_are_no_sound():
    collector = TurnCollector()
    collector.feed(parts(sound(b"\1\2", "image/png"), sound(b"")))
    assert collector.feed(DONE).audio == b""


def test_a_turn_that_is_too_long_keeps_its_beginning_and_says_so():
    collector = TurnCollector(max_audio_bytes=4)
    collector.feed(parts(sound(b"\1\2"), sound(b"\3\4\5\6"), sound(b"\7\7")))
    turn = collector.feed(DONE)
    assert (turn.audio, turn.truncated) == (b"\1\2", True)


def test_texts_are_bounded_too():
    collector = TurnCollector(max_text_chars=3)
    collector.feed(parts(wire.Part(text="abc")))
    collector.feed(content(output_transcription=wire.Transcription(text="d")))
    turn = collector.feed(DONE)
    assert (turn.text, turn.output_transcript, turn.truncated) == ("abc", "", True)


def test_an_abandoned_turn_is_returned_and_forgotten_but_not_what_it_cost():
    collector = TurnCollector()
    assert collector.abandon() is None
    collector.feed(content(input_transcription=wire.Transcription(text="what")))
    collector.feed(parts(wire.Part(text="half")))
    collector.feed(wire.ServerMessage(usage_metadata=wire.UsageMetadata(total_token_count=7)))
    assert collector.heard == "what"
    turn = collector.abandon(epoch=3)
    assert (turn.text, turn.input_transcript, turn.epoch) == ("half", "what", 3)
    assert collector.heard == ""
    assert not collector.in_progress
    assert collector.feed(DONE).text == ""
    assert collector.total_usage.total_token_count == 7


def test_equal_reports_of_two_turns_are_both_counted():
    collector = TurnCollector()
    message = wire.ServerMessage(
        server_content=wire.ServerContent(turn_complete=True),
        usage_metadata=wire.UsageMetadata(total_token_count=7),
    )
    collector.feed(message)
    collector.feed(message)
    assert collector.total_usage.total_token_count == 14


def test_a_report_repeated_after_its_turn_is_counted_once():
    collector = TurnCollector()
    usage = wire.UsageMetadata(total_token_count=7)
    collector.feed(
        wire.ServerMessage(server_content=wire.ServerContent(turn_complete=True), usage_metadata=usage)
    )
    collector.feed(wire.ServerMessage(usage_metadata=usage))
    assert collector.total_usage.total_token_count == 7


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=5), st.booleans(), st.booleans()), max_size=20))
def test_no_word_is_lost_or_moved_between_turns(pieces):
    collector = TurnCollector()
    spoken: list[list[str]] = [[]]
    heard: list[str] = []
    for text, thought, end in pieces:
        if not thought:
            spoken[-1].append(text)
        turn = collector.feed(
            content(model_turn=wire.Content(parts=[wire.Part(text=text, thought=thought)]), turn_complete=end)
        )
        if turn is not None:
            heard.append(turn.text)
            spoken.append([])
    assert heard == ["".join(words) for words in spoken[:-1]]


def test_what_a_turn_has_cost_is_known_before_it_ends_and_not_corrected_by_the_next_ones_report():
    collector = TurnCollector()
    text = wire.ServerContent(model_turn=wire.Content(parts=[wire.Part(text="a")]))
    collector.feed(
        wire.ServerMessage(server_content=text, usage_metadata=wire.UsageMetadata(total_token_count=3))
    )
    assert collector.usage.total_token_count == 3
    end = wire.ServerMessage(
        server_content=wire.ServerContent(turn_complete=True),
        usage_metadata=wire.UsageMetadata(total_token_count=5),
    )
    assert collector.feed(end).usage.total_token_count == 5
    assert collector.usage is None
    collector.feed(wire.ServerMessage(usage_metadata=wire.UsageMetadata(total_token_count=9)))
    assert collector.total_usage.total_token_count == 14
