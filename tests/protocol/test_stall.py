import pytest

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import StallPolicy, StallWatch, client_content, expects_answer, realtime_input


def test_the_ladder_is_climbed_one_step_a_time():
    watch = StallWatch(StallPolicy(after=10.0))
    watch.arm("answer", 100.0)
    assert watch.climb(109.9) is None
    assert [watch.climb(110.0 + 10 * n) for n in range(5)] == ["event", "nudge", "rotate", "fresh", None]
    assert watch.due_at is None


def test_a_sign_of_the_model_disarms_it():
    watch = StallWatch(StallPolicy())
    watch.arm("answer", 0.0)
    watch.disarm()
    assert watch.due_at is None
    assert watch.climb(1000.0) is None


def test_time_without_a_connection_does_not_count():
    watch = StallWatch(StallPolicy(after=10.0))
    watch.arm("answer", 0.0)
    watch.pause(9.0)
    assert watch.due_at == 19.0


def test_arming_again_starts_at_the_foot():
    watch = StallWatch(StallPolicy(after=10.0))
    watch.arm("answer", 0.0)
    watch.climb(10.0)
    watch.arm("interrupted", 11.0)
    assert watch.climb(21.0) == "event"
    assert watch.kind == "interrupted"


def test_steps_can_be_left_out():
    watch = StallWatch(StallPolicy(after=1.0, steps=("rotate",)))
    watch.arm("answer", 0.0)
    assert watch.climb(1.0) == "rotate"
    assert watch.climb(99.0) is None


@pytest.mark.parametrize("options", [{"after": 0}, {"after": -1.0}, {"steps": ("evnt",)}])
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
        (realtime_input(audio_stream_end=True), True),
        (realtime_input(activity_start=True), False),
        (realtime_input(audio=b"\0\0"), False),
        (wire.ClientMessage(tool_response=wire.ToolResponse()), False),
    ],
)
def test_what_should_make_the_model_speak(message, expected):
    assert expects_answer(message) is expected
