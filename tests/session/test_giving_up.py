"""When a session stops trying, and how many try at once."""

import pytest
import trio

from livebridge.errors import (
    ConnectError,
    ReconnectExhaustedError,
    SessionFailedError,
)
from livebridge.protocol import Phase, ReconnectPolicy


def _refused(status=None, **details):
    return ConnectError(f"refused: {status}", status=status, phase="dial", **details)


async def _ready(live, handle="h1"):
    line = await live.line()
    if handle:
        line.resumable(handle)
    await trio.testing.wait_all_tasks_blocked()
    return line


async def test_invariant_31_connections_that_are_accepted_and_closed_at_once_are_not_dialled_for_ever(
    live, steps
):
    async def accept_and_close(line):
        line.complete()
        line.close(1011)

    live.default = accept_and_close
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(reconnect=ReconnectPolicy(max_attempts=8)):
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ReconnectExhaustedError)
    assert live.network.dials == 9


async def test_an_outage_longer_than_the_policy_allows_exhausts_it(live, log):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(reconnect=ReconnectPolicy(max_outage=100)):
            line = await _ready(live)
            live.refuse(*(_refused(503) for _ in range(1000)))
            began = trio.current_time()
            line.drop()
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ReconnectExhaustedError)
    assert 100 < trio.current_time() - began <= 230
    assert caught.value.__cause__.__cause__.status == 503


async def test_attempts_are_forgotten_after_a_stable_connection_that_said_something(live, log):
    policy = ReconnectPolicy(max_attempts=2)
    async with live.session(reconnect=policy, **log.callbacks("on_resumed")) as session:
        for number in range(1, 8):
            line = await live.line(number)
            line.resumable()
            await trio.sleep(11)
            line.drop()
            await log.wait("on_resumed", number)
        assert session.epoch == 8


async def test_a_connection_that_lives_long_and_says_nothing_is_no_proof_of_health(live):
    with pytest.raises(SessionFailedError):
        async with live.session(reconnect=ReconnectPolicy(max_attempts=2)):
            for number in range(1, 4):
                line = await live.line(number)
                await trio.sleep(11)
                line.drop()
            await trio.sleep_forever()


async def test_invariant_32_without_a_reconnect_policy_a_lost_connection_ends_the_session(live, log):
    with pytest.raises(SessionFailedError):
        async with live.session(reconnect=None, **log.callbacks("on_reconnecting", "on_close")):
            line = await _ready(live)
            line.drop()
            await trio.sleep_forever()
    assert live.network.dials == 1
    assert log.names == ["on_close"]


async def test_a_rule_of_the_users_own_comes_first(live):
    from livebridge.protocol import Rule, Verdict  # noqa: PLC0415 - this test's own table

    policy = ReconnectPolicy(rules=(Rule(verdict=Verdict.FATAL, codes=frozenset({1011}), text="credits"),))
    with pytest.raises(SessionFailedError):
        async with live.session(reconnect=policy):
            line = await _ready(live)
            line.close(1011, "Out of credits.")
            await trio.sleep_forever()
    assert live.network.dials == 1


async def test_many_sessions_dropped_at_once_come_back_a_few_at_a_time_and_spread_out(live, log):
    dialling = 0
    most = 0
    dial = live.dial

    async def counted(*args, **options):
        nonlocal dialling, most
        dialling += 1
        most = max(most, dialling)
        try:
            await trio.sleep(0.05)
            return await dial(*args, **options)
        finally:
            dialling -= 1

    async def one():
        async with live.session(dial=counted, **log.callbacks("on_resumed")) as session:
            await session._state.changed.wait()
            while session.epoch < 2 or session.phase is not Phase.READY:
                await session._state.changed.wait()

    live.most_set_up = -1000
    async with trio.open_nursery() as nursery:
        for _ in range(60):
            nursery.start_soon(one)
        while sum(line.setup is not None for line in live.lines) < 60:
            await trio.sleep(0.1)
        await trio.testing.wait_all_tasks_blocked()
        for line in list(live.lines):
            line.resumable()
            line.drop()
    assert most <= 8
    live.most_set_up = 0
