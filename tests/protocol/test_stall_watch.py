"""The stall watch: when its clock runs, what counts as an answer, and how the ladder is climbed."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from livebridge import wire
from livebridge.protocol import Entry, Kind, StallPolicy, StallWatch, client_content, realtime_input
from livebridge.protocol._stall import LADDER, RUNNING, SPEAKING, Standing
from livebridge.protocol._stall_watch import MAX_ASKED

HELLO = client_content("hello")


def watching(**options) -> StallWatch:
    return StallWatch(StallPolicy(after=10.0, unsure_after=30.0), **options)


def entry(seq: int = 1, kind: Kind = Kind.CONTENT) -> Entry:
    return Entry(seq, kind, b"{}", 0.0)


def server(**content) -> wire.ServerMessage:
    return wire.ServerMessage(server_content=wire.ServerContent(**content))


def words(text: str = "well") -> wire.ServerMessage:
    return server(model_turn=wire.Content(parts=(wire.Part(text=text),)))


def heard(text: str = "hello") -> wire.ServerMessage:
    return server(input_transcription=wire.Transcription(text=text))


def voice(kind: wire.VoiceActivityType) -> wire.ServerMessage:
    return wire.ServerMessage(voice_activity=wire.VoiceActivity(type=kind))


COMPLETE = server(turn_complete=True)
INTERRUPTED = server(interrupted=True)
GENERATED = server(generation_complete=True)
CALL = wire.ServerMessage(tool_call=wire.ToolCall(function_calls=(wire.FunctionCall(name="f"),)))
START = voice(wire.VoiceActivityType.ACTIVITY_START)
END = voice(wire.VoiceActivityType.ACTIVITY_END)
BUSY = server(turn_complete=True, interaction_status=wire.InteractionStatus.IN_PROGRESS)


def asked(at: float = 100.0, **options) -> StallWatch:
    watch = watching(**options)
    watch.sent(HELLO, entry(), at)
    return watch


def test_the_ladder_is_climbed_one_step_a_time():
    watch = asked()
    assert watch.climb(109.9) is None
    assert [watch.climb(110.0 + 10 * n) for n in range(5)] == [*LADDER, None]
    assert watch.due_at is None
    assert (watch.kind, watch.since) == ("answer", 100.0)


def test_steps_can_be_left_out():
    watch = StallWatch(StallPolicy(after=1.0, steps=("rotate",)))
    watch.sent(HELLO, entry(), 0.0)
    assert [watch.climb(1.0), watch.climb(99.0)] == ["rotate", None]


def test_without_a_policy_no_step_is_ever_due_but_the_question_is_known():
    watch = StallWatch(None)
    watch.sent(HELLO, entry(), 0.0)
    assert (watch.due_at, watch.climb(1e6), watch.is_waiting, len(watch.asked)) == (None, None, True, 1)


@pytest.mark.parametrize(
    "sign",
    [words(), GENERATED, COMPLETE, CALL, server(output_transcription=wire.Transcription(text="well"))],
)
def test_any_sign_of_the_model_is_an_answer(sign):
    watch = asked()
    watch.read(sign, 101.0)
    assert watch.due_at is None
    assert watch.kind is None


@pytest.mark.parametrize(
    "sign",
    [
        wire.ServerMessage(usage_metadata=wire.UsageMetadata()),
        wire.ServerMessage(session_resumption_update=wire.SessionResumptionUpdate(resumable=False)),
        voice(wire.VoiceActivityType.TYPE_UNSPECIFIED),
    ],
)
def test_what_is_no_word_of_the_model_changes_nothing(sign):
    watch = asked()
    watch.read(sign, 101.0)
    assert watch.due_at == 110.0


@pytest.mark.parametrize(
    "message",
    [
        realtime_input(audio_stream_end=True),
        realtime_input(audio=b"\0\0"),
        client_content("a", turn_complete=False),
    ],
)
def test_who_mutes_or_only_adds_context_waits_for_nothing(message):
    watch = watching()
    watch.sent(message, entry(), 0.0)
    assert watch.due_at is None


def test_the_rest_of_an_interrupted_turn_is_no_answer():
    watch = watching()
    for at, message in enumerate([words(), INTERRUPTED, words(), COMPLETE]):
        watch.read(message, float(at))
    assert (watch.kind, watch.due_at) == ("interrupted", 13.0)
    watch.read(words(), 4.0)
    assert watch.due_at is None


def test_the_end_of_the_old_turn_may_come_with_the_interruption():
    watch = watching()
    watch.read(words(), 0.0)
    watch.read(server(interrupted=True, turn_complete=True), 1.0)
    assert (watch.standing, watch.due_at) == (Standing.WAITING, 11.0)


@pytest.mark.parametrize("proof", [GENERATED, CALL])
def test_only_a_new_turn_is_generated_to_its_end_or_calls_after_an_interruption(proof):
    watch = watching()
    watch.read(words(), 0.0)
    watch.read(INTERRUPTED, 1.0)
    watch.read(words("a new turn, though the end of the old one was left out"), 2.0)
    assert watch.due_at == 12.0
    watch.read(proof, 3.0)
    assert watch.due_at is None


def test_output_long_after_an_interruption_is_of_a_new_turn():
    watch = watching()
    watch.read(words(), 0.0)
    watch.read(INTERRUPTED, 1.0)
    watch.read(words(), 6.5)
    assert watch.due_at is None


def test_what_comes_of_a_turn_that_a_text_interrupts_is_no_answer_to_the_text():
    watch = watching()
    watch.read(words(), 0.0)
    watch.sent(HELLO, entry(), 1.0)
    watch.read(words(), 2.0)
    watch.read(INTERRUPTED, 3.0)
    watch.read(COMPLETE, 4.0)
    assert (watch.kind, watch.since, watch.due_at) == ("answer", 1.0, 14.0)


def test_a_turn_that_goes_on_after_a_text_keeps_the_watch_patient():
    watch = watching()
    watch.read(words(), 0.0)
    watch.sent(HELLO, entry(), 1.0)
    watch.read(words(), 9.0)
    assert (watch.standing, watch.due_at) == (Standing.OWING, 39.0)
    watch.read(COMPLETE, 20.0)
    assert watch.due_at == 30.0
    watch.read(words(), 21.0)
    assert watch.due_at is None


def test_a_spoken_interruption_may_be_the_beginning_of_a_long_speech():
    watch = watching()
    watch.read(words(), 0.0)
    watch.read(INTERRUPTED, 1.0, sounding=True)
    watch.read(COMPLETE, 1.5, sounding=True)
    assert watch.due_at == 31.5
    assert watch.climb(31.5) == "event"
    assert watch.due_at == 41.5


def test_with_manual_detection_the_client_knows_when_the_user_speaks():
    watch = watching(manual=True)
    watch.read(words(), 0.0)
    watch.read(INTERRUPTED, 1.0, sounding=True)
    assert watch.due_at == 11.0


def test_a_transcript_says_when_the_user_has_last_spoken():
    watch = watching()
    watch.read(words(), 0.0)
    watch.read(INTERRUPTED, 1.0, sounding=True)
    for at in range(2, 60, 4):
        watch.read(heard(), float(at), sounding=True)
    assert watch.due_at == 68.0


def test_words_of_the_user_await_an_answer():
    watch = watching()
    watch.read(server(interim_input_transcription=wire.Transcription(text="what ti")), 99.0)
    watch.read(heard("what time is it?"), 100.0)
    assert (watch.kind, watch.due_at) == ("speech", 110.0)


def test_a_transcript_that_comes_late_is_of_words_that_were_answered():
    watch = watching()
    watch.read(words(), 100.0)
    watch.read(heard("what time"), 101.0)
    watch.read(COMPLETE, 102.0)
    watch.read(heard(" is it?"), 103.0)
    assert watch.due_at is None
    watch.read(heard("thank you"), 106.0)
    assert watch.due_at == 116.0


def test_with_manual_detection_a_transcript_asks_for_nothing():
    watch = watching(manual=True)
    watch.read(heard(), 100.0)
    assert watch.due_at is None


@pytest.mark.parametrize("signal", [False, True])
def test_the_end_of_speech_that_the_server_heard_awaits_an_answer(signal):
    start, end = START, END
    if signal:
        start, end = (
            wire.ServerMessage(voice_activity_detection_signal=wire.VoiceActivityDetectionSignal(vad_signal_type=kind))
            for kind in (wire.VadSignalType.VAD_SIGNAL_TYPE_SOS, wire.VadSignalType.VAD_SIGNAL_TYPE_EOS)
        )  # fmt: skip
    watch = watching()
    watch.read(start, 0.0)
    assert (watch.standing, watch.due_at) == (Standing.LISTENING, None)
    watch.read(end, 200.0)
    assert (watch.kind, watch.due_at) == ("speech", 210.0)


def test_a_short_sound_while_the_model_speaks_awaits_nothing():
    watch = watching()
    watch.read(words(), 0.0)
    watch.read(START, 1.0)
    watch.read(END, 2.0)
    assert watch.standing is Standing.ANSWERING


def said(watch: StallWatch, began: float, ended: float, *, sound: int = 1) -> None:
    watch.sent(realtime_input(activity_start=True), entry(1, Kind.SIGNAL), began)
    watch.sent(realtime_input(activity_end=True), entry(2 + sound, Kind.SIGNAL), ended)


def test_the_end_of_an_activity_awaits_an_answer():
    watch = watching(manual=True)
    said(watch, 0.0, 300.0)
    assert (watch.kind, watch.due_at, watch.asked) == ("speech", 310.0, [])


def test_an_activity_in_which_nothing_was_sent_asks_for_nothing():
    watch = watching(manual=True)
    said(watch, 0.0, 1.0, sound=0)
    assert watch.due_at is None


def test_an_end_without_a_beginning_asks_for_nothing():
    watch = watching(manual=True)
    watch.sent(realtime_input(activity_end=True), entry(kind=Kind.SIGNAL), 0.0)
    assert watch.due_at is None


def test_nothing_is_due_while_the_user_barges_in_however_long():
    watch = watching(manual=True)
    watch.read(words(), 0.0)
    watch.sent(realtime_input(activity_start=True), entry(1, Kind.SIGNAL), 1.0)
    watch.read(INTERRUPTED, 1.5)
    watch.read(COMPLETE, 2.0)
    assert watch.due_at is None
    watch.read(END, 90.0)
    assert watch.due_at is None
    watch.sent(realtime_input(activity_end=True), entry(9, Kind.SIGNAL), 100.0)
    assert watch.due_at == 110.0


def test_a_quick_barge_in_outruns_the_end_of_the_old_turn():
    watch = watching(manual=True)
    watch.read(words(), 0.0)
    said(watch, 1.0, 1.2)
    assert watch.standing is Standing.OWING
    watch.read(INTERRUPTED, 1.3)
    watch.read(COMPLETE, 1.4)
    assert watch.due_at == 11.4


def test_who_interrupts_the_model_and_says_nothing_still_gets_it_back():
    watch = watching(manual=True)
    watch.read(words(), 0.0)
    watch.sent(realtime_input(activity_start=True), entry(1, Kind.SIGNAL), 1.0)
    watch.read(INTERRUPTED, 1.5)
    watch.sent(realtime_input(activity_end=True), entry(2, Kind.SIGNAL), 2.0)
    assert (watch.kind, watch.standing) == ("interrupted", Standing.CUT)


def test_a_model_that_speaks_before_the_user_has_ended_has_answered_what_was_before():
    watch = asked()
    watch.read(START, 101.0)
    watch.read(words(), 102.0)
    assert (watch.standing, watch.kind) == (Standing.BARGING, None)


def test_the_answer_of_a_tool_awaits_the_model_but_is_not_asked_for_twice():
    watch = asked()
    watch.read(CALL, 101.0)
    watch.returned(150.0)
    assert (watch.kind, watch.due_at, watch.asked) == ("tool", 160.0, [])
    watch.read(words(), 151.0)
    watch.read(COMPLETE, 152.0)
    assert watch.standing is Standing.IDLE


def test_a_model_that_is_still_busy_is_given_more_time():
    watch = asked()
    watch.read(BUSY, 105.0)
    assert watch.due_at == 135.0
    watch.read(server(interaction_status=wire.InteractionStatus.IDLE), 130.0)
    assert (watch.due_at, watch.asked) == (None, [])


def test_a_question_is_open_until_the_task_is_done():
    watch = asked()
    watch.read(words("one moment"), 101.0)
    watch.read(BUSY, 102.0)
    assert (watch.due_at, len(watch.asked)) == (None, 1)
    watch.read(words("here it is"), 150.0)
    watch.read(server(turn_complete=True, interaction_status=wire.InteractionStatus.IDLE), 151.0)
    assert watch.asked == []


def test_a_turn_answers_what_was_asked_before_it_began():
    watch = asked()
    watch.read(words(), 101.0)
    second = entry(2)
    watch.sent(HELLO, second, 102.0)
    watch.read(COMPLETE, 103.0)
    assert watch.asked == [second]


def test_only_so_many_questions_are_remembered():
    watch = watching()
    for seq in range(100):
        watch.sent(HELLO, entry(seq), float(seq))
    assert [each.seq for each in watch.asked] == list(range(100 - MAX_ASKED, 100))


def test_asking_once_more_puts_a_step_off_twice():
    watch = asked(0.0)
    for at in (8.0, 16.0, 24.0, 25.0):
        watch.sent(HELLO, entry(), at)
    assert watch.due_at == 26.0
    assert watch.since == 0.0
    assert watch.climb(26.0) == "event"
    watch.sent(HELLO, entry(), 30.0)
    assert watch.climb(40.0) == "nudge"


def test_whoever_speaks_to_a_silent_model_again_and_again_gets_a_step_at_last():
    watch = watching(manual=True)
    now = 0.0
    while watch.due_at is None or now + 6 < watch.due_at:
        said(watch, now, now + 2)
        now += 8
        assert now < 60
    assert watch.climb(watch.due_at) == "event"


def test_after_the_last_step_a_new_question_starts_at_the_foot():
    watch = asked(0.0)
    for at in (10.0, 20.0, 30.0, 40.0):
        watch.climb(at)
    watch.sent(HELLO, entry(), 100.0)
    assert (watch.since, watch.climb(110.0)) == (100.0, "event")


def test_time_that_does_not_count():
    watch = asked(0.0)
    watch.pause(9.0)
    watch.pause(5.0)
    assert watch.due_at == 19.0


def test_a_mute_resumed_connection_is_not_resumed_again():
    watch = watching()
    watch.connected(0.0, resumed=True)
    watch.sent(HELLO, entry(), 1.0)
    assert [watch.climb(at) for at in (11.0, 21.0, 31.0, 41.0)] == ["event", "nudge", "fresh", None]


def test_a_resumed_connection_that_has_spoken_is_like_any_other():
    watch = watching()
    watch.connected(0.0, resumed=True)
    watch.read(words(), 0.5)
    watch.read(COMPLETE, 0.6)
    watch.sent(HELLO, entry(), 1.0)
    assert [watch.climb(at) for at in (11.0, 21.0, 31.0, 41.0)] == list(LADDER)


def test_a_mute_connection_is_rotated_where_nothing_else_is_allowed():
    watch = StallWatch(StallPolicy(after=1.0, steps=("rotate",)))
    watch.connected(0.0, resumed=True)
    watch.sent(HELLO, entry(), 0.0)
    assert watch.climb(1.0) == "rotate"


def test_without_a_handle_there_is_nothing_to_rotate_to():
    watch = asked(0.0)
    steps = [watch.climb(at, can_resume=False) for at in (10.0, 20.0, 30.0, 40.0)]
    assert steps == ["event", "nudge", "fresh", None]


def test_a_connection_that_was_never_asked_is_not_replaced_for_nothing():
    watch = watching(manual=True)
    said(watch, 0.0, 1.0)
    watch.replaced(2.0, is_open=True)
    watch.connected(3.0, resumed=True)
    steps = [watch.climb(at, can_ask=False) for at in (13.0, 23.0, 33.0)]
    assert steps == ["event", "nudge", None]


def test_no_conversation_is_given_up_for_an_interruption_without_a_question():
    watch = watching(manual=True)
    watch.read(INTERRUPTED, 0.0)
    steps = [watch.climb(at, can_ask=False) for at in (10.0, 20.0, 30.0, 40.0)]
    assert steps == ["event", "nudge", "rotate", None]


def test_no_conversation_is_given_up_after_a_tool_has_run():
    watch = watching()
    watch.read(CALL, 0.0)
    watch.returned(0.0)
    steps = [watch.climb(at, can_ask=False, can_resume=False) for at in (10.0, 20.0, 30.0)]
    assert steps == ["event", "nudge", None]
    watch.sent(HELLO, entry(), 100.0)
    steps = [watch.climb(at, can_resume=False) for at in (110.0, 120.0, 130.0)]
    assert steps == ["event", "nudge", "fresh"]


def test_speech_that_the_server_was_listening_to_is_open_on_the_next_connection():
    watch = watching()
    watch.read(START, 0.0)
    watch.replaced(1.0, is_open=False)
    watch.connected(2.0, resumed=True)
    assert (watch.kind, watch.due_at, watch.asked_here) == ("resume", 32.0, False)


def test_an_activity_goes_on_over_a_change_of_connections():
    watch = watching(manual=True)
    watch.read(words(), 0.0)
    watch.sent(realtime_input(activity_start=True), entry(1, Kind.SIGNAL), 1.0)
    watch.replaced(2.0, is_open=False)
    watch.connected(3.0, resumed=True)
    assert (watch.standing, watch.due_at) == (Standing.LISTENING, None)


def test_the_many_pieces_of_an_answer_change_nothing():
    watch = asked()
    for at in range(101, 110):
        watch.read(words(), float(at))
    assert (watch.standing, watch.due_at, len(watch.asked)) == (Standing.ANSWERING, None, 1)


def test_an_answer_that_had_begun_leaves_nothing_open():
    watch = asked()
    watch.read(words(), 101.0)
    watch.replaced(102.0, is_open=False)
    assert (watch.standing, watch.asked) == (Standing.IDLE, [])


def test_what_is_asked_again_climbs_on_and_what_was_not_awaited_begins():
    watch = asked(0.0)
    watch.climb(10.0)
    watch.replaced(11.0, is_open=True)
    watch.connected(12.0, resumed=True)
    watch.asked_again(12.0)
    assert (watch.kind, watch.asked_here, watch.climb(22.0)) == ("answer", True, "nudge")
    idle = watching()
    idle.asked_again(0.0)
    assert (idle.kind, idle.due_at) == ("resume", 10.0)


def test_what_went_with_its_connection_is_awaited_no_more():
    watch = watching(manual=True)
    watch.rest()
    said(watch, 0.0, 1.0)
    watch.rest()
    assert (watch.standing, watch.kind) == (Standing.IDLE, None)


def test_what_was_given_up_is_awaited_no_more():
    watch = asked()
    first, second = *watch.asked, entry(2)
    watch.sent(HELLO, second, 101.0)
    watch.forget([first])
    assert (watch.asked, watch.is_waiting) == ([second], True)
    watch.forget([second])
    assert not watch.is_waiting


def test_a_watch_can_wait_for_what_nobody_has_asked_on_this_connection():
    watch = watching()
    watch.ask(0.0, kind="resume", here=False)
    assert (watch.kind, watch.asked_here) == ("resume", False)
    watch.ask(1.0, kind="resume")
    assert watch.asked_here


BOTH = server(interrupted=True, turn_complete=True)
SERVER = st.sampled_from([words(), heard(), COMPLETE, INTERRUPTED, BOTH, GENERATED, CALL, START, END, BUSY])


class Conversation(RuleBasedStateMachine):
    """Anything may happen in any order: no step is out of order, or without a question, or into speech."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.seq = 0
        self.watch = watching()
        self.steps = []
        self.since = None

    def _sent(self, message, kind=Kind.CONTENT):
        self.seq += 1
        self.watch.sent(message, entry(self.seq, kind), self.now)

    @rule(seconds=st.floats(0.1, 40.0))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def the_user_writes(self):
        self._sent(HELLO)
        assert self.watch.due_at is not None or self.watch.standing in SPEAKING

    @rule(said=st.booleans())
    def the_user_begins_and_may_say_something(self, said):
        self._sent(realtime_input(activity_start=True), Kind.SIGNAL)
        self.seq += said
        assert self.watch.due_at is None

    @rule()
    def the_user_ends(self):
        self._sent(realtime_input(activity_end=True), Kind.SIGNAL)

    @rule()
    def the_user_mutes(self):
        before = self.watch.due_at
        self._sent(realtime_input(audio_stream_end=True), Kind.SIGNAL)
        assert self.watch.due_at == before

    @rule(message=SERVER, sounding=st.booleans())
    def the_server_says(self, message, sounding):
        self.watch.read(message, self.now, sounding=sounding)

    @rule()
    def a_tool_answers(self):
        self.watch.returned(self.now)

    @rule(resumed=st.booleans())
    def the_connection_is_replaced(self, resumed):
        self.watch.replaced(self.now, is_open=self.watch.is_waiting)
        self.watch.connected(self.now, resumed=resumed)
        assert not self.watch.in_old_turn

    @rule()
    def the_whole_answer_comes(self):
        """Two turns: whatever old turn there was has ended with the first."""
        for message in (words(), COMPLETE, words(), COMPLETE):
            self.watch.read(message, self.now)
        assert self.watch.due_at is None

    @precondition(lambda self: self.watch.due_at is not None)
    @rule(late=st.floats(0.0, 5.0), can_ask=st.booleans(), can_resume=st.booleans())
    def a_step_is_due(self, late, can_ask, can_resume):
        self.now = max(self.now, self.watch.due_at + late)
        if self.since != (self.watch.kind, self.watch.since):
            self.since, self.steps = (self.watch.kind, self.watch.since), []
        step = self.watch.climb(self.now, can_ask=can_ask, can_resume=can_resume)
        if step is not None:
            self.steps.append(LADDER.index(step))
            assert step != "rotate" or can_resume
            assert self.watch.climb(self.now) is None, "one step at a time"
        assert self.steps == sorted(set(self.steps)), "each step once, in order"

    @invariant()
    def the_clock_runs_only_where_something_is_awaited(self):
        due, running = self.watch.due_at, self.watch.standing in RUNNING
        assert running == self.watch.is_waiting
        assert due is None or running
        assert not running or self.watch.kind is not None
        assert due is None or due <= self.now + 30.0
        assert self.watch.standing is not Standing.IDLE or self.watch.kind is None

    @invariant()
    def the_questions_of_a_turn_are_among_the_open_ones(self):
        assert 0 <= self.watch._answering <= len(self.watch.asked) <= MAX_ASKED


Conversation.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_in_any_conversation_each_step_has_its_reason = Conversation.TestCase
