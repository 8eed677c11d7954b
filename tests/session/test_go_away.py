"""A GoAway: when the connection is replaced, what goes on meanwhile, and what is told in which order."""

import pytest
import trio

PCM = b"\x00\x00" * 1600


async def _ready(live, number=None, handle="h1"):
    line = await live.line(number)
    line.resumable(handle)
    await trio.testing.wait_all_tasks_blocked()
    return line


async def _slow() -> str:
    """Take five seconds."""
    await trio.sleep(5)
    return "ok"


async def test_invariant_28_sends_go_on_until_the_connection_is_replaced(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_go_away", "on_reconnecting")) as session:
        line = await _ready(live)
        line.text("busy")
        line.go_away("100s")
        await log.wait("on_go_away")
        await session.send_text("now")
        await line.next()
        line.text("still busy")
        line.turn()
        line.resumable("h2")
        await log.wait("on_resumed")
        await session.send_text("then")
        await (await live.line(2)).next()
        assert [each.texts() for each in live.lines] == [["now"], ["then"]]
        assert [each.handle for each in live.lines] == [None, "h2"]
        assert [info.attempt for info in log.of("on_reconnecting")] == [0]
        assert [info.delay for info in log.of("on_reconnecting")] == [0.0]
        assert [info.gap for info in log.of("on_resumed")] == [0.0]


async def test_invariant_28_a_rotation_waits_until_it_can_be_resumed(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.unresumable()
        await trio.testing.wait_all_tasks_blocked()
        line.go_away("100s")
        await trio.sleep(20)
        assert session.epoch == 1
        began = trio.current_time()
        line.resumable("h2")
        await log.wait("on_resumed")
        assert trio.current_time() - began < 2
        assert live.lines[1].handle == "h2"


async def test_invariant_28_a_rotation_waits_for_the_answer_of_a_tool(live, log):
    async with live.session(tools=[_slow], **log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.call({"id": "1", "name": "_slow", "args": {}})
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        line.go_away("100s")
        assert (await line.next_response())[0]["id"] == "1"
        assert trio.current_time() - began == pytest.approx(5, abs=0.1)
        assert session.epoch == 1
        line.turn()
        line.resumable("h2")
        await log.wait("on_resumed")
        assert live.lines[1].handle == "h2"


@pytest.mark.parametrize("seconds", [4.0, 12.0, 60.0])
@pytest.mark.parametrize("why", ["unresumable", "tool", "turn", "content"])
async def test_invariant_28_the_deadline_less_a_margin_ends_all_patience(live, log, seconds, why):
    async def endless() -> str:
        await trio.sleep_forever()

    async with live.session(
        tools=[endless], stall=None, **log.callbacks("on_resumed", "on_go_away")
    ) as session:
        line = await _ready(live)
        match why:
            case "unresumable":
                line.unresumable()
            case "tool":
                line.call({"id": "1", "name": "endless", "args": {}})
            case "turn":
                line.text("busy")
            case "content":
                await session.send_text("not yet covered")
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        line.go_away(f"{seconds}s")
        await log.wait("on_resumed")
        waited = trio.current_time() - began
        assert waited == pytest.approx(seconds - min(5.0, seconds / 4), abs=0.3)
        assert len(log.of("on_go_away")) == 1


async def test_invariant_28_on_resumed_precedes_every_message_of_the_next_connection(live, log, steps):
    live.then(steps.complete, steps.saying({"setupComplete": {}}, {"serverContent": {"turnComplete": True}}))
    async with live.session(**log.callbacks("on_go_away", "on_resumed", "on_ready", "on_turn_complete")):
        line = await _ready(live)
        line.turn("last words")
        line.go_away("50s")
        await log.wait("on_turn_complete", 2)
        assert log.names == [
            "on_ready", "on_turn_complete", "on_go_away", "on_resumed", "on_ready", "on_turn_complete",
        ]  # fmt: skip
        assert [turn.epoch for turn in log.of("on_turn_complete")] == [1, 2]


async def test_a_second_go_away_brings_the_deadline_forward_and_is_told_as_well(live, log):
    async with live.session(**log.callbacks("on_go_away", "on_resumed")):
        line = await _ready(live)
        line.text("busy")
        line.go_away("100s")
        await trio.sleep(5)
        began = trio.current_time()
        line.go_away("10s")
        await log.wait("on_resumed")
        assert trio.current_time() - began == pytest.approx(7.5, abs=0.3)
        first, second = log.of("on_go_away")
        assert (first.time_left, second.time_left) == (100.0, 10.0)
        assert second.deadline < first.deadline


async def test_a_second_go_away_may_grant_more_time(live, log):
    async with live.session(**log.callbacks("on_go_away", "on_resumed")) as session:
        line = await _ready(live)
        line.text("busy")
        line.go_away("10s")
        await trio.sleep(5)
        line.go_away("100s")
        await trio.sleep(50)
        assert session.epoch == 1
        await log.wait("on_resumed")
        assert trio.current_time() == pytest.approx(100, abs=1)


async def test_a_rotation_waits_until_a_handle_covers_what_was_said(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_go_away")) as session:
        line = await _ready(live)
        await session.send_text("a")
        await line.next()
        line.turn("b")
        line.go_away("100s")
        await trio.sleep(20)
        assert session.epoch == 1
        line.resumable("h2")
        info = await log.wait("on_resumed")
        assert info.uncertain == ()
        assert live.lines[1].handle == "h2"


async def test_a_rotation_waits_for_a_write(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_text("a")
        await trio.testing.wait_all_tasks_blocked()
        line.go_away("100s")
        await trio.sleep(5)
        assert session.epoch == 1
        assert line.server.close_info is None
        line.server.resume_reading()
        await line.next()
        line.turn()
        line.resumable("h2")
        await log.wait("on_resumed")
        assert live.lines[1].handle == "h2"


async def test_a_rotation_that_waits_for_sound_to_be_written_happens_soon_after_it(live, log):
    async with live.session(stall=None, **log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.server.pause_reading()
        await session.send_audio(PCM)
        await trio.testing.wait_all_tasks_blocked()
        line.go_away("100s")
        await trio.sleep(1)
        assert session.epoch == 1
        began = trio.current_time()
        line.server.resume_reading()
        await log.wait("on_resumed")
        assert trio.current_time() - began < 15


async def test_half_a_turn_on_the_connection_before_holds_no_rotation_up(live, log):
    async with live.session(**log.callbacks("on_resumed")):
        line = await _ready(live)
        line.text("half")
        await trio.testing.wait_all_tasks_blocked()
        line.drop()
        await log.wait("on_resumed")
        second = await _ready(live, 2, "h2")
        began = trio.current_time()
        second.go_away("100s")
        await log.wait("on_resumed", 2)
        assert trio.current_time() - began < 3


async def test_a_deadline_goes_with_its_connection(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await _ready(live)
        line.go_away("50s")
        await log.wait("on_resumed")
        assert session.go_away_deadline is None
        await trio.sleep(200)
        assert session.epoch == 2


async def test_a_warm_handover_is_used_up_by_its_rotation(live, log):
    async with live.session(handover="warm", **log.callbacks("on_resumed", "on_reconnecting")) as session:
        line = await _ready(live)
        line.text("busy")
        line.go_away("50s")
        await trio.testing.wait_all_tasks_blocked()
        line.turn()
        line.resumable("h2")
        await log.wait("on_resumed")
        second = await _ready(live, 2, "h3")
        await session.send_text("x")
        await second.next()
        second.drop()
        info = await log.wait("on_resumed", 2)
        assert info.uncertain
        assert session.epoch == 3
        assert live.network.dials == 3
        assert log.names.count("on_reconnecting") == 2
