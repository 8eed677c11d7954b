"""Rotation before the server hangs up, the warm handover, and what happens when nothing can be resumed."""

from contextlib import AsyncExitStack

import pytest
import trio

from livebridge.auth import EphemeralToken
from livebridge.errors import ConnectError, SessionFailedError
from livebridge.protocol import CircuitPolicy, Phase, ReconnectPolicy, StallPolicy


async def test_a_warm_handover_dials_at_the_go_away_and_sets_up_after_the_old_connection_is_closed(live, log):
    async with live.session(**log.callbacks("on_resumed"), handover="warm") as session:
        line = await live.line()
        line.text("speaking")
        await trio.sleep(0.1)
        line.go_away("50s")
        await trio.sleep(1)
        assert live.open == 2
        assert live.set_up_now == 1
        line.resumable("h1")
        line.turn()
        info = await log.wait("on_resumed")
        assert info.continuity == "resumed"
        assert info.gap < 0.001
        assert session.statistics().last_gap == info.gap
        assert session.statistics().rotations == 1
        assert (await live.line(2)).handle == "h1"


async def test_a_spare_connection_that_died_is_replaced_at_once(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_reconnecting"), handover="warm"):
        line = await live.line()
        line.text("speaking")
        await trio.sleep(0.1)
        line.go_away("50s")
        await trio.sleep(1)
        live.network.servers[1].drop()
        line.resumable("h1")
        line.turn()
        info = await log.wait("on_resumed")
        assert info.continuity == "resumed"
        assert len(live.network.servers) == 3
        assert [each.attempt for each in log.of("on_reconnecting")] == [0]


async def test_a_spare_connection_that_breaks_at_once_after_its_setup_loses_nothing(live, log, steps):
    async def broken(line):
        line.complete()
        await line.next()
        line.drop()

    live.then(steps.complete, broken)
    async with live.session(**log.callbacks("on_resumed"), handover="warm", replay="uncertain") as session:
        line = await live.line()
        line.text("speaking")
        await trio.sleep(0.1)
        line.go_away("50s")
        await session.send_text("hello")
        await line.next()
        await log.wait("on_resumed", 2)
        third = await live.line(3)
        assert (await third.next())["realtimeInput"] == {"text": "hello"}


async def test_a_spare_connection_that_could_not_be_dialled_does_no_harm(live, log):
    async with live.session(**log.callbacks("on_resumed"), handover="warm"):
        line = await live.line()
        live.refuse(ConnectError("no", phase="dial", retryable=True))
        line.text("speaking")
        await trio.sleep(0.1)
        line.go_away("50s")
        await trio.sleep(1)
        line.resumable("h1")
        line.turn()
        assert (await log.wait("on_resumed")).continuity == "resumed"


async def test_a_spare_connection_is_closed_with_the_session(live):
    async with live.session(handover="warm"):
        line = await live.line()
        line.text("speaking")
        await trio.sleep(0.1)
        line.go_away("50s")
        await trio.sleep(1)
        assert live.open == 2
    assert live.open == 0


async def test_sessions_that_cannot_dial_open_the_circuit_for_everybody(live, log, new_log):
    busy = ConnectError("busy", status=503, phase="dial", retryable=True)
    circuit = CircuitPolicy(failures=3, open_for=50.0)
    logs = [new_log() for _ in range(3)]
    live.most_set_up = -1000
    down = False

    async def dial(*args, **options):
        if down:
            raise busy
        return await live.dial(*args, **options)

    async with AsyncExitStack() as stack:
        sessions = []
        for each in logs:
            session = live.session(**each.callbacks("on_resumed"), circuit=circuit, stall=None, dial=dial)
            sessions.append(await stack.enter_async_context(session))
        await trio.sleep(11)
        down = True
        for line in list(live.lines):
            line.drop()
        await trio.sleep(10)
        down = False
        assert {session.phase for session in sessions} == {Phase.CIRCUIT_OPEN}
        assert {session.status.value for session in sessions} == {"disconnected"}
        assert live.network.dials == 3
        began = trio.current_time()
        for each in logs:
            await each.wait("on_resumed")
        assert trio.current_time() - began > 20
    live.most_set_up = 0


async def test_what_is_no_fault_of_the_endpoint_does_not_open_its_circuit(live, log, steps):
    asked = 0

    async def token():
        nonlocal asked
        asked += 1
        if asked == 4:
            raise RuntimeError("the token service restarts")
        return f"auth_tokens/{asked}"

    async with live.session(
        auth=EphemeralToken(token),
        circuit=CircuitPolicy(failures=1),
        **log.callbacks("on_resumed", "on_status"),
    ):
        line = await live.line()
        line.resumable("h1")
        await trio.sleep(11)
        live.then(steps.closing(1008, "session not found"), steps.closing(1008, "Token expired"))
        began = trio.current_time()
        line.drop()
        await log.wait("on_resumed")
        assert asked == 5
        assert trio.current_time() - began < 10


async def test_a_session_that_waits_for_the_circuit_closes_at_once(live, log):
    busy = ConnectError("busy", status=503, phase="dial", retryable=True)
    async with live.session(**log.callbacks("on_reconnecting"), circuit=CircuitPolicy(failures=1)) as session:
        line = await live.line()
        live.refuse(busy)
        line.drop()
        await log.wait("on_reconnecting", 2)
        await trio.sleep(5)
        assert session.phase is Phase.CIRCUIT_OPEN
        began = trio.current_time()
        await session.close()
        assert trio.current_time() == began


async def test_a_silent_model_is_noticed_nudged_rotated_and_replaced(live, log):
    async with live.session(
        **log.callbacks("on_stall", "on_session_lost"), stall=StallPolicy(after=10.0), reseed_turns=4
    ) as session:
        line = await live.line()
        line.resumable("h1")
        await session.send_text("first")
        await line.next()
        line.turn("an answer")
        line.resumable("h2")
        await session.wait_turn(5)
        await session.send_text("second")
        began = trio.current_time()
        await log.wait("on_stall")
        assert trio.current_time() - began == 10.0
        await log.wait("on_stall", 2)
        await line.next()
        await line.next()
        assert {"audioStreamEnd": True} in [m.get("realtimeInput") for m in line.received]
        await log.wait("on_stall", 3)
        assert (await live.line(2)).handle == "h2"
        await log.wait("on_stall", 4)
        fresh = await live.line(3)
        assert fresh.handle is None
        assert fresh.setup["historyConfig"] == {"initialHistoryInClientContent": True}
        seed = (await fresh.next())["clientContent"]
        assert [turn["parts"][0]["text"] for turn in seed["turns"]][:2] == ["first", "an answer"]
        assert (await log.wait("on_session_lost")).reason == "stalled"
        assert [info.action for info in log.of("on_stall")] == ["event", "nudge", "rotate", "fresh"]
        assert [info.kind for info in log.of("on_stall")] == ["answer"] * 4


async def test_a_model_that_answers_is_left_alone(live, log):
    async with live.session(**log.callbacks("on_stall")) as session:
        line = await live.line()
        await session.send_text("hello")
        await line.next()
        line.text("well,")
        await trio.sleep(200)
    assert log.of("on_stall") == []


async def test_a_tool_at_work_is_no_stall(live, log):
    async def slow(call):
        await trio.sleep(50)
        return [{"id": "1", "name": "f", "response": {"ok": True}}]

    async with live.session(**log.callbacks("on_stall"), on_tool_call=slow) as session:
        line = await live.line()
        await session.send_text("hello")
        await line.next()
        line.call({"id": "1", "name": "f"})
        await line.next_response()
        line.text("done")
        line.turn()
        await session.wait_turn(5)
    assert log.of("on_stall") == []


async def test_an_interruption_with_nothing_after_it_is_a_stall(live, log):
    async with live.session(**log.callbacks("on_stall"), stall=StallPolicy(after=5.0, steps=("event",))):
        line = await live.line()
        line.text("hello")
        line.say({"serverContent": {"interrupted": True}})
        assert (await log.wait("on_stall")).kind == "interrupted"


async def test_the_watch_is_off_where_the_model_may_choose_not_to_answer(live, log):
    async with live.session(
        **log.callbacks("on_stall"), proactivity={"proactive_audio": True}, api_version="v1alpha",
        model="gemini-2.5-flash-native-audio-latest",
    ) as session:  # fmt: skip
        await session.send_text("hello")
        await trio.sleep(500)
    assert log.of("on_stall") == []


async def test_a_lost_conversation_is_reseeded_if_asked_for(live, log, steps):
    async with live.session(
        **log.callbacks("on_resumed", "on_session_lost", "on_ready"), reseed_turns=2, session_resumption=None,
        model="gemini-2.5-flash-native-audio-latest",
    ) as session:  # fmt: skip
        line = await live.line()
        await session.send_text("my name is Ada")
        await line.next()
        line.turn("hello Ada")
        await session.wait_turn(5)
        line.drop()
        info = await log.wait("on_resumed")
        assert info.continuity == "reseeded"
        assert (await log.wait("on_ready", 2)).kind == "fresh_after_loss"
        second = await live.line(2)
        message = await second.next()
        assert [turn["role"] for turn in message["clientContent"]["turns"]] == ["user", "model"]


async def test_a_session_without_a_reconnect_policy_ends_with_its_connection(live, log):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(**log.callbacks("on_close", "on_error"), reconnect=None):
            (await live.line()).close(1011, "gone")
            await trio.sleep_forever()
    assert caught.value.code == 1011
    assert [info.code for info in log.of("on_close")] == [1011]
    assert log.names == ["on_error", "on_close"]


async def test_the_reconnect_policy_is_the_users(live, log):
    policy = ReconnectPolicy(max_attempts=1, initial=100.0)
    async with live.session(**log.callbacks("on_reconnecting"), reconnect=policy):
        (await live.line()).drop()
        assert (await log.wait("on_reconnecting")).delay <= 100.0


async def test_a_rotation_of_our_own_waits_for_a_good_moment(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_go_away")) as session:
        line = await live.line()
        line.text("speaking")
        await trio.sleep(0.1)
        await session.rotate()
        await trio.sleep(5)
        assert live.open == 1
        line.resumable("h1")
        line.turn()
        assert (await log.wait("on_resumed")).continuity == "resumed"
        assert session.statistics().rotations == 1
        assert log.of("on_go_away") == []


async def test_a_rotation_of_our_own_does_not_wait_for_ever(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        (await live.line()).text("speaking for ever")
        await trio.sleep(0.1)
        began = trio.current_time()
        await session.rotate()
        await log.wait("on_resumed")
        assert 25 < trio.current_time() - began < 35


async def test_a_muted_microphone_sends_nothing_and_tells_the_server_once(live):
    async with live.session() as session:
        line = await live.line()
        await session.send_audio(b"\0\0" * 160)
        await session.mute()
        await session.mute()
        await session.send_audio(b"\0\0" * 160)

        async def microphone():
            yield b"\0\0" * 160

        assert await session.send_media_stream(microphone(), pace=False) == 0.01
        assert session.muted
        session.unmute()
        await session.send_audio(b"\1\0" * 160)
        await trio.sleep(1)
        assert [next(iter(m["realtimeInput"])) for m in line.received] == ["audio", "audioStreamEnd", "audio"]


@pytest.mark.parametrize("speaking", [True, False])
async def test_muting_with_manual_detection_ends_the_activity_if_there_is_one(live, speaking):
    manual = {"automatic_activity_detection": {"disabled": True}}
    async with live.session(realtime_input_config=manual) as session:
        line = await live.line()
        if speaking:
            await session.send_realtime_input(activity_start=True)
        await session.mute()
        await trio.sleep(1)
        sent = [next(iter(m["realtimeInput"])) for m in line.received]
        assert sent == (["activityStart", "activityEnd"] if speaking else [])
