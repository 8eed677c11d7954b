"""`close`: from everywhere, at any time, as often as you like; it always ends, and tells the truth."""

import contextlib

import pytest
import trio

from livebridge.errors import ConnectError, LivebridgeError, SessionClosedError, SessionFailedError
from livebridge.protocol import Phase
from livebridge.session import Handler, current_session


async def test_invariant_30_close_delivers_what_was_accepted_and_calls_on_close_last_and_once(live, log):
    async with live.session(**log.callbacks()) as session:
        line = await live.line()
        for n in range(100):
            await session.send_text(str(n))
        result = await session.close()
        assert (result.undelivered, result.undispatched) == (0, 0)
        assert (result.info.code, result.info.initiated_by) == (1000, "client")
        assert line.texts() == [str(n) for n in range(100)]
    assert log.names.count("on_close") == 1
    assert log.names[-1] == "on_close"
    assert log.names[-2:] == ["on_status", "on_close"]


async def test_invariant_30_concurrent_and_repeated_closes_are_one(live, log):
    async with live.session(**log.callbacks("on_close")) as session:
        await live.line()
        results = []

        async def close():
            results.append(await session.close())

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(close)
        results.append(await session.close())
        assert all(each.info == results[0].info for each in results)
        assert session.closed
        assert session.status == "disconnected"
    assert log.names == ["on_close"]


async def test_invariant_30_close_from_a_callback_returns_at_once_and_the_session_ends_after_it(live, log):
    async def on_text(_):
        before = trio.current_time()
        result = await current_session().close()
        again = await current_session().close()
        log.add("returned", (trio.current_time() - before, result.info, again.info))

    async with live.session(on_text=on_text, **log.callbacks("on_close")) as session:
        line = await live.line()
        line.text("a")
        await session.wait_closed()
    assert log.names == ["returned", "on_close"]
    assert log.of("returned") == [(0, None, None)]


async def test_invariant_30_a_callback_that_closes_and_then_blocks_for_ever_is_cut_off(live, log):
    async def on_text(_):
        await current_session().close()
        await trio.sleep_forever()

    async with live.session(on_text=on_text, close_timeout=3, **log.callbacks("on_close")) as session:
        line = await live.line()
        before = trio.current_time()
        line.text("a")
        await session.wait_closed()
        assert trio.current_time() - before <= 3 + 5
    assert log.names == ["on_close"]


@pytest.mark.parametrize("drain", [True, False])
async def test_invariant_30_a_callback_blocked_for_ever_is_cut_off_at_the_deadline(live, log, drain):
    async def on_text(delta):
        log.add("on_text", delta.text)
        await trio.sleep_forever()

    async with live.session(on_text=on_text, close_timeout=3, **log.callbacks("on_close")) as session:
        line = await live.line()
        line.text("a", "b", "c")
        await log.wait("on_text")
        before = trio.current_time()
        result = await session.close(drain=drain)
        assert trio.current_time() - before == pytest.approx(3, abs=0.1)
        assert result.undispatched >= 2
    assert log.names == ["on_text", "on_close"]


async def test_invariant_30_on_close_that_blocks_for_ever_is_cut_off_too(live):
    async def on_close(_):
        await trio.sleep_forever()

    async with live.session(on_close=on_close, close_timeout=3) as session:
        await live.line()
        before = trio.current_time()
        await session.close()
        assert trio.current_time() - before <= 3 + 5
        assert session.closed


async def test_invariant_30_a_handler_blocked_in_handle_call_does_not_hold_close_up(live, log):
    class Slow(Handler):
        async def handle_call(self, request, caller):
            log.add("call", request)
            await trio.sleep_forever()

        async def handle_cast(self, request):
            log.add("cast", request)
            await trio.sleep_forever()

    async def call(session):
        with pytest.raises(LivebridgeError) as caught:
            await session.call("x", timeout=None)
        log.add("caller", type(caught.value).__name__)

    options = live.options(close_timeout=2)
    from livebridge.session import Session  # noqa: PLC0415 - this test's own way in

    for kind in ("call", "cast"):
        async with Session.start(Slow(), **options) as session, trio.open_nursery() as nursery:
            if kind == "call":
                nursery.start_soon(call, session)
            else:
                session.cast("y")
            await log.wait(kind)
            before = trio.current_time()
            await session.close()
            assert trio.current_time() - before == pytest.approx(2, abs=0.1)
    assert log.names == ["call", "caller", "cast"]
    assert log.of("caller") == ["ActorExitError"]


