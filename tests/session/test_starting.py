"""The ways into a session, and what comes out of them when something goes wrong."""

import signal
import threading
import time

import pytest
import trio

from livebridge.errors import (
    ActorExitError,
    ConfigError,
    ConnectError,
    CredentialsError,
    NotConnectedError,
    SessionClosedError,
    SessionFailedError,
    SetupError,
)
from livebridge.protocol import Phase
from livebridge.session import Handler, Session, current_session, run


def _refused(status=None, *, retryable=None):
    return ConnectError("no", status=status, phase="dial", retryable=retryable)


async def test_the_block_is_entered_when_the_session_is_ready(live):
    async with live.session() as session:
        assert session.status == "ready"
        assert session.phase is Phase.READY
        assert session.epoch == 1
        assert not session.closed
    assert session.closed
    assert session.status == "disconnected"


async def test_an_exception_of_the_body_comes_out_as_it_is(live, log):
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        async with live.session(**log.callbacks("on_close")):
            await live.line()
            raise error
    assert caught.value is error
    assert log.names == ["on_close"]


async def test_the_first_dial_that_fails_for_good_is_raised_raw_from_the_block(live, log):
    live.refuse(_refused(404))
    with pytest.raises(ConnectError, match="no") as caught:
        async with live.session(**log.callbacks("on_error", "on_close")):
            pytest.fail("the block must not be entered")
    assert caught.value.status == 404
    assert caught.value.retryable is False
    assert caught.value.hint
    assert log.names == ["on_error", "on_close"]


async def test_the_first_setup_that_is_refused_is_raised_raw_with_code_reason_and_hint(live, steps):
    live.then(steps.closing(1007, "Request contains an invalid argument."))
    with pytest.raises(SetupError, match="invalid argument") as caught:
        async with live.session():
            pytest.fail("the block must not be entered")
    assert (caught.value.code, caught.value.reason) == (1007, "Request contains an invalid argument.")
    assert caught.value.phase == "setup"
    assert caught.value.initiated_by == "server"
    assert "configuration" in str(caught.value)


async def test_the_first_connect_is_tried_connect_attempts_times_where_it_can_help(live):
    live.refuse(*(_refused(503) for _ in range(9)))
    with pytest.raises(ConnectError):
        async with live.session(connect_attempts=4):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 4


async def test_the_first_connect_succeeds_when_the_server_recovers(live):
    live.refuse(_refused(503), _refused(None))
    async with live.session() as session:
        assert session.epoch == 1
    assert live.network.dials == 3


async def test_with_connect_false_the_session_is_disconnected_until_connect(live, log):
    async with live.session(connect=False, **log.callbacks("on_ready")) as session:
        assert session.status == "disconnected"
        await trio.sleep(10)
        assert live.network.dials == 0
        await session.connect()
        assert session.status == "ready"
        await session.connect()
        assert live.network.dials == 1
    with pytest.raises(SessionClosedError):
        await session.connect()


async def test_connect_raises_what_the_dial_raised_and_closes(live):
    live.refuse(_refused(404))
    with pytest.raises(ConnectError, match="no"):
        async with live.session(connect=False) as session:
            await session.connect()


async def test_a_connect_that_takes_too_long_is_a_timeout_and_closes_the_session(live, steps):
    live.then(steps.silence)
    async with live.session(connect=False) as session:
        with pytest.raises(TimeoutError, match="within 3 s"):
            await session.connect(timeout=3)
        assert session.closed


async def test_connect_from_a_callback_only_asks_for_it(live, log):
    class Dialler(Handler):
        async def handle_call(self, request, caller):
            await self.session.connect()
            return self.session.status

    async with Session.start(Dialler(), **live.options(connect=False)) as session:
        assert await session.call("go") in ("disconnected", "connecting")
        await session.wait_ready()


async def test_a_session_that_fails_cancels_the_block(live, log):
    with pytest.raises(SessionFailedError, match="quota") as caught:
        async with live.session(reconnect=None, **log.callbacks("on_error", "on_close")):
            line = await live.line()
            line.close(1011, "quota")
            try:
                await trio.sleep_forever()
            finally:
                log.add("cancelled", None)
    assert caught.value.code == 1011
    assert caught.value.__cause__.reason == "quota"
    assert sorted(log.names) == ["cancelled", "on_close", "on_error"]
    assert log.of("on_close")[0].error is caught.value.__cause__


async def test_the_bodys_own_exception_wins_over_the_failure_of_the_session(live):
    with pytest.raises(ValueError, match="mine") as caught:
        async with live.session(reconnect=None) as session:
            line = await live.line()
            line.close(1011, "quota")
            with trio.CancelScope(shield=True):
                await session.ref.wait_exit()
            raise ValueError("mine")
    assert any("quota" in note for note in caught.value.__notes__)


async def test_outer_cancellation_ends_the_session_in_order_and_goes_where_it_belongs(live, log):
    with trio.move_on_after(5) as scope:
        async with live.session(**log.callbacks("on_close")):
            await live.line()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() - scope.deadline <= 1
    assert log.names == ["on_close"]


