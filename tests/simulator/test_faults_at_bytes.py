import ssl
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trustme

from livebridge import Session
from livebridge.errors import ConfigError, SetupError
from livebridge.protocol import CircuitPolicy, ReconnectPolicy
from livebridge.session import Keepalive
from livebridge.simulator import (
    Close,
    Delay,
    Drop,
    Echo,
    Fault,
    Faults,
    Freeze,
    Garble,
    LiveSimulator,
    load_faults,
)
from livebridge.simulator._fault_plan import FaultPlan
from livebridge.simulator._faulty_stream import FaultyStream

AUTHORITY = trustme.CA()
TEXTS = ["first", "second", "third"]
WHATS = {
    "reset": Drop(),
    "end of stream": Drop(how="eof"),
    "stall": Freeze(),
    "pause": Delay(seconds=0.02),
}
UPGRADE_BYTES = 129
"""What the simulator answers an upgrade with."""

STREAM_PLACES = {
    "before anything": 0,
    "in the status line": 7,
    "in a header": 60,
    "before the last byte of the upgrade": UPGRADE_BYTES - 1,
    "after the upgrade": UPGRADE_BYTES,
    "in the head of the first frame": UPGRADE_BYTES + 1,
    "in the first payload": UPGRADE_BYTES + 20,
    "after a second of talk": 1200,
}
FRAME_PLACES = {
    f"{byte} bytes into {message}": {"message": message, "nth": nth, "byte": byte}
    for message, nth in (
        ("setupComplete", 1),
        ("modelTurn", 2),
        ("turnComplete", 2),
        ("sessionResumptionUpdate", 3),
    )
    for byte in (0, 1, 9, 10_000)
}
CLIENT_PLACES = {
    "in the request": 30,
    "in the setup": 700,
    "in the first message": 1300,
}
TLS_PLACES = {
    "before the server's hello": 0,
    "in a record's head": 3,
    "in the server's hello": 60,
    "in its certificate": 400,
    "near the end of the handshake": 1100,
    "in the upgrade or beyond": 1600,
}
OPTIONS = {
    "model": "gemini-live-2.5-flash",
    "response_modalities": ["TEXT"],
    "session_resumption": {"transparent": True},
    "reconnect": ReconnectPolicy(initial=0.01, max_delay=0.05),
    "circuit": CircuitPolicy(failures=20),
    "dial_timeout": 0.25,
    "setup_timeout": 0.25,
    "keepalive": Keepalive(ping_after=0.1, dead_after=0.25),
    "close_timeout": 1.0,
    "content_max_age": None,
}


def tasks():
    """Names of all tasks of this run."""
    names, todo = Counter(), [trio.lowlevel.current_root_task()]
    while todo:
        task = todo.pop()
        names[task.name] += 1
        todo.extend(child for nursery in task.child_nurseries for child in nursery.child_tasks)
    return names