async def test_invariant_30_frames_read_before_the_close_are_dispatched(live, log):
    async with live.session(**log.callbacks("on_text")) as session:
        line = await live.line()
        line.text(*(str(n) for n in range(500)))
        await session.close()
    assert len(log.of("on_text")) == 500


@pytest.mark.parametrize("drain", [True, False])
@pytest.mark.parametrize("phase", ["idle", "dialing", "setup", "backoff", "redialing", "rotating", "goaway"])
async def test_invariant_30_close_in_every_phase_ends_in_time(live, log, steps, phase, drain):
    async with trio.open_nursery() as nursery:

        async def scenario():
            options = {"connect": False, **log.callbacks("on_close"), "close_timeout": 4}
            async with live.session(**options) as session:
                await _lead(live, session, phase, steps, nursery)
                before = trio.current_time()
                result = await session.close(drain=drain)
                assert trio.current_time() - before <= 4 + 2
                assert result.info is not None
                log.add("took", trio.current_time() - before)
                assert session.phase is Phase.CLOSED

        await scenario()
    assert log.names == ["on_close", "took"]
    if phase in ("idle", "backoff", "dialing", "redialing"):
        assert log.of("took")[0] <= 1.0


async def _lead(live, session, phase, steps, nursery):
    async def connect():
        with contextlib.suppress(SessionClosedError, ConnectError):
            await session.connect()

    if phase == "idle":
        return
    if phase == "dialing":
        live.dial_delays.append(9)
    if phase == "setup":
        live.then(steps.silence)
    nursery.start_soon(connect)
    if phase in ("dialing", "setup"):
        await trio.testing.wait_all_tasks_blocked()
        assert session.phase.value == phase
        return
    line = await live.line()
    await session.wait_ready()
    line.resumable()
    await trio.testing.wait_all_tasks_blocked()
    if phase == "goaway":
        line.say({"serverContent": {"modelTurn": {"parts": [{"text": "half a turn"}]}}})
        line.go_away("60s")
    elif phase in ("backoff", "redialing"):
        live.dial_delays.append(9)
        if phase == "backoff":
            session._state.reconnector.attempts = 9
        line.drop()
    else:
        live.dial_delays.append(9)
        session._actor.manager.reconnect()
    wanted = "dialing" if phase == "redialing" else phase
    while session.phase.value != wanted:
        await session._state.changed.wait()


async def test_invariant_30_a_drop_while_draining_loses_nothing_that_was_accepted(live, log):
    async with live.session(**log.callbacks("on_close"), close_timeout=8) as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        line.server.pause_reading()
        for n in range(5):
            await session.send_text(str(n))
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            results = []

            async def close():
                results.append(await session.close())

            nursery.start_soon(close)
            await trio.testing.wait_all_tasks_blocked()
            line.drop()
        assert results[0].undelivered == 0
    second = await live.line(2)
    assert second.handle == "h1"
    assert second.texts() == [str(n) for n in range(5)]
    assert log.names == ["on_close"]


async def test_invariant_30_what_could_not_be_delivered_is_counted(live):
    async with live.session(close_timeout=2) as session:
        line = await live.line()
        line.server.pause_reading()
        for n in range(5):
            await session.send_text(str(n))
        await session.send_audio(b"\x00\x00" * 100)
        before = trio.current_time()
        result = await session.close()
        assert trio.current_time() - before <= 2 + 2
        assert result.undelivered == 5


