"""The life of a bridge: begun by its first use, ended with everything that it runs."""

import logging
import signal
import threading
from contextlib import asynccontextmanager

import pytest
import trio

from livebridge import LiveBridgeThread
from livebridge.errors import SessionClosedError
from livebridge.threads import _portal


async def answer(number, *, plus=0):
    await trio.lowlevel.checkpoint()
    return number + plus


class Waiting:
    """An async function that says when it waits and when it was cancelled."""

    def __init__(self):
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self):
        self.begun.set()
        try:
            await trio.sleep_forever()
        finally:
            self.cancelled.set()


class Manager:
    """An async context manager that keeps what it was told."""

    def __init__(self, *, on_exit=None, on_enter=None):
        self.told = None
        self.tasks = []
        self._on_exit = on_exit
        self._on_enter = on_enter

    async def __aenter__(self):
        self.tasks.append(trio.lowlevel.current_task())
        if self._on_enter is not None:
            await self._on_enter()
        return self

    async def __aexit__(self, kind, error, traceback):
        self.tasks.append(trio.lowlevel.current_task())
        self.told = kind
        if self._on_exit is not None:
            raise self._on_exit


def test_the_thread_begins_with_the_first_use_and_ends_with_the_block(threads_named):
    with LiveBridgeThread(name="mine") as bridge:
        assert threads_named("mine") == 0
        assert bridge.run(answer, 1, plus=2) == 3
        assert bridge.submit(answer, 1).result(10) == 1
        assert threads_named("mine") == 1
    assert threads_named("mine") == 0


def test_many_threads_begin_one_thread(threads_named):
    with LiveBridgeThread(name="mine") as bridge:
        barrier = threading.Barrier(8)
        numbers = []

        def use(number):
            barrier.wait()
            numbers.append(bridge.run(answer, number))

        threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(numbers) == list(range(8))
        assert threads_named("mine") == 1


def test_several_sessions_live_on_one_bridge(start, options):
    with start(**options) as ada, start(**options) as grace:
        ada.ask("My name is Ada.", timeout=10)
        grace.ask("My name is Grace.", timeout=10)
        assert ada.ask("What is my name?", timeout=10).text == "Your name is Ada."
        assert grace.ask("What is my name?", timeout=10).text == "Your name is Grace."


def test_what_an_async_function_raises_comes_out_and_hurts_nobody(bridge):
    async def leave(error):
        raise error

    for error in (KeyError("x"), SystemExit(3), KeyboardInterrupt(), ExceptionGroup("x", [KeyError()])):
        with pytest.raises(type(error)) as caught:
            bridge.run(leave, error)
        assert caught.value is error
    assert bridge.run(answer, 1) == 1


def test_its_own_timeout_error_is_not_taken_for_the_limit(bridge):
    async def late():
        raise TimeoutError("my own")

    with pytest.raises(TimeoutError, match="my own"):
        bridge.run(late)


def test_a_limit_cancels(bridge):
    waiting = Waiting()
    with pytest.raises(TimeoutError, match=r"did not end within 0\.05 s; it was cancelled"):
        bridge.within(0.05).run(waiting)
    assert waiting.cancelled.wait(10)


def test_a_future_that_is_cancelled_cancels_its_function(bridge):
    waiting = Waiting()
    future = bridge.submit(waiting)
    assert waiting.begun.wait(10)
    assert future.cancel()
    assert waiting.cancelled.wait(10)
    assert bridge.run(answer, 1) == 1


def test_what_was_cancelled_before_it_began_never_begins(bridge):
    blocked, go_on = threading.Event(), threading.Event()

    async def block():
        blocked.set()
        assert go_on.wait(20)

    blocking = bridge.submit(block)
    assert blocked.wait(10)
    waiting = Waiting()
    future = bridge.submit(waiting)
    future.cancel()
    go_on.set()
    blocking.result(10)
    assert bridge.run(answer, 1) == 1
    assert not waiting.begun.is_set()


