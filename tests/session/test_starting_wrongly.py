"""Starting a session in the wrong way, in the wrong place, or in vain: one clear error."""

import asyncio
import logging

import pytest
import trio

import livebridge
from livebridge.errors import (
    ConfigError,
    ConnectError,
    LocalProtocolError,
    NotConnectedError,
    SessionClosedError,
    SessionFailedError,
    SetupError,
)
from livebridge.session import Session, run_supervised

OPTIONS = {"model": "gemini-3.1-flash-live-preview", "api_key": "secret-key"}


# ---- in the wrong place


async def _enter():
    async with Session.start(**OPTIONS):
        pytest.fail("the block must not be entered")


def test_in_asyncio_a_session_says_what_to_use_there():
    with pytest.raises(
        LocalProtocolError, match=r"this is asyncio: use .*LiveBridgeThread, or .*asyncio\.to_thread"
    ):
        asyncio.run(_enter())
    with pytest.raises(LocalProtocolError, match="this is asyncio"):
        asyncio.run(Session.start_link(None, **OPTIONS))


def test_outside_of_everything_a_session_says_what_to_use_there():
    with pytest.raises(LocalProtocolError, match=r"outside trio: .*trio\.from_thread\.run.*LiveBridgeThread"):
        _enter().send(None)


VERBS = {
    "send_text": lambda s: s.send_text("x"),
    "send_audio": lambda s: s.send_audio(b"ab"),
    "connect": lambda s: s.connect(),
    "close": lambda s: s.close(),
    "wait_turn": lambda s: s.wait_turn(),
    "ask": lambda s: s.ask("x"),
    "call": lambda s: s.call("x"),
    "receive": lambda s: s.receive(),
    "rotate": lambda s: s.rotate(),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_a_verb_awaited_in_another_thread_says_what_to_use_there(live, verb):
    async def send(session):
        await verb(session)

    def in_thread(session):
        with pytest.raises(LocalProtocolError, match="outside trio"):
            verb(session).send(None)
        with pytest.raises(LocalProtocolError, match="this is asyncio"):
            asyncio.run(send(session))

    async with live.session() as session:
        await trio.to_thread.run_sync(in_thread, session)
        assert not session.closed
        await session.send_text("still here")


async def test_inside_trio_what_starts_trio_says_what_to_use_there():
    with pytest.raises(
        LocalProtocolError, match=r"run\(\) starts trio itself; .*Session\.start.*Supervisor\.open"
    ):
        livebridge.run(**OPTIONS)
    with pytest.raises(
        LocalProtocolError, match=r"run_supervised\(\) starts trio itself; .*Supervisor\.open"
    ):
        run_supervised([])


# ---- in the wrong way


@pytest.mark.parametrize("arguments", [((), {"model": "m"}), (("m",), {})])
def test_a_session_is_not_made_but_started(arguments):
    positional, keywords = arguments
    with pytest.raises(ConfigError, match=r"not made but started: async with Session\.start"):
        Session(*positional, **keywords)


async def test_a_session_that_was_made_and_not_started_says_so():
    with pytest.raises(NotConnectedError, match="not been started"):
        await Session().send_text("x")


async def test_a_forgotten_block_is_named(live):
    session = live.session()
    with pytest.raises(
        ConfigError, match=r"async with Session\.start.*has send_text exists inside the block"
    ):
        await session.send_text("x")
    with pytest.raises(ConfigError, match=r"it is not awaited .*start_link"):
        await session
    assert not hasattr(session, "send_text")
    with pytest.raises(AttributeError, match="no attribute 'sent_text'"):
        _ = session.sent_text
    assert live.network.dials == 0


async def test_a_class_of_ones_own_is_named_and_started(live):
    class Hotline(Session):
        pass

    with pytest.raises(ConfigError, match=r"Hotline\.start"):
        await Hotline.start(**live.options())
    async with Hotline.start(**live.options()) as session:
        assert isinstance(session, Hotline)


# ---- in vain


@pytest.fixture
def loud(caplog):
    caplog.set_level(logging.DEBUG)

    def records():
        return [record for record in caplog.records if record.levelno >= logging.WARNING]

    return records


async def test_a_dial_that_fails_is_told_once_and_by_nobody_else(live, loud):
    live.refuse(ConnectError("no route", phase="dial", retryable=False))
    with pytest.raises(ConnectError, match="no route") as caught:
        async with live.session():
            pytest.fail("the block must not be entered")
    assert getattr(caught.value, "__notes__", []) == []
    assert loud() == []


@pytest.mark.parametrize("retryable", [True, False])
async def test_a_connect_that_fails_is_told_to_whoever_waits_and_to_nobody_else(live, loud, retryable):
    live.refuse(*[ConnectError("no route", phase="dial", retryable=retryable)] * 3)
    with pytest.raises(ConnectError, match="no route") as caught:
        async with live.session(connect=False) as session:
            await session.connect()
    assert getattr(caught.value, "__notes__", []) == []
    assert loud() == []


async def test_a_link_whose_first_dial_fails_raises_where_it_is_awaited_and_not_in_the_nursery(live, loud):
    live.refuse(*[ConnectError("no route", phase="dial", retryable=True)] * 3)
    async with trio.open_nursery() as nursery:
        with pytest.raises(ConnectError, match="no route"):
            await Session.start_link(nursery, **live.options())
    assert loud() == []


async def test_a_session_that_nobody_waits_for_still_reports_its_end(live, loud):
    live.refuse(*[ConnectError("no route", phase="dial", retryable=True)] * 3)
    with pytest.raises(SessionFailedError, match="no route"):
        async with live.session(connect=False) as session:
            with trio.move_on_after(0):
                await session.connect()
            await trio.sleep(100)
    assert [record.name for record in loud()] == ["livebridge.otp"]


async def test_a_failure_that_the_body_was_told_of_is_not_added_to_its_error(live):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(reconnect=None) as session:
            (await live.line()).close(1011, "broken")
            with trio.CancelScope(shield=True):
                while not session.closed:
                    await trio.sleep(1)
                await session.send_text("x")
    assert getattr(caught.value, "__notes__", []) == []


async def test_an_error_of_the_bodys_own_is_told_of_the_failure(live):
    with pytest.raises(ValueError, match="mine") as caught:
        async with live.session(reconnect=None) as session:
            (await live.line()).close(1011, "broken")
            with trio.CancelScope(shield=True):
                while not session.closed:
                    await trio.sleep(1)
                raise ValueError("mine")
    (note,) = caught.value.__notes__
    assert note.startswith("the session had failed as well: the session failed:")


def test_a_script_whose_first_dial_fails_says_so_once(loud):
    async def dial(*args, **options):
        raise ConnectError("no route", phase="dial", retryable=False)

    with pytest.raises(ConnectError, match="no route") as caught:
        livebridge.run(**OPTIONS, dial=dial)
    assert getattr(caught.value, "__notes__", []) == []
    assert loud() == []


# ---- too late


@pytest.mark.parametrize(
    "verb",
    [
        lambda s: s.connect(),
        lambda s: s.wait_turn(),
        lambda s: s.rotate(),
        lambda s: s.reconnect(),
        lambda s: s.send_text("x"),
    ],
)
async def test_after_the_end_a_session_says_how_the_conversation_can_go_on(live, verb):
    async with live.session() as session:
        await session.close()
        with pytest.raises(SessionClosedError, match=r"start a new one, with resume_handle=session\.handle"):
            await verb(session)


# ---- what the server refuses


@pytest.mark.parametrize(("code", "name"), [(1007, "invalid payload"), (1008, "policy violation")])
async def test_a_refusal_is_in_the_log_with_its_reason_and_without_secrets(live, log, loud, code, name):
    async with live.session(**log.callbacks("on_resumed")):
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        line.close(code, "no such thing; key secret-key")
        await live.line(2)
        await log.wait("on_resumed")
    texts = [record.getMessage() for record in loud()]
    assert texts == [f"the server hung up with code {code} ({name}): no such thing; key …"]


async def test_a_refused_setup_is_in_the_log_too(live, steps, loud):
    live.then(steps.closing(1007, ""))
    with pytest.raises(SetupError):
        async with live.session():
            pytest.fail("the block must not be entered")
    assert [record.getMessage() for record in loud()] == [
        "the server hung up with code 1007 (invalid payload): no reason given"
    ]


async def test_other_ends_of_a_connection_are_no_refusals(live, log, loud):
    async with live.session(**log.callbacks("on_resumed")):
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        line.close(1011, "internal")
        await log.wait("on_resumed")
    assert loud() == []


# ---- waiting in vain


@pytest.mark.parametrize("timeout", [-1, "3", True, float("nan")])
@pytest.mark.parametrize(
    "verb",
    [
        lambda s, t: s.wait_turn(timeout=t),
        lambda s, t: s.ask("x", timeout=t),
        lambda s, t: s.send_text("x", wait="acked", timeout=t),
        lambda s, t: s.connect(timeout=t),
        lambda s, t: s.close(timeout=t),
        lambda s, t: s.call("x", timeout=t),
    ],
)
async def test_a_timeout_that_is_none_is_refused(live, verb, timeout):
    async with live.session() as session:
        line = await live.line()
        with pytest.raises(
            ConfigError, match="timeout must be a number of seconds of at least 0, or None, not"
        ):
            await verb(session, timeout)
        assert not session.closed
        assert line.received == []


async def test_an_answer_that_does_not_come_is_told_with_the_time_that_was_given(live):
    async with live.session() as session:
        with pytest.raises(TimeoutError, match=r"^no answer was completed within 3 s$"):
            await session.ask("hello", timeout=3)
        with pytest.raises(TimeoutError, match=r"^no turn was completed within 0\.5 s$"):
            await session.wait_turn(0.5)


async def test_whoever_waits_in_vain_is_told_of_the_connection_that_failed_meanwhile(live):
    async with live.session() as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_close_after_a_second, line)
            with pytest.raises(
                TimeoutError, match=r"within 30 s; meanwhile a connection failed: .*1007.*no such thing"
            ):
                await session.ask("hello", timeout=30)
        with pytest.raises(TimeoutError, match=r"within 3 s$"):
            await session.wait_turn(3)


async def _close_after_a_second(line):
    await trio.sleep(1)
    line.close(1007, "no such thing")
