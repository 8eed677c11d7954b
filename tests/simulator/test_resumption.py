import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from livebridge import wire
from livebridge.simulator import Call, Echo, Rules, Script, TextHeard, Turn
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._settings import Settings
from livebridge.simulator._world import Caller, World

MODEL = "models/gemini-live-2.5-flash-preview"
RESUMABLE = {"sessionResumption": {}}


@pytest.fixture
def resume(dial):
    def make(client, handle, **settings):
        again = dial(client.world, vertex=client.vertex, now=client.now)
        again.setup(
            settings.pop("model", "models/gemini-live-2.5-flash" if client.vertex else MODEL),
            sessionResumption={"handle": handle, **settings},
        )
        return again

    return make


def test_updates_come_only_if_the_setup_asks_for_them(dial, read):
    client = dial(brain=Echo())
    client.setup()
    assert read.updates(client.say("Hi")) == []
    silent = dial(brain=Echo(), handles="never")
    silent.setup(**RESUMABLE)
    assert read.updates(silent.say("Hi")) == []


def test_a_handle_follows_every_turn_and_there_is_none_during_it(dial, read):
    client = dial(brain=Echo())
    client.setup(**RESUMABLE)
    turn = client.say("Hi")
    assert turn[0] == {"sessionResumptionUpdate": {}}
    assert "usageMetadata" in turn[-2]
    update = turn[-1]["sessionResumptionUpdate"]
    assert update["resumable"] is True
    assert len(update["newHandle"]) == 32
    assert len(read.updates(turn)) == 2


def test_a_resumed_conversation_knows_what_was_said(dial, read, resume):
    client = dial(brain=Rules())
    client.setup(**RESUMABLE)
    handle = read.handle(client.say("My name is Alice."))
    client.close()
    again = resume(client, handle)
    assert again.conversation is client.conversation
    assert read.text(again.say("What is my name?")) == "Your name is Alice."
    assert [one.resumed for one in again.conversation.connections] == [False, True]


def test_an_older_handle_takes_the_conversation_back(dial, read, resume):
    client = dial(brain=Script(["One.", "Two.", "Three."]))
    client.setup(**RESUMABLE)
    first = read.handle(client.say("a"))
    second = read.handle(client.say("b"))
    client.close()
    again = resume(client, first)
    assert again.conversation.heard.user_texts == ["a"]
    assert read.text(again.say("c")) == "Two."
    again.close()
    newest = resume(client, second)
    assert newest.conversation.heard.user_texts == ["a", "b"]


def test_with_few_handles_kept_a_conversation_drops_what_no_resumption_can_need(dial, read, resume):
    client = dial(brain=Echo(), keep_handles=2)
    client.setup(**RESUMABLE)
    handles = [read.handle(client.say(f"turn {number}")) for number in range(10)]
    conversation = client.conversation
    assert conversation.heard.user_texts == ["turn 9"]
    assert [turn.text for turn in conversation.turns] == ["turn 9", "turn 9"]
    assert conversation.tokens.total == 4
    assert (conversation.length, len(client.world.handles)) == (30, 2)
    client.close()
    assert resume(client, handles[-3]).hangup == (1008, "BidiGenerateContent session not found")
    again = resume(client, handles[-2])
    assert again.conversation.heard.user_texts == []
    again.say("other turn 9")
    assert again.conversation.heard.user_texts == ["other turn 9"]


def test_with_few_handles_kept_the_first_and_the_newest_connections_are_remembered(dial, read, resume):
    client = dial(brain=Echo(), keep_handles=1)
    client.setup(**RESUMABLE)
    for _ in range(120):
        handle = read.handle(client.say("Hi"))
        client.close()
        client = resume(client, handle)
    numbers = [record.number for record in client.conversation.connections]
    assert numbers[0] == 1
    assert numbers[-1] == 121
    assert 100 <= len(numbers) <= 102


