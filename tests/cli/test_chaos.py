import json
import os
import signal
import subprocess
import sys
import time

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge import wire
from livebridge.cli import main
from livebridge.cli._chaos import describe, to_plain
from livebridge.cli._chaos_run import Plan, Run, _resident, _sockets
from livebridge.cli._chaos_tally import Comparison, Gaps, Recovery, Verdict, compare, percentile
from livebridge.cli._chaos_worker import Worker
from livebridge.errors import SessionFailedError
from livebridge.protocol import SessionLostInfo

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
    lost_conversations=0,
    failures=[],
    recoveries={"reset": Recovery.of([0.1, 0.2], count=2)},
    recovery=Recovery.of([0.1, 0.2], count=2),
    gaps=Gaps.of([0.1]),
    rotation_gaps=Gaps(),
    leaked_tasks=0,
    leaked_sockets=0,
)


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
    one = Comparison(sent=4, lost=1, reported=2, doubled=3, reordered=4)
    assert one + one == Comparison(sent=8, lost=2, reported=4, doubled=6, reordered=8)


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
        ({"leaked_tasks": 1}, "1 tasks were left over"),
        ({"leaked_sockets": 1}, "1 sockets were left over"),
        ({"failures": ["session 1 failed: no"]}, "1 sessions failed or gave messages up"),
        ({"turns": Comparison(sent=4, reported=1)}, "1 messages were reported as lost"),
        ({"lost_conversations": 1}, "1 conversations were lost"),
    ],
)
def test_whatever_should_not_be_makes_the_verdict_fail_and_is_named(change, complaint):
    verdict = attrs.evolve(HELD, **change)
    assert not verdict.holds
    assert complaint in describe(verdict)[-1]
    assert all(failure in describe(verdict) for failure in verdict.failures)


@pytest.mark.parametrize("change", [{"turns": Comparison(sent=4, reported=1)}, {"lost_conversations": 1}])
def test_on_the_gemini_api_a_loss_that_was_reported_is_no_failure(change):
    verdict = attrs.evolve(HELD, backend="gemini", **change)
    assert verdict.holds
    assert f"{verdict.turns.reported} unknown and reported so" in "\n".join(describe(verdict))


def test_a_run_without_a_fault_shows_nothing_and_says_so():
    quiet = attrs.evolve(HELD, recoveries={}, recovery=Recovery.of([], count=0))
    assert not quiet.holds
    assert describe(quiet)[-1].startswith("No fault struck, so nothing was shown")
    assert to_plain(quiet)["holds"] is False
    assert "does not hold: 1 tasks" in describe(attrs.evolve(quiet, leaked_tasks=1))[-1]


def test_a_run_without_a_fault_is_exit_status_1(capsys):
    assert main(["chaos", "--sessions", "1", "--seconds", "0.2", "--fault-every", "80000"]) == 1
    assert "nothing was shown" in capsys.readouterr().out


def test_the_verdict_reads_well():
    text = "\n".join(describe(attrs.evolve(HELD, rss_start=50 * 2**20, interrupted=True)))
    assert "2 sessions under fire for 10 s (vertex, cold handover, seed 0), interrupted" in text
    assert "0 lost, 0 doubled, 0 reordered" in text
    assert "50 MiB at the start, unknown at the end" in text
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
    assert worker.failures() == [
        "session 3 did not come to rest within 60 s",
        "session 3 gave 2 messages up at its close",
    ]
    worker.failure = SessionFailedError("gone")
    assert worker.failures()[0] == "session 3 failed: gone"
    worker._on_session_lost(SessionLostInfo(reason="no_handle"))
    assert worker.lost_conversations == 0
    worker._on_session_lost(SessionLostInfo(reason="rejected"))
    worker._report(wire.ClientMessage(realtime_input=wire.RealtimeInput(text="s3 m7")))
    assert worker.lost_conversations == 1


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
        self.result = attrs.evolve(HELD, leaked_tasks=2)
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
    assert (_resident(), _sockets()) == (None, 0)
