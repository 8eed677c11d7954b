import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import pairwise

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from livebridge import wire
from livebridge.cli import main
from livebridge.cli._chaos import describe, to_plain
from livebridge.cli._chaos_books import Books, Comparison, Known, Numbers
from livebridge.cli._chaos_faults import strike
from livebridge.cli._chaos_leaks import LEAK_PATIENCE, Inventory, count_sockets
from livebridge.cli._chaos_run import Plan, Run, _resident
from livebridge.cli._chaos_tally import Gaps, Recovery, Verdict, percentile
from livebridge.cli._chaos_worker import Worker
from livebridge.errors import SessionFailedError, SetupError
from livebridge.protocol import SessionLostInfo
from livebridge.simulator import ContentHeard, Heard

HELD = Verdict(
    backend="vertex",
    handover="cold",
    sessions=2,
    seconds=10.0,
    seed=0,
    turns=Comparison(sent=40),
    answered=40,
    audio_seconds=1.0,
    connections=4,
    reconnects=2,
    rotations=1,
    lost_conversations={},
    failures=[],
    recoveries={"reset": Recovery.of([0.1, 0.2], count=2)},
    recovery=Recovery.of([0.1, 0.2], count=2),
    gaps=Gaps.of([0.1]),
    rotation_gaps=Gaps(),
)


def compare(sent, heard, reported=()):
    known = Known()
    known.take(heard)
    return known.compare(sent, reported=reported)


# the comparison


@given(sent=st.integers(0, 50))
def test_a_model_that_knows_everything_in_order_has_lost_nothing(sent):
    assert compare(sent, range(sent)) == Comparison(sent=sent)


@pytest.mark.parametrize(
    ("heard", "reported", "expected"),
    [
        ([0, 1, 3], [], Comparison(sent=4, lost=1)),
        ([0, 1, 3], [2], Comparison(sent=4, reported=1)),
        ([0, 1, 2, 3], [2], Comparison(sent=4)),
        ([0, 1, 1, 2, 3, 1], [], Comparison(sent=4, doubled=2)),
        ([0, 2, 1, 3], [], Comparison(sent=4, reordered=1)),
        ([], [0, 1], Comparison(sent=4, lost=2, reported=2)),
    ],
)
def test_what_is_missing_doubled_or_out_of_order_is_counted(heard, reported, expected):
    assert compare(4, heard, reported=reported) == expected


@given(st.permutations(range(8)))
def test_every_order_but_the_right_one_is_reordered(order):
    assert (compare(8, order).reordered == 0) == (list(order) == sorted(order))


def test_comparisons_add_up():
    one = Comparison(sent=4, lost=1, reported=2, unsettled=5, doubled=3, reordered=4)
    assert one + one == Comparison(sent=8, lost=2, reported=4, unsettled=10, doubled=6, reordered=8)


def test_what_is_missing_where_nothing_came_to_rest_is_not_called_lost():
    assert Comparison(sent=4, lost=3, doubled=1).as_unsettled() == Comparison(sent=4, unsettled=3, doubled=1)


@given(heard=st.lists(st.integers(0, 30)), cuts=st.lists(st.integers(0, 60)))
def test_what_a_model_knows_can_be_told_in_pieces(heard, cuts):
    known = Known()
    edges = [0, *sorted(min(cut, len(heard)) for cut in cuts)]
    for start, end in pairwise(edges):
        known.take(heard[start:end])
    assert known.followed_by(heard[edges[-1] :]).compare(31) == compare(31, heard)
    assert known.compare(31) == compare(31, heard[: edges[-1]])


@given(st.lists(st.integers(0, 300)))
def test_numbers_are_a_set(numbers):
    ours = Numbers()
    assert [ours.add(number) for number in numbers] == [
        number not in numbers[:at] for at, number in enumerate(numbers)
    ]
    assert len(ours) == len(set(numbers))
    assert ours.greatest == max(numbers, default=-1)
    assert [number in ours for number in range(310)] == [number in numbers for number in range(310)]


def test_a_model_that_forgot_everything_knows_only_what_comes_after():
    books = Books(sent=3)
    books.known.take([0, 1])
    books.conversation_lost()
    books.sent = 6
    assert books.close([1, 3]) == (Comparison(sent=6, reported=2, lost=2), [4, 5])


def test_messages_are_unanswered_from_the_last_answer_on():
    books = Books(sent=7)
    assert books.unanswered == 7
    books.answered.update([0, 3])
    assert books.unanswered == 3


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_its_share_does_not_exceed(values, share):
    value = percentile(values, share)
    assert value in values
    assert sum(each <= value for each in values) >= share * len(values) * (1 - 1e-9)
    assert percentile([], share) is None


