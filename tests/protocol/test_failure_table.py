"""Every row of the table of failures: what it says the first, the second, the third time in a row."""

import attrs
import pytest

from livebridge.protocol import RULES, Failure, Reconnector, ReconnectPolicy, Rule, Verdict, classify

WORDS = {
    "R": Verdict.RETRY,
    "S": Verdict.RETRY,
    "M": Verdict.RETRY_WITHOUT_MEDIA,
    "F": Verdict.FRESH,
    "C": Verdict.REFRESH_CREDENTIALS,
    "X": Verdict.FATAL,
}
"""``S`` is a slow retry; ``X`` ends a row of words."""

SLOW = 10.0

ROWS = [
    # code, text, ready, setup with a handle, setup without
    (None, "", "RRRRR", "RRRF", "RRRRR"),
    (1000, "", "RRRRR", "RRRF", "RRRRR"),
    (1000, "The operation was cancelled.", "RRRRR", "RRRF", "RRRRR"),
    (1001, "", "RRRRR", "RRRF", "RRRRR"),
    (1005, "", "RRRRR", "RRRF", "RRRRR"),
    (1006, "", "RRRRR", "RRRF", "RRRRR"),
    (1012, "", "RRRRR", "RRRF", "RRRRR"),
    (1013, "", "RRRRR", "RRRF", "RRRRR"),
    (1014, "", "RRRRR", "RRRF", "RRRRR"),
    (1007, "Request contains an invalid argument.", "MFX", "RFF", "X"),
    (1007, "error when processing input audio, please check if ...", "MX", "MX", "MX"),
    (1007, "audio content type (CONTENT_TYPE_AUDIO) is not supported for this model", "MFX", "X", "X"),
    (1007, "Precondition check failed", "FX", "RFF", "X"),
    (1007, "Thinking level must be specified for this model", "X", "X", "X"),
    (1007, "Thinking level is not supported for this model", "X", "X", "X"),
    (1007, "thinking_level is not supported by this model", "X", "X", "X"),
    (1007, "BLOCKING function calls are not supported for this model", "X", "X", "X"),
    (1007, "Function response scheduling is not supported for this model", "X", "X", "X"),
    (1007, "The requested combination of response modalities (TEXT) is not supported", "X", "X", "X"),
    (1007, "Code Execution tool is not supported for this model", "X", "X", "X"),
    (1007, "API key expired. Please renew the API key.", "X", "X", "X"),
    (1007, "User location is not supported for the API use.", "X", "X", "X"),
    (1008, "models/X is not found for API version v1beta, or is not supported", "X", "X", "X"),
    (1008, "Publisher model x was not found", "X", "X", "X"),
    (1008, "This API method requires billing to be enabled.", "X", "X", "X"),
    (1008, "API key was reported as leaked.", "X", "X", "X"),
    (1008, "Token expired", "X", "X", "X"),
    (1008, "Token has been used too many times", "X", "X", "X"),
    (1008, "Operation is not implemented, or supported, or enabled.", "RRFX", "RFF", "X"),
    (1008, "The operation was aborted.", "RRRRR", "RFF", "RRX"),
    (1008, "something new", "RFX", "RFF", "X"),
    (1008, "BidiGenerateContent session not found", "FFX", "FFX", "FFX"),
    (1009, "", "X", "X", "X"),
    (1002, "", "X", "X", "X"),
    (1003, "", "X", "X", "X"),
    (1010, "", "X", "X", "X"),
    (1015, "", "X", "X", "X"),
    (4000, "", "X", "X", "X"),
    (4999, "", "X", "X", "X"),
    (1011, "Internal error occurred.", "RFFF", "RFF", "RFF"),
    (1011, "Internal error encountered.", "RFFF", "RFF", "RFF"),
    (1011, "The service is currently unavailable.", "RFFF", "RFF", "RFF"),
    (1011, "Deadline expired before operation could complete.", "RFFF", "RFF", "RFF"),
    (1011, "[ORIGINAL ERROR] RPC::DEADLINE_EXCEEDED", "SSSSS", "SSSSS", "SSSSS"),
    (1011, "OVERLOADED_TOO_MANY_RETRIES_PER_REQUEST", "SSSSS", "SSSSS", "SSSSS"),
    (1011, "RESOURCE_EXHAUSTED", "SSSX", "SSSX", "SSSX"),
    (1011, "You exceeded your current quota, please check your plan and billing", "SSSX", "SSSX", "SSSX"),
    (1011, "Out of credits", "SSSX", "SSSX", "SSSX"),
    (1011, "keepalive ping timeout", "RRRRR", "RFF", "RRRRR"),
]

ONCE_MORE = [
    (code, text, ready[0]) for code, text, ready, *_ in ROWS if ready != "X" and "not implemented" not in text
]
"""What is not fatal at once, and is not counted for a whole conversation, with its first word."""

