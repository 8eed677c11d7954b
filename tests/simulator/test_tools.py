import pytest

from livebridge.simulator import Call, Script, ToolResults

TEXT_MODEL = "models/gemini-live-2.5-flash-preview"
NATIVE = "models/gemini-2.5-flash-native-audio-latest"
STRICT = "models/gemini-2.5-flash-native-audio-preview-12-2025"
STALLING = "models/gemini-3.1-flash-live-preview"
THINKER = "models/gemini-3.8-live-extended-thinking"


def result(call, output="done", **members):
    return {"id": call["id"], "name": call["name"], "response": {"output": output}, **members}


@pytest.fixture
def calling(dial, tools):
    """A client of a model that answers with calls of functions named a and b."""

    def make(*answers, behavior=None, vertex=False, model=TEXT_MODEL, settings=None, **setup):
        client = dial(vertex=vertex, brain=Script(answers), **(settings or {}))
        client.setup(model, tools=tools("a", "b", behavior=behavior), **setup)
        return client

    return make


def test_a_blocking_call_stalls_the_model_until_its_result(calling, read):
    client = calling(["Let me look.", Call("a", {"x": 1}), "never said"], "It is done.")
    turn = client.say("Go")
    (call,) = read.calls(turn)
    assert (call["name"], call["args"]) == ("a", {"x": 1})
    assert read.text(turn) == "Let me look."
    assert read.flags(turn) == []
    assert client.pass_time(60.0) == []
    assert client.dialogue.open_calls == 1
    answer = client.answer(result(call))
    assert read.text(answer) == "It is done."
    assert read.flags(answer) == ["generationComplete", "turnComplete"]
    assert answer[-1]["usageMetadata"]["toolUsePromptTokenCount"] > 0
    assert client.conversation.history[-1].names == ("a",)


def test_every_call_needs_its_answer(calling, read):
    client = calling([Call("a"), Call("b")], "Both are done.")
    first, second = read.calls(client.say("Go"))
    assert first["id"] != second["id"]
    assert client.answer(result(second)) == []
    assert read.text(client.answer(result(first))) == "Both are done."


def test_the_brain_is_given_the_results(dial, read, tools):
    seen = []

    class Watcher:
        def respond(self, conversation, cue):
            seen.append(cue)
            return [Call("a")] if conversation.answers == 1 else []

    client = dial(brain=Watcher())
    client.setup(tools=tools("a"))
    (call,) = read.calls(client.say("Go"))
    client.answer(result(call, output=42))
    assert isinstance(seen[1], ToolResults)
    assert seen[1].results[0].response == {"output": 42}


def test_an_answer_nobody_asked_for_is_recorded_and_ignored(calling, read):
    client = calling([Call("a")], "Done.")
    assert client.answer({"id": "x", "name": "a", "response": {}}) == []
    (call,) = read.calls(client.say("Go"))
    assert client.answer({"id": "x", "name": "a", "response": {}}, {"name": "a"}) == []
    client.answer(result(call))
    assert client.answer(result(call)) == []
    assert [one.accepted for one in client.conversation.heard.tool_results] == [
        False,
        False,
        False,
        True,
        False,
    ]


def test_vertex_takes_the_name_for_want_of_an_id(calling, read):
    client = calling([Call("a")], "Done.", vertex=True, model="models/gemini-live-2.5-flash")
    (call,) = read.calls(client.say("Go"))
    assert len(call["id"]) == 36
    assert read.text(client.answer({"name": "a", "response": {"output": 1}})) == "Done."


def test_the_gemini_api_shows_the_code_of_a_call_first(calling, read):
    client = calling([Call("a", {"x": "y"}), Call("b")], model=NATIVE)
    turn = client.write("Go")
    (part,) = read.parts(turn)
    assert part["executableCode"] == {
        "code": "print(default_api.a(x='y'))\nprint(default_api.b())",
        "language": "PYTHON",
    }


def test_an_interruption_cancels_open_calls_and_their_answers_do_not_count(calling, read):
    client = calling([Call("a"), Call("b")], "Yes?")
    first, second = read.calls(client.say("Go"))
    client.answer(result(first))
    turn = client.say("Stop")
    keys = [next(iter(message)) for message in turn]
    assert keys[:3] == ["serverContent", "toolCallCancellation", "serverContent"]
    assert read.cancelled(turn) == [second["id"]]
    assert read.flags(turn)[:2] == ["interrupted", "turnComplete"]
    assert read.text(turn) == "Yes?"
    assert client.answer(result(second)) == []


def test_the_server_may_take_calls_back(calling, read):
    client = calling([Call("a")])
    (call,) = read.calls(client.say("Go"))
    assert client.dialogue.cancel_calls(now=0.0) == [call["id"]]
    messages = client.run()
    assert read.cancelled(messages) == [call["id"]]
    assert read.flags(messages) == ["generationComplete", "turnComplete"]
    assert client.dialogue.cancel_calls(now=0.0) == []
    assert client.run() == []


