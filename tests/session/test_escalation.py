"""The same failure again: when the conversation is given up, when the session is, and when neither is."""

import pytest
import trio

from livebridge.auth import EphemeralToken
from livebridge.errors import SessionFailedError


async def _talk(live, number, *, handle=None, uptime=60.0):
    """Serve the connection with this number for a while, in which nothing is achieved."""
    line = await live.line(number)
    if handle is not None:
        line.resumable(handle)
    await trio.sleep(uptime)
    return line


def _handles(live):
    return [line.handle for line in live.lines]


LOSSES = [(None, ""), (1000, ""), (1001, ""), (1006, ""), (1012, ""), (1000, "The operation was cancelled.")]


@pytest.mark.parametrize(("code", "reason"), LOSSES)
@pytest.mark.parametrize("uptime", [1.0, 60.0])
async def test_no_number_of_plain_losses_costs_the_conversation(live, log, code, reason, uptime):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")):
        for number in range(1, 9):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=uptime)
            if code is None:
                line.drop()
            else:
                line.close(code, reason)
            await log.wait("on_resumed", number)
        assert _handles(live) == [None] + ["h1"] * 8


@pytest.mark.parametrize("reason", ["Deadline expired before operation could complete.", "The request"])
async def test_connections_that_end_after_their_go_away_never_cost_the_conversation(live, log, reason):
    async with live.session(**log.callbacks("on_resumed", "on_go_away")):
        for number in range(1, 6):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=20)
            line.text("in the middle of a turn")
            line.go_away("50s")
            await log.wait("on_go_away", number)
            line.close(1011, reason)
            await log.wait("on_resumed", number)
        assert _handles(live) == [None] + ["h1"] * 5


@pytest.mark.parametrize(
    ("code", "reason", "handles"),
    [
        (1007, "Request contains an invalid argument.", [None, "h1", None]),
        (1008, "something new", [None, "h1", None]),
        (1008, "Operation is not implemented, or supported, or enabled.", [None, "h1", "h1", None]),
    ],
)
async def test_a_failure_each_minute_escalates_to_a_fresh_session_and_then_to_the_end(
    live, log, code, reason, handles
):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(keepalive=None, **log.callbacks("on_session_lost")):
            for number in range(1, 10):
                line = await _talk(live, number, handle="h1" if number == 1 else None)
                line.close(code, reason)
    assert _handles(live) == handles
    assert [info.reason for info in log.of("on_session_lost")] == ["rejected"]
    assert caught.value.code == code


@pytest.mark.parametrize("reason", ["Internal error occurred.", "The service is currently unavailable."])
async def test_the_second_internal_error_with_one_handle_is_followed_by_a_fresh_session(live, log, reason):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")):
        for number in (1, 2):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=3)
            line.close(1011, reason)
            await log.wait("on_resumed", number)
        assert _handles(live) == [None, "h1", None]
        assert [info.continuity for info in log.of("on_resumed")] == ["resumed", "lost"]


async def test_internal_errors_between_completed_turns_never_cost_the_conversation(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_turn_complete")):
        for number in range(1, 7):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=3)
            line.turn("a whole turn")
            await log.wait("on_turn_complete", number)
            line.close(1011, "Internal error occurred.")
            await log.wait("on_resumed", number)
        assert _handles(live) == [None] + ["h1"] * 6


async def test_a_new_handle_in_the_midst_of_a_connection_is_progress(live, log):
    async with live.session(**log.callbacks("on_resumed")):
        for number in range(1, 7):
            line = await _talk(live, number, uptime=15)
            line.resumable(f"h{number}")
            await trio.sleep(1)
            line.close(1011, "Internal error occurred.")
            await log.wait("on_resumed", number)
        assert _handles(live) == [None, "h1", "h2", "h3", "h4", "h5", "h6"]


async def test_a_new_handle_with_each_setup_is_no_progress(live, log):
    """A conversation that breaks every connection is not saved by the handles it hands out first."""
    async with live.session(**log.callbacks("on_resumed")):
        for number in (1, 2):
            line = await _talk(live, number, handle=f"h{number}", uptime=60)
            line.close(1007, "Request contains an invalid argument.")
            await log.wait("on_resumed", number)
        assert _handles(live) == [None, "h1", None]


async def test_idle_connections_that_are_cut_at_their_age_limit_never_cost_the_conversation(live, log):
    async with live.session(**log.callbacks("on_resumed")):
        for number in range(1, 6):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=600)
            line.close(1011, "Deadline expired before operation could complete.")
            await log.wait("on_resumed", number)
        assert _handles(live) == [None] + ["h1"] * 5