async def test_outer_cancellation_with_a_stuck_connection_does_not_wait_for_it(live, log):
    with trio.move_on_after(5) as scope:
        async with live.session(**log.callbacks("on_close")) as session:
            line = await live.line()
            line.server.pause_reading()
            line.server.answers_close = False
            await session.send_text("a")
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() - scope.deadline <= 2
    assert log.names == ["on_close"]


@pytest.mark.parametrize("phase", ["dialing", "setup"])
async def test_outer_cancellation_while_it_connects_ends_within_a_second(live, steps, phase):
    if phase == "dialing":
        live.dial_delays.append(60)
    live.then(steps.silence)
    with trio.move_on_after(5) as scope:
        async with live.session(dial_timeout=70):
            pytest.fail("the block must not be entered")
    assert scope.cancelled_caught
    assert trio.current_time() - scope.deadline <= 1


async def test_start_link_returns_a_ready_session_in_a_nursery_of_yours(live, log):
    async with trio.open_nursery() as nursery:
        session = await Session.start_link(nursery, **live.options(**log.callbacks("on_close")))
        assert session.status == "ready"
        await session.close()
    assert log.names == ["on_close"]


async def test_start_link_with_connect_false_returns_at_once(live):
    async with trio.open_nursery() as nursery:
        session = await Session.start_link(nursery, **live.options(connect=False))
        assert session.status == "disconnected"
        with pytest.raises(NotConnectedError):
            await session.send_text("a")
        await session.close()


async def test_start_link_raises_a_first_failure_where_it_was_called_and_not_in_the_nursery(live):
    live.refuse(_refused(404))
    async with trio.open_nursery() as nursery:
        with pytest.raises(ConnectError):
            await Session.start_link(nursery, **live.options())


async def test_start_link_raises_an_abnormal_end_in_the_nursery(live):
    def crash(_):
        raise ValueError("boom")

    with pytest.RaisesGroup(pytest.RaisesExc(ActorExitError, match="boom")):
        async with trio.open_nursery() as nursery:
            await Session.start_link(nursery, **live.options(on_text=crash, on_callback_error="crash"))
            (await live.line()).text("a")
            await trio.sleep_forever()


async def test_cancelling_the_nursery_of_a_linked_session_ends_it(live, log):
    async with trio.open_nursery() as nursery:
        session = await Session.start_link(nursery, **live.options(**log.callbacks("on_close")))
        nursery.cancel_scope.cancel()
    assert session.closed
    assert log.names == ["on_close"]


@pytest.mark.parametrize("options", [{}, {"api_key": None}])
async def test_without_credentials_nothing_is_dialled(live, options):
    with pytest.raises(CredentialsError):
        async with Session.start(model="gemini-3.1-flash-live-preview", dial=live.dial, **options):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


async def test_a_key_that_is_no_key_is_refused(live):
    with pytest.raises(ConfigError, match="api_key"):
        async with live.session(api_key=5):
            pytest.fail("the block must not be entered")


def test_run_blocks_until_the_session_ends_and_tells_how():
    info = run(**_self_contained(lambda _: current_session().close()))
    assert (info.code, info.initiated_by) == (1000, "client")


def test_run_works_in_a_thread_where_no_signal_can_be_caught():
    found = []
    options = _self_contained(lambda _: current_session().close())
    thread = threading.Thread(target=lambda: found.append(run(**options)))
    thread.start()
    thread.join(10)
    assert found[0].code == 1000


def test_run_raises_the_first_failure_raw(world):
    async def dial(nursery, url, **_):
        raise _refused(404)

    with pytest.raises(ConnectError):
        run(model="gemini-3.1-flash-live-preview", api_key="k", dial=dial)


def _self_contained(on_ready):
    """Options of a session with a server of its own in the same trio run."""
    from livebridge.transport import MemoryNetwork  # noqa: PLC0415 - made inside the run

    network = MemoryNetwork()

    async def dial(nursery, url, **options):
        transport = await network.dial(nursery, url, **options)
        server = await network.accept()

        async def serve():
            await server.receive()
            server.send([b'{"setupComplete":{}}'])

        nursery.start_soon(serve)
        return transport

    return {"model": "gemini-3.1-flash-live-preview", "api_key": "k", "dial": dial, "on_ready": on_ready}


def test_ctrl_c_closes_in_order(log):
    def on_ready(_):
        signal.raise_signal(signal.SIGINT)

    info = run(**_self_contained(on_ready), **log.callbacks("on_close"))
    assert info.code == 1000
    assert log.names == ["on_close"]


def test_ctrl_c_while_it_connects_ends_at_once(log):
    async def dial(*_, **__):
        signal.raise_signal(signal.SIGINT)
        await trio.sleep_forever()

    began = time.monotonic()
    info = run(**{**_self_contained(print), "dial": dial}, **log.callbacks("on_close"))
    assert info.initiated_by == "client"
    assert log.names == ["on_close"]
    assert time.monotonic() - began < 3


def test_a_second_ctrl_c_interrupts_at_once_also_a_callback_that_blocks(log):
    async def on_ready(_):
        signal.raise_signal(signal.SIGINT)
        await trio.sleep(0.02)
        signal.raise_signal(signal.SIGINT)
        await trio.sleep_forever()

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(**_self_contained(on_ready), **log.callbacks("on_close"))
    assert log.names == ["on_close"]
    assert time.monotonic() - began < 3
