"""A blocking session does what the async one does."""

import inspect
import pydoc
import queue
import threading

import pytest

from livebridge import Handler, Session
from livebridge.errors import AlreadyReceivingError, ConfigError, LivebridgeError, SessionClosedError
from livebridge.protocol import Status
from livebridge.simulator import Call, Script
from livebridge.threads import BlockingSession

WAYS_TO_START = {"start", "start_link", "child_spec"}
NOT_FOR_THREADS = {"ref"}
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
SILENCE = bytes(1280)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def names(cls):
    return {name for name in dir(cls) if not name.startswith("_")}


def test_there_is_everything_that_a_session_offers():
    assert names(Session) - WAYS_TO_START - NOT_FOR_THREADS <= names(BlockingSession)


@pytest.mark.parametrize(
    "name",
    [name for name in sorted(names(Session) - WAYS_TO_START) if inspect.isfunction(getattr(Session, name))],
)
def test_arguments_and_documentation_are_those_of_the_session(name):
    original, blocking = getattr(Session, name), getattr(BlockingSession, name)
    if name not in {"activity", "audio_conversation", "messages", "send_media_stream"}:
        assert inspect.signature(blocking) == inspect.signature(original)
        assert inspect.getdoc(blocking) == inspect.getdoc(original)
    assert f" {name}(" in pydoc.plain(pydoc.render_doc(BlockingSession))


def test_attributes_are_documented():
    assert BlockingSession.status.__doc__ == Session.status.__doc__
    assert "five words" in BlockingSession.status.__doc__


def test_a_question_is_answered(start, options):
    with start(**options) as session:
        assert session.ask("My name is Ada.", timeout=10).text == "Nice to meet you, Ada."
        assert session.ask("What is my name?", timeout=10).text == "Your name is Ada."
        assert repr(session) == f"<BlockingSession {session.telemetry_id}>"
    assert session.closed


def test_the_unbound_form_works_as_well(start, options):
    session = start(**options)
    assert BlockingSession.ask(session, "Hello").text == "Hello! How can I help you?"


def test_attributes_are_read(start, options):
    resumable = threading.Event()
    with start(**options, on_session_resumption=lambda _: resumable.set()) as session:
        session.ask("Hello", timeout=10)
        session.wait_ready()
        assert resumable.wait(10)
        assert (session.status, session.phase.value, session.closed) == (Status.READY, "ready", False)
        assert (session.epoch, session.muted, session.session_id) == (1, False, None)
        assert session.usage.total_token_count > 0
        assert session.pending_tool_calls == {}
        assert session.go_away_deadline is None
        assert session.statistics().messages_sent == 1
        assert session.handle
        assert session.resumable
        assert session.session.handle == session.handle


def test_what_is_sent_arrives(start, world):
    with start(**world.serve(), **MANUAL) as session:
        with session.activity():
            session.send_audio(SILENCE)
            session.send_video(PNG, "image/png")
        session.send_realtime_input(activity_start=True)
        session.send_realtime_input(activity_end=True)
        receipt = session.send_text("Hello", wait="written", timeout=10)
        assert receipt.state == "written"
        world.wait(lambda simulator: simulator.conversations[0].heard.user_texts)
    kinds = [type(each).__name__ for each in world.heard().inputs]
    assert kinds[:5] == ["SignalHeard", "AudioHeard", "FrameHeard", "SignalHeard", "SignalHeard"]


def test_content_is_sent(start, world):
    with start(**{**world.serve(), "model": "gemini-2.5-flash-native-audio-latest"}) as session:
        session.send_client_content("My name is Ada.", turn_complete=False)
        session.send_client_content("What is my name?")
        assert session.wait_turn(timeout=10).text == "Your name is Ada."


def test_a_microphone_that_blocks_is_a_stream(start, world):
    microphone = queue.SimpleQueue()
    pieces = iter(microphone.get, None)
    threads = set()

    def sound():
        for piece in pieces:
            threads.add(threading.current_thread().name)
            yield piece

    with start(**world.serve(), **MANUAL) as session:
        streaming = session.send_media_stream.submit(sound(), pace=False)
        microphone.put(SILENCE)
        world.wait(lambda simulator: simulator.conversations[0].heard.audio_seconds > 0)
        assert not streaming.done()
        microphone.put(SILENCE)
        microphone.put(None)
        assert streaming.result(10) == pytest.approx(0.08)
    assert not threads & {"under test", threading.current_thread().name}