class ForgettingMachine(RuleBasedStateMachine):
    """A conversation whose records are dropped now and then, against one that remembers everything."""

    def __init__(self):
        super().__init__()
        self.world = World(Settings(seed=1))
        self.conversation = self.world.begin(
            wire.Setup(model=MODEL), Caller(number=1, vertex=False, version="v1beta"), now=0.0
        )
        self.model = []
        self.states = {}
        self.line = []
        self.dropped = []
        self.count = 0

    @rule()
    def say(self):
        self.count += 1
        self.model.append(str(self.count))
        self.conversation.hear(TextHeard(text=str(self.count)))
        self.conversation.add(Turn(role="user", text=str(self.count), source="text"))

    @rule()
    def issue(self):
        handle = self.world.issue_handle(self.conversation)
        self.states[handle] = list(self.model)
        self.line.append(handle)

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def resume(self, data):
        handle = data.draw(st.sampled_from(self.line[-3:]))
        self.world.end(self.conversation, now=0.0)
        model = self.conversation.model
        assert self.world.handles.resume(handle, model=model, vertex=False, now=0.0) is self.conversation
        self.model = list(self.states[handle])
        self.line = self.line[: self.line.index(handle) + 1]

    @rule(keep=st.integers(3, 6))
    def forget(self, keep):
        dropped = self.world.forget(self.conversation, keep_handles=keep)
        assert dropped.realtime_texts == dropped.user_texts
        self.dropped += dropped.realtime_texts
        if len(self.line) > keep:
            self.line = self.line[-keep:]
            assert len(self.world.handles) == keep

    @invariant()
    def nothing_is_lost_and_nothing_comes_twice(self):
        heard = self.conversation.heard
        assert self.dropped + heard.realtime_texts == self.dropped + heard.user_texts == self.model
        assert self.conversation.length == 2 * len(self.model)


TestForgetting = ForgettingMachine.TestCase
TestForgetting.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


def test_a_handle_can_follow_the_setup_at_once(dial, read, resume):
    client = dial(brain=Echo(), first_handle=True)
    messages = client.setup(**RESUMABLE)
    handle = read.handle(messages)
    client.close()
    assert resume(client, handle).hangup is None


def test_between_turns_a_handle_comes_when_something_has_happened(dial, read):
    client = dial(brain=Echo(), handle_every=5.0)
    client.setup(**RESUMABLE)
    assert client.pass_time(20.0) == []
    assert len(read.updates(client.play(bytes(640)))) == 1
    client.play(bytes(640))
    (update,) = read.updates(client.pass_time(5.0))
    assert update["resumable"] is True
    assert client.pass_time(20.0) == []
    quiet = dial(brain=Echo(), handle_every=None)
    quiet.setup(**RESUMABLE)
    quiet.play(bytes(640))
    assert quiet.pass_time(60.0) == []


def test_in_the_middle_of_speech_there_is_no_handle(dial, read, speech):
    client = dial(brain=Echo())
    client.setup(**RESUMABLE)
    client.play(speech("Hello", silence=0))
    assert client.pass_time(60.0) == []
    assert read.handle(client.send({"realtimeInput": {"audioStreamEnd": True}}))


def test_with_an_open_call_there_is_no_handle(dial, read, tools):
    client = dial(brain=Script([[Call("a")], "Done."]))
    client.setup(tools=tools("a", behavior="NON_BLOCKING"), **RESUMABLE)
    turn = client.say("Go")
    assert read.updates(turn) == [{}]
    (call,) = read.calls(turn)
    update = read.updates(client.answer({"id": call["id"], "name": "a", "response": {}}))[-1]
    assert update["resumable"] is True


def test_a_resumed_session_ignores_answers_to_calls_it_did_not_make(dial, read, tools, resume):
    client = dial(brain=Script(["Hello.", [Call("a")], "Done."]))
    client.setup(tools=tools("a"), **RESUMABLE)
    handle = read.handle(client.say("Hi"))
    (call,) = read.calls(client.say("Go"))
    client.close()
    again = resume(client, handle)
    assert again.answer({"id": call["id"], "name": "a", "response": {}}) == []
    assert [one.accepted for one in again.conversation.heard.tool_results] == [False]


def test_resuming_while_the_old_socket_is_open_is_refused(dial, read, resume):
    client = dial(brain=Echo())
    client.setup(**RESUMABLE)
    handle = read.handle(client.say("Hi"))
    assert resume(client, handle).hangup == (1011, "Internal error occurred.")
    assert client.conversation.connected


def test_a_handle_expires_some_time_after_the_last_connection(dial, read, resume):
    client = dial(brain=Echo(), handle_ttl=100.0, session_limit=None, connection_lifetime=None)
    client.setup(**RESUMABLE)
    handle = read.handle(client.say("Hi"))
    client.pass_time(500.0)
    client.close()
    client.now += 99.0
    assert resume(client, handle).hangup is None
    client.dialogue.close(now=0.0)
    client.conversation.connected = False
    client.conversation.ended_at = client.now
    client.now += 100.0
    assert resume(client, handle).hangup == (1008, "BidiGenerateContent session not found")