# the verdict


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"turns": Comparison(sent=4, lost=1)}, "1 messages were lost"),
        ({"turns": Comparison(sent=4, doubled=2)}, "2 messages came twice"),
        ({"turns": Comparison(sent=4, reordered=3)}, "3 messages came in another order"),
        (
            {"turns": Comparison(sent=4, unsettled=2)},
            "2 messages were still under way in sessions that failed",
        ),
        ({"leaked_tasks": {"a": 1, "b": 2}}, "3 tasks were left over"),
        ({"leaked_sockets": 1}, "1 sockets were left over"),
        ({"failures": ["session 1 failed: no"]}, "1 sessions failed or gave messages up"),
        ({"turns": Comparison(sent=4, reported=1)}, "1 messages were reported as lost"),
        ({"lost_conversations": {"rejected": 1}}, "1 conversations were lost"),
    ],
)
def test_whatever_should_not_be_makes_the_verdict_fail_and_is_named(change, complaint):
    verdict = attrs.evolve(HELD, **change)
    assert not verdict.holds
    assert complaint in describe(verdict)[-1]
    assert all(failure in describe(verdict) for failure in verdict.failures)


@pytest.mark.parametrize(
    "change", [{"turns": Comparison(sent=4, reported=1)}, {"lost_conversations": {"rejected": 1}}]
)
def test_on_the_gemini_api_a_loss_that_was_reported_is_no_failure(change):
    verdict = attrs.evolve(HELD, backend="gemini", **change)
    assert verdict.holds
    assert f"{verdict.turns.reported} unknown and reported so" in "\n".join(describe(verdict))


def test_a_run_without_a_fault_shows_nothing_and_says_so():
    quiet = attrs.evolve(HELD, recoveries={}, recovery=Recovery.of([], count=0))
    assert not quiet.holds
    assert describe(quiet)[-1].startswith("No fault struck, so nothing was shown")
    assert to_plain(quiet)["holds"] is False
    assert "does not hold: 1 tasks" in describe(attrs.evolve(quiet, leaked_tasks={"a task": 1}))[-1]


def test_a_run_without_a_fault_is_exit_status_1(capsys):
    assert main(["chaos", "--sessions", "1", "--seconds", "0.2", "--fault-every", "80000"]) == 1
    assert "nothing was shown" in capsys.readouterr().out


def test_the_verdict_reads_well():
    memory = [50 * 2**20, 60 * 2**20, None]
    text = "\n".join(describe(attrs.evolve(HELD, memory=memory, interrupted=True)))
    assert "2 sessions under fire for 10 s (vertex, cold handover, seed 0), interrupted" in text
    assert "0 lost, 0 doubled, 0 reordered" in text
    assert "memory        50, 60 MiB (start, quarters, end" in text
    assert "memory        unknown" in "\n".join(describe(HELD))
    assert "reset                                2           100 ms    200 ms" in text
    assert text.endswith("The verdict holds.")


def test_a_session_that_failed_or_gave_messages_up_is_a_failure():
    worker = Worker(
        number=3,
        simulator=None,
        decoys=None,
        vertex=True,
        handover="cold",
        fault_every=1,
        seed=0,
        undelivered=2,
    )
    unsettled, given_up = worker.failures()
    assert unsettled.startswith("session 3 did not come to rest: no answer for 60 s")
    assert given_up == "session 3 gave 2 messages up at its close"
    assert worker.losses() == []
    worker.failure = SessionFailedError("gone")
    assert worker.failures()[0] == "session 3 failed: gone"
    worker._on_session_lost(SessionLostInfo(reason="no_handle"))
    assert not worker.lost_conversations
    worker._on_session_lost(SessionLostInfo(reason="rejected", error=SetupError("no")))
    worker._report(wire.ClientMessage(realtime_input=wire.RealtimeInput(text="s3 m7")))
    assert worker.lost_conversations == {"rejected: no": 1}
    worker.books.sent = 20
    worker.lost = list(range(20))
    assert worker.losses() == ["session 3 lost 20 of 20 messages: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"]


def test_the_verdict_names_what_was_lost_and_what_is_left_over():
    verdict = attrs.evolve(
        HELD,
        losses=["session 1 lost 1 of 4 messages: 2"],
        leaked_tasks={"reader (waits in somewhere, line 7)": 2},
        lost_conversations={"rejected: 1008": 1},
        turns=Comparison(sent=4, unsettled=2),
    )
    lines = describe(verdict)
    assert "session 1 lost 1 of 4 messages: 2" in lines
    assert "left over: 2 times reader (waits in somewhere, line 7)" in lines
    assert "conversations lost, rejected: 1008: 1" in lines
    assert "0 reordered, 2 still under way" in "\n".join(lines)


# the run


async def test_ten_sessions_live_through_chaos_and_lose_nothing():
    said = []
    plan = Plan(sessions=10, seconds=6, fault_every=1.5, seed=7)
    verdict = await Run(plan, report=said.append).verdict()
    assert verdict.complaints == []
    assert verdict.faults >= 20
    assert verdict.turns.sent >= 50
    assert verdict.reconnects >= 10
    assert not verdict.interrupted
    assert "of 10 sessions ready" in said[0]


