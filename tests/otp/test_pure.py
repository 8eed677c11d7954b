"""The parts that decide: no trio, no clock, no randomness of their own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge.errors import ConfigError
from livebridge.otp import KILLED, NOPROC, NORMAL, SHUTDOWN, Backoff, ChildSpec, ExitReason, RestartWindow
from livebridge.otp import _strategy as strategy
from livebridge.otp._strategy import ANSWERS, RESTARTS, ChildState, must_restart, must_shut_down, victims

times = st.lists(st.floats(0, 50), min_size=1, max_size=40).map(sorted)


@given(times=times, max_restarts=st.integers(0, 5), max_seconds=st.floats(0.1, 20))
def test_a_restart_is_allowed_iff_the_inclusive_window_holds_no_more_than_the_limit(
    times, max_restarts, max_seconds
):
    window = RestartWindow(max_restarts=max_restarts, max_seconds=max_seconds)
    for count, now in enumerate(times, 1):
        inside = [t for t in times[:count] if t >= now - max_seconds]
        assert window.record(now) == (len(inside) <= max_restarts)
        assert list(window.history) == inside


def test_without_a_limit_every_restart_is_allowed():
    window = RestartWindow(max_restarts=None, max_seconds=1)
    assert all(window.record(0) for _ in range(100))


@pytest.mark.parametrize(
    "options",
    [
        {"max_restarts": -1, "max_seconds": 1},
        {"max_restarts": 1, "max_seconds": 0},
        {"max_restarts": 1, "max_seconds": math.inf},
    ],
)
def test_a_senseless_window_is_refused(options):
    with pytest.raises(ConfigError):
        RestartWindow(**options)


@pytest.mark.parametrize(
    "options",
    [{"initial": -1}, {"max": math.inf}, {"reset_after": math.nan}, {"factor": 0.5}, {"jitter": "some"}],
)
def test_a_senseless_backoff_is_refused(options):
    with pytest.raises(ConfigError):
        Backoff(**options)


def test_a_backoff_doubles_up_to_its_maximum_and_starts_again_after_a_healthy_life():
    backoff = Backoff(initial=1, factor=2, max=10, jitter="none", reset_after=60)
    assert [backoff.delay(n, 0.5) for n in range(6)] == [1, 2, 4, 8, 10, 10]
    assert backoff.cap(10_000) == 10
    assert backoff.attempt_after(3, 59.9) == 3
    assert backoff.attempt_after(3, 60) == 0


@given(rand=st.floats(0, 1))
def test_jitter_draws_from_the_range_it_promises(rand):
    assert 0 <= Backoff(initial=8).delay(0, rand) <= 8
    assert 4 <= Backoff(initial=8, jitter="equal").delay(0, rand) <= 8


def test_a_backoff_that_outlasts_the_window_is_recognised():
    backoff = Backoff(initial=1, factor=2, max=60)
    assert backoff.outlasts(max_restarts=3, max_seconds=5)
    assert not backoff.outlasts(max_restarts=5, max_seconds=300)


def test_the_drawn_tables_agree_with_the_data():
    lines = (strategy.__doc__ or "").splitlines()
    for restart, kinds in RESTARTS.items():
        cells = next(line.split() for line in lines if line.split()[:1] == [restart])
        drawn = dict(zip(["normal", "shutdown", "error", "killed"], cells[1:], strict=True))
        assert {kind for kind, word in drawn.items() if word == "yes"} == kinds - {"noproc"}
    for command, answers in ANSWERS.items():
        drawn = next(line for line in lines if line.strip().startswith(command)).split(maxsplit=1)[1]
        words = [cell.strip() for cell in drawn.split("  ") if cell.strip()]
        for word, state in zip(words, ChildState, strict=True):
            assert answers[state].startswith("" if word == "ok" else word)
            assert (answers[state] == "") == (word == "ok")


@given(st.lists(st.integers(), min_size=1, max_size=6, unique=True), st.data())
def test_victims_are_the_failed_one_all_or_it_and_the_later_ones(order, data):
    failed = data.draw(st.sampled_from(order))
    assert victims("one_for_one", order, failed) == [failed]
    assert victims("one_for_all", order, failed) == order
    assert victims("rest_for_one", order, failed) == order[order.index(failed) :]


def test_restart_if_replaces_the_table():
    assert must_restart("temporary", NORMAL, lambda _reason: True)
    assert not must_restart("permanent", KILLED, lambda reason: reason.kind == "error")
    assert must_restart("permanent", NORMAL)


@pytest.mark.parametrize(
    ("mode", "significant", "others", "expected"),
    [
        ("never", True, False, False),
        ("any_significant", True, True, True),
        ("any_significant", False, False, False),
        ("all_significant", True, True, False),
        ("all_significant", True, False, True),
    ],
)
def test_auto_shutdown_follows_its_mode(mode, significant, others, expected):
    assert must_shut_down(mode, significant=significant, others_left=others) == expected


def test_reasons_are_values_that_say_what_they_are():
    error = ValueError("boom")
    assert str(ExitReason.error(error)) == "error(ValueError: boom)"
    assert str(ExitReason.shutdown("max_restarts")) == "shutdown(max_restarts)"
    assert str(NORMAL) == "normal"
    assert ExitReason.shutdown("x") == ExitReason(kind="shutdown", term="x") != SHUTDOWN
    assert [reason.abnormal for reason in (NORMAL, SHUTDOWN, NOPROC, KILLED, ExitReason.error(error))] == [
        False, False, False, True, True,
    ]  # fmt: skip


def test_a_spec_knows_the_defaults_of_its_type_and_refuses_nonsense():
    assert ChildSpec(start=print).shutdown == 5.0
    assert ChildSpec(start=print, type="supervisor").grace == math.inf
    assert ChildSpec(start=print, shutdown="brutal_kill").grace == 0
    for options in (
        {"start": 3},
        {"start": print, "restart": "often"},
        {"start": print, "type": "boss"},
        {"start": print, "shutdown": "soon"},
        {"start": print, "shutdown": -1},
    ):
        with pytest.raises(ConfigError):
            ChildSpec(**options)
