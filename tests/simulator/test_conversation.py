import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.simulator import Echo, Profile, Script, Turn
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._settings import Settings
from livebridge.simulator._speaking import pieces
from livebridge.simulator._tokens import count
from livebridge.simulator._world import Caller, World

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)

SEED_ONLY = "models/gemini-3.1-flash-live-preview"
UPDATABLE = "models/gemini-3.8-live"
COMPRESSED = {"triggerTokens": "40", "slidingWindow": {"targetTokens": "20"}}


def test_a_turn_ends_with_generation_complete_turn_complete_and_usage(dial, read):
    client = dial(brain=Script(["Hello, how are you today?"]))
    client.setup()
    turn = client.say("Hi")
    assert read.text(turn) == "Hello, how are you today?"
    assert read.flags(turn) == ["generationComplete", "turnComplete"]
    usage = turn[-1]["usageMetadata"]
    assert usage["promptTokenCount"] == 1
    assert usage["responseTokenCount"] == 7
    assert usage["totalTokenCount"] == 8


def test_vertex_names_the_role_and_counts_candidates(dial, read):
    client = dial(vertex=True, brain=Echo())
    client.setup("models/gemini-live-2.5-flash")
    turn = client.say("Hi")
    assert read.contents(turn)[0]["modelTurn"]["role"] == "model"
    assert turn[-1]["usageMetadata"]["candidatesTokenCount"] == 1
    gemini = dial(brain=Echo())
    gemini.setup()
    assert "role" not in read.contents(gemini.say("Hi"))[0]["modelTurn"]


def test_content_without_turn_complete_is_kept_and_not_answered(dial, read):
    client = dial(brain=Echo())
    client.setup()
    assert client.say("One.", complete=False) == []
    assert read.text(client.say("Two.")) == "One.\nTwo."
    assert client.conversation.heard.user_texts == ["One.", "Two."]
    assert [content.turn_complete for content in client.conversation.heard.contents] == [False, True]


def test_turn_complete_alone_starts_an_answer(dial, read):
    client = dial(brain=Echo())
    client.setup()
    client.say("Well?", complete=False)
    assert read.text(client.send({"clientContent": {"turnComplete": True}})) == "Well?"


def test_content_interrupts_a_running_generation_without_its_completion(dial, read):
    client = dial(brain=Script(["One two three four five six seven eight nine ten.", "Yes?"]), pace="real")
    client.setup()
    client.say("Count!")
    client.pass_time(0.32)
    turn = client.say("Stop!")
    assert read.flags(turn) == ["interrupted", "turnComplete"]
    later = client.pass_time(5.0)
    assert read.text(later) == "Yes?"
    first, second = [turn for turn in client.conversation.history if turn.role == "model"]
    assert first.interrupted
    assert first.text.startswith("One two three")
    assert len(first.text) < 45
    assert not second.interrupted


