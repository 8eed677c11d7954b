import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge.protocol import Failure, Reconnector, ReconnectPolicy, Rule, Verdict, classify


def lost(code: int | None = 1006, *, phase: str = "ready", **more) -> Failure:
    return Failure(phase=phase, code=code, **more)


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        *[(lost(code), Verdict.RETRY) for code in (None, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014)],
        *[(lost(code), Verdict.FATAL) for code in (1002, 1003, 1009, 1010, 1015, 4000, 4999)],
        (lost(1007), Verdict.RETRY_WITHOUT_MEDIA),
        (lost(1008), Verdict.RETRY),
        (lost(1008, reason="The operation was aborted."), Verdict.RETRY),
        (lost(1008, reason="Operation is not implemented, or supported, or enabled."), Verdict.RETRY),
        (lost(1008, reason="BidiGenerateContent session not found", phase="setup"), Verdict.FRESH),
        (lost(1008, reason="models/x is not found for API version v1beta", phase="setup"), Verdict.FATAL),
        (lost(1007, reason="API key expired. Please renew the API key.", phase="setup"), Verdict.FATAL),
        (lost(1008, reason="billing is not enabled", phase="setup"), Verdict.FATAL),
        (lost(1007, reason="User location is not supported", phase="setup"), Verdict.FATAL),
        (lost(1007, reason="Thinking level must be specified for this model", phase="setup"), Verdict.FATAL),
        (lost(1007, reason="error when processing input audio"), Verdict.RETRY_WITHOUT_MEDIA),
        (
            lost(1007, reason="audio content type (CONTENT_TYPE_AUDIO) is not supported"),
            Verdict.RETRY_WITHOUT_MEDIA,
        ),
        (lost(1007, phase="setup"), Verdict.FATAL),
        (lost(1008, phase="setup"), Verdict.FATAL),
        (lost(1007, phase="setup", had_handle=True), Verdict.RETRY),
        (lost(1011, phase="setup"), Verdict.RETRY),
        (lost(None, phase="dial", status=401), Verdict.REFRESH_CREDENTIALS),
        (lost(None, phase="dial", status=403), Verdict.REFRESH_CREDENTIALS),
        (lost(None, phase="dial", status=404), Verdict.FATAL),
        (lost(None, phase="dial", status=400), Verdict.FATAL),
        (lost(None, phase="dial", status=429), Verdict.RETRY),
        (lost(None, phase="dial", status=503), Verdict.RETRY),
        (lost(None, phase="dial", retryable=True), Verdict.RETRY),
        (lost(None, phase="dial", retryable=False), Verdict.FATAL),
    ],
)
def test_the_table_says_what_a_failure_means(failure, verdict):
    assert classify(failure).verdict is verdict


def test_rules_of_the_user_come_first():
    rule = Rule(verdict=Verdict.RETRY, codes=frozenset({1009}), hint="mine")
    said = classify(lost(1009), rules=[rule])
    assert said.verdict is Verdict.RETRY
    assert said.hint == "mine"
    assert said.retryable
    assert not classify(lost(1009)).retryable


@given(
    phase=st.sampled_from(["dial", "setup", "ready"]),
    code=st.none() | st.integers(1000, 4999),
    status=st.none() | st.integers(300, 599),
    reason=st.text(max_size=20),
    had_handle=st.booleans(),
)
def test_every_failure_has_a_verdict(phase, code, status, reason, had_handle):
    failure = Failure(phase=phase, code=code, status=status, reason=reason, had_handle=had_handle)
    assert classify(failure).verdict in Verdict


def test_the_first_retry_after_a_stable_connection_is_quick():
    reconnector = Reconnector()
    assert reconnector.failed(lost(stable=True), now=0.0, rand=1.0).delay == pytest.approx(0.25)
    assert reconnector.failed(lost(), now=1.0, rand=1.0).delay == pytest.approx(1.0)


def test_back_off_doubles_up_to_its_bound():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=None))
    delays = [reconnector.failed(lost(), now=0.0, rand=1.0).delay for _ in range(9)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 3000))
def test_jitter_stays_below_the_bound_however_long_it_goes_on(rand, tries):
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=None), attempts=tries)
    plan = reconnector.failed(lost(), now=0.0, rand=rand)
    assert 0 <= plan.delay <= 30.0


def test_retry_after_is_honoured():
    plan = Reconnector().failed(lost(None, phase="dial", status=429, retry_after=17.0), now=0.0, rand=0.0)
    assert plan.delay == 17.0


def test_invariant_31_attempts_survive_accept_then_close_loops():
    reconnector = Reconnector(policy=ReconnectPolicy(max_attempts=4))
    plans = [reconnector.failed(lost(1011, uptime=0.5), now=float(n), rand=0.0) for n in range(5)]
    assert [plan.exhausted for plan in plans] == [False] * 4 + [True]


def test_a_stable_connection_restores_the_budget():
    reconnector = Reconnector(policy=ReconnectPolicy(max_attempts=1))
    reconnector.failed(lost(), now=0.0, rand=0.0)
    reconnector.stable()
    assert not reconnector.failed(lost(), now=1.0, rand=0.0).exhausted


def test_an_outage_is_bounded_in_time():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=300.0))
    assert not reconnector.failed(lost(), now=1000.0, rand=0.0).exhausted
    assert not reconnector.failed(lost(), now=1300.0, rand=0.0).exhausted
    assert reconnector.failed(lost(), now=1300.1, rand=0.0).exhausted


def test_refused_credentials_are_refreshed_once():
    reconnector = Reconnector()
    refused = lost(None, phase="dial", status=401)
    assert reconnector.failed(refused, now=0.0, rand=0.0).verdict is Verdict.REFRESH_CREDENTIALS
    assert reconnector.failed(refused, now=1.0, rand=0.0).verdict is Verdict.FATAL


@pytest.mark.parametrize(("had_handle", "verdict"), [(True, Verdict.FRESH), (False, Verdict.FATAL)])
def test_the_same_invalid_argument_twice_escalates(had_handle, verdict):
    reconnector = Reconnector()
    refused = lost(1007, had_handle=had_handle)
    assert reconnector.failed(refused, now=0.0, rand=0.0).verdict is Verdict.RETRY_WITHOUT_MEDIA
    assert reconnector.failed(refused, now=1.0, rand=0.0).verdict is verdict


def test_three_rapid_policy_violations_are_fatal():
    reconnector = Reconnector()
    verdicts = [reconnector.failed(lost(1008, uptime=1.0), now=float(n), rand=0.0).verdict for n in range(3)]
    assert verdicts == [Verdict.RETRY, Verdict.RETRY, Verdict.FATAL]


def test_policy_violations_after_a_good_while_are_retried():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=None))
    verdicts = [reconnector.failed(lost(1008, uptime=9.0), now=float(n), rand=0.0).verdict for n in range(6)]
    assert set(verdicts) == {Verdict.RETRY}


@given(rand=st.floats(0, 1, exclude_max=True), attempts=st.integers(0, 20))
def test_a_handle_gets_its_second_try_after_a_second_at_least(rand, attempts):
    """The server refuses a resume while it holds the earlier connection open; that passes."""
    reconnector = Reconnector(ReconnectPolicy(), attempts=attempts)
    refused = lost(1011, phase="setup", had_handle=True)
    assert reconnector.failed(refused, now=0.0, rand=rand).delay >= 1.0
    fresh = Reconnector(ReconnectPolicy()).failed(lost(1011, phase="setup"), now=0.0, rand=rand)
    assert fresh.delay <= 0.5
