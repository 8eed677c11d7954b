import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge.protocol import Failure, Reconnector, ReconnectPolicy, Verdict, classify


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


def ended(reconnector, *, now=0.0, uptime=11.0, **more):
    life = {"messages": 1, "alive": True, "progress": False, "fresh": False, **more}
    return reconnector.ended(now=now, uptime=uptime, **life)


def test_a_stable_connection_restores_the_budget():
    reconnector = Reconnector(policy=ReconnectPolicy(max_attempts=1))
    reconnector.failed(lost(), now=0.0, rand=0.0)
    assert ended(reconnector, now=1.0)
    assert not reconnector.failed(lost(), now=1.0, rand=0.0).exhausted


@pytest.mark.parametrize(
    ("uptime", "messages", "alive", "restored"),
    [
        (9.9, 1, True, False),
        (10.0, 1, True, True),
        (10.0, 0, True, False),
        (299.0, 0, True, False),
        (300.0, 0, True, True),
        (3000.0, 0, False, False),
    ],
)
def test_attempts_are_forgotten_after_a_message_and_ten_seconds_or_five_minutes_of_pongs(
    uptime, messages, alive, restored
):
    reconnector = Reconnector(attempts=5)
    assert ended(reconnector, uptime=uptime, messages=messages, alive=alive) is restored
    assert (reconnector.attempts == 0) is restored


def test_a_quiet_session_outlives_any_number_of_drops_that_are_hours_apart():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=300.0))
    for hour in range(1, 9):
        now = hour * 3600.0
        ended(reconnector, now=now, uptime=3590.0, messages=0)
        assert not reconnector.failed(lost(), now=now, rand=0.9).exhausted


def test_connections_that_are_too_short_to_count_stop_the_clock_but_do_not_put_it_back():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=300.0))
    reconnector.failed(lost(), now=0.0, rand=0.0)
    ended(reconnector, now=208.0, uptime=8.0)
    assert not reconnector.failed(lost(), now=208.0, rand=0.0).exhausted
    assert not reconnector.failed(lost(), now=308.0, rand=0.0).exhausted
    assert reconnector.failed(lost(), now=308.1, rand=0.0).exhausted


def test_a_planned_end_begins_the_outage_anew():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=300.0))
    reconnector.failed(lost(), now=0.0, rand=0.0)
    ended(reconnector, now=1000.0, uptime=990.0)
    assert not reconnector.failed(lost(None, phase="dial"), now=1300.0, rand=0.0).exhausted
    assert reconnector.failed(lost(None, phase="dial"), now=1300.1, rand=0.0).exhausted


lives = st.lists(
    st.tuples(
        st.floats(0, 2000),  # how long a connection lives
        st.integers(0, 2),  # messages
        st.booleans(),  # whether anything else is heard
        st.booleans(),  # whether it ends in order
        st.lists(st.floats(0, 40), max_size=5),  # how long the failing dials after it take
    ),
    max_size=12,
)


@given(lives)
def test_the_time_of_a_connection_never_counts_as_outage_and_all_other_time_does(history):
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=300.0))
    now = 0.0
    disconnected = 0.0
    for uptime, messages, alive, in_order, dials in history:
        now += uptime
        ended(reconnector, now=now, uptime=uptime, messages=messages, alive=alive)
        if uptime >= 10.0 and (messages or alive):
            disconnected = 0.0
        failures = ([] if in_order else [(0.0, lost(uptime=uptime))]) + [
            (seconds, lost(None, phase="dial")) for seconds in dials
        ]
        for seconds, failure in failures:
            now += seconds
            disconnected += seconds
            plan = reconnector.failed(failure, now=now, rand=0.5)
            if abs(disconnected - 300.0) > 1e-6:
                assert plan.exhausted is (disconnected > 300.0)


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


def test_a_failure_knows_its_number():
    reconnector = Reconnector()
    plans = [reconnector.failed(lost(code), now=0.0, rand=0.0) for code in (1006, 1006, 1009)]
    assert [plan.attempt for plan in plans] == [1, 2, 3]


@given(rand=st.floats(0, 1, exclude_max=True), attempts=st.integers(0, 20))
def test_a_handle_gets_its_second_try_after_a_second_at_least(rand, attempts):
    """The server refuses a resume while it holds the earlier connection open; that passes."""
    reconnector = Reconnector(ReconnectPolicy(), attempts=attempts)
    refused = lost(1011, phase="setup", had_handle=True)
    assert reconnector.failed(refused, now=0.0, rand=rand).delay >= 1.0
    fresh = Reconnector(ReconnectPolicy()).failed(lost(1011, phase="setup"), now=0.0, rand=rand)
    assert fresh.delay <= 0.5


def test_a_resume_waits_a_second_for_a_server_that_may_hold_the_connection_before():
    reconnector = Reconnector()
    assert reconnector.before_resume(now=100.0) == 0.0
    reconnector.left(now=100.0)
    assert reconnector.before_resume(now=100.0) == 1.0
    assert reconnector.before_resume(now=100.25) == 0.75
    assert reconnector.before_resume(now=200.0) == 0.0
    assert reconnector.held


def test_a_completed_setup_shows_that_nothing_is_held():
    reconnector = Reconnector()
    reconnector.left(now=100.0)
    reconnector.connected()
    assert not reconnector.held
    assert reconnector.before_resume(now=100.0) == 0.0
