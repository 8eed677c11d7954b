"""Whoever asks gets an answer, and one, although a connection breaks over the question."""

import pytest
import trio
import trio.testing

from livebridge.protocol import ReconnectPolicy
from livebridge.session import Session
from livebridge.simulator import Drop, Echo, Fault, Faults, LiveSimulator


@pytest.fixture
def real_time():
    """The jumping clock of this folder's other tests would jump while the kernel works."""
    return trio.testing.MockClock(rate=1.0)


@pytest.fixture
async def asking(live, log):
    """A resumable session without a stall watch, and its first connection."""
    async with live.session(stall=None, **log.callbacks("on_resumed", "on_stall")) as session:
        line = await live.line()
        line.turn("welcome")
        line.resumable()
        await session.wait_turn()
        yield session, line


async def ask(session, text, answers):
    answers.append((await session.ask(text, timeout=10)).text)


async def test_a_question_that_the_server_has_read_and_forgotten_is_asked_once_more(live, log, asking):
    session, line = asking
    answers = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, session, "why?", answers)
        await line.next()
        line.drop()
        second = await live.line(2)
        await second.next()
        second.turn("because")
    assert answers == ["because"]
    assert second.texts() == ["why?"]
    info = log.of("on_resumed")[0]
    assert (info.replayed, info.uncertain) == (1, ())


async def test_a_question_of_which_the_answer_had_begun_is_asked_once_more(live, asking):
    session, line = asking
    answers = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, session, "why?", answers)
        await line.next()
        line.text("be")
        await trio.testing.wait_all_tasks_blocked()
        line.drop()
        second = await live.line(2)
        await second.next()
        second.turn("because")
    assert answers == ["because"]


async def test_a_question_that_the_handle_covers_or_that_was_answered_is_not_asked_again(live, asking):
    session, line = asking
    answers = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, session, "why?", answers)
        await line.next()
        line.turn("because")
        line.drop()
        second = await live.line(2)
        await trio.sleep(1)
    assert answers == ["because"]
    assert second.texts() == []


async def test_a_question_that_was_not_written_yet_is_written_once(live, asking):
    session, line = asking
    answers = []
    line.drop()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, session, "why?", answers)
        second = await live.line(2)
        await second.next()
        second.turn("because")
        await trio.sleep(1)
    assert (answers, second.texts()) == (["because"], ["why?"])


async def test_a_question_that_nobody_waits_for_any_longer_is_not_asked_again(live, asking):
    session, line = asking
    with pytest.raises(TimeoutError):
        await session.ask("why?", timeout=1)
    line.drop()
    second = await live.line(2)
    await trio.sleep(1)
    assert second.texts() == []


async def test_text_that_nobody_waits_for_is_not_written_again(live, log, asking):
    session, line = asking
    await session.send_text("a remark")
    await line.next()
    line.drop()
    second = await live.line(2)
    await trio.sleep(1)
    assert second.texts() == []
    assert len(log.of("on_resumed")[0].uncertain) == 1


async def test_a_question_is_asked_once_more_and_not_for_ever(live, asking):
    session, line = asking
    texts = []
    async with trio.open_nursery() as nursery:

        async def give_up():
            with pytest.raises(TimeoutError):
                await session.ask("why?", timeout=30)

        nursery.start_soon(give_up)
        for number in (1, 2):
            await line.next()
            line.drop()
            line = await live.line(number + 1)
            texts.append(line)
        await trio.sleep(1)
    assert [each.texts() for each in texts] == [["why?"], []]


async def test_a_question_for_which_a_tool_was_called_is_not_asked_again(live):
    async with live.session(stall=None, on_tool_call=lambda _: None) as session:
        line = await live.line()
        line.resumable()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_times_out, session)
            await line.next()
            line.call({"id": "a", "name": "f", "args": {}})
            await trio.testing.wait_all_tasks_blocked()
            line.drop()
            second = await live.line(2)
            await trio.sleep(1)
    assert "why?" not in second.texts()


async def _times_out(session):
    with pytest.raises(TimeoutError):
        await session.ask("why?", timeout=5)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(dial=1, received=3, what=Drop(how="reset")),
        Fault(dial=1, received=3, what=Drop(how="eof")),
        Fault(dial=1, sent=6, what=Drop(how="reset")),
        Fault(dial=1, sent=5, what=Drop(mid_frame=True)),
    ],
)
async def test_over_the_simulator_each_question_has_one_answer_whatever_breaks(fault, real_time):
    faults = Faults(fault)
    resumed = []
    async with (
        LiveSimulator.serve(brain=Echo(), faults=faults) as simulator,
        Session.start(
            **simulator.connection,
            model="gemini-2.5-flash-native-audio-preview-12-2025",
            output_audio_transcription={},
            stall=None,
            reconnect=ReconnectPolicy(initial=0.02),
            on_resumed=resumed.append,
        ) as session,
    ):
        answers = [await session.ask(f"question {n}", timeout=5) for n in range(4)]
        assert [turn.text or turn.output_transcript for turn in answers] == [
            f"question {n}" for n in range(4)
        ]
    assert resumed