def test_revoked_handles_are_gone_and_others_stay(dial, read, resume, make_world):
    world = make_world(brain=Echo())
    one, other = dial(world), dial(world)
    handles = []
    for client in (one, other):
        client.setup(**RESUMABLE)
        handles.append(read.handle(client.say("Hi")))
        client.close()
    assert len(world.handles) == 2
    one.dialogue.revoke_handles()
    assert len(world.handles) == 1
    assert resume(one, handles[0]).hangup[0] == 1008
    assert resume(other, handles[1]).hangup is None
    dial(world).dialogue.revoke_handles()
    assert len(world.handles) == 1


def test_the_model_cannot_change_on_resume(dial, read, resume):
    client = dial(brain=Echo())
    client.setup(**RESUMABLE)
    handle = read.handle(client.say("Hi"))
    client.close()
    changed = resume(client, handle, model="models/gemini-2.0-flash-live-001")
    assert changed.hangup == (1007, "Request contains an invalid argument.")


def test_transparent_updates_tell_the_last_message_that_is_in_the_handle(dial, read, resume):
    client = dial(vertex=True, brain=Echo(), first_handle=True)
    messages = client.setup("models/gemini-live-2.5-flash", sessionResumption={"transparent": True})
    assert "lastConsumedClientMessageIndex" not in read.updates(messages)[0]
    client.say("One.", complete=False)
    update = read.updates(client.say("Two."))[-1]
    assert update["lastConsumedClientMessageIndex"] == "2"
    client.close()
    again = resume(client, update["newHandle"], transparent=True)
    assert read.updates(again.say("Three."))[-1]["lastConsumedClientMessageIndex"] == "1"


def test_without_transparent_there_is_no_index(dial, read):
    client = dial(vertex=True, brain=Echo())
    client.setup("models/gemini-live-2.5-flash", **RESUMABLE)
    assert "lastConsumedClientMessageIndex" not in read.updates(client.say("Hi"))[-1]


class ExactlyOnce(RuleBasedStateMachine):
    """A client that keeps what the server has not confirmed and sends it again after every drop.

    With transparent resumption the server must hear every message once and in order, whenever the line drops.
    """

    def __init__(self):
        super().__init__()
        self.world = World(Settings(seed=3, brain=Echo(), first_handle=True, handle_every=5.0))
        self.now = 0.0
        self.handle = None
        self.said = []
        self.unconfirmed = []
        self.index = 0
        self.dials = 0
        self.dialogue = None
        self.dial()

    def dial(self):
        self.dials += 1
        self.dialogue = Dialogue(
            self.world, Caller(number=self.dials, vertex=True, version="v1"), now=self.now
        )
        resumption = {"transparent": True} | ({"handle": self.handle} if self.handle else {})
        model = "publishers/google/models/gemini-live-2.5-flash"
        self.dialogue.receive({"setup": {"model": model, "sessionResumption": resumption}}, now=self.now)
        self.index = 0
        self.read()
        pending, self.unconfirmed = self.unconfirmed, []
        for _, text in pending:
            self.write(text)

    def write(self, text):
        self.index += 1
        self.unconfirmed.append((self.index, text))
        turn = {"role": "user", "parts": [{"text": text}]}
        plain = {"clientContent": {"turns": [turn], "turnComplete": len(text) % 2 == 0}}
        self.dialogue.receive(plain, now=self.now)

    def read(self):
        for output in self.dialogue.take():
            assert isinstance(output, wire.ServerMessage)
            update = output.session_resumption_update
            if update is not None and update.resumable and update.new_handle:
                self.handle = update.new_handle
                consumed = update.last_consumed_client_message_index or 0
                self.unconfirmed = [one for one in self.unconfirmed if one[0] > consumed]

    @rule(length=st.integers(1, 2))
    def say(self, length):
        text = f"{len(self.said):04d}" + "x" * length
        self.said.append(text)
        self.write(text)

    @rule(seconds=st.sampled_from([0.0, 0.0, 1.0, 6.0]))
    def work(self, seconds):
        self.now += seconds
        self.dialogue.advance(self.now)

    @rule()
    def listen(self):
        self.read()

    @precondition(lambda self: self.handle)
    @rule()
    def drop(self):
        self.dialogue.close(now=self.now)
        self.dial()

    @invariant()
    def everything_is_heard_once_and_in_order(self):
        heard = [part.text for turn in self.world.conversations[-1].heard.turns for part in turn.parts or ()]
        assert heard == self.said


TestExactlyOnce = ExactlyOnce.TestCase
TestExactlyOnce.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