def sockets():
    """How many sockets this process has."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return 0
    links = []
    for entry in folder.iterdir():
        try:
            links.append(entry.readlink().name)
        except OSError:
            continue
    return sum(link.startswith("socket:") for link in links)


@asynccontextmanager
async def nothing_left():
    """After the block there are as many tasks and sockets as before it."""
    before = tasks(), sockets()
    yield
    with trio.fail_after(5):
        while tasks() - before[0] or sockets() > before[1]:
            await trio.sleep(0.01)


async def talk(simulator, *, ssl_context=None, texts=TEXTS):
    """Say three things; returns what the session reported on the way."""
    told = []
    async with Session.start(
        **simulator.vertex_connection,
        **OPTIONS,
        ssl_context=ssl_context,
        on_resumed=lambda info: told.append(("resumed", info.continuity)),
        on_session_lost=lambda info: told.append(("lost", info.reason)),
        on_error=lambda error: told.append(("error", str(error))),
    ) as session:
        for text in texts:
            answer = await session.ask(text, timeout=5)
            assert answer.text in texts
        await simulator.wait_for(lambda s: s.conversations[-1].heard.user_texts == texts)
    await simulator.wait_for(lambda s: not s.connections)
    return told


async def survives(fault, *, server_tls=None, client_tls=None):
    """A session hits the fault on its first connection; in the end the model knows everything once and in order."""
    async with LiveSimulator.serve(
        brain=Echo(), first_handle=True, faults=Faults(fault), ssl_context=server_tls
    ) as simulator:
        with trio.fail_after(10):
            told = await talk(simulator, ssl_context=client_tls)
        # before the first handle there is nothing that could be lost
        assert fault.message == "setupComplete" or "lost" not in dict(told)


async def survives_all(faults, **tls):
    async def check(place, fault):
        try:
            await survives(fault, **tls)
        except BaseException as error:
            error.add_note(f"the fault was {place}: {fault}")
            raise

    async with nothing_left(), trio.open_nursery() as nursery:
        for place, fault in faults.items():
            nursery.start_soon(check, place, fault)


@pytest.mark.parametrize("what", WHATS)
async def test_a_session_survives_what_happens_to_its_stream(what):
    await survives_all({place: Fault(what=WHATS[what], byte=byte) for place, byte in STREAM_PLACES.items()})


@pytest.mark.parametrize("what", WHATS)
async def test_a_session_survives_what_happens_in_a_frame(what):
    await survives_all({place: Fault(what=WHATS[what], **where) for place, where in FRAME_PLACES.items()})


@pytest.mark.parametrize("what", WHATS)
async def test_a_session_survives_what_happens_to_what_it_sends(what):
    places = CLIENT_PLACES.items()
    await survives_all({place: Fault(what=WHATS[what], received_byte=byte) for place, byte in places})


@pytest.fixture
def tls():
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    AUTHORITY.configure_trust(client)
    return {"server_tls": server, "client_tls": client}


@pytest.mark.parametrize("what", [*WHATS, "garbage"])
async def test_a_session_survives_what_happens_to_tls(tls, what):
    fault = WHATS.get(what, Garble())
    await survives_all({place: Fault(what=fault, byte=byte) for place, byte in TLS_PLACES.items()}, **tls)


async def test_garbage_in_the_upgrade_is_dialled_again():
    faults = {f"at byte {byte}": Fault(what=Garble(), byte=byte) for byte in (0, 7, 60, UPGRADE_BYTES - 5)}
    await survives_all(faults)


async def test_garbage_in_the_head_of_a_frame_is_dialled_again():
    places = ({"message": "setupComplete"}, {"message": "modelTurn", "nth": 2}, {"sent": 4})
    await survives_all({str(where): Fault(what=Garble(), byte=0, **where) for where in places})


async def test_garbage_in_the_head_of_each_connections_first_frame_is_a_clear_error():
    fault = Fault(what=Garble(), byte=0, message="setupComplete", times=0)
    async with (
        LiveSimulator.serve(brain=Echo(), first_handle=True, faults=Faults(fault)) as simulator,
        nothing_left(),
    ):
        with pytest.raises(SetupError) as caught, trio.fail_after(10):
            await talk(simulator)
        await simulator.wait_for(lambda s: not s.connections)
        assert simulator.dials == 3
    assert "closed by this side with 1002" in str(caught.value)
    assert caught.value.hint is not None


async def test_garbage_in_a_message_is_handed_over_as_such_and_the_session_goes_on():
    strange, answers = [], []
    fault = Fault(what=Garble(), message="modelTurn", nth=2, byte=30)
    async with LiveSimulator.serve(brain=Echo(), faults=Faults(fault)) as simulator:
        async with Session.start(
            **simulator.connection, **{**OPTIONS, "session_resumption": {}}, on_unrecognized=strange.append
        ) as session:
            for text in TEXTS:
                answers.append((await session.ask(text, timeout=5)).text)
        assert simulator.dials == 1
        assert simulator.conversations[0].heard.user_texts == TEXTS
    assert answers == ["first", "", "third"]
    assert len(strange) == 1


def test_a_fault_at_a_byte_can_be_written_in_a_file():
    plan = load_faults('[[fault]]\ndo = "garble"\nsize = 2\nbyte = 9\nmessage = "toolCall"\n')
    assert plan.faults == (Fault(what=Garble(size=2), byte=9, message="toolCall"),)
    assert Fault(what=Drop(), byte=9, dial=2).point == "bytes"


@pytest.mark.parametrize(
    ("what", "when", "told"),
    [
        (Garble(), {"message": "toolCall"}, "Garble strikes at a byte"),
        (Close(), {"byte": 1}, "Close cannot strike at a byte"),
        (Drop(), {"byte": -1}, "byte must be a whole number from 0 on, or left out; got -1"),
        (Drop(), {"byte": 1, "after": 2.0}, "bytes count"),
        (Drop(), {"byte": 1, "message": "setup"}, "bytes count"),
        (Drop(), {"byte": 1, "received_byte": 1}, "bytes count"),
        (Drop(), {"received_byte": 1, "message": "toolCall"}, "bytes count"),
        (Drop(), {"byte": 1, "resumed": True}, "before it is known what is resumed"),
    ],
)
def test_a_fault_at_a_byte_that_makes_no_sense_is_refused(what, when, told):
    with pytest.raises(ConfigError, match=told):
        Fault(what=what, **when)


async def test_faults_at_bytes_are_chosen_by_connection_chance_and_number():
    faults = Faults(
        Fault(what=Drop(), byte=5, dial=2),
        Fault(what=Delay(seconds=0), byte=3, times=0),
        Fault(what=Drop(), byte=4, probability=0.0),
        Fault(what=Drop(), message="toolCall", byte=4),
    )
    plan = FaultPlan(faults)
    assert [fault.byte for fault in plan.stream(1)] == [3, 4]
    first, second, third = plan.stream(2)
    assert [first.byte, second.byte, third.byte] == [3, 4, 5]
    assert [first.strikes(), first.strikes(), second.strikes()] == [True, True, False]
    assert [third.strikes(), third.strikes()] == [True, False]


@pytest.mark.parametrize("place", [2, 400], ids=["request", "frame"])
async def test_garbage_from_the_client_is_no_problem_of_the_server(connect, place):
    fault = Fault(what=Garble(size=8), received_byte=place)
    async with LiveSimulator.serve(brain=Echo(), faults=Faults(fault)) as simulator:
        if place == 2:
            async with await trio.open_tcp_stream(simulator.host, simulator.port) as stream:
                await stream.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert await stream.receive_some() == b""
        else:
            client = await connect(simulator)
            await client.send({"setup": {"model": "x" * 400}})
            assert (await client.until_close())[0] in {1002, 1006, 1007}


async def test_what_is_frozen_for_one_direction_lets_the_other_one_pass():
    plan = FaultPlan(Faults(Fault(what=Freeze(reading=False), received_byte=2)))
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with await trio.open_tcp_stream(*listeners[0].socket.getsockname()) as client:
        stream = FaultyStream(await listeners[0].accept(), plan.stream(1))
        await client.send_all(b"abcd")
        assert await stream.receive_some() == b"ab"
        assert await stream.receive_some() == b"cd"
        with trio.move_on_after(0.02) as scope:
            await stream.send_all(b"unsaid")
        assert scope.cancelled_caught
        await stream.aclose()
    await listeners[0].aclose()


async def test_a_stream_may_be_written_to_and_not_read_from():
    plan = FaultPlan(Faults(Fault(what=Freeze(writing=False), byte=2)))
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with await trio.open_tcp_stream(*listeners[0].socket.getsockname()) as client:
        stream = FaultyStream(await listeners[0].accept(), plan.stream(1))
        await stream.wait_send_all_might_not_block()
        await stream.send_all(b"abcd")
        assert await client.receive_some() == b"abcd"
        await client.send_all(b"unheard")
        with trio.move_on_after(0.02) as scope:
            await stream.receive_some()
        assert scope.cancelled_caught
        await client.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        await stream.aclose()
    await listeners[0].aclose()
