"""The pull side: `messages`, `receive`, `wait_turn`, `ask`."""

import pytest
import trio

from livebridge.errors import (
    AlreadyReceivingError,
    CallSelfError,
    SessionClosedError,
    SessionFailedError,
)
from livebridge.session import Handler, Session


def _text(message):
    return message.server_content.model_turn.parts[0].text


async def test_the_message_stream_outlives_connections_and_ends_with_the_session(live):
    async with live.session() as session:
        found = []

        async def read():
            async with session.messages() as messages:
                async for message in messages:
                    if message.server_content is not None:
                        found.append(_text(message))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            for number in (1, 2, 3):
                line = await live.line(number)
                line.text(str(number))
                line.resumable()
                await trio.testing.wait_all_tasks_blocked()
                if number < 3:
                    line.drop()
            await session.close()
        assert found == ["1", "2", "3"]


async def test_a_second_consumer_is_refused_and_the_first_goes_on(live):
    async with live.session() as session:
        line = await live.line()
        async with session.messages() as messages:
            with pytest.raises(AlreadyReceivingError):
                async with session.messages():
                    pytest.fail("there is a consumer")
            with pytest.raises(AlreadyReceivingError):
                await session.receive()
            line.text("a")
            assert (await messages.receive()).setup_complete is not None
            assert _text(await messages.receive()) == "a"


async def test_after_one_consumer_has_left_another_may_come_and_misses_nothing(live):
    async with live.session() as session:
        line = await live.line()
        for n in range(4):
            line.text(str(n))
            async with session.messages() as messages:
                found = await messages.receive()
                if found.setup_complete is not None:
                    found = await messages.receive()
                assert _text(found) == str(n)


async def test_messages_that_came_before_the_first_consumer_are_kept(live):
    async with live.session() as session:
        line = await live.line()
        line.text("early")
        await trio.testing.wait_all_tasks_blocked()
        assert (await session.receive()).setup_complete is not None
        assert _text(await session.receive()) == "early"


async def test_of_messages_nobody_takes_the_oldest_are_given_up_and_counted(live):
    async with live.session() as session:
        line = await live.line()
        line.text(*(str(n) for n in range(300)))
        await trio.testing.wait_all_tasks_blocked()
        assert session.statistics().stream_dropped == 45
        assert _text(await session.receive()) == "44"


async def test_nothing_is_kept_where_callbacks_consume(live, log):
    async with live.session(**log.callbacks("on_text")) as session:
        line = await live.line()
        line.text("for the callback")
        await log.wait("on_text")
        with trio.move_on_after(1) as scope:
            await session.receive()
        assert scope.cancelled_caught


async def test_a_slow_consumer_stops_the_dispatcher_and_not_the_tap(live):
    async with live.session(inbox_frames=4) as session, session.messages() as messages:
        line = await live.line()
        line.text(*(str(n) for n in range(400)))
        await trio.testing.wait_all_tasks_blocked()
        statistics = session.statistics()
        assert statistics.messages_received <= 256 + 4 + 3
        found = [await messages.receive() for _ in range(401)]
        assert [_text(each) for each in found[1:]] == [str(n) for n in range(400)]


async def test_a_slow_consumer_is_no_slow_callback(live, log):
    async with (
        live.session(inbox_frames=4, callback_timeout=1, **log.callbacks("on_error")) as session,
        session.messages() as messages,
    ):
        line = await live.line()
        line.text(*(str(n) for n in range(400)))
        await trio.sleep(20)
        assert [await messages.receive() for _ in range(401)]
        assert log.of("on_error") == []
        assert session.status == "ready"


async def test_closing_while_the_consumer_is_behind_ends_in_time(live):
    async with live.session(inbox_frames=4, close_timeout=2) as session, session.messages() as messages:
        line = await live.line()
        line.text(*(str(n) for n in range(400)))
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        await session.close()
        assert trio.current_time() - before <= 2.1
        assert len([message async for message in messages]) == 256


async def test_a_consumer_that_leaves_while_the_dispatcher_waits_for_it_frees_it(live, log):
    async with live.session(inbox_frames=4, **log.callbacks("on_voice_activity")) as session:
        line = await live.line()
        async with session.messages():
            line.text(*(str(n) for n in range(300)))
            await trio.testing.wait_all_tasks_blocked()
        line.say({"voiceActivity": {"voiceActivityType": "ACTIVITY_START"}})
        await log.wait("on_voice_activity")


async def test_receive_gives_one_message_each_and_none_after_the_end(live):
    async with live.session() as session:
        line = await live.line()
        line.text("a", "b")
        assert (await session.receive()).setup_complete is not None
        assert [_text(await session.receive()) for _ in range(2)] == ["a", "b"]
        await session.close()
        assert await session.receive() is None
        assert await session.receive() is None


async def test_what_came_before_the_end_can_still_be_received_after_it(live):
    async with live.session() as session:
        line = await live.line()
        line.text("a")
        await trio.testing.wait_all_tasks_blocked()
    assert (await session.receive()).setup_complete is not None
    assert _text(await session.receive()) == "a"
    assert await session.receive() is None


async def test_receive_without_anything_after_the_end_is_none(live, log):
    async with live.session(**log.callbacks("on_message")) as session:
        await live.line()
    assert await session.receive() is None


