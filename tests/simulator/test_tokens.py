from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.simulator._records import Turn
from livebridge.simulator._tokens import Count, Window, count, count_turn, overflow, usage, window

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)

ROLES = st.sampled_from(["user", "model", "tool"])
TURNS = st.lists(
    st.builds(lambda role, text: Turn(role=role, text=text, source="content"), ROLES, st.text(max_size=80))
)


def test_tokens_are_counted_by_characters_seconds_and_images():
    assert count_turn(Turn(role="user", text="12345", source="text")) == Count(text=2)
    spoken = Turn(role="user", text="12345", source="speech", audio_seconds=2.0, images=2)
    assert count_turn(spoken) == Count(audio=50, image=516)
    assert count([spoken, spoken]).total == 2 * 566


def test_without_a_sliding_window_there_is_no_compression():
    assert window(None, 1000) is None
    assert window(wire.ContextWindowCompressionConfig(trigger_tokens=10), 1000) is None


def test_the_window_has_the_documented_defaults():
    config = wire.ContextWindowCompressionConfig(sliding_window=wire.SlidingWindow())
    assert window(config, 1000) == Window(trigger_tokens=800, target_tokens=400)
    config = wire.ContextWindowCompressionConfig(
        trigger_tokens=100, sliding_window=wire.SlidingWindow(target_tokens=10)
    )
    assert window(config, 1000) == Window(trigger_tokens=100, target_tokens=10)


@CALMLY
@given(turns=TURNS, trigger=st.integers(1, 100), target=st.integers(1, 50))
def test_compression_keeps_the_newest_turn_and_begins_with_the_user(turns, trigger, target):
    dropped = overflow(turns, Window(trigger_tokens=trigger, target_tokens=target))
    rest = turns[dropped:]
    if count(turns).total <= trigger:
        assert dropped == 0
    else:
        assert rest
        assert len(rest) == 1 or (rest[0].role == "user" and count(rest).total <= target)


def test_usage_adds_up_and_leaves_out_what_is_zero():
    tokens = usage(Count(text=5, audio=10), Count(audio=20), thoughts=3, tool_use=2)
    assert tokens.total_token_count == 40
    assert tokens.prompt_token_count == 15
    details = tokens.prompt_tokens_details
    assert [(str(one.modality), one.token_count) for one in details] == [("TEXT", 5), ("AUDIO", 10)]
    empty = usage(Count(), Count(), thoughts=0, tool_use=0)
    assert empty.response_token_count is None
    assert empty.response_tokens_details is None
