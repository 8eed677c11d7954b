from __future__ import annotations

import pytest
import trio
import trio.testing

from livebridge.errors import MailboxFullError, NoProcessError
from livebridge.otp import Mailbox
from livebridge.otp._mailbox import YIELD_AFTER_MESSAGES


async def settle():
    await trio.testing.wait_all_tasks_blocked()


async def test_messages_come_out_in_the_order_they_went_in_whatever_their_lane():
    mailbox = Mailbox(10)
    lane = mailbox.open_lane()
    mailbox.put_nowait(1)
    lane.put_nowait(2)
    await mailbox.put(3)
    lane.put_nowait(4)
    assert [await mailbox.get() for _ in range(4)] == [1, 2, 3, 4]


async def test_the_system_lane_is_served_first_and_alone_while_suspended():
    mailbox = Mailbox()
    mailbox.put_nowait("user")
    mailbox.put_system("system")
    assert await mailbox.get() == "system"
    mailbox.suspended = True
    assert not mailbox.ready
    with trio.move_on_after(0.01) as scope:
        await mailbox.get()
    assert scope.cancelled_caught
    mailbox.suspended = False
    assert await mailbox.get() == "user"


async def test_resuming_wakes_a_waiting_getter(nursery):
    mailbox = Mailbox()
    got = []

    async def getter():
        got.append(await mailbox.get())

    mailbox.suspended = True
    nursery.start_soon(getter)
    await settle()
    mailbox.put_nowait(1)
    await settle()
    assert got == []
    mailbox.suspended = False
    await settle()
    assert got == [1]


async def test_a_full_user_lane_refuses_and_admits_waiters_in_order(nursery):
    mailbox = Mailbox(1)
    mailbox.put_nowait(0)
    with pytest.raises(MailboxFullError):
        mailbox.put_nowait(1)
    for number in (1, 2):
        nursery.start_soon(mailbox.put, number)
        await settle()
    assert mailbox.full
    assert [await mailbox.get() for _ in range(3)] == [0, 1, 2]
    assert not mailbox.full


async def test_nobody_overtakes_those_who_wait_for_room(nursery):
    mailbox = Mailbox(1)
    mailbox.put_nowait(0)
    nursery.start_soon(mailbox.put, 1)
    await settle()
    await mailbox.get()
    with pytest.raises(MailboxFullError):
        mailbox.put_nowait(2)
    assert await mailbox.get() == 1


async def test_a_cancelled_put_was_not_accepted():
    mailbox = Mailbox(1)
    mailbox.put_nowait(0)
    with trio.move_on_after(0.01):
        await mailbox.put(1)
    assert await mailbox.get() == 0
    assert mailbox.depth == 0


async def test_closing_returns_the_leftovers_and_wakes_whoever_waits(nursery):
    mailbox = Mailbox(1)
    lane = mailbox.open_lane(capacity=1)
    mailbox.put_nowait("user")
    lane.put_nowait("lane")
    mailbox.put_system("system")
    errors = []

    async def expect(fn, *args):
        try:
            await fn(*args)
        except NoProcessError as exc:
            errors.append(exc)

    nursery.start_soon(expect, mailbox.put, "late")
    nursery.start_soon(expect, lane.wait_capacity)
    await settle()
    assert [entry[1] for entry in mailbox.close()] == ["system", "user", "lane"]
    await settle()
    assert len(errors) == 2
    for refused in (mailbox.put_nowait, lane.put_nowait):
        with pytest.raises(NoProcessError):
            refused("x")
    with pytest.raises(NoProcessError):
        await mailbox.put("x")
    with pytest.raises(NoProcessError):
        await lane.wait_capacity()


async def test_a_lane_makes_its_producer_wait_by_count_and_by_cost(nursery):
    mailbox = Mailbox()
    lane = mailbox.open_lane(capacity=2, max_cost=100)
    passed = []

    async def producer():
        for cost in (10, 95, 1, 1):
            await lane.wait_capacity()
            lane.put_nowait(cost, cost=cost)
            passed.append(cost)

    nursery.start_soon(producer)
    await settle()
    assert passed == [10, 95]
    assert (lane.depth, lane.cost, lane.peak, lane.full) == (2, 105, 2, True)
    first = await mailbox.get_entry()
    await settle()
    assert passed == [10, 95]  # its cost is given back when the handler has finished
    lane.finished(first[3])
    await settle()
    assert passed == [10, 95, 1]
    for _ in range(3):
        await mailbox.get()
        await settle()
    assert (lane.depth, lane.cost, lane.peak) == (0, 0, 2)
    assert passed == [10, 95, 1, 1]


async def test_a_reader_that_got_several_frames_at_once_may_put_them_all():
    mailbox = Mailbox()
    lane = mailbox.open_lane(capacity=2)
    await lane.wait_capacity()
    for number in range(5):
        lane.put_nowait(number)
    assert (lane.depth, lane.peak) == (5, 5)


async def test_a_forced_message_enters_a_full_mailbox_in_order():
    mailbox = Mailbox(1)
    mailbox.put_nowait(0)
    mailbox.force(2, "forced")
    assert [await mailbox.get(), await mailbox.get()] == [0, "forced"]


async def test_a_busy_consumer_lets_others_run_now_and_then(nursery, mock_clock):
    mailbox = Mailbox()
    for number in range(YIELD_AFTER_MESSAGES * 4):
        mailbox.put_nowait(number)
    ticks = []

    async def other():
        while mailbox.depth:
            ticks.append(mailbox.depth)
            await trio.lowlevel.checkpoint()

    nursery.start_soon(other)
    while mailbox.depth:
        await mailbox.get()
    assert 3 <= len(ticks) <= 8


async def test_slow_handlers_let_others_run_after_five_milliseconds(mock_clock):
    mailbox = Mailbox()
    for number in range(3):
        mailbox.put_nowait(number)
    await mailbox.get()
    with trio.testing.assert_no_checkpoints():
        mailbox.put_nowait("x")
    mock_clock.jump(0.006)
    with trio.testing.assert_checkpoints():
        await mailbox.get()


async def test_waiting_verbs_are_checkpoints():
    mailbox = Mailbox()
    lane = mailbox.open_lane()
    for wait in (mailbox.put, lane.wait_capacity):
        with trio.testing.assert_checkpoints():
            await (wait("x") if wait == mailbox.put else wait())
