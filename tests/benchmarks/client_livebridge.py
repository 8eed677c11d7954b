"""The scenarios, as a user of livebridge writes them: ``Session.start`` with callbacks, ``send_audio``."""

from __future__ import annotations

import time
from functools import partial

import stopwatch
import trio

from livebridge.session import Session

MODEL = "gemini-3.1-flash-live-preview"
CHUNK = bytes(range(256)) * 5


def start(url, **callbacks):
    return Session.start(model=MODEL, api_key="benchmark", base_url=url, proxy=None, **callbacks)


def nothing(audio):
    pass


async def receive(url, size, count, warmup):
    """CPU per received message, as fast as they come."""
    done = trio.Event()
    watch = stopwatch.Stopwatch(warmup, count, done.set)
    async with start(f"{url}/receive-{size}-{count}", on_audio=lambda audio: watch.message(audio.data)):
        await done.wait()
    return watch.result


async def send(url, count, warmup):
    """CPU per sent message of 1,280 bytes, until the server has had the last of them."""
    answered = trio.Event()
    async with start(f"{url}/send-{count}", on_audio=lambda _: answered.set()) as session:
        for number in range(count):
            if number == warmup:
                started = time.process_time()
            await session.send_audio(CHUNK)
        await answered.wait()
        spent = time.process_time() - started
        if session.statistics().dropped_media:
            raise RuntimeError("the server was too slow: media was dropped")
    return {"us_per_message": spent / (count - warmup) * 1e6}


async def paced(*, url, size, rate, sessions, seconds, warmup, upstream):
    """CPU and latency of so many conversations at the pace of speech."""
    window = stopwatch.Window()
    base_url = f"{url}/paced-{size}-{rate}"

    async def talk(task_status):
        async with start(base_url, on_audio=lambda audio: window.message(audio.data)) as session:
            task_status.started(session)
            await trio.sleep_forever()

    async def speak(open_sessions):
        began = trio.current_time()
        for number in stopwatch.microphones(sessions, rate):
            if number is None:
                began += stopwatch.TICK_SECONDS
                await trio.sleep_until(began)
            else:
                await open_sessions[number].send_audio(CHUNK)

    async with trio.open_nursery() as nursery:
        open_sessions = [await nursery.start(talk) for _ in range(sessions)]
        stopwatch.settle()
        for session in open_sessions:
            await session.send_audio(CHUNK)
        if upstream:
            nursery.start_soon(speak, open_sessions)
        await trio.sleep(warmup)
        window.open()
        await trio.sleep(seconds)
        result = window.close(sessions=sessions, rate=rate)
        nursery.cancel_scope.cancel()
    return result


async def idle(url, sessions):
    """Memory per session that is connected and silent."""
    async with start(f"{url}/idle", on_audio=nothing):
        pass

    async def stay(task_status):
        async with start(f"{url}/idle", on_audio=nothing):
            task_status.started()
            await trio.sleep_forever()

    before = stopwatch.resident()
    async with trio.open_nursery() as nursery:
        for _ in range(sessions):
            await nursery.start(stay)
        used = stopwatch.resident() - before
        nursery.cancel_scope.cancel()
    return {"kib_per_session": used / sessions / 1024, "base_mib": before / 2**20}


async def connect(url, sessions):
    """CPU from the call to a session that is ready."""
    spent = 0.0
    for number in range(sessions + 1):
        started = time.process_time()
        async with start(f"{url}/idle", on_audio=nothing):
            if number:  # the first loads what is loaded once
                spent += time.process_time() - started
    return {"ms_per_connect": spent / sessions * 1e3}


def run(scenario, **parameters):
    return trio.run(partial(scenario, **parameters))


if __name__ == "__main__":
    stopwatch.serve({each.__name__: partial(run, each) for each in (receive, send, paced, idle, connect)})