async def test_one_redial_and_no_more_is_allowed_while_draining(live, steps):
    async with live.session(close_timeout=20) as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        line.server.pause_reading()
        await session.send_text("a")
        await trio.testing.wait_all_tasks_blocked()
        live.then(steps.closing(1011), steps.complete)
        async with trio.open_nursery() as nursery:
            results = []

            async def close():
                results.append(await session.close())

            nursery.start_soon(close)
            await trio.testing.wait_all_tasks_blocked()
            line.drop()
        assert results[0].undelivered == 1
        assert live.network.dials == 2


async def test_closing_in_back_off_with_something_to_deliver_dials_at_once(live, log):
    async with live.session(**log.callbacks("on_reconnecting")) as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        session._state.reconnector.attempts = 30
        line.drop()
        await log.wait("on_reconnecting")
        await session.send_text("last words")
        before = trio.current_time()
        result = await session.close()
        assert trio.current_time() - before < 1
        assert result.undelivered == 0
    assert (await live.line(2)).texts() == ["last words"]


async def test_without_drain_what_waits_is_given_up_at_once(live):
    async with live.session() as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("a")
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        result = await session.close(drain=False)
        assert trio.current_time() - before <= 2
        assert result.undelivered == 1


async def test_a_server_that_does_not_answer_the_close_is_cut_off(live):
    async with live.session() as session:
        line = await live.line()
        line.server.answers_close = False
        before = trio.current_time()
        await session.close()
        assert trio.current_time() - before <= 2.1


async def test_wait_closed_tells_how_it_ended(live):
    async with live.session() as session:
        await live.line()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.close)
            info = await session.wait_closed()
        assert (info.code, info.initiated_by, info.error) == (1000, "client", None)


async def test_wait_closed_raises_the_failure(live):
    with pytest.raises(SessionFailedError, match="billing"):
        async with live.session() as session:
            line = await live.line()
            line.close(1008, "billing is off")
            with trio.CancelScope(shield=True), pytest.raises(SessionFailedError, match="billing") as caught:
                await session.wait_closed()
            assert caught.value.code == 1008
            assert caught.value.phase == "ready"


async def test_a_killed_session_leaves_no_socket(live):
    with pytest.raises(SessionFailedError, match="killed"):
        async with live.session() as session:
            await live.line()
            session.ref.kill()
            await session.ref.wait_exit()
    assert session.closed
    assert live.open == 0


async def test_whoever_waits_for_a_session_that_is_killed_is_woken(live, log):
    async def note(name, wait):
        try:
            await wait()
        except LivebridgeError as error:
            log.add(name, type(error).__name__)
        else:
            log.add(name, "returned")

    async with trio.open_nursery() as nursery:
        with pytest.raises(SessionFailedError):
            async with live.session(outbox_messages=1) as session:
                line = await live.line()
                line.server.pause_reading()
                await session.send_text("a")
                nursery.start_soon(note, "sender", lambda: session.send_text("b"))
                nursery.start_soon(note, "turn", session.wait_turn)
                nursery.start_soon(note, "receive", session.receive)
                nursery.start_soon(note, "closed", session.wait_closed)
                await trio.testing.wait_all_tasks_blocked()
                session.ref.kill()
                await trio.sleep_forever()
    assert dict(log.events) == {
        "sender": "SessionClosedError",
        "turn": "SessionClosedError",
        "receive": "returned",
        "closed": "returned",
    }


async def test_a_session_that_is_closed_elsewhere_does_not_cancel_the_block(live, log):
    async with live.session(on_text=lambda _: current_session().close()) as session:
        line = await live.line()
        line.text("bye")
        await session.wait_closed()
        await trio.sleep(3)
        log.add("went on", None)
    assert log.names == ["went on"]


async def test_a_close_during_a_rotation_does_not_dial_again_for_what_was_written(live):
    async with live.session() as session:
        line = await live.line()
        line.resumable()
        await session.send_text("a")
        await line.next()
        session._actor.manager.reconnect()
        await trio.sleep(0.1)
        result = await session.close()
        assert result.undelivered == 0
    assert live.network.dials == 1
