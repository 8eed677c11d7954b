import re

from hypothesis import given
from hypothesis import strategies as st

from livebridge.protocol import CircuitBreaker, CircuitPolicy, CircuitState
from livebridge.protocol import _breaker as module


def opened(at: float = 0.0) -> CircuitBreaker:
    breaker = CircuitBreaker()
    for who in "abcde":
        breaker.failed(who, now=at)
    return breaker


def test_a_closed_circuit_lets_everybody_dial():
    assert CircuitBreaker().admit("a", now=0.0) == 0.0


def test_five_sessions_that_fail_within_a_minute_open_it_for_half_a_minute():
    breaker = opened(at=100.0)
    assert breaker.state is CircuitState.OPEN
    assert breaker.admit("a", now=110.0) == 20.0


def test_failures_that_are_spread_out_do_not_open_it():
    breaker = CircuitBreaker()
    for number in range(20):
        breaker.failed(number, now=number * 16.0)
    assert breaker.state is CircuitState.CLOSED


@given(st.lists(st.tuples(st.floats(0, 10), st.sampled_from("abcd"))))
def test_a_few_sessions_never_open_it_however_often_they_fail(failures):
    breaker = CircuitBreaker()
    now = 0.0
    for after, who in failures:
        now += after
        breaker.failed(who, now=now)
        assert breaker.admit(who, now=now) == 0.0


def test_a_success_in_between_starts_the_count_anew():
    breaker = CircuitBreaker()
    for _ in range(3):
        for who in "abcd":
            breaker.failed(who, now=0.0)
        breaker.succeeded()
    assert breaker.state is CircuitState.CLOSED


def test_half_open_lets_one_session_probe_at_a_time():
    breaker = opened()
    assert breaker.admit("a", now=30.0) == 0.0
    assert breaker.state is CircuitState.HALF_OPEN
    assert breaker.admit("a", now=30.0) == 0.0
    assert breaker.admit("b", now=30.0) > 0
    breaker.withdrew("b")
    assert breaker.admit("b", now=30.0) > 0
    breaker.withdrew("a")
    assert breaker.admit("b", now=30.0) == 0.0


def test_a_successful_probe_closes_it():
    breaker = opened()
    breaker.admit("a", now=30.0)
    breaker.succeeded()
    assert breaker.admit("b", now=30.0) == 0.0


def test_a_failed_probe_opens_it_for_twice_as_long_up_to_a_bound():
    breaker = opened()
    now, waits = 0.0, []
    for _ in range(6):
        now += breaker.admit("a", now=now)
        assert breaker.admit("a", now=now) == 0.0
        breaker.failed("bystander", now=now)
        assert breaker.state is CircuitState.HALF_OPEN
        breaker.failed("a", now=now)
        waits.append(breaker.admit("a", now=now))
    assert waits == [60.0, 60.0, 60.0, 60.0, 60.0, 60.0]


def test_late_failures_while_it_is_open_change_nothing():
    breaker = opened()
    for _ in range(9):
        breaker.failed("b", now=1.0)
    assert breaker.admit("a", now=30.0) == 0.0


def test_the_policy_is_the_users():
    breaker = CircuitBreaker(CircuitPolicy(failures=1, open_for=3.0))
    breaker.failed("a", now=0.0)
    assert breaker.admit("a", now=1.0) == 2.0


def test_the_drawing_names_every_state():
    drawn = set(re.findall(r"^    ([\w-]+) +--.*--> +([\w-]+)$", module.__doc__, re.MULTILINE))
    assert {name for pair in drawn for name in pair} == {state.value for state in CircuitState}


def test_it_is_at_rest_when_it_remembers_nothing_that_counts():
    breaker = CircuitBreaker()
    assert breaker.is_at_rest(now=0.0)
    breaker.failed("a", now=100.0)
    breaker.failed("b", now=110.0)
    assert not breaker.is_at_rest(now=165.0)
    assert breaker.is_at_rest(now=171.0)
    breaker.succeeded()
    assert breaker.is_at_rest(now=111.0)


def test_it_is_not_at_rest_while_it_is_open_or_about_to_be_probed():
    breaker = opened(at=100.0)
    assert not breaker.is_at_rest(now=130.0)
    breaker.admit("a", now=130.0)
    assert not breaker.is_at_rest(now=190.0)
    assert breaker.is_at_rest(now=191.0)