async def test_on_the_gemini_api_nothing_is_lost_without_a_word():
    verdict = await Run(
        Plan(sessions=4, seconds=2, fault_every=0.7, seed=2, backend="gemini", handover="warm")
    ).verdict()
    assert verdict.complaints == []
    assert verdict.faults >= 4


def test_what_the_simulator_drops_is_in_the_books():
    def heard_of(number):
        turn = wire.Content(role="user", parts=[wire.Part(text=f"s0 m{number}")])
        return ContentHeard(turns=(turn,), turn_complete=True)

    class Conversation:
        length = 199
        heard = Heard(inputs=(heard_of(2), heard_of(3)), history=())

    class Simulator:
        connections = ()

        def forget(self, conversation, *, keep_handles):
            return Heard(inputs=(heard_of(0), heard_of(1)), history=())

    worker = Worker(
        number=0, simulator=Simulator(), decoys=None, vertex=True, handover="cold", fault_every=1, seed=0
    )
    worker.books.sent = 5
    worker._conversation = Conversation()
    worker._forget()
    assert len(worker.books.known.numbers) == 0
    Conversation.length = 200
    worker._forget()
    worker._forget()
    assert worker.compare() == (Comparison(sent=5, lost=1), [4])


async def test_a_user_whom_nobody_answers_waits_and_then_asks_again(autojump_clock):
    worker = Worker(
        number=0, simulator=None, decoys=None, vertex=True, handover="cold", fault_every=1, seed=0
    )
    worker.books.sent = 31
    assert await seconds_of(worker._wait_for_answers) == 5
    worker.books.answered.add(0)
    assert await seconds_of(worker._wait_for_answers) == 0


async def seconds_of(wait):
    began = trio.current_time()
    await wait()
    return trio.current_time() - began


async def test_a_stall_ends_with_the_fire():
    class Connection:
        stalled = None

        def stall(self):
            self.stalled = True

        def resume(self):
            self.stalled = False

    connection = Connection()
    with trio.CancelScope() as fire:
        fire.cancel()
        await strike("stall", connection, random.Random(1))
    assert connection.stalled is False


async def test_what_is_left_over_is_named_with_its_place(autojump_clock):
    before = Inventory.take()
    worker = Worker(
        number=0, simulator=None, decoys=None, vertex=True, handover="cold", fault_every=1, seed=0
    )
    worker.books.sent = 40
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker._wait_for_answers, name="a user")
        nursery.start_soon(trio.sleep, 4, name="a sleeper")
        await trio.testing.wait_all_tasks_blocked()
        (user, sleeper) = sorted(before.new_tasks().items(), reverse=True)
        assert sleeper == ("a sleeper", 1)
        assert user[0].startswith(
            "a user (waits in livebridge.cli._chaos_worker.Worker._wait_for_answers, line "
        )
        assert await seconds_of(before.wait_until_restored) == pytest.approx(5, abs=0.1)
    assert before.new_tasks() == {}


async def test_what_never_goes_is_waited_for_in_vain(autojump_clock):
    before = Inventory.take()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        assert await seconds_of(before.wait_until_restored) == pytest.approx(LEAK_PATIENCE)
        assert sum(before.new_tasks().values()) == 1
        nursery.cancel_scope.cancel()


@pytest.mark.soak
async def test_fifty_sessions_live_through_an_hour_of_chaos():
    verdict = await Run(Plan(sessions=50, seconds=3600, fault_every=5, seed=int(time.time()))).verdict()
    assert verdict.complaints == []


def test_the_command_prints_the_verdict_as_json(capsys):
    status = main(["chaos", "--sessions", "2", "--seconds", "1", "--fault-every", "0.5", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert (status, printed["holds"], printed["complaints"]) == (0, True, [])
    assert printed["turns"]["sent"] > 0


def test_a_verdict_that_does_not_hold_is_exit_status_1(capsys, monkeypatch):
    async def verdict(self):
        self.report("on the way")
        self.result = attrs.evolve(HELD, leaked_tasks={"a task": 2})
        return self.result

    monkeypatch.setattr(Run, "verdict", verdict)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["chaos", "--sessions", "1", "--seconds", "1", "--no-color"]) == 1
    printed = capsys.readouterr().out
    assert "on the way" in printed
    assert "does not hold: 2 tasks were left over" in printed


def test_ctrl_c_ends_the_fire_and_gives_the_verdict():
    command = [
        sys.executable,
        "-m",
        "livebridge",
        "chaos",
        "--sessions",
        "2",
        "--seconds",
        "600",
        "--fault-every",
        "0.3",
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        time.sleep(3)
        running.send_signal(signal.SIGINT)
        printed, complaints = running.communicate(timeout=60)
    assert complaints == ""
    assert running.returncode == 130
    assert ", interrupted" in printed
    assert "The verdict holds." in printed


def test_a_system_without_proc_says_nothing_of_memory_and_sockets(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr("livebridge.cli._chaos_run.Path.read_text", missing)
    monkeypatch.setattr("livebridge.cli._chaos_run.Path.iterdir", missing)
    assert (_resident(), count_sockets()) == (None, 0)