def test_before_the_setup_there_is_nothing_to_cancel(dial):
    client = dial()
    assert client.dialogue.cancel_calls(now=0.0) == []
    assert client.dialogue.open_calls == 0
    assert not client.dialogue.busy


def test_during_a_non_blocking_call_the_model_goes_on(calling, read):
    client = calling([Call("a"), "Meanwhile."], "The result is here.", behavior="NON_BLOCKING")
    turn = client.say("Go")
    (call,) = read.calls(turn)
    assert read.text(turn) == "Meanwhile."
    assert read.flags(turn) == ["generationComplete", "turnComplete"]
    assert client.dialogue.open_calls == 1
    assert read.text(client.answer(result(call))) == "The result is here."


def test_a_silent_result_is_known_and_not_mentioned(calling, read):
    client = calling([Call("a"), "Meanwhile."], behavior="NON_BLOCKING")
    (call,) = read.calls(client.say("Go"))
    assert client.answer(result(call, scheduling="SILENT")) == []
    assert client.conversation.history[-1].role == "tool"


def test_a_result_when_idle_waits_for_the_end_of_the_turn(calling, read):
    client = calling(
        [Call("a"), "One two three four five six."],
        "Result.",
        behavior="NON_BLOCKING",
        settings={"pace": "real"},
    )
    client.say("Go")
    (call,) = read.calls(client.pass_time(0.31))
    assert client.answer(result(call, scheduling="WHEN_IDLE")) == []
    assert read.flags(client.pass_time(5.0)) == ["generationComplete", "turnComplete"] * 2


def test_an_interrupting_result_cuts_the_model_off(calling, read):
    client = calling(
        [Call("a"), Call("b"), "One two three four five six."],
        "Result.",
        behavior="NON_BLOCKING",
        settings={"pace": "real"},
    )
    client.say("Go")
    first, second = read.calls(client.pass_time(0.31))
    turn = client.answer(result(first, scheduling="INTERRUPT"))
    assert read.flags(turn)[:2] == ["interrupted", "turnComplete"]
    assert read.cancelled(turn) == [second["id"]]
    assert read.text(turn + client.pass_time(5.0)).endswith("Result.")


def test_a_call_that_will_continue_stays_open(calling, read):
    client = calling([Call("a"), "Meanwhile."], "First.", "Second.", behavior="NON_BLOCKING")
    (call,) = read.calls(client.say("Go"))
    assert read.text(client.answer(result(call, willContinue=True))) == "First."
    assert client.dialogue.open_calls == 1
    assert read.text(client.answer(result(call))) == "Second."
    assert client.dialogue.open_calls == 0


def test_a_model_without_scheduling_refuses_it(calling, read):
    client = calling([Call("a")], model=STALLING)
    (call,) = read.calls(client.write("Go"))
    client.answer(result(call, scheduling="SILENT"))
    assert client.hangup == (1007, "Function response scheduling is not supported for this model")


def test_a_model_may_stall_on_non_blocking_calls_too(calling, read):
    client = calling([Call("a"), "Meanwhile."], model=STALLING, behavior="NON_BLOCKING")
    assert read.flags(client.write("Go")) == []


def test_a_model_may_know_non_blocking_calls_only(calling, read):
    client = calling(
        [Call("a"), "Meanwhile."],
        model=THINKER,
        behavior="NON_BLOCKING",
        generationConfig={"thinkingConfig": {"thinkingLevel": "LOW"}},
    )
    assert read.flags(client.write("Go")) == ["generationComplete", "turnComplete"]


@pytest.mark.parametrize(
    ("model", "rule", "refused"),
    [(STRICT, "model", True), (NATIVE, "model", False), (STRICT, "accept", False), (NATIVE, "refuse", True)],
)
def test_audio_during_a_blocking_call_is_refused_where_the_model_does_so(calling, model, rule, refused):
    client = calling([Call("a")], model=model, settings={"audio_during_tool": rule})
    client.write("Go")
    client.play(bytes(640))
    assert (client.hangup == (1008, "Operation is not implemented, or supported, or enabled.")) is refused


def test_an_undeclared_function_blocks(dial, read):
    client = dial(brain=Script([[Call("mystery")]]))
    client.setup()
    assert read.flags(client.say("Go")) == []


def test_a_result_may_be_nested_as_deeply_as_protocol_buffers_allow(calling, read):
    def nested(levels):
        value = {}
        for _ in range(levels):
            value = {"in": [value]}
        return value

    client = calling([Call("a")], "Done.", [Call("a")])
    (call,) = read.calls(client.say("Go"))
    assert read.text(client.answer({"id": call["id"], "response": nested(45)})) == "Done."
    (call,) = read.calls(client.say("Go"))
    client.answer({"id": call["id"], "response": nested(60)})
    assert client.hangup == (1007, "Request contains an invalid argument.")
