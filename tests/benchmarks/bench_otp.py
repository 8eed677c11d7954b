"""What actors cost, next to bare trio in the same run: start a thousand, call, and feed a lane.

Run it as ``python tests/benchmarks/bench_otp.py``. The machine's noise cancels out of the ratio, because rounds
of both sides are interleaved and medians are compared.
"""

from __future__ import annotations

import statistics
import time

import trio

from livebridge.otp import Caller, ChildSpec, DynamicSupervisor, GenServer, start

ROUNDS = 9
CALLS = 3_000
ACTORS = 1_000
MESSAGES = 20_000
CALL_RATIO_LIMIT = 3.0


class Echo(GenServer):
    """Answers at once."""

    async def handle_call(self, request: object, caller: Caller) -> object:
        return request

    async def handle_info(self, message: object) -> None:
        return None


async def channel_round_trips(count: int) -> float:
    """Seconds per round trip over two bare memory channels between two tasks."""
    to_echo, echo_in = trio.open_memory_channel[int](0)
    from_echo, echo_out = trio.open_memory_channel[int](0)

    async def echo() -> None:
        async for value in echo_in:
            await from_echo.send(value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        begin = time.perf_counter()
        for number in range(count):
            await to_echo.send(number)
            await echo_out.receive()
        elapsed = time.perf_counter() - begin
        await to_echo.aclose()
    return elapsed / count


async def call_round_trips(count: int) -> float:
    """Seconds per ``ref.call``, with its timeout, exit handling and statistics."""
    async with trio.open_nursery() as nursery:
        ref = await start(nursery, Echo())
        assert ref is not None
        begin = time.perf_counter()
        for number in range(count):
            await ref.call(number)
        elapsed = time.perf_counter() - begin
        await ref.stop()
    return elapsed / count


async def lane_messages(count: int) -> float:
    """Seconds per message from ``put_nowait`` to the return of its handler, the actor being busy."""
    async with trio.open_nursery() as nursery:
        echo = Echo()
        ref = await start(nursery, echo)
        assert ref is not None
        lane = echo.open_lane()
        begin = time.perf_counter()
        for number in range(count):
            if lane.full:
                await lane.wait_capacity()
            lane.put_nowait(number, cost=100)
        await ref.stop()
        elapsed = time.perf_counter() - begin
    return elapsed / count


async def start_and_stop(count: int) -> tuple[float, float]:
    """Seconds to start, and to stop, that many actors under a DynamicSupervisor."""
    begin = time.perf_counter()
    async with DynamicSupervisor.open() as supervisor:
        for _ in range(count):
            await supervisor.start_child(ChildSpec(start=Echo))
        started = time.perf_counter()
    return started - begin, time.perf_counter() - started


async def main() -> None:
    """Measure and print."""
    channel, call, lane, starts, stops = [], [], [], [], []
    for _ in range(ROUNDS):
        channel.append(await channel_round_trips(CALLS))
        call.append(await call_round_trips(CALLS))
        lane.append(await lane_messages(MESSAGES))
        up, down = await start_and_stop(ACTORS)
        starts.append(up)
        stops.append(down)
    bare, ours = statistics.median(channel), statistics.median(call)
    print(f"memory-channel round trip   {bare * 1e6:8.1f} µs")
    print(
        f"call round trip             {ours * 1e6:8.1f} µs   ratio {ours / bare:.2f} (limit {CALL_RATIO_LIMIT})"
    )
    print(f"lane message, actor busy    {statistics.median(lane) * 1e6:8.1f} µs")
    print(f"start {ACTORS} actors           {statistics.median(starts) * 1e3:8.1f} ms")
    print(f"stop {ACTORS} actors            {statistics.median(stops) * 1e3:8.1f} ms")


if __name__ == "__main__":
    trio.run(main)