def test_a_closed_bridge_says_so():
    bridge = LiveBridgeThread()
    bridge.run(answer, 1)
    bridge.close()
    bridge.close()
    with pytest.raises(SessionClosedError, match="'livebridge' is closed"):
        bridge.run(answer, 1)
    with pytest.raises(SessionClosedError):
        bridge.submit(answer, 1)
    with pytest.raises(SessionClosedError):
        bridge.start(model="x", api_key="x")


def test_a_bridge_that_was_never_used_can_be_closed(threads_named):
    bridge = LiveBridgeThread(name="mine")
    bridge.close()
    assert threads_named("mine") == 0
    with pytest.raises(SessionClosedError):
        bridge.run(answer, 1)


def test_closing_ends_what_waits():
    bridge = LiveBridgeThread()
    waiting = Waiting()
    future = bridge.submit(waiting)
    assert waiting.begun.wait(10)
    bridge.close()
    assert waiting.cancelled.is_set()
    with pytest.raises(SessionClosedError):
        future.result(0)


def test_closing_ends_sessions_in_order_and_they_can_be_read_afterwards(world):
    closed = []
    with LiveBridgeThread() as bridge:
        session = bridge.start(**world.serve(), on_close=closed.append)
        session.send_text("Hello")
        waiting = session.wait_closed.submit()
    assert [info.initiated_by for info in closed] == ["client"]
    assert waiting.result(0) == closed[0]
    assert (session.closed, session.status, session.close_info) == (True, "disconnected", closed[0])
    assert session.statistics().messages_sent == 1
    assert session.close() == session.close.submit().result(0)
    assert (session.close().info, session.close().undelivered) == (closed[0], 0)
    assert world.heard().user_texts == ["Hello"]
    with pytest.raises(SessionClosedError):
        session.ask("too late")
    with pytest.raises(SessionClosedError):
        session.ask.submit("too late")


def test_a_bridge_closed_inside_the_block_of_a_session_is_no_error(options):
    with LiveBridgeThread() as bridge, bridge.start(**options) as session:
        bridge.close()
    assert session.closed


