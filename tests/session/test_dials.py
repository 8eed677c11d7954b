"""What a dial, or what comes before it, may do wrong: it may hang, raise anything, or be interrupted."""

import contextlib

import pytest
import trio

from livebridge import Supervisor
from livebridge.auth import GeminiApi
from livebridge.errors import (
    ConnectError,
    LivebridgeError,
    SessionClosedError,
    SessionFailedError,
    ToolError,
)
from livebridge.protocol import ReconnectPolicy
from livebridge.session import Session


async def _hang(*args, **options):
    await trio.sleep_forever()


async def test_a_dial_that_ignores_its_timeout_is_ended_soon_after(live):
    with pytest.raises(ConnectError, match="has not ended 1 s after its timeout of 5 s") as caught:
        async with live.session(dial=_hang, dial_timeout=5, connect_attempts=2):
            pytest.fail("the block must not be entered")
    assert caught.value.attempt == 2
    assert caught.value.phase == "dial"
    assert 12 <= trio.current_time() < 14


async def test_a_dial_that_ignores_its_timeout_costs_no_conversation(live, log):
    hang = False

    async def dial(*args, **options):
        if hang:
            await _hang()
        return await live.dial(*args, **options)

    async with live.session(dial=dial, dial_timeout=5, **log.callbacks("on_resumed", "on_reconnecting")):
        (await live.line()).resumable()
        await trio.testing.wait_all_tasks_blocked()
        hang = True
        live.lines[0].drop()
        await log.wait("on_reconnecting", 3)
        hang = False
        assert (await log.wait("on_resumed")).continuity == "resumed"


async def test_a_dial_keeps_its_own_time_and_words_if_it_can(live):
    async def slow(*args, dial_timeout, **options):
        await trio.sleep(dial_timeout)
        raise ConnectError("the proxy took longer than dial_timeout", phase="dial", retryable=False)

    with pytest.raises(ConnectError, match="the proxy took longer"):
        async with live.session(dial=slow, dial_timeout=5):
            pytest.fail("the block must not be entered")


async def test_waiting_for_other_dials_is_no_part_of_the_time_of_a_dial(live):
    live.most_set_up = -100

    async def slow(*args, **options):
        await trio.sleep(4)
        return await live.dial(*args, **options)

    async def start(number):
        async with live.session(dial=slow, dial_timeout=4, connect_attempts=1) as session:
            assert session.status == "ready"

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(start, number)
    assert live.network.dials == 20
    live.most_set_up = 0


async def _broken(*args, **options):
    raise RuntimeError("boom")


async def test_what_a_dial_raises_is_named_and_kept_as_the_cause(live):
    with pytest.raises(LivebridgeError, match="the session broke: RuntimeError: boom") as caught:
        async with live.session(dial=_broken):
            pytest.fail("the block must not be entered")
    cause = caught.value.__cause__
    assert isinstance(cause, RuntimeError)


async def test_a_dial_that_raises_anything_ends_a_session_that_was_connected(live, log):
    broken = False

    async def dial(*args, **options):
        return await (_broken if broken else live.dial)(*args, **options)

    with pytest.raises(SessionFailedError, match="RuntimeError: boom") as caught:
        async with live.session(dial=dial, **log.callbacks("on_error", "on_close")):
            line = await live.line()
            broken = True
            line.drop()
            await trio.sleep_forever()
    assert log.names == ["on_error", "on_close"]
    cause = caught.value.__cause__
    while cause is not None and not isinstance(cause, RuntimeError):
        cause = cause.__cause__
    assert isinstance(cause, RuntimeError)


async def test_a_supervised_bot_whose_dial_raised_is_started_again(live, log):
    tries = 0

    async def dial(*args, **options):
        nonlocal tries
        tries += 1
        return await (_broken if tries == 1 else live.dial)(*args, **options)

    async with Supervisor.open() as supervisor:
        options = live.options(dial=dial, **log.callbacks("on_ready"))
        child = await supervisor.start_child(Session.child_spec(id="bot", **options))
        await log.wait("on_ready")
        assert child.restarts == 1


async def test_a_spare_connection_whose_dial_raised_matters_when_it_is_needed(live, log):
    broken = False

    async def dial(*args, **options):
        return await (_broken if broken else live.dial)(*args, **options)

    with pytest.raises(SessionFailedError, match="RuntimeError: boom"):
        async with live.session(dial=dial, handover="warm", **log.callbacks("on_go_away", "on_text")):
            line = await live.line()
            line.resumable()
            line.text("busy")
            await trio.testing.wait_all_tasks_blocked()
            broken = True
            line.go_away("50s")
            await log.wait("on_go_away")
            await trio.sleep(20)
            line.text("still there")
            await log.wait("on_text", 2)
            await trio.sleep_forever()
    assert 40 < trio.current_time() < 60


async def test_several_faults_are_all_named(live):
    async def dial(*args, **options):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_broken)
            nursery.start_soon(_wrong)

    async def _wrong():
        raise ValueError("no")

    with pytest.raises(LivebridgeError, match="the session broke") as caught:
        async with live.session(dial=dial):
            pytest.fail("the block must not be entered")
    assert "RuntimeError: boom" in str(caught.value)
    assert "ValueError: no" in str(caught.value)
    assert isinstance(caught.value.__cause__, ExceptionGroup)


async def test_an_interrupt_during_a_dial_leaves_as_it_is(live):
    async def dial(*args, **options):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with live.session(dial=dial):
            pytest.fail("the block must not be entered")


async def test_a_key_function_that_raises_is_a_failure_to_connect(live):
    async def key():
        raise RuntimeError("boom secret")

    with pytest.raises(ConnectError, match="RuntimeError") as caught:
        async with live.session(auth=GeminiApi(api_key=key)):
            pytest.fail("the block must not be entered")
    assert "secret" not in str(caught.value)


class Slow:
    """An MCP session whose server never lists its tools."""

    async def list_tools(self):
        await trio.sleep_forever()

    async def call_tool(self, name, arguments=None):
        await trio.sleep_forever()


async def test_a_cancellation_while_tools_are_listed_closes_at_once(live, log):
    with trio.move_on_after(1):
        async with live.session(tools=[Slow()], setup_timeout=60, **log.callbacks("on_close")):
            pytest.fail("the block must not be entered")
    assert trio.current_time() <= 2
    assert log.names == ["on_close"]
    assert live.network.dials == 0


@pytest.mark.parametrize("drain", [True, False])
async def test_a_close_while_tools_are_listed_ends_at_once(live, log, drain):
    async def connect(session):
        with contextlib.suppress(SessionClosedError):
            await session.connect()

    options = live.options(tools=[Slow()], setup_timeout=60, connect=False, **log.callbacks("on_close"))
    async with trio.open_nursery() as nursery:
        session = await Session.start_link(nursery, **options)
        nursery.start_soon(connect, session)
        await trio.sleep(1)
        await session.close(drain=drain)
        assert trio.current_time() == 1
        assert log.names == ["on_close"]
        assert str(session.ref.exit_reason) == "normal"


async def test_tools_that_are_not_listed_in_time_fail_the_session(live):
    with pytest.raises(ToolError, match="no list of an MCP server's tools in 7 s"):
        async with live.session(tools=[Slow()], setup_timeout=7, reconnect=ReconnectPolicy()):
            pytest.fail("the block must not be entered")
    assert trio.current_time() == 7