def test_an_async_stream_is_taken_as_it_is(start, world):
    async def sound():
        yield SILENCE

    with start(**world.serve(), **MANUAL) as session:
        assert session.send_media_stream(sound()) == pytest.approx(0.04)


def test_a_muted_session_sends_no_sound(start, world):
    with start(**world.serve()) as session:
        session.mute()
        assert session.muted
        session.send_audio(SILENCE)
        session.unmute()
        assert not session.muted
        session.ask("Hello", timeout=10)
    assert world.heard().audio_seconds == 0


def test_a_tool_is_answered_by_hand(start, world):
    declaration = {"function_declarations": [{"name": "open_door"}]}
    options = world.serve(brain=Script([Call("open_door"), "It is open."]))
    with start(**options, tools=[declaration]) as session:
        with session.messages() as messages:
            session.send_text("Please.")
            call = next(call for message in messages for call in message.tool_calls or ())
            assert list(session.pending_tool_calls) == [call.id]
        answered = session.send_tool_response({"id": call.id, "name": call.name, "response": {"result": 1}})
        assert answered == 1
        assert session.wait_turn(timeout=10).text == "It is open."


def test_instructions_change(start, world):
    with start(**{**world.serve(), "model": "gemini-3.8-live"}) as session:
        session.send_context_update(system_instruction="Be brief.")
        world.wait(
            lambda simulator: (
                [type(each).__name__ for each in simulator.conversations[0].heard.inputs] == ["UpdateHeard"]
            )
        )


def test_messages_end_with_the_session(start, options):
    session = start(**options)
    with session.messages() as messages:
        session.ask("Hello", timeout=10)
        assert any(message.text or message.server_content for message in messages) is True
        with pytest.raises(AlreadyReceivingError):
            session.receive()
        session.close()
        list(messages)
    assert session.closed


def test_messages_end_when_their_block_is_left(start, options):
    with start(**options) as session:
        with session.messages() as messages:
            pass
        assert list(messages) == []


def test_one_message_is_received_at_a_time(start, options):
    session = start(**options)
    session.send_text("Hello")
    while (message := session.receive()) is not None:
        if message.server_content is not None and message.server_content.turn_complete:
            session.close()
    assert session.close_info.initiated_by == "client"


class Counter(Handler):
    def __init__(self):
        self.count = 0

    def handle_cast(self, request):
        self.count += request

    def handle_call(self, request, caller):
        if request == "fail":
            raise KeyError(request)
        return self.count


def test_a_handler_is_called_and_told(start, options):
    with start(Counter(), **options) as session:
        session.cast(2)
        session.cast(3)
        assert session.call("count") == 5
        with pytest.raises(KeyError, match="fail"):
            session.call("fail")


def test_the_connection_is_replaced(start, options):
    with start(**options) as session:
        session.ask("Hello", timeout=10)
        session.reconnect()
        assert session.epoch == 2
        session.rotate()
        assert session.ask("Hello", timeout=10).text


def test_it_connects_when_it_is_told_to(start, options):
    with start(**options, connect=False) as session:
        assert session.status == Status.DISCONNECTED
        session.connect(timeout=10)
        assert session.status == Status.READY


def test_whoever_waits_for_the_end_is_told(start, options):
    session = start(**options)
    ended = session.wait_closed.submit()
    result = session.close()
    assert ended.result(10) == result.info
    assert (result.info.initiated_by, result.undelivered) == ("client", 0)
    assert session.close() == result
    with pytest.raises(SessionClosedError):
        session.send_text("too late")


def test_a_call_that_takes_too_long_is_cancelled(start, options):
    session = start(**options)
    assert session.receive().setup_complete is not None
    with pytest.raises(TimeoutError, match=r"receive\(\) did not end within 0\.01 s; it was cancelled"):
        session.within(0.01).receive()
    with pytest.raises(TimeoutError, match="no turn was completed within"):
        session.wait_turn(timeout=0.01)
    assert session.ask("Hello", timeout=10).text


def test_errors_are_those_of_the_session(start, options):
    with start(**options) as session:
        with pytest.raises(ConfigError, match="text must be a str"):
            session.send_text(3)
        with pytest.raises(ConfigError, match="rate"):
            session.send_audio(SILENCE, rate=0)
        with pytest.raises(LivebridgeError, match="no Handler"):
            session.call("anything")
