"""The same scenarios as a user of google-genai writes them: ``client.aio.live.connect``, ``session.receive``."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from functools import partial

import stopwatch
from google import genai
from google.genai import live, types

MODEL = "gemini-3.1-flash-live-preview"
CHUNK = bytes(range(256)) * 5

dial = live.ws_connect


def dial_as_asked(uri, *, ssl=None, **options):
    """Dial without TLS where the base URL said ``http``: google-genai makes ``wss`` of every scheme."""
    if plain:
        return dial(uri.replace("wss://", "ws://", 1), proxy=None, **options)
    return dial(uri, ssl=ssl, proxy=None, **options)


plain = False
live.ws_connect = dial_as_asked


def client_for(url):
    global plain  # noqa: PLW0603 - one scenario at a time
    plain = url.startswith("http://")
    return genai.Client(api_key="benchmark", http_options=types.HttpOptions(base_url=url))


def start(client):
    return client.aio.live.connect(model=MODEL, config={"response_modalities": ["AUDIO"]})


async def listen(session, on_audio):
    """Hand over the audio of every message, turn after turn."""
    while True:
        async for message in session.receive():
            content = message.server_content
            if content is not None and content.model_turn is not None:
                for part in content.model_turn.parts:
                    on_audio(part.inline_data.data)


@asynccontextmanager
async def listening(session, on_audio):
    task = asyncio.create_task(listen(session, on_audio))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def receive(url, size, count, warmup):
    """CPU per received message, as fast as they come."""
    done = asyncio.Event()
    watch = stopwatch.Stopwatch(warmup, count, done.set)
    async with (
        start(client_for(f"{url}/receive-{size}-{count}")) as session,
        listening(session, watch.message),
    ):
        await done.wait()
    return watch.result


async def send(url, count, warmup):
    """CPU per sent message of 1,280 bytes, until the server has had the last of them."""
    answered = asyncio.Event()
    async with (
        start(client_for(f"{url}/send-{count}")) as session,
        listening(session, lambda _: answered.set()),
    ):
        for number in range(count):
            if number == warmup:
                started = time.process_time()
            await say(session)
        await answered.wait()
        spent = time.process_time() - started
    return {"us_per_message": spent / (count - warmup) * 1e6}


async def say(session):
    await session.send_realtime_input(audio=types.Blob(data=CHUNK, mime_type="audio/pcm;rate=16000"))


async def paced(*, url, size, rate, sessions, seconds, warmup, upstream):
    """CPU and latency of so many conversations at the pace of speech."""
    window = stopwatch.Window()
    open_sessions = []
    client = client_for(f"{url}/paced-{size}-{rate}")
    loop = asyncio.get_running_loop()

    async def talk(is_ready):
        async with start(client) as session, listening(session, window.message):
            open_sessions.append(session)
            is_ready.set()
            await asyncio.Event().wait()

    async def speak(is_ready):
        is_ready.set()
        began = loop.time()
        for number in stopwatch.microphones(sessions, rate):
            if number is None:
                began += stopwatch.TICK_SECONDS
                await asyncio.sleep(began - loop.time())
            else:
                await say(open_sessions[number])

    async with tasks() as spawn:
        for _ in range(sessions):
            await spawn(talk)
        stopwatch.settle()
        for session in open_sessions:
            await say(session)
        if upstream:
            await spawn(speak)
        await asyncio.sleep(warmup)
        window.open()
        await asyncio.sleep(seconds)
        return window.close(sessions=sessions, rate=rate)


async def idle(url, sessions):
    """Memory per session that is connected and silent."""
    client = client_for(f"{url}/idle")

    async def stay(is_ready):
        async with start(client) as session, listening(session, len):
            is_ready.set()
            await asyncio.Event().wait()

    async with start(client):
        pass
    before = stopwatch.resident()
    async with tasks() as spawn:
        for _ in range(sessions):
            await spawn(stay)
        used = stopwatch.resident() - before
    return {"kib_per_session": used / sessions / 1024, "base_mib": before / 2**20}


@asynccontextmanager
async def tasks():
    """Start tasks that say when they are ready, and cancel them all in the end."""
    running = []

    async def spawn(function):
        is_ready = asyncio.Event()
        running.append(asyncio.create_task(function(is_ready)))
        ready = asyncio.create_task(is_ready.wait())
        await asyncio.wait([ready, running[-1]], return_when=asyncio.FIRST_COMPLETED)
        if running[-1].done():
            await running[-1]

    try:
        yield spawn
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def connect(url, sessions):
    """CPU from the call to a session that is ready."""
    spent = 0.0
    client = client_for(f"{url}/idle")
    for number in range(sessions + 1):
        started = time.process_time()
        async with start(client):
            if number:  # the first loads what is loaded once
                spent += time.process_time() - started
    return {"ms_per_connect": spent / sessions * 1e3}


def run(scenario, **parameters):
    return asyncio.run(scenario(**parameters))


if __name__ == "__main__":
    stopwatch.serve({each.__name__: partial(run, each) for each in (receive, send, paced, idle, connect)})