def test_two_threads_can_close_it(options):
    bridge = LiveBridgeThread()
    session = bridge.start(**options)
    threads = [threading.Thread(target=bridge.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert session.closed


def test_a_callback_that_blocks_the_thread_cannot_hold_up_a_close_with_a_timeout(options):
    blocked, go_on = threading.Event(), threading.Event()

    def block(_):
        blocked.set()
        assert go_on.wait(20)

    bridge = LiveBridgeThread()
    session = bridge.start(**options, on_turn_complete=block)
    session.send_text("Hello")
    assert blocked.wait(10)
    with pytest.raises(TimeoutError):
        _ = session.within(0.05).status
    with pytest.raises(TimeoutError, match="something blocks its thread"):
        bridge.close(timeout=0.05)
    go_on.set()
    bridge.close()
    assert session.closed


def test_an_async_block_is_entered_and_left_in_one_task(bridge):
    with bridge.hold(Manager()) as manager:
        assert manager.told is None
    assert manager.tasks[0] is manager.tasks[1]
    assert bridge.run(answer, 1) == 1


def test_an_async_block_is_told_that_the_body_failed(bridge):
    manager = Manager()
    with pytest.raises(KeyError) as caught, bridge.hold(manager):
        raise KeyError
    assert manager.told.__name__ == "BodyFailedError"
    assert not hasattr(caught.value, "__notes__")


def test_a_generator_that_holds_a_block_can_be_closed(bridge):
    manager = Manager()

    def generate():
        with bridge.hold(manager):
            yield 1

    generator = generate()
    assert next(generator) == 1
    generator.close()
    assert manager.told is not None


@pytest.mark.parametrize(
    ("raised", "note"),
    [
        (ValueError("broken"), "Manager failed as well: ValueError('broken')"),
        (ExceptionGroup("x", [ValueError("broken")]), "ValueError('broken')"),
    ],
)
def test_what_goes_wrong_at_the_end_is_noted_on_the_first_exception(bridge, raised, note):
    with pytest.raises(KeyError) as caught, bridge.hold(Manager(on_exit=raised)):
        raise KeyError
    assert note in caught.value.__notes__[0]


def test_a_nursery_around_the_block_wraps_nothing(bridge):
    @asynccontextmanager
    async def manager():
        async with trio.open_nursery() as nursery:
            yield nursery

    with pytest.raises(KeyError) as caught, bridge.hold(manager()):
        raise KeyError
    assert not hasattr(caught.value, "__notes__")


def test_what_entering_and_leaving_raises_comes_out(bridge):
    async def refuse():
        raise ValueError("no entry")

    with pytest.raises(ValueError, match="no entry"), bridge.hold(Manager(on_enter=refuse)):
        pass
    with pytest.raises(ValueError, match="no exit"), bridge.hold(Manager(on_exit=ValueError("no exit"))):
        pass


def test_entering_can_be_given_up(bridge):
    waiting = Waiting()
    with pytest.raises(TimeoutError), bridge.within(0.05).hold(Manager(on_enter=waiting)):
        pass
    assert waiting.cancelled.wait(10)


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_ctrl_c_ends_a_call_and_cancels_what_it_did(bridge):
    cancelled = threading.Event()

    async def wait():
        try:
            interrupt()
            await trio.sleep_forever()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt):
        bridge.run(wait)
    assert cancelled.wait(10)
    assert bridge.run(answer, 1) == 1


def test_ctrl_c_closes_sessions_and_leaves_no_thread(options, threads_named):
    closed = []

    def ask():
        with LiveBridgeThread(name="mine") as bridge:
            session = bridge.start(**options, on_turn_complete=lambda _: interrupt(), on_close=closed.append)
            session.send_text("Hello")
            session.wait_closed()

    with pytest.raises(KeyboardInterrupt):
        ask()
    assert [info.initiated_by for info in closed] == ["client"]
    assert threads_named("mine") == 0


def test_ctrl_c_while_a_session_starts_leaves_nothing(world, threads_named):
    def start():
        with LiveBridgeThread(name="mine") as bridge:
            bridge.start(**world.serve(), on_status=once)

    interrupts = iter([interrupt])

    def once(_):
        for each in interrupts:
            each()

    with pytest.raises(KeyboardInterrupt):
        start()
    assert threads_named("mine") == 0
    world.wait(lambda simulator: not simulator.connections)


def test_when_trio_breaks_nobody_waits_for_ever(threads_named):
    def explode():
        raise ZeroDivisionError

    bridge = LiveBridgeThread(name="mine")
    waiting = Waiting()
    future = bridge.submit(waiting)
    assert waiting.begun.wait(10)
    bridge._home.portal._token.result().run_sync_soon(explode)
    with pytest.raises(SessionClosedError):
        future.result(10)
    with pytest.raises(SessionClosedError):
        bridge.run(answer, 1)
    bridge.close()
    assert threads_named("mine") == 0


def test_a_thread_that_cannot_be_started_is_tried_again(monkeypatch):
    class Refused(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    with LiveBridgeThread() as bridge:
        with monkeypatch.context() as patch:
            patch.setattr(_portal.threading, "Thread", Refused)
            with pytest.raises(RuntimeError, match="can't start"):
                bridge.run(answer, 1)
        assert bridge.run(answer, 1) == 1


def test_a_program_that_ends_too_slowly_is_told_in_the_log(monkeypatch, caplog):
    bridge = LiveBridgeThread()
    bridge.run(answer, 1)

    def late(**options):
        raise TimeoutError("a callback blocks")

    monkeypatch.setattr(bridge._home, "close", late)
    with caplog.at_level(logging.WARNING, logger="livebridge.threads"):
        bridge._home._at_exit()
    assert "a callback blocks" in caplog.text
    monkeypatch.undo()
    bridge.close()