STATUSES = [
    # status, dial, setup with a handle, setup without (an error object in place of setupComplete)
    (400, "X", "RFF", "X"),
    (401, "CX", "CX", "CX"),
    (403, "CX", "CX", "CX"),
    (404, "X", "RFF", "X"),
    (408, "RRRRR", "RRRRR", "RRRRR"),
    (426, "X", "RFF", "X"),
    (429, "RRRRR", "RRRRR", "RRRRR"),
    (500, "RRRRR", "RRRRR", "RRRRR"),
    (503, "RRRRR", "RRRRR", "RRRRR"),
]


def hear(failure, words, *, uptime=7.0, progress=False, reconnector=None):
    """Let a failure happen as often as there are words; each of them must be said."""
    reconnector = reconnector or Reconnector(policy=ReconnectPolicy(max_outage=None))
    now = 0.0
    for word in words:
        now += uptime
        if failure.phase == "ready":
            ready = {"messages": 1, "alive": True, "fresh": not failure.had_handle}
            reconnector.ended(now=now, uptime=uptime, progress=progress, **ready)
        plan = reconnector.failed(failure, now=now, rand=0.0)
        assert plan.verdict is WORDS[word], (failure, words, word)
        assert (plan.delay >= SLOW) is (word == "S")
        now += plan.delay


@pytest.mark.parametrize(("code", "text", "ready", "resuming", "fresh"), ROWS)
def test_what_the_end_of_a_connection_means(code, text, ready, resuming, fresh):
    failure = Failure(phase="ready", code=code, reason=text, had_handle=True)
    hear(failure, ready)
    hear(attrs.evolve(failure, phase="setup"), resuming)
    hear(attrs.evolve(failure, phase="setup", had_handle=False), fresh)


@pytest.mark.parametrize(("status", "dial", "resuming", "fresh"), STATUSES)
def test_what_a_status_means(status, dial, resuming, fresh):
    failure = Failure(phase="dial", status=status)
    hear(failure, dial)
    hear(attrs.evolve(failure, phase="setup", had_handle=True), resuming)
    hear(attrs.evolve(failure, phase="setup"), fresh)


@pytest.mark.parametrize(("code", "text", "word"), ONCE_MORE)
def test_with_progress_in_between_every_time_is_the_first(code, text, word):
    hear(Failure(phase="ready", code=code, reason=text, had_handle=True), word * 5, progress=True)


@pytest.mark.parametrize(("code", "text", "word"), ONCE_MORE)
def test_after_a_long_life_every_time_is_the_first(code, text, word):
    hear(Failure(phase="ready", code=code, reason=text, had_handle=True), word * 5, uptime=600.0)


NOT_IMPLEMENTED = Failure(
    phase="ready", code=1008, reason="Operation is not implemented, or supported.", had_handle=True
)


@pytest.mark.parametrize("uptime", [1.0, 60.0, 600.0])
def test_an_operation_that_is_not_implemented_has_two_retries_per_conversation(uptime):
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=None))
    hear(NOT_IMPLEMENTED, "RRF", uptime=uptime, progress=True, reconnector=reconnector)
    hear(NOT_IMPLEMENTED, "X", uptime=uptime, progress=True, reconnector=reconnector)


def test_a_fresh_conversation_that_gets_on_has_its_own_retries():
    reconnector = Reconnector(policy=ReconnectPolicy(max_outage=None))
    hear(NOT_IMPLEMENTED, "RRF", reconnector=reconnector)
    fresh = {"messages": 1, "alive": True, "progress": True, "fresh": True}
    reconnector.ended(now=1000.0, uptime=60.0, **fresh)
    hear(NOT_IMPLEMENTED, "RRFX", reconnector=reconnector)


def test_an_invalid_argument_without_a_handle_is_retried_once():
    failure = Failure(phase="ready", code=1007, reason="Request contains an invalid argument.")
    hear(failure, "MX")


def test_an_invalid_argument_counts_on_from_the_first_connection_to_its_resumption_and_its_successor():
    failure = Failure(phase="ready", code=1007, reason="Request contains an invalid argument.")
    reconnector = Reconnector()
    hear(failure, "M", reconnector=reconnector)
    hear(attrs.evolve(failure, had_handle=True), "F", reconnector=reconnector)
    hear(failure, "X", reconnector=reconnector)


@pytest.mark.parametrize("text", ["The operation was aborted.", "something new"])
def test_policy_violations_right_after_the_setup_are_retried_afresh_and_then_fatal(text):
    failure = Failure(phase="ready", code=1008, reason=text, had_handle=True, rapid=True)
    hear(failure, "RFX", uptime=1.0)


@pytest.mark.parametrize(
    ("code", "text"),
    [(1008, "policy"), (1011, "Deadline expired before operation could complete."), (1011, "x"), (1000, "")],
)
def test_the_end_that_a_go_away_announced_never_costs_the_conversation(code, text):
    hear(Failure(phase="ready", code=code, reason=text, had_handle=True, go_away=True), "RRRRR")


@pytest.mark.parametrize(
    "text", ["Token expired", "Token has been used too many times", "API key expired. Please renew it."]
)
@pytest.mark.parametrize("phase", ["setup", "ready"])
def test_credentials_that_can_be_renewed_are_renewed_once(text, phase):
    hear(Failure(phase=phase, code=1008, reason=text, renewable=True), "CX")


