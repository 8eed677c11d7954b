"""A thousand sessions lose the same proxy at once: nobody is lost, and they do not come back all at once."""

import trio

from livebridge.session._endpoints import MAX_CONCURRENT_DIALS

MANY = 1000
SECONDS_PER_DIAL = 0.02


class Proxy:
    """Notes when dials begin, and how many are under way."""

    def __init__(self, live):
        self._live = live
        self.began = []
        self.now = self.most = 0

    async def dial(self, *args, **options):
        self.began.append(trio.current_time())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await trio.sleep(SECONDS_PER_DIAL)
            return await self._live.dial(*args, **options)
        finally:
            self.now -= 1


async def _session(live, proxy, resumed, everybody):
    options = {"stall": None, "keepalive": None, "dial": proxy.dial, "on_resumed": resumed.append}
    async with live.session(**options):
        await everybody.wait()


async def test_a_thousand_sessions_that_are_dropped_at_once_come_back_a_few_at_a_time(live):
    live.most_set_up = -10 * MANY
    proxy, resumed, everybody = Proxy(live), [], trio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(MANY):
            nursery.start_soon(_session, live, proxy, resumed, everybody)
        while len(live.lines) < MANY or live.lines[-1].setup is None:
            await trio.sleep(0.1)
        await trio.sleep(20)
        for line in live.lines:
            line.resumable(f"h{line.number}")
        await trio.testing.wait_all_tasks_blocked()
        dropped_at = trio.current_time()
        before = list(live.lines)
        proxy.began.clear()
        for line in before:
            line.drop()
        while len(resumed) < MANY:
            await trio.sleep(0.1)
        everybody.set()
    assert proxy.most == MAX_CONCURRENT_DIALS
    assert len(proxy.began) == MANY
    assert {info.continuity for info in resumed} == {"resumed"}
    handles = [line.handle for line in live.lines[MANY:]]
    assert sorted(handles) == sorted(f"h{line.number}" for line in before)
    shortest = MANY / MAX_CONCURRENT_DIALS * SECONDS_PER_DIAL
    assert shortest <= proxy.began[-1] - dropped_at + SECONDS_PER_DIAL <= shortest + 1
    live.most_set_up = 0


async def test_sessions_that_lost_the_same_proxy_do_not_dial_at_the_same_moment(live):
    """Where dials cost nothing, the jitter alone keeps them apart: within a quarter of a second, evenly."""
    live.most_set_up = -10 * MANY
    began = []

    async def dial(*args, **options):
        began.append(trio.current_time())
        return await live.dial(*args, **options)

    proxy, resumed, everybody = Proxy(live), [], trio.Event()
    proxy.dial = dial
    async with trio.open_nursery() as nursery:
        for _ in range(MANY // 4):
            nursery.start_soon(_session, live, proxy, resumed, everybody)
        while len(live.lines) < MANY // 4 or live.lines[-1].setup is None:
            await trio.sleep(0.1)
        await trio.sleep(20)
        for line in live.lines:
            line.text("hello")
            line.resumable()
        await trio.testing.wait_all_tasks_blocked()
        dropped_at = trio.current_time()
        began.clear()
        for line in list(live.lines):
            line.drop()
        while len(resumed) < MANY // 4:
            await trio.sleep(0.1)
        everybody.set()
    after = [at - dropped_at for at in began]
    assert 0 <= min(after) < 0.05
    assert 0.2 < max(after) <= 0.25
    fifths = [sum(1 for at in after if part * 0.05 <= at < (part + 1) * 0.05) for part in range(5)]
    assert min(fifths) > MANY // 4 / 5 / 4
    live.most_set_up = 0
