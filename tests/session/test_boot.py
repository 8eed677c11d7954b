"""A tree of bots comes up without a network: nobody waits, so nobody gives up before an outage would be given up."""

import pytest
import trio

from livebridge import Supervisor
from livebridge.errors import ConnectError, StartError
from livebridge.protocol import ReconnectPolicy
from livebridge.session import Session


class Network:
    """Is down until a moment of the clock."""

    def __init__(self, live, *, until):
        self._live = live
        self._until = until
        self.dials = 0

    async def dial(self, *args, **options):
        await trio.lowlevel.checkpoint()
        self.dials += 1
        if trio.current_time() < self._until:
            raise ConnectError("unreachable", phase="dial", initiated_by="network", retryable=True)
        return await self._live.dial(*args, **options)


async def _boot(live, log, network, supervisor, *, keys, **options):
    for number, key in enumerate(keys):
        given = live.options(api_key=key, dial=network.dial, **options)
        spec = Session.child_spec(id=f"bot-{number}", **given, **log.callbacks("on_ready", "on_error"))
        await supervisor.start_child(spec)


@pytest.mark.parametrize("down", [5, 60, 250])
@pytest.mark.parametrize("keys", [["key"], ["key"] * 8, [f"key-{n}" for n in range(8)]])
async def test_no_network_at_boot_costs_no_restart(live, log, keys, down):
    live.most_set_up = -100
    network = Network(live, until=down)
    events = []
    async with Supervisor.open(max_restarts=5, max_seconds=300, on_event=events.append) as supervisor:
        await _boot(live, log, network, supervisor, keys=keys)
        await log.wait("on_ready", len(keys))
        assert trio.current_time() <= down + 60
        assert log.names == ["on_ready"] * len(keys)
        assert {type(event).__name__ for event in events} == {"ChildStarted"}
        assert {child.restarts for child in supervisor.which_children()} == {0}
    live.most_set_up = 0


async def test_the_outage_budget_ends_a_boot_without_a_network_and_the_supervisor_takes_over(live, log):
    network = Network(live, until=100)
    async with Supervisor.open(max_restarts=5, max_seconds=300) as supervisor:
        await _boot(live, log, network, supervisor, keys=["key"], reconnect=ReconnectPolicy(max_outage=50))
        error = await log.wait("on_error")
        assert isinstance(error, ConnectError)
        assert 50 < trio.current_time() < 90
        assert error.attempt == network.dials > 3
        await log.wait("on_ready")
        assert [child.restarts for child in supervisor.which_children()] == [1]


async def test_a_bot_that_somebody_waits_for_gives_up_after_a_few_tries(live, log):
    network = Network(live, until=100)
    async with Supervisor.open() as supervisor:
        with pytest.raises(StartError) as caught:
            await _boot(live, log, network, supervisor, keys=["key"], require_connected=True)
    assert isinstance(caught.value.__cause__, ConnectError)
    assert network.dials == 3
    assert trio.current_time() < 5


async def test_what_no_network_can_cure_ends_a_bot_at_its_first_dial(live, log):
    live.refuse(ConnectError("no", status=404, phase="dial"))
    async with Supervisor.open(max_restarts=0) as supervisor:
        await _boot(live, log, live, supervisor, keys=["key"])
        assert (await log.wait("on_error")).status == 404
        await trio.sleep(100)
        assert live.network.dials == 1
