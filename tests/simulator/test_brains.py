import pytest

from livebridge import wire
from livebridge.simulator import (
    Brain,
    Call,
    Echo,
    HangUp,
    Hangup,
    Rules,
    Say,
    Script,
    Send,
    Stall,
    Think,
    Wait,
)
from livebridge.simulator._brains import result_text, spoken


@pytest.fixture
def talk(dial, read):
    """What the model answers to each text, in one conversation."""

    def run(brain, *texts, **setup):
        client = dial(brain=brain)
        client.setup(**setup)
        return [read.text(client.say(text)) for text in texts]

    return run


def test_every_brain_of_the_house_is_a_brain():
    assert all(isinstance(brain, Brain) for brain in (Echo(), Rules(), Script([])))


def test_an_echo_says_what_it_heard(talk):
    assert talk(Echo(), "Hello", "") == ["Hello", ""]


def test_an_echo_reads_out_the_results_of_tools(dial, read):
    class CallingEcho(Echo):
        def respond(self, conversation, cue):
            if conversation.answers == 1:
                return [Call("look")]
            return super().respond(conversation, cue)

    client = dial(brain=CallingEcho())
    client.setup()
    (call,) = read.calls(client.say("look"))
    turn = client.answer({"id": call["id"], "name": "look", "response": {"output": "a cat"}})
    assert read.text(turn) == "look: a cat"


def test_a_script_gives_its_answers_in_order_and_then_says_that_it_is_over(talk):
    script = Script(["One.", Say("Two."), ["Three, ", Say("four.")]])
    assert talk(script, "a", "b", "c", "d") == [
        "One.",
        "Two.",
        "Three, four.",
        "That was the end of the script.",
    ]


def test_a_thought_is_sent_only_if_the_setup_asks_for_thoughts(dial, read):
    for include, expected in ((True, ["Hm."]), (False, [])):
        client = dial(brain=Script([[Think("Hm."), "Yes."]]))
        client.setup(generationConfig={"thinkingConfig": {"includeThoughts": include}})
        turn = client.say("?")
        assert [part["text"] for part in read.parts(turn) if part.get("thought")] == expected
        assert turn[-1]["usageMetadata"]["thoughtsTokenCount"] == 1


def test_a_brain_can_wait_for_some_seconds(dial, read):
    client = dial(brain=Script([["One.", Wait(2.0), "Two."]]))
    client.setup()
    assert read.text(client.say("?")) == "One."
    assert client.pass_time(1.9) == []
    assert read.flags(client.pass_time(0.2)) == ["generationComplete", "turnComplete"]


def test_a_brain_can_stall_until_it_is_interrupted(dial, read):
    client = dial(brain=Script([["One.", Stall()], "Two."]))
    client.setup()
    client.say("?")
    assert client.pass_time(100.0) == []
    turn = client.say("Hello?")
    assert read.flags(turn) == ["interrupted", "turnComplete", "generationComplete", "turnComplete"]
    assert read.text(turn) == "Two."


def test_a_brain_can_send_any_message_and_hang_up(dial, read):
    grounding = wire.GroundingMetadata(web_search_queries=["cats"])
    message = wire.ServerMessage(server_content=wire.ServerContent(grounding_metadata=grounding))
    client = dial(brain=Script([[Send(message), HangUp(Hangup(1011, "enough"))]]))
    client.setup()
    turn = client.say("?")
    assert read.contents(turn)[0]["groundingMetadata"] == {"webSearchQueries": ["cats"]}
    assert client.hangup == (1011, "enough")
    assert client.dialogue.deadline is None


def test_no_answer_is_an_empty_turn(dial, read):
    client = dial(brain=Script([[]]))
    client.setup()
    turn = client.say("?")
    assert read.flags(turn) == ["generationComplete", "turnComplete"]
    assert "responseTokenCount" not in turn[-1]["usageMetadata"]
    assert [one.role for one in client.conversation.history] == ["user"]


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("Hello!", "Hello! How can I help you?"),
        ("Greet the guest.", "Welcome! It is good to have you here."),
        ("Thank you", "You are welcome."),
        ("Good bye", "Goodbye! It was good to talk to you."),
        ("What is my name?", "You have not told me your name."),
        ("What do you remember?", "You have not told me anything to remember."),
        ("Remember: the key is under the mat.", "I will remember: the key is under the mat."),
        ("", "I am listening."),
    ],
)
def test_the_rules_answer_what_they_know(talk, said, answered):
    assert talk(Rules(), said) == [answered]