async def test_wait_turn_gives_each_turn_once_also_those_completed_between_two_calls(live):
    async with live.session() as session:
        line = await live.line()
        for text in "abc":
            line.turn(text)
        await trio.testing.wait_all_tasks_blocked()
        assert [(await session.wait_turn()).text for _ in range(3)] == ["a", "b", "c"]
        with pytest.raises(TimeoutError, match="within 2 s"):
            await session.wait_turn(timeout=2)
        line.turn("d")
        assert (await session.wait_turn(timeout=5)).text == "d"


async def test_the_last_thirty_two_turns_are_kept(live):
    async with live.session() as session:
        line = await live.line()
        for n in range(40):
            line.turn(str(n))
        await trio.testing.wait_all_tasks_blocked()
        assert [(await session.wait_turn()).text for _ in range(32)] == [str(n) for n in range(8, 40)]


async def test_wait_turn_after_the_end_gives_what_is_left_and_then_raises(live):
    async with live.session() as session:
        line = await live.line()
        line.turn("last")
        await trio.testing.wait_all_tasks_blocked()
    assert (await session.wait_turn()).text == "last"
    with pytest.raises(SessionClosedError):
        await session.wait_turn()


async def test_wait_turn_is_woken_by_a_failure(live):
    with pytest.raises(SessionFailedError):
        async with live.session(reconnect=None) as session:
            line = await live.line()
            line.close(1011, "over")
            with trio.CancelScope(shield=True):
                await session.wait_turn()


async def test_the_audio_of_kept_turns_is_bounded(live):
    import base64  # noqa: PLC0415 - this test's own frames

    data = base64.b64encode(bytes(6 * 2**20)).decode()
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": data}}
    async with live.session() as session:
        line = await live.line()
        for _ in range(5):
            line.say({"serverContent": {"modelTurn": {"parts": [part]}, "turnComplete": True}})
            await trio.testing.wait_all_tasks_blocked()
        assert sum(len(turn.audio) for turn in session._state.completed) <= 16 * 2**20
        assert len(session._state.completed) == 2


async def test_ask_sends_and_waits_for_the_answer(live):
    live.on_message = lambda line, message: line.turn(message["realtimeInput"]["text"].upper())
    async with live.session() as session:
        assert (await session.ask("hello", timeout=5)).text == "HELLO"
        assert (await session.ask("again")).text == "AGAIN"


async def test_ask_sets_aside_what_was_complete_before(live):
    async with live.session() as session:
        line = await live.line()
        line.turn("old")
        await trio.testing.wait_all_tasks_blocked()
        live.on_message = lambda line, _: line.turn("new")
        assert (await session.ask("x")).text == "new"


async def test_ask_does_not_take_the_turn_it_interrupts_for_the_answer(live):
    def answer(line, message):
        line.say({"serverContent": {"interrupted": True, "turnComplete": True}})
        line.turn("the answer")

    async with live.session() as session:
        line = await live.line()
        line.text("speaking about something")
        await trio.testing.wait_all_tasks_blocked()
        live.on_message = answer
        assert (await session.ask("stop. tell me something else")).text == "the answer"


async def test_ask_without_an_answer_is_a_timeout(live):
    async with live.session() as session:
        with pytest.raises(TimeoutError):
            await session.ask("anyone?", timeout=3)


async def test_waiting_inside_a_callback_for_what_comes_after_it_raises(live, log):
    class Waiter(Handler):
        async def on_text(self, delta):
            session = self.session
            for verb in (
                lambda: session.wait_turn(1),
                lambda: session.ask("x"),
                session.receive,
                session.wait_ready,
                session.wait_closed,
                lambda: session.call("x"),
            ):
                try:
                    await verb()
                except CallSelfError:
                    log.add("refused", None)
            log.add("done", None)

    async with Session.start(Waiter(), **live.options()):
        line = await live.line()
        line.text("a")
        await log.wait("done")
        assert len(log.of("refused")) == 6


async def test_reconnect_replaces_the_connection_and_waits_for_the_new_one(live, log):
    async with live.session(**log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        await session.reconnect()
        assert session.epoch == 2
        assert session.status == "ready"
        assert live.lines[1].handle == "h1"
        assert session.statistics().rotations == 1
        await log.wait("on_resumed")


async def test_reconnect_from_a_callback_returns_after_asking(live, log):
    class Rotator(Handler):
        async def on_text(self, delta):
            await self.session.reconnect()
            log.add("asked", self.session.epoch)

        def on_resumed(self, info):
            log.add("resumed", info.epoch)

    async with Session.start(Rotator(), **live.options()):
        line = await live.line()
        line.text("a")
        await log.wait("resumed")
        assert log.events == [("asked", 1), ("resumed", 2)]


async def test_reconnect_of_a_session_that_ends_meanwhile_raises(live):
    async with live.session() as session:
        await live.line()
        live.dial_delays.append(100)
        async with trio.open_nursery() as nursery:

            async def reconnect():
                with pytest.raises(SessionClosedError):
                    await session.reconnect()

            nursery.start_soon(reconnect)
            await trio.sleep(5)
            await session.close()


async def test_ask_is_not_answered_by_the_turns_that_its_own_backlog_interrupts(live):
    async with live.session() as session:
        line = await live.line()
        line.server.pause_reading()
        await session.send_text("first")
        await session.send_text("second")
        answers = []

        async def ask():
            answers.append(await session.ask("third?", timeout=60))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            line.server.resume_reading()
            for text in ("fi", "sec"):
                line.text(text)
                line.say({"serverContent": {"interrupted": True}}, {"serverContent": {"turnComplete": True}})
            line.turn("the third")
        assert [turn.text for turn in answers] == ["the third"]
