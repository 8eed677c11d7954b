"""What sessions share: dials to one host are bounded, and a circuit belongs to an address and its credentials."""

import gc

import attrs
import pytest
import trio

from livebridge.auth import EphemeralToken, GeminiApi
from livebridge.errors import ConnectError, LivebridgeError
from livebridge.protocol import CircuitPolicy, CircuitState, Phase
from livebridge.session import _endpoints as module
from livebridge.session._endpoints import MAX_CONCURRENT_DIALS, shared_endpoint

URL = "wss://live.example/v1"


@attrs.define(eq=True, hash=False)
class Unhashable:
    name: str


def _kept():
    return len(module._directory.get().endpoints)


def _busy():
    return ConnectError("busy", status=503, phase="dial", retryable=True)


async def _fail_to_start(live, times, **options):
    for _ in range(times):
        with pytest.raises(ConnectError):
            async with live.session(connect_attempts=1, **options):
                pytest.fail("the block must not be entered")


async def test_equal_credentials_are_one_endpoint_and_others_are_not():
    with (
        shared_endpoint(URL, GeminiApi(api_key="a"), None) as first,
        shared_endpoint(URL, GeminiApi(api_key="a"), None) as same,
        shared_endpoint(URL, GeminiApi(api_key="b"), None) as other,
    ):
        assert first is same
        assert first is not other
        assert first.breaker is not other.breaker
        assert first.sessions == 2


async def test_credentials_that_cannot_be_hashed_are_compared_all_the_same():
    with (
        shared_endpoint(URL, Unhashable("a"), None) as first,
        shared_endpoint(URL, Unhashable("a"), None) as same,
        shared_endpoint(URL, Unhashable("b"), None) as other,
    ):
        assert first is same
        assert first is not other


async def test_dials_to_a_host_are_bounded_whatever_credentials_they_carry():
    with (
        shared_endpoint(URL, GeminiApi(api_key="a"), None) as first,
        shared_endpoint(URL + "/other", GeminiApi(api_key="b"), None) as other,
        shared_endpoint("wss://elsewhere.example/v1", GeminiApi(api_key="a"), None) as elsewhere,
    ):
        assert first.limiter is other.limiter
        assert first.limiter is not elsewhere.limiter
        assert first.limiter.total_tokens == MAX_CONCURRENT_DIALS


async def test_an_endpoint_goes_with_its_last_session():
    with shared_endpoint(URL, "a", None) as first:
        with shared_endpoint(URL, "a", None):
            assert _kept() == 1
        assert _kept() == 1
        assert first.sessions == 1
    assert _kept() == 0
    del first
    assert len(module._directory.get().limiters) == 0


async def test_an_endpoint_that_has_seen_failures_is_kept_as_long_as_they_count():
    with shared_endpoint(URL, "a", None) as first:
        first.breaker.failed("somebody", now=trio.current_time())
    await trio.sleep(30)
    with shared_endpoint(URL, "a", None) as again:
        assert again is first
    assert _kept() == 1
    await trio.sleep(31)
    with shared_endpoint(URL, "b", None):
        assert _kept() == 1


async def test_credentials_of_sessions_that_are_gone_are_not_kept(live):
    for number in range(20):

        async def token(number=number):
            return f"auth_tokens/{number}"

        async with live.session(auth=EphemeralToken(token)):
            assert _kept() == 1
    assert _kept() == 0


async def test_a_stranger_does_not_inherit_an_open_circuit(live):
    def token(number):
        async def provide():
            return f"auth_tokens/{number}"

        return EphemeralToken(provide)

    live.refuse(_busy())
    await _fail_to_start(live, 1, auth=token(0), circuit=CircuitPolicy(failures=1))
    gc.collect()
    began = trio.current_time()
    for number in range(30):
        async with live.session(auth=token(number)) as session:
            assert session._actor.manager.handshake.endpoint.breaker.state is CircuitState.CLOSED
    assert trio.current_time() - began < 1


async def test_a_first_dial_waits_for_the_circuit(live, log):
    """Sessions that fail one after the other are a storm, too."""
    live.refuse(*[_busy()] * 5)
    await _fail_to_start(live, 5)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:

        async def start():
            async with live.session(**log.callbacks("on_ready", "on_status")) as session:
                assert session.phase is Phase.READY

        nursery.start_soon(start)
        await trio.sleep(20)
        assert live.network.dials == 5
        assert [status.value for status in log.of("on_status")] == []
    assert 30 <= trio.current_time() - began < 31
    assert live.network.dials == 6


async def test_a_session_that_waits_for_the_circuit_before_its_first_dial_is_closed_at_once(live):
    live.refuse(*[_busy()] * 5)
    await _fail_to_start(live, 5)
    began = trio.current_time()
    with trio.move_on_after(3) as scope:
        async with live.session():
            pytest.fail("the block must not be entered")
    assert scope.cancelled_caught
    assert trio.current_time() - began == pytest.approx(3, abs=0.1)
    assert live.network.dials == 5


@pytest.mark.parametrize("handover", ["cold", "warm"])
async def test_a_rotation_waits_for_the_circuit_as_well(live, log, handover):
    live.most_set_up = -1
    async with live.session(handover=handover, **log.callbacks("on_resumed")) as session:
        line = await live.line()
        line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        line.text("busy")
        live.refuse(*[_busy()] * 5)
        breaker = session._actor.manager.handshake.endpoint.breaker
        for number in range(5):
            breaker.failed(number, now=trio.current_time())
        began = trio.current_time()
        line.go_away("20s")
        live.network._refusals.clear()
        await log.wait("on_resumed")
        assert trio.current_time() - began == pytest.approx(30, abs=0.5)
        assert live.network.dials == 2


async def test_a_spare_connection_that_fails_while_the_circuit_is_open_is_not_replaced_at_once(live, log):
    callbacks = log.callbacks("on_resumed", "on_reconnecting")
    circuit = CircuitPolicy(open_for=500.0)
    async with live.session(handover="warm", circuit=circuit, **callbacks) as session:
        line = await live.line()
        line.resumable()
        line.text("busy")
        await trio.testing.wait_all_tasks_blocked()
        line.go_away("50s")
        await trio.sleep(1)
        live.network.servers[1].drop()
        breaker = session._actor.manager.handshake.endpoint.breaker
        for number in range(5):
            breaker.failed(number, now=trio.current_time())
        line.turn()
        await log.wait("on_reconnecting", 2)
        assert live.network.dials == 2
        await log.wait("on_resumed")
        assert live.lines[-1].handle == "h1"


async def test_no_more_than_eight_dials_to_one_host_are_under_way_at_a_time(live):
    live.most_set_up = -100
    now = most = 0

    async def dial(*args, **options):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await trio.sleep(1)
        try:
            return await live.dial(*args, **options)
        finally:
            now -= 1

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(_one, live, dial, number)
    assert most == MAX_CONCURRENT_DIALS
    assert trio.current_time() - began == pytest.approx(3, abs=0.1)
    live.most_set_up = 0


async def _one(live, dial, number):
    async with live.session(api_key=f"key-{number}", dial=dial) as session:
        assert session.status == "ready"


async def test_a_session_that_failed_to_start_gives_its_share_back(live):
    live.refuse(_busy())
    with pytest.raises(LivebridgeError):
        async with live.session(connect_attempts=1):
            pytest.fail("the block must not be entered")
    (endpoint,) = module._directory.get().endpoints.values()
    assert endpoint.sessions == 0