def test_the_rules_remember_names_and_facts(talk):
    answers = talk(
        Rules(),
        "I am called Zoë",
        "remember that the code is 42",
        "Remember: milk!",
        "What is my name?",
        "What did I tell you?",
        "Hello",
    )
    assert answers[0] == "Nice to meet you, Zoë."
    assert answers[3] == "Your name is Zoë."
    assert answers[4] == "You told me: the code is 42; milk."
    assert answers[5] == "Hello, Zoë! How can I help you?"


def test_the_rules_make_conversation_out_of_what_was_said(talk):
    first, second, third = talk(
        Rules(), "Elephants swim well", "Elephants swim well", "why do elephants swim"
    )
    assert first != second
    assert all("lephants swim" in answer for answer in (first, second, third))


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("Grüße aus Köln", "Grüße aus Köln"),
        ("Gru\u0308ße aus Ko\u0308ln!", "Gru\u0308ße aus Ko\u0308ln"),
        ("привет, мир", "привет мир"),
        ("नमस्ते दुनिया", "नमस्ते दुनिया"),
        ("今日は良い天気です", "今日は良い天気です"),
        ("Don't stop, it's l\u2019été", "Don't stop l\u2019été"),
        ("7 * 6", "7 * 6"),
        ("???", "that"),
    ],
)
def test_the_rules_keep_words_of_any_script_whole(talk, said, topic):
    (answer,) = talk(Rules(), said)
    assert f" {topic}." in answer


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("I\u2019m called O\u2019Brien.", "Nice to meet you, O\u2019Brien."),
        ("my name is Zoe\u0308", "Nice to meet you, Zoe\u0308."),
        ("call me अमित।", "Nice to meet you, अमित."),
        ("call me Bob🙂", "Nice to meet you, Bob."),
        ("remember\uff1a牛乳。", "I will remember: 牛乳."),
        ("what\u2019s my name", "You have not told me your name."),
    ],
)
def test_the_rules_keep_names_and_facts_of_any_script_whole(talk, said, answered):
    assert talk(Rules(), said) == [answered]


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("What's the weather in Paris?", ["get_weather"]),
        ("I want to book two tables", ["bookTable"]),
        ("please call turn_on_lights", ["turn_on_lights"]),
        ("today\u2019s weather's bad", ["get_weather"]),
        ("get me out of here", []),
        ("what a day", []),
    ],
)
def test_the_rules_call_the_tools_that_the_words_name(dial, read, tools, said, called):
    client = dial(brain=Rules())
    client.setup(tools=tools("get_weather", "bookTable", "turn_on_lights", "set_alarm", "do_it"))
    assert [call["name"] for call in read.calls(client.say(said))] == called


def test_the_rules_speak_the_results_of_all_tools(dial, read, tools):
    client = dial(brain=Rules())
    client.setup(tools=tools("get_weather", "get_time"))
    one, other = read.calls(client.say("weather and time"))
    turn = client.answer(
        {"id": one["id"], "name": "get_weather", "response": {"sky": "blue", "wind_speed": 3}},
        {"id": other["id"], "name": "get_time", "response": {"error": "no clock"}},
    )
    assert read.text(turn) == "Get weather says sky blue, wind speed 3. get time says an error: no clock."


def test_speech_nobody_understands_is_answered_truthfully(dial, read):
    client = dial(brain=Rules())
    client.setup()
    client.play((3000).to_bytes(2, "little") * 16000)
    turn = client.send({"realtimeInput": {"audioStreamEnd": True}})
    assert read.text(turn) == "I heard you speak for 1.0 seconds, but I could not make out the words."


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "yes"),
        (False, "no"),
        (3, "3"),
        (["a", 1], "a, 1"),
        ({"max_speed": 3}, "max speed 3"),
    ],
)
def test_json_can_be_said_in_words(value, words):
    assert spoken(value) == words
    assert result_text({"output": value}) == words
    assert result_text({"result": value}) == words