async def test_a_proxy_that_aborts_every_connection_at_some_age_costs_nothing(live, log):
    async with live.session(**log.callbacks("on_resumed")):
        for number in range(1, 6):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=150)
            line.close(1008, "The operation was aborted.")
            await log.wait("on_resumed", number)
        assert _handles(live) == [None] + ["h1"] * 5


@pytest.mark.parametrize("reason", ["RESOURCE_EXHAUSTED", "You exceeded your current quota."])
async def test_an_exhausted_quota_is_tried_again_slowly_and_then_fatal(live, log, reason):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(**log.callbacks("on_reconnecting")):
            for number in range(1, 9):
                line = await _talk(live, number, uptime=1)
                line.close(1011, reason)
    delays = [info.delay for info in log.of("on_reconnecting")]
    assert len(delays) == 3
    assert all(10 <= delay <= 20 for delay in delays)
    assert "quota" in caught.value.__cause__.hint


@pytest.mark.parametrize("reason", ["OVERLOADED_TOO_MANY_RETRIES_PER_REQUEST", "RPC::DEADLINE_EXCEEDED"])
async def test_an_overloaded_server_is_tried_again_slowly_with_the_handle(live, log, reason):
    async with live.session(**log.callbacks("on_reconnecting", "on_resumed")):
        for number in range(1, 6):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=1)
            line.close(1011, reason)
            await log.wait("on_resumed", number)
        assert all(info.delay >= 10 for info in log.of("on_reconnecting"))
        assert _handles(live) == [None] + ["h1"] * 5


@pytest.mark.parametrize(
    "reason",
    [
        "BLOCKING function calls are not supported for this model",
        "Function response scheduling is not supported for this model",
        "Thinking level must be specified for this model",
    ],
)
async def test_what_the_model_does_not_support_is_fatal_in_mid_conversation_too(live, reason):
    with pytest.raises(SessionFailedError):
        async with live.session():
            (await _talk(live, 1, handle="h1")).close(1007, reason)
            await trio.sleep_forever()
    assert live.network.dials == 1


async def test_a_failed_precondition_is_met_with_one_fresh_session_that_is_told_the_history_as_text(
    live, log
):
    with pytest.raises(SessionFailedError):
        async with live.session(reseed_turns=2, **log.callbacks("on_session_lost")) as session:
            line = await live.line(1)
            await session.send_text("one")
            line.resumable("h1")
            line.turn("two")
            await session.wait_turn(5)
            line.close(1007, "Precondition check failed")
            second = await live.line(2)
            seed = await second.next()
            assert [turn["parts"] for turn in seed["clientContent"]["turns"]] == [
                [{"text": "one"}],
                [{"text": "two"}],
            ]
            second.close(1007, "Precondition check failed")
            await trio.sleep_forever()
    assert _handles(live) == [None, None]


async def test_a_short_connection_and_two_refused_resumes_are_followed_by_a_fresh_session(live, log, steps):
    live.then(steps.complete, *[steps.closing(1008, "The operation was aborted.")] * 2)
    async with live.session(**log.callbacks("on_resumed")):
        (await _talk(live, 1, handle="h1", uptime=3)).close(1008, "The operation was aborted.")
        await log.wait("on_resumed")
        assert _handles(live) == [None, "h1", "h1", None]


async def test_a_refused_resume_is_forgotten_when_the_next_one_works(live, log, steps):
    async with live.session(**log.callbacks("on_resumed")):
        await _talk(live, 1, handle="h1", uptime=3)
        for number in (1, 2, 3):
            live.then(steps.closing(1011, "Internal error occurred."), steps.complete)
            live.lines[-1].drop()
            await log.wait("on_resumed", number)
        assert {info.continuity for info in log.of("on_resumed")} == {"resumed"}


async def test_a_fresh_session_after_an_overload_asks_for_new_credentials(live, log):
    refreshes = []

    class Asked(EphemeralToken):
        async def headers(self, *, refresh=False):
            refreshes.append(refresh)
            return await super().headers(refresh=refresh)

    async with live.session(auth=Asked("auth_tokens/x"), **log.callbacks("on_resumed")):
        for number in (1, 2):
            line = await _talk(live, number, handle="h1" if number == 1 else None, uptime=3)
            line.close(1011, "The service is currently unavailable.")
            await log.wait("on_resumed", number)
        assert refreshes == [False, False, True]
        assert _handles(live) == [None, "h1", None]
