"""Sessions under a supervisor: what is restarted, what is not, and what a restarted session still knows."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

import attrs
import pytest
import trio

from livebridge import DynamicSupervisor, Supervisor
from livebridge.errors import ActorExitError, ConfigError, CredentialsError, SetupError
from livebridge.protocol import KeptMessage, Kind, ReconnectPolicy, Snapshot
from livebridge.session import Handler, MemoryResumeStore, Session, SqliteResumeStore


def bot(log, **more):
    class Bot(Handler):
        def on_ready(self, info):
            log.add("on_ready", info)

        def on_resumed(self, info):
            log.add("on_resumed", info)

        def on_session_lost(self, info):
            log.add("on_session_lost", info)

        def on_close(self, info):
            log.add("on_close", info)

        def on_error(self, error):
            log.add("on_error", error)

        def on_text(self, delta):
            if delta.text == "crash":
                raise ZeroDivisionError("the bot's own bug")
            log.add("on_text", delta)

        async def handle_call(self, request, caller):
            if request == "send":
                await self.session.send_text("from a call")
            return request

    return Bot


def spec(live, log, *, id="bot", **options):  # noqa: A002 - OTP's word
    return Session.child_spec(bot(log), id=id, backoff=None, **live.options(**options))


async def test_a_bot_that_its_own_code_broke_comes_back_in_the_same_conversation(live, log):
    async with Supervisor.open(max_restarts=5, max_seconds=300) as supervisor:
        child = await supervisor.start_child(spec(live, log, on_callback_error="crash"))
        first = await live.line()
        await log.wait("on_ready")
        first.resumable("h1")
        first.text("crash")
        second = await live.line()
        assert second.handle == "h1"
        info = await log.wait("on_ready", 2)
        assert info.kind == "resumed"
        assert child.restarts == 1
        assert await child.ref.call("still there") == "still there"
    assert len(log.of("on_close")) == 2


async def test_a_killed_session_comes_back_too(live, log):
    async with Supervisor.open() as supervisor:
        child = await supervisor.start_child(spec(live, log))
        line = await live.line()
        line.resumable("h1")
        await trio.sleep(1)
        child.ref.kill()
        assert (await live.line()).handle == "h1"
        await log.wait("on_ready", 2)


async def test_network_trouble_never_counts_as_a_restart(live, log):
    async with Supervisor.open(max_restarts=0) as supervisor:
        child = await supervisor.start_child(spec(live, log))
        for number in range(8):
            line = await live.line()
            line.resumable(f"h{number}")
            await log.wait("on_ready", number + 1)
            await trio.sleep(11)
            line.drop()
        await log.wait("on_ready", 9)
        assert child.restarts == 0


async def test_a_session_that_was_closed_is_not_restarted_and_is_forgotten(live, log):
    store = MemoryResumeStore()

    class Brief(Handler):
        async def on_ready(self, info):
            log.add("on_ready", info)
            await self.session.close()

    async with Supervisor.open() as supervisor:
        options = live.options()
        await supervisor.start_child(Session.child_spec(Brief, id="brief", resume_store=store, **options))
        await log.wait("on_ready")
        await trio.sleep(100)
        assert len(live.lines) == 1
    assert await store.load("brief") is None


async def test_a_refused_setup_is_not_restarted_because_a_restart_cannot_help(live, log, steps):
    live.then(steps.closing(1008, "models/x is not found for API version v1beta"))
    async with Supervisor.open(max_restarts=0) as supervisor:
        child = await supervisor.start_child(spec(live, log))
        error = await log.wait("on_error")
        assert isinstance(error, SetupError)
        await trio.sleep(100)
        assert child.ref is None
        assert len(live.lines) == 1


async def test_exhausted_reconnects_are_restarted_with_back_off(live, log, steps):
    live.then(*[steps.closing(1011, "busy")] * 3)
    async with Supervisor.open(max_restarts=5, max_seconds=300) as supervisor:
        child = await supervisor.start_child(spec(live, log, reconnect=ReconnectPolicy(max_attempts=2)))
        info = await log.wait("on_ready")
        assert info.kind == "new"
        assert child.restarts == 1


async def test_wrong_options_are_found_when_the_spec_is_made(live):
    with pytest.raises(ConfigError, match="did you mean"):
        Session.child_spec(Handler, id="x", **live.options(), tepmerature=1)
    with pytest.raises(CredentialsError):
        Session.child_spec(Handler, id="x", model="gemini-3.1-flash-live-preview")


async def test_a_start_that_requires_a_connection_fails_with_the_reason(live, log, steps):
    live.then(steps.closing(1007, "Request contains an invalid argument."))
    with pytest.raises(Exception, match="invalid argument") as caught:
        async with Supervisor.open([spec(live, log, require_connected=True)]):
            raise AssertionError("never entered")
    assert isinstance(caught.value.__cause__, SetupError) or "invalid argument" in str(caught.value)


async def test_a_start_that_requires_a_connection_waits_for_it(live, log):
    async with DynamicSupervisor.open() as supervisor:
        child = await supervisor.start_child(spec(live, log, require_connected=True))
        assert len(live.lines) == 1
        assert await child.ref.call("x") == "x"


async def test_a_stopping_supervisor_lets_sessions_deliver_what_they_accepted(live, log):
    async with Supervisor.open() as supervisor:
        child = await supervisor.start_child(spec(live, log))
        line = await live.line()
        await log.wait("on_ready")
        await child.ref.call("send")
    assert line.texts() == ["from a call"]
    assert log.names[-1] == "on_close"


async def test_text_that_was_never_written_survives_the_restart(live, log):
    store = MemoryResumeStore()
    async with Supervisor.open() as supervisor:
        child = await supervisor.start_child(spec(live, log, resume_store=store))
        line = await live.line()
        line.resumable("h1")
        await log.wait("on_ready")
        live.dial_delays.append(5.0)
        line.drop()
        await trio.sleep(1)
        await child.ref.call("send")
        await trio.sleep(1)
        child.ref.kill()
        second = await live.line()
        assert second.handle == "h1"
        assert (await second.next())["realtimeInput"] == {"text": "from a call"}


async def test_written_text_that_no_handle_covers_is_reported_after_a_restart(live, log):
    async with Supervisor.open() as supervisor:
        child = await supervisor.start_child(spec(live, log))
        line = await live.line()
        line.resumable("h1")
        await log.wait("on_ready")
        await child.ref.call("send")
        await line.next()
        await trio.sleep(1)
        child.ref.kill()
        info = await log.wait("on_resumed")
        assert info.lossy
        assert [message.realtime_input.text for message in info.uncertain] == ["from a call"]


async def test_a_handle_that_ends_two_incarnations_is_given_up(live, log):
    async with Supervisor.open(max_restarts=9, max_seconds=900) as supervisor:
        child = await supervisor.start_child(spec(live, log))
        (await live.line()).resumable("poison")
        for number in (1, 2):
            await log.wait("on_ready", number)
            await trio.sleep(1)
            child.ref.kill()
            assert (await live.line()).handle == "poison"
        await log.wait("on_ready", 3)
        await trio.sleep(1)
        child.ref.kill()
        assert (await live.line()).handle is None
        lost = await log.wait("on_session_lost")
        assert lost.reason == "poisoned"
        assert (await log.wait("on_ready", 4)).kind == "fresh_after_loss"


async def test_a_handle_that_is_too_old_is_not_used(live, log):
    store = MemoryResumeStore()
    model = live.options()["model"]
    await store.save("bot", Snapshot(handle="old", fingerprint=model, saved_at=time.time() - 8000))
    async with Supervisor.open() as supervisor:
        await supervisor.start_child(spec(live, log, resume_store=store))
        assert (await live.line()).handle is None
        assert (await log.wait("on_session_lost")).reason == "expired"


async def test_a_store_that_fails_is_reported_and_does_not_stop_the_bot(live, log):
    class Broken:
        async def load(self, key):
            raise OSError("disk on fire")

        async def save(self, key, snapshot):
            raise OSError("disk on fire")

        async def delete(self, key):
            await trio.sleep_forever()

    async with Supervisor.open() as supervisor:
        await supervisor.start_child(spec(live, log, resume_store=Broken()))
        await log.wait("on_ready")
        assert "disk on fire" in str(await log.wait("on_error"))


async def test_a_call_to_a_dead_bot_fails_at_once(live, log):
    async with Supervisor.open(max_restarts=0) as supervisor:
        child = await supervisor.start_child(spec(live, log, restart="temporary"))
        await log.wait("on_ready")
        ref = child.ref
        await supervisor.terminate_child("bot")
        with pytest.raises(ActorExitError):
            await ref.call("anybody?")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_store_keeps_one_snapshot_per_key(kind, tmp_path):
    store = MemoryResumeStore() if kind == "memory" else SqliteResumeStore(tmp_path / "sessions.db")
    snapshot = Snapshot(
        handle="h", saved_at=1.0, messages=(KeptMessage(kind=Kind.CONTENT, payload=b"{}", written=True),)
    )
    assert await store.load("a") is None
    await store.save("a", snapshot)
    await store.save("b", Snapshot())
    await store.save("a", attrs.evolve(snapshot, uses=1))
    assert await store.load("a") == attrs.evolve(snapshot, uses=1)
    await store.delete("a")
    await store.delete("never there")
    assert await store.load("a") is None
    assert await store.load("b") == Snapshot()


async def test_the_sqlite_file_is_its_owners_alone_and_is_shared_between_stores(tmp_path):
    path = tmp_path / "sessions.db"
    await SqliteResumeStore(path).save("a", Snapshot(handle="h"))
    assert (await SqliteResumeStore(str(path)).load("a")).handle == "h"
    assert path.stat().st_mode & 0o077 == 0


async def test_a_broken_sqlite_file_is_an_error_of_the_store(tmp_path):
    path = tmp_path / "sessions.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        await SqliteResumeStore(path).load("a")


BOT_PROCESS = """
    import sys, trio
    import livebridge
    from livebridge.transport import MemoryNetwork

    network = MemoryNetwork()

    async def server():
        while True:
            line = await network.accept()
            trio.lowlevel.spawn_system_task(serve, line)

    async def serve(line):
        try:
            await line.receive()
            line.send([b'{"setupComplete":{}}'])
            while True:
                print("server got", (await line.receive()).decode(), flush=True)
        except livebridge.LivebridgeError:
            pass

    class Bot(livebridge.Handler):
        async def on_ready(self, info):
            await self.session.send_text("hello")
            print("ready", flush=True)

        async def on_close(self, info):
            print("closed", flush=True)
            if "--stubborn" in sys.argv:
                await trio.sleep_forever()

    spec = livebridge.Session.child_spec(
        Bot, id="bot", model="gemini-3.1-flash-live-preview", api_key="k", dial=network.dial
    )
    reason = livebridge.run_supervised([livebridge.ChildSpec(id="net", start=server), spec])
    print("ended:", reason.kind, flush=True)
"""


def start_bot(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(BOT_PROCESS), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109 - the process under test starts here
    )


def wait_for(process, word):
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(process.stderr.read())


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_bot_process_in_order(signum):
    with start_bot() as process:
        wait_for(process, "server got")
        process.send_signal(signum)
        out, err = process.communicate(timeout=20)
    assert out.splitlines()[-2:] == ["closed", "ended: shutdown"]
    assert process.returncode == 0
    assert "Traceback" not in err


def test_a_second_signal_kills():
    with start_bot("--stubborn") as process:
        wait_for(process, "server got")
        process.send_signal(signal.SIGTERM)
        wait_for(process, "closed")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=4)
    assert "ended: killed" in out
