"""Frames become callbacks: all of them, once, in wire order, whatever the callbacks do."""

from itertools import pairwise

import pytest
import trio

from livebridge import wire
from livebridge.protocol import PHASES, Phase, Unrecognized


@pytest.fixture(params=[False, True], ids=["received", "forwarded"])
def forwarding(request):
    return request.param


async def test_invariant_23_every_frame_is_dispatched_once_in_wire_order_also_those_before_a_close(live, log):
    async with live.session(**log.callbacks("on_text", "on_reconnecting", "on_resumed")) as session:
        line = await live.line()
        line.text(*(f"{n}" for n in range(300)))
        line.close(1011, "gone")
        await log.wait("on_resumed")
        assert [delta.text for delta in log.of("on_text")] == [f"{n}" for n in range(300)]
        assert log.names.index("on_reconnecting") == 300
        assert session.statistics().inbox_depth == 0


async def test_invariant_23_frames_read_before_an_abort_of_the_connection_are_dispatched(live, log):
    async with live.session(
        **log.callbacks("on_text", "on_resumed"), inbox_frames=4, keepalive=10, setup_timeout=5
    ):
        line = await live.line()
        line.text("a", "b")
        line.server.answers_pings = False
        await log.wait("on_resumed")
        assert [delta.text for delta in log.of("on_text")] == ["a", "b"]


async def test_invariant_23_frames_of_one_read_beyond_the_inbox_bound_survive_the_end_of_the_connection(
    live, log
):
    gate = trio.Event()

    async def slow(delta):
        log.add("on_text", delta)
        await gate.wait()

    async with live.session(
        on_text=slow, **log.callbacks("on_resumed"), inbox_frames=2, close_timeout=60
    ) as session:
        line = await live.line()
        line.text(*(f"{n}" for n in range(20)))
        line.drop()
        await trio.testing.wait_all_tasks_blocked()
        assert session.statistics().inbox_depth <= 3
        gate.set()
        await log.wait("on_resumed")
        assert [delta.text for delta in log.of("on_text")] == [f"{n}" for n in range(20)]


async def test_invariant_24_a_callback_that_blocks_for_ever_stops_neither_the_tap_nor_close(live, log):
    cancelled = trio.Event()

    async def tool(_):
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async def on_text(_):
        log.add("blocked", None)
        await trio.sleep_forever()

    async with live.session(on_text=on_text, on_tool_call=tool, inbox_frames=8, close_timeout=1) as session:
        line = await live.line()
        line.call({"id": "c1", "name": "f"})
        await trio.testing.wait_all_tasks_blocked()
        line.text("x")
        await log.wait("blocked")
        line.resumable("h7")
        line.cancel("c1")
        line.go_away("50s")
        await trio.testing.wait_all_tasks_blocked()
        assert session.handle == "h7"
        assert session.go_away_deadline == pytest.approx(trio.current_time() + 50)
        assert cancelled.is_set()
        before = trio.current_time()
        line.text(*"0123456789" * 10)
        await trio.testing.wait_all_tasks_blocked()
        assert session.statistics().inbox_depth <= 9
        await session.close(drain=False)
        assert trio.current_time() - before <= 1 + 5 + 0.1
    assert live.open == 0


async def test_invariant_24_outer_cancellation_ends_a_session_whose_callback_blocks(live, log):
    async def on_text(_):
        log.add("blocked", None)
        await trio.sleep_forever()

    with trio.move_on_after(5) as scope:
        async with live.session(on_text=on_text, **log.callbacks("on_close")):
            line = await live.line()
            line.text("x")
            await log.wait("blocked")
            scope.cancel()
            await trio.sleep_forever()
    assert log.names[-1] == "on_close"


async def test_order_inside_a_message_and_every_field_counts(live, log):
    async with live.session(**log.callbacks()):
        line = await live.line()
        await log.wait("on_ready")
        log.events.clear()
        line.say(
            {
                "serverContent": {
                    "interrupted": True,
                    "inputTranscription": {"text": "hi"},
                    "outputTranscription": {"text": "ho"},
                    "modelTurn": {"parts": [{"text": "t"}, {"text": "th", "thought": True}]},
                    "generationComplete": True,
                    "turnComplete": True,
                },
                "usageMetadata": {"totalTokenCount": 3},
                "novelty": {"x": 1},
            }
        )
        await log.wait("on_unrecognized")
        assert log.names == [
            "on_interrupt_now", "on_message", "on_interrupted", "on_transcription", "on_transcription", "on_text",
            "on_thought", "on_generation_complete", "on_usage", "on_transcription", "on_transcription",
            "on_turn_complete", "on_unrecognized",
        ]  # fmt: skip
        assert log.of("on_turn_complete")[0].interrupted