UNANSWERED = Failure(phase="setup", unanswered=True, initiated_by="client")


@pytest.mark.parametrize(
    ("had_handle", "suspicious", "words"),
    [(False, True, "RX"), (True, True, "RFF"), (False, False, "RRRX"), (True, False, "RRRF")],
)
def test_a_setup_that_is_never_answered_is_a_fault_of_the_setup(had_handle, suspicious, words):
    hear(attrs.evolve(UNANSWERED, had_handle=had_handle, suspicious=suspicious), words)


def test_after_the_handle_was_given_up_the_setup_has_tries_of_its_own():
    reconnector = Reconnector()
    hear(attrs.evolve(UNANSWERED, had_handle=True, suspicious=True), "RF", reconnector=reconnector)
    hear(attrs.evolve(UNANSWERED, suspicious=True), "RX", reconnector=reconnector)


def test_setups_that_break_off_while_the_network_is_down_are_no_fault_of_the_handle():
    reconnector = Reconnector()
    cut_off = Failure(phase="setup", had_handle=True)
    for _ in range(4):
        hear(cut_off, "RRR", reconnector=reconnector)
        hear(Failure(phase="dial", retryable=True), "R", reconnector=reconnector)
    hear(cut_off, "RRRF", reconnector=reconnector)


def test_a_refused_resume_is_forgotten_when_a_setup_is_completed():
    reconnector = Reconnector()
    refused = Failure(phase="setup", code=1011, had_handle=True)
    for _ in range(4):
        hear(refused, "R", reconnector=reconnector)
        reconnector.connected()
    hear(refused, "RF", reconnector=reconnector)


def test_a_short_connection_and_two_refused_resumes_are_followed_by_a_fresh_session():
    reconnector = Reconnector()
    aborted = Failure(phase="ready", code=1008, reason="aborted", had_handle=True, rapid=True)
    hear(aborted, "R", uptime=3.0, reconnector=reconnector)
    hear(attrs.evolve(aborted, phase="setup", rapid=False), "RF", reconnector=reconnector)


@pytest.mark.parametrize("text", ["The service is currently unavailable.", "Deadline expired"])
def test_a_fresh_session_after_an_overload_has_new_credentials(text):
    reconnector = Reconnector()
    failure = Failure(phase="ready", code=1011, reason=text, had_handle=True)
    plans = [reconnector.failed(failure, now=0.0, rand=0.0) for _ in range(2)]
    assert [plan.renew for plan in plans] == [False, True]


def test_rules_of_the_user_come_first_and_may_say_what_comes_next():
    rule = Rule(verdict=Verdict.RETRY, then=(Verdict.FATAL,), codes=frozenset({1009}), wait=20.0, hint="mine")
    said = classify(Failure(phase="ready", code=1009), rules=[rule])
    assert (said.verdict, said.hint, said.rule) == (Verdict.RETRY, "mine", rule)
    assert said.retryable
    assert not classify(Failure(phase="ready", code=1009)).retryable
    reconnector = Reconnector(policy=ReconnectPolicy(rules=(rule,)))
    hear(Failure(phase="ready", code=1009), "SX", reconnector=reconnector)


def test_a_slow_retry_is_spread_out():
    overloaded = Failure(phase="ready", code=1011, reason="OVERLOADED")
    assert Reconnector().failed(overloaded, now=0.0, rand=0.5).delay == pytest.approx(15.0)


def test_every_row_that_ends_a_session_for_its_configuration_says_so():
    fatal = [rule for rule in RULES if rule.verdict is Verdict.FATAL and rule.text is not None]
    assert all(rule.hint for rule in fatal if "location" not in rule.text)


def test_a_stream_that_was_spoilt_on_the_way_is_tried_again_twice():
    spoilt = Failure(phase="ready", code=1002, initiated_by="client", had_handle=True)
    hear(spoilt, "RRX")
    hear(spoilt, "RRRRR", progress=True)
    hear(attrs.evolve(spoilt, phase="setup"), "RRX")
    hear(attrs.evolve(spoilt, initiated_by="server"), "X")


def test_a_refusal_by_a_server_that_may_hold_the_old_connection_is_not_counted():
    reconnector = Reconnector()
    refused = Failure(phase="setup", code=1011, had_handle=True)
    reconnector.left(now=0.0)
    assert reconnector.held
    hear(attrs.evolve(refused, held=True), "R", reconnector=reconnector)
    assert not reconnector.held
    hear(refused, "RF", reconnector=reconnector)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(phase="setup", code=1008, had_handle=True),
        Failure(phase="setup", code=1011, reason="RESOURCE_EXHAUSTED", had_handle=True),
        Failure(phase="setup", code=1011),
        Failure(phase="ready", code=1011, had_handle=True),
        Failure(phase="setup", had_handle=True),
    ],
)
def test_what_a_held_connection_does_not_explain_means_what_it_always_means(failure):
    reconnector = Reconnector()
    reconnector.left(now=0.0)
    said = classify(failure)
    assert classify(attrs.evolve(failure, held=True)) == said
    reconnector.failed(attrs.evolve(failure, held=True), now=0.0, rand=0.0)
    assert reconnector.held
