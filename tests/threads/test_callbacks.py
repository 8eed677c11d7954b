"""Callbacks run in the trio thread; one that blocks can be moved to a thread of its own."""

import threading

import pytest
import trio

from livebridge import Handler
from livebridge.errors import CallSelfError, ConfigError, LivebridgeError, LocalProtocolError
from livebridge.session import Session
from livebridge.simulator import Call, Script
from livebridge.threads import current_session, in_thread


class Caught:
    """Calls something in a callback and keeps what that raised or returned."""

    def __init__(self, act):
        self._act = act
        self._done = threading.Event()
        self._outcome = None

    def __call__(self, _):
        try:
            self._outcome = self._act()
        except Exception as error:
            self._outcome = error
        self._done.set()

    def outcome(self):
        assert self._done.wait(20)
        return self._outcome


def test_callbacks_run_in_the_thread_of_the_bridge(start, options):
    name = Caught(lambda: threading.current_thread().name)
    with start(**options, on_ready=name):
        assert name.outcome() == "under test"


def test_a_blocking_call_in_a_callback_raises_and_does_not_hang(start, options):
    sessions = []
    asking = Caught(lambda: sessions[0].ask("never"))
    submitting = Caught(lambda: sessions[0].ask.submit("never"))
    sessions.append(start(**options, on_ready=asking, on_turn_complete=submitting, connect=False))
    sessions[0].connect(timeout=10)
    sessions[0].send_text("Hello")
    assert isinstance(asking.outcome(), CallSelfError)
    assert "in_thread" in str(asking.outcome())
    assert isinstance(submitting.outcome(), CallSelfError)


def test_attributes_can_be_read_in_a_callback(start, options):
    sessions = []
    reading = Caught(lambda: sessions[0].status)
    sessions.append(start(**options, on_ready=reading, connect=False))
    sessions[0].connect(timeout=10)
    assert reading.outcome() == "ready"


def test_a_callback_that_leaves_the_program_ends_its_session_only(start, options):
    def leave(_):
        raise SystemExit(3)

    other = start(**options)
    with pytest.raises(SystemExit), start(**options, on_turn_complete=leave) as session:
        session.send_text("Hello")
        with pytest.raises(LivebridgeError):
            session.wait_closed()
    assert other.ask("Hello", timeout=10).text


def test_the_bridge_is_not_closed_in_a_callback(bridge, start, options):
    plainly = Caught(bridge.close)
    moved = Caught(bridge.close)
    with start(**options, on_ready=plainly, on_turn_complete=in_thread(moved)) as session:
        session.send_text("Hello")
        assert isinstance(plainly.outcome(), CallSelfError)
        assert isinstance(moved.outcome(), CallSelfError)
        assert session.ask("Hello", timeout=10).text


def test_a_callback_that_blocks_in_a_thread_holds_up_no_other_session(start, options):
    begun, go_on = threading.Event(), threading.Event()

    @in_thread
    def block(turn):
        begun.set()
        assert go_on.wait(20)

    with start(**options, on_turn_complete=block) as slow, start(**options) as quick:
        slow.send_text("Hello")
        assert begun.wait(20)
        assert quick.ask("My name is Ada.", timeout=10).text == "Nice to meet you, Ada."
        go_on.set()


def test_callbacks_that_were_moved_keep_their_order(start, options):
    said = []
    ended = threading.Event()
    with start(
        **options,
        on_transcription=in_thread(lambda transcript: said.append(transcript.text)),
        on_turn_complete=in_thread(lambda turn: (said.append(turn.text), ended.set())),
    ) as session:
        session.send_text("Hello")
        assert ended.wait(20)
    assert len(said) > 1
    assert "".join(said[:-1]) == said[-1]


def test_a_callback_that_was_moved_can_send_and_read(start, options):
    answered = threading.Event()

    class Greeter(Handler):
        @in_thread
        def on_ready(self, info):
            assert current_session().status == "ready"
            current_session().within(10).send_text("My name is Ada.", wait="written")

        def on_turn_complete(self, turn):
            self.text = turn.text
            answered.set()

    greeter = Greeter()
    with start(greeter, **options):
        assert answered.wait(20)
    assert greeter.text == "Nice to meet you, Ada."


@pytest.mark.parametrize("verb", ["ask", "wait_turn", "receive", "wait_ready", "wait_closed", "call"])
def test_a_callback_that_was_moved_cannot_wait_for_what_comes_after_it(start, options, verb):
    arguments = ("x",) if verb in {"ask", "call"} else ()
    waiting = Caught(lambda: getattr(current_session(), verb)(*arguments))
    with start(Handler(), **options, connect=False) as session:
        session.close()
    with start(**options, on_turn_complete=in_thread(waiting)) as session:
        session.send_text("Hello")
        assert isinstance(waiting.outcome(), CallSelfError)


def test_a_callback_that_was_moved_can_close_its_session(start, options):
    with start(**options, on_ready=in_thread(lambda _: current_session().close())) as session:
        assert session.wait_closed().initiated_by == "client"


def test_a_limit_holds_in_a_callback_that_was_moved(bridge, start, options):
    waiting = Caught(lambda: bridge.within(0.01).run(trio.sleep_forever))
    with start(**options, on_ready=in_thread(waiting)):
        assert isinstance(waiting.outcome(), TimeoutError)
        assert "sleep_forever" in str(waiting.outcome())


def test_a_tool_that_is_no_async_function_has_its_session(start, world):
    def open_door() -> str:
        """Open the door."""
        return f"{current_session().status} in {threading.current_thread().name != 'under test'}"

    options = world.serve(brain=Script([Call("open_door"), "It is open."]))
    with start(**options, tools=[open_door]) as session:
        session.ask("Please.", timeout=10)
    (result,) = world.heard().tool_results
    assert "ready in True" in str(result.response)


def test_an_async_function_needs_no_thread():
    async def callback(argument):
        """Do nothing."""

    with pytest.raises(ConfigError, match="callback is async"):
        in_thread(callback)


def test_elsewhere_there_is_no_current_session():
    with pytest.raises(LocalProtocolError):
        current_session()


async def test_the_session_of_another_trio_is_not_for_threads(world):
    raised = []

    def look(_):
        with pytest.raises(LocalProtocolError, match="not started by a LiveBridgeThread"):
            current_session()
        raised.append(1)

    options = await trio.to_thread.run_sync(world.serve)
    async with Session.start(**options, on_ready=in_thread(look)):
        pass
    assert raised == [1]


def test_a_thread_that_only_inherits_the_context_is_any_thread(start, options):
    """As threads of Python 3.14 may."""
    import contextvars  # noqa: PLC0415 - only this test

    results = []

    def beside(_):
        context = contextvars.copy_context()
        session = current_session().within(10)
        thread = threading.Thread(target=context.run, args=(lambda: results.append(session.status),))
        thread.start()
        thread.join()

    with start(**options, on_ready=in_thread(beside)) as session:
        session.ask("Hello", timeout=10)
    assert results == ["ready"]
