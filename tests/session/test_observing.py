"""What a session shows of itself, and what it never shows."""

import logging

import pytest
import trio
import trio.testing

from livebridge.auth import GeminiApi
from livebridge.errors import ConnectError, NotConnectedError
from livebridge.protocol import Status
from livebridge.session import Session

SECRETS = ("SECRET-KEY", "SECRET-HANDLE", "SECRET-HEADER")


async def test_the_state_of_a_session_can_be_read_at_any_time(live):
    async with live.session() as session:
        line = await live.line()
        assert (session.status, session.epoch, session.closed) == (Status.READY, 1, False)
        assert session.handle is None
        assert session.go_away_deadline is None
        assert session.close_info is None
        assert session.session_id is None
        assert dict(session.pending_tool_calls) == {}
        line.say({"usageMetadata": {"totalTokenCount": 12, "promptTokenCount": 5}})
        line.resumable("h")
        await trio.testing.wait_all_tasks_blocked()
        assert session.usage.total_token_count == 12
        assert session.handle == "h"
        assert session.resumable
        assert session.ref.alive
    assert session.close_info.code == 1000
    assert session.status == "disconnected"


def test_a_session_that_was_not_started_has_no_state():
    session = Session()
    assert not session.closed
    with pytest.raises(NotConnectedError):
        _ = session.status


async def test_statistics_count_what_was_read_and_written(live, log):
    async with live.session(**log.callbacks("on_text")) as session:
        line = await live.line()
        line.text("a", "b")
        await session.send_text("c")
        await line.next()
        await log.wait("on_text", 2)
        statistics = session.statistics()
        assert (statistics.messages_received, statistics.messages_sent) == (3, 1)
        assert statistics.bytes_received > 0
        assert statistics.bytes_sent > 0
        assert statistics.pending_sends == 0
        assert statistics.unacknowledged == 1
        assert statistics.inbox_peak >= 1
        assert statistics.last_gap is None


async def test_invariant_35_no_secret_is_in_any_repr_log_error_or_state_dump(live, log, caplog):
    shown = []

    def look(value):
        shown.append(repr(value))
        shown.append(str(value))

    def on_text(delta):
        raise ValueError("boom")

    callbacks = {
        name: look for name in log.callbacks() if name not in ("on_message", "on_session_resumption")
    }
    with caplog.at_level(logging.DEBUG):
        async with live.session(
            auth=GeminiApi(api_key="SECRET-KEY"),
            headers={"x-private": "SECRET-HEADER"},
            **{**callbacks, "on_text": on_text, "on_session_resumption": look},
        ) as session:
            line = await live.line()
            line.resumable("SECRET-HANDLE")
            line.text("a")
            line.go_away("10s")
            await trio.testing.wait_all_tasks_blocked()
            for value in (
                session, session.ref, session.statistics(), session._state.options, session._state.auth,
                session._state.handles, session._state.outbox, await session.ref.sys.get_state(),
                await session.ref.sys.get_status(),
            ):  # fmt: skip
                look(value)
            live.refuse(ConnectError("no", status=503, phase="dial"))
            line.close(1011, "gone")
            await live.line(2)
            await session.wait_ready()
    text = "\n".join([*shown, caplog.text])
    assert "GoAwayInfo" in text
    assert [secret for secret in SECRETS if secret in text] == []
    assert all("SECRET" not in server.url for server in live.network.servers)


async def test_invariant_36_public_waits_are_checkpoints(live):
    async with live.session() as session:
        line = await live.line()
        for n in range(4):
            line.turn(str(n))
        await trio.testing.wait_all_tasks_blocked()
        for verb in (
            session.connect,
            session.wait_ready,
            session.wait_turn,
            session.receive,
            session.reconnect,
        ):
            with trio.testing.assert_checkpoints():
                await verb()
        with trio.testing.assert_checkpoints():
            await session.close()
        for verb in (session.close, session.wait_closed, session.receive, session.wait_turn):
            with trio.testing.assert_checkpoints():
                await verb()


async def test_invariant_36_a_flood_of_sends_lets_others_run_and_meets_cancellation(live):
    async with live.session(outbox_messages=100_000) as session:
        line = await live.line()
        line.server.pause_reading()
        ran = []

        async def other():
            for _ in range(3):
                await trio.lowlevel.checkpoint()
            ran.append(session.statistics().pending_sends)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            for _ in range(5000):
                await session.send_text("x")
            assert ran
        with trio.CancelScope() as scope:
            scope.cancel()
            await session.send_text("never")
        assert scope.cancelled_caught
        line.server.resume_reading()


async def test_the_actor_can_be_asked_about_itself(live):
    async with live.session() as session:
        state = await session.ref.sys.get_state()
        assert state["model"] == "gemini-3.1-flash-live-preview"
        assert state["phase"] == "ready"
        assert state["epoch"] == 1