def test_a_whole_history_is_answered_as_one_turn(dial, read):
    client = dial(brain=Echo())
    client.setup()
    parts = [{"text": "Look: "}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
    sound = [{"inlineData": {"mimeType": "audio/pcm", "data": "AAAA" * 4000}}]
    called = [{"functionCall": {"name": "f", "args": {}}}, {"text": "secret", "thought": True}]
    turns = [
        {"role": "user", "parts": [{"text": "Earlier."}]},
        {"role": "model", "parts": called},
        {"role": "system", "parts": [{"text": "Be kind."}]},
        {"role": "user", "parts": parts},
        {"parts": sound},
        {},
    ]
    turn = client.send({"clientContent": {"turns": turns, "turnComplete": True}})
    assert read.text(turn) == "Look: "
    roles = [one.role for one in client.conversation.history]
    assert roles == ["user", "model", "system", "user", "user", "user", "model"]
    history = client.conversation.history
    assert history[1].names == ("f",)
    assert history[3].images == 1
    assert history[4].audio_seconds == pytest.approx(0.25)
    details = {one["modality"]: one["tokenCount"] for one in turn[-1]["usageMetadata"]["promptTokensDetails"]}
    assert details["IMAGE"] == 258
    assert details["AUDIO"] == 7


def test_a_model_that_takes_content_only_as_history_refuses_it_later(dial):
    client = dial()
    client.setup(SEED_ONLY)
    client.say("Hello")
    assert client.hangup == (1007, "Request contains an invalid argument.")


def test_history_is_seeded_without_an_answer_and_then_known(dial, read):
    client = dial(brain=Echo())
    client.setup(SEED_ONLY, historyConfig={"initialHistoryInClientContent": True})
    assert client.say("My name is Alice.", complete=False) == []
    answer = {"role": "model", "parts": [{"text": "Hi Alice."}]}
    assert client.send({"clientContent": {"turns": [answer], "turnComplete": True}}) == []
    assert [turn.source for turn in client.conversation.history] == ["seed", "seed"]
    client.write("Hello")
    assert client.conversation.heard.realtime_texts == ["Hello"]
    client.say("too late")
    assert client.hangup[0] == 1007


def test_where_history_is_seeded_content_is_answered_afterwards(dial, read):
    client = dial(brain=Echo())
    client.setup(historyConfig={"initialHistoryInClientContent": True})
    assert client.say("Before.") == []
    assert read.text(client.say("Now.")).endswith("Now.")


def test_realtime_text_is_a_turn_of_its_own(dial, read):
    client = dial(brain=Echo())
    client.setup()
    assert read.text(client.write("Hello")) == "Hello"
    assert client.conversation.heard.user_texts == ["Hello"]


def test_realtime_text_interrupts_unless_the_setup_forbids_it(dial, read):
    slow = {"brain": Script(["A very long story indeed it is.", "Yes?"]), "pace": "real"}
    client = dial(**slow)
    client.setup()
    client.write("Tell me")
    client.pass_time(0.32)
    assert read.flags(client.write("Stop")) == ["interrupted", "turnComplete"]

    client = dial(**slow)
    client.setup(realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"})
    client.write("Tell me")
    client.pass_time(0.32)
    assert client.write("Stop") == []
    turns = client.pass_time(10.0)
    assert read.flags(turns) == ["generationComplete", "turnComplete"] * 2
    assert read.text(turns).endswith(" is.Yes?")


def test_at_real_pace_sound_comes_faster_than_it_plays_and_the_turn_waits_for_playback(dial, read):
    client = dial(brain=Script(["Twenty-five bytes a second"]), pace="real", latency=0.5)
    client.setup("models/gemini-2.5-flash-native-audio-latest")
    client.write("How fast?")
    assert client.pass_time(0.49) == []
    seconds = 32 * 0.04
    generated = client.pass_time(0.01 + seconds / 3 + 0.01)
    assert read.flags(generated) == ["generationComplete"]
    assert len(read.sound(generated)) / 48000 == pytest.approx(seconds)
    assert client.dialogue.busy
    assert client.pass_time(seconds * 2 / 3 - 0.1) == []
    assert read.flags(client.pass_time(0.1)) == ["turnComplete"]
    assert not client.dialogue.busy


def test_playback_can_be_interrupted_after_the_generation_is_complete(dial, read):
    client = dial(brain=Script(["Twenty-five bytes a second", "Yes?"]), pace="real", latency=0.0)
    client.setup("models/gemini-2.5-flash-native-audio-latest")
    client.write("How fast?")
    assert read.flags(client.pass_time(0.5)) == ["generationComplete"]
    assert read.flags(client.write("Stop")) == ["interrupted", "turnComplete"]


def test_a_pace_is_a_multiple_of_real_time(dial, read):
    client = dial(brain=Script(["Twenty-five bytes a second"]), pace=10.0)
    client.setup("models/gemini-2.5-flash-native-audio-latest")
    client.write("How fast?")
    assert read.flags(client.pass_time(0.2)) == ["generationComplete", "turnComplete"]


def test_context_updates_replace_the_instruction_and_the_tools(dial, tools):
    client = dial()
    client.setup(UPDATABLE, tools=tools("old"), systemInstruction={"parts": [{"text": "Be brief."}]})
    conversation = client.conversation
    client.send({"contextUpdate": {"systemInstruction": {"parts": [{"text": "Be kind."}]}}})
    assert conversation.instruction == "Be kind."
    assert [one.name for one in conversation.declarations] == ["old"]
    client.send({"contextUpdate": {"tools": {"tools": tools("new")}}})
    assert [one.name for one in conversation.declarations] == ["new"]
    client.send({"contextUpdate": {"tools": {}}})
    assert conversation.declarations == []
    assert len(conversation.heard.updates) == 3


def test_a_model_without_context_updates_refuses_them(dial):
    client = dial()
    client.setup()
    client.send({"contextUpdate": {}})
    assert client.hangup[0] == 1007


def test_compression_cuts_the_oldest_turns(dial):
    client = dial(brain=Echo())
    client.setup(contextWindowCompression=COMPRESSED)
    for number in range(6):
        client.say(f"This is sentence number {number}.")
    conversation = client.conversation
    assert conversation.compressions >= 1
    assert len(conversation.turns) < len(conversation.history) == 12
    assert conversation.turns[0].role == "user"
    assert client.hangup is None


def test_without_compression_a_full_context_ends_the_connection(dial):
    client = dial(brain=Echo())
    client.setup("models/gemini-2.5-flash-native-audio-latest")
    turns = [{"role": "user", "parts": [{"text": "x" * 4 * 131_073}]}]
    client.send({"clientContent": {"turns": turns, "turnComplete": False}})
    assert client.hangup == (1007, "Request contains an invalid argument.")


def test_the_instruction_counts_into_the_prompt(dial):
    client = dial(brain=Echo())
    client.setup(systemInstruction={"parts": [{"text": "x" * 400}]})
    assert client.say("Hi")[-1]["usageMetadata"]["promptTokenCount"] == 101


def test_the_background_model_says_that_it_is_idle(dial, read):
    client = dial(brain=Echo())
    client.setup(
        "models/gemini-3.8-live-extended-thinking",
        generationConfig={"thinkingConfig": {"thinkingLevel": "LOW"}},
    )
    assert read.contents(client.write("Hi"))[-1]["interactionStatus"] == "IDLE"


def test_a_conversation_shows_its_size_and_not_its_content(dial):
    client = dial(brain=Echo())
    client.setup()
    client.say("my secret")
    assert "secret" not in repr(client.conversation)
    assert "2 turns" in repr(client.conversation)
    assert "secret" not in repr(client.conversation.heard)


@CALMLY
@given(text=st.text())
def test_the_pieces_of_a_text_are_the_text_up_to_white_space_at_its_end(text):
    joined = "".join(pieces(text))
    assert joined == text or (text.startswith(joined) and not text[len(joined) :].strip())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["setup", "clientContent", "realtimeInput", "toolResponse", "contextUpdate", "client_content", "other"]
)
INNER = st.sampled_from(
    ["turns", "turnComplete", "audio", "text", "activityStart", "activityEnd", "audioStreamEnd", "video",
     "functionResponses", "mediaChunks", "tools", "systemInstruction"]
)  # fmt: skip


@CALMLY
@given(
    messages=st.lists(st.dictionaries(MEMBERS, JSON | st.dictionaries(INNER, JSON, max_size=3), max_size=2))
)
def test_no_message_of_a_client_raises(messages):
    dialogue = Dialogue(World(Settings(strict=False)), Caller(number=1, vertex=False, version="v1"), now=0.0)
    dialogue.receive({"setup": {"model": "models/gemini-2.0-flash-live-001"}}, now=0.0)
    for message in messages:
        dialogue.receive(message, now=0.0)
    dialogue.advance(1.0)
    outputs = dialogue.take()
    assert outputs
    assert dialogue.hung_up == (type(outputs[-1]).__name__ == "Hangup")


@given(
    steps=st.lists(
        st.one_of(
            st.builds(
                lambda size, audio: ("add", "x" * size, audio),
                st.integers(0, 40),
                st.sampled_from([0.0, 1.3]),
            ),
            st.just(("forget",)),
            st.just(("mark",)),
            st.just(("restore",)),
        ),
        max_size=40,
    )
)
def test_the_tokens_of_a_context_are_those_of_its_turns_whatever_was_cut_or_taken_back(steps):
    setup = wire.Setup(model=SEED_ONLY)
    conversation = Conversation(session_id="s", model="m", vertex=False, setup=setup, profile=Profile())
    mark = conversation.snapshot()
    for step, *details in steps:
        if step == "add":
            text, seconds = details
            conversation.add(Turn(role="user", text=text, source="content", audio_seconds=seconds))
        elif step == "forget" and conversation.turns:
            conversation.forget(1)
        elif step == "mark":
            mark = conversation.snapshot()
        elif step == "restore":
            conversation.restore(mark)
        assert conversation.tokens == count(conversation.turns)
