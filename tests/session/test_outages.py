"""An outage is the time without a connection: what it costs, and what it must not cost."""

import pytest
import trio

from livebridge.errors import ConnectError, ReconnectExhaustedError, SessionFailedError
from livebridge.protocol import Phase, ReconnectPolicy
from livebridge.session import MemoryResumeStore


class Weather:
    """Decides whether the network is there."""

    def __init__(self, live):
        self._live = live
        self._until = 0.0
        self.dials = 0

    def down_for(self, seconds):
        self._until = trio.current_time() + seconds

    async def dial(self, *args, **options):
        await trio.lowlevel.checkpoint()
        self.dials += 1
        if trio.current_time() < self._until:
            raise ConnectError("unreachable", phase="dial", initiated_by="network", retryable=True)
        return await self._live.dial(*args, **options)


@pytest.fixture
def weather(live):
    return Weather(live)


async def test_a_quiet_session_outlives_any_number_of_drops_that_are_an_hour_apart(live, log):
    """Pongs are all that is ever heard."""
    async with live.session(**log.callbacks("on_resumed", "on_reconnecting")) as session:
        (await live.line()).resumable("h1")
        for number in range(1, 11):
            await trio.sleep(3600)
            live.lines[-1].drop()
            await log.wait("on_resumed", number)
        assert session.epoch == 11
        assert {info.attempt for info in log.of("on_reconnecting")} == {1}
        assert {info.continuity for info in log.of("on_resumed")} == {"resumed"}


async def test_hours_of_connection_before_an_outage_leave_the_whole_budget_for_it(live, log, weather):
    async with live.session(dial=weather.dial, **log.callbacks("on_resumed")):
        for number in (1, 2):
            line = await live.line(number)
            await trio.sleep(5000)
            weather.down_for(200)
            line.drop()
            await log.wait("on_resumed", number)


async def test_connections_that_never_live_long_do_not_prolong_the_budget(live, weather):
    async def short(line):
        line.complete()
        await trio.sleep(9)
        line.drop()

    live.default = short
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(reconnect=ReconnectPolicy(max_outage=100)):
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, ReconnectExhaustedError)
    connected = 9 * len(live.lines)
    assert 100 < trio.current_time() - connected < 140


@pytest.mark.parametrize("seconds", [20, 60, 100, 225])
async def test_a_lone_session_is_back_soon_after_the_network_is(live, log, weather, seconds):
    """Its own back-off is all that delays it: no circuit, which is there for many."""
    async with live.session(dial=weather.dial, **log.callbacks("on_resumed", "on_status")) as session:
        line = await live.line()
        line.resumable("h1")
        await trio.sleep(20)
        weather.down_for(seconds)
        began = trio.current_time()
        line.drop()
        await log.wait("on_resumed")
        assert trio.current_time() - began <= seconds + 30
        assert log.of("on_resumed")[0].continuity == "resumed"
        assert session.phase is Phase.READY


async def test_the_first_connect_of_a_session_with_a_handle_waits_for_the_network(live, log, weather):
    weather.down_for(120)
    async with live.session(dial=weather.dial, resume_handle="h1", **log.callbacks("on_ready")):
        assert trio.current_time() >= 120
        assert (await log.wait("on_ready")).kind == "resumed"


async def test_a_stored_handle_is_waited_for_as_well(live, weather):
    store = MemoryResumeStore()
    async with live.session(resume_store=store, forget_on_close=False):
        (await live.line()).resumable("h1")
        await trio.testing.wait_all_tasks_blocked()
    weather.down_for(120)
    async with live.session(dial=weather.dial, resume_store=store):
        assert live.lines[-1].handle == "h1"


async def test_the_first_connect_of_a_session_with_a_handle_ends_with_the_budget(live, weather):
    weather.down_for(10_000)
    with pytest.raises(ConnectError, match="unreachable") as caught:
        async with live.session(
            dial=weather.dial, resume_handle="h1", reconnect=ReconnectPolicy(max_outage=60)
        ):
            pytest.fail("the block must not be entered")
    assert 60 < trio.current_time() < 100
    assert caught.value.attempt == weather.dials > 3


async def test_the_first_connect_of_a_new_session_is_given_up_soon(live, weather):
    weather.down_for(10_000)
    with pytest.raises(ConnectError) as caught:
        async with live.session(dial=weather.dial):
            pytest.fail("the block must not be entered")
    assert caught.value.attempt == weather.dials == 3
    assert trio.current_time() < 3


async def test_every_error_of_an_outage_tells_its_number(live, log, weather):
    async with live.session(dial=weather.dial, **log.callbacks("on_resumed", "on_reconnecting")):
        line = await live.line()
        weather.down_for(5)
        line.drop()
        await log.wait("on_resumed")
        infos = log.of("on_reconnecting")
        assert len(infos) > 2
        assert [info.error.attempt for info in infos] == [info.attempt for info in infos]
        assert [info.attempt for info in infos] == list(range(1, len(infos) + 1))


async def test_a_session_that_gave_up_says_after_how_many_attempts(live, weather):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session(dial=weather.dial, reconnect=ReconnectPolicy(max_attempts=3)):
            line = await live.line()
            weather.down_for(1000)
            line.drop()
            await trio.sleep_forever()
    assert caught.value.__cause__.attempt == 4