async def test_a_message_with_a_go_away_and_a_tool_call_reaches_both_callbacks(live, log):
    async with live.session(**log.callbacks("on_go_away", "on_tool_call", without=())) as session:
        line = await live.line()
        line.say(
            {"goAway": {"timeLeft": "9s"}, "toolCall": {"functionCalls": [{"id": "a", "name": "f"}]}},
        )
        await log.wait("on_go_away")
        await log.wait("on_tool_call")
        assert list(session.pending_tool_calls) == ["a"]
        assert log.of("on_go_away")[0].time_left == 9


async def test_what_cannot_be_read_is_a_value_and_the_session_lives_on(live, log):
    async with live.session(**log.callbacks("on_unrecognized", "on_message")) as session:
        line = await live.line()
        line.say(b"\xff\xfe", b"[1]", {"brandNew": {}})
        line.text("after")
        while not any(getattr(m.server_content, "model_turn", None) for m in log.of("on_message")):
            await log._changed.wait()
        raw = [each for each in log.of("on_unrecognized") if isinstance(each, Unrecognized)]
        assert len(raw) == 3
        assert session.statistics().unrecognized == 3
        assert session.status == "ready"


async def test_everything_of_an_epoch_precedes_on_resumed_which_precedes_every_frame_of_the_next(live, log):
    async with live.session(**log.callbacks("on_text", "on_resumed", "on_ready", "on_session_lost")):
        for epoch in range(1, 5):
            line = await live.line(epoch)
            line.text(*(f"{epoch}" for _ in range(30)))
            line.resumable(f"h{epoch}")
            line.drop()
        line = await live.line(5)
        line.text("5")
        await log.wait("on_text", 121)
        epoch = 1
        for name, argument in log.events:
            if name == "on_resumed":
                assert argument.epoch == epoch + 1
                epoch += 1
            elif name == "on_text":
                assert argument.epoch == epoch
                assert argument.text == str(epoch)
        assert log.of("on_session_lost") == []


async def test_invariant_34_the_phases_are_a_path_of_the_table(live, log, steps, monkeypatch):
    seen = []
    from livebridge.session._state import SessionState  # noqa: PLC0415 - the class is patched

    original = SessionState.move

    def move(state, event):
        seen.append((state.phase, event))
        original(state, event)
        seen.append(state.phase)

    monkeypatch.setattr(SessionState, "move", move)
    live.then(steps.complete, steps.closing(1011))
    async with live.session(**log.callbacks("on_resumed", "on_status")) as session:
        line = await live.line()
        line.resumable()
        line.close(1011)
        await log.wait("on_resumed")
        line = await live.line(3)
        line.resumable("h2")
        line.go_away("10s")
        await log.wait("on_resumed", 2)
    phases = [each for each in seen if isinstance(each, Phase)]
    events = [each[1] for each in seen if isinstance(each, tuple)]
    assert [Phase.IDLE, *phases][: len(events)] == [each[0] for each in seen if isinstance(each, tuple)]
    assert all(after in PHASES[before].values() for before, after in pairwise([Phase.IDLE, *phases]))
    assert phases[-2:] == [Phase.CLOSING, Phase.CLOSED]
    statuses = log.of("on_status")
    assert all(one != two for one, two in pairwise(statuses))
    assert session.status == "disconnected"


async def test_setup_complete_and_frames_before_it_are_dispatched_too(live, log, steps):
    live.then(
        steps.saying(
            {"sessionResumptionUpdate": {"newHandle": "early", "resumable": True}}, {"setupComplete": {}}
        )
    )
    async with live.session(**log.callbacks("on_message", "on_ready")) as session:
        await log.wait("on_message", 2)
        assert isinstance(log.of("on_message")[1], wire.ServerMessage)
        assert log.of("on_message")[1].setup_complete is not None
        assert session.handle == "early"
        assert log.names[0] == "on_ready"


async def test_a_second_setup_complete_changes_nothing(live, log):
    async with live.session(**log.callbacks("on_message", "on_ready")) as session:
        line = await live.line()
        line.complete()
        line.text("x")
        await log.wait("on_message", 3)
        assert len(log.of("on_ready")) == 1
        assert session.epoch == 1


async def test_the_session_id_is_that_of_the_connection(live, steps):
    live.then(steps.saying({"setupComplete": {"sessionId": "s-1"}}))
    async with live.session() as session:
        assert session.session_id == "s-1"


async def test_a_stalled_callback_is_reported_once_when_it_is_over(live, log):
    gate = trio.Event()

    async def on_text(_):
        await gate.wait()

    async with live.session(on_text=on_text, **log.callbacks("on_error"), inbox_frames=2, stall_timeout=8):
        line = await live.line()
        line.text(*"abcdef")
        await trio.sleep(60)
        gate.set()
        error = await log.wait("on_error")
        await trio.sleep(60)
        assert "inbox full" in str(error)
        assert len(log.of("on_error")) == 1


async def test_frames_and_calls_share_one_order_and_neither_starves(live, log):
    async with live.session(**log.callbacks("on_text")) as session:
        line = await live.line()
        line.text(*(str(n) for n in range(200)))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Exception, match="no Handler"):
            await session.call("anything")
        assert len(log.of("on_text")) == 200
