import socket
import struct

import pytest
import trio
import trio_websocket

from livebridge import wire
from livebridge.simulator import (
    Call,
    CancelTools,
    Chaos,
    Close,
    Delay,
    Distort,
    Drop,
    Echo,
    Fault,
    Faults,
    Freeze,
    GoAway,
    Inject,
    LateAudio,
    Mute,
    NoPongs,
    RefuseUpgrade,
    Repeat,
    RevokeHandles,
    Rules,
    Script,
    StallUpgrade,
    Withhold,
)

MODEL = "models/gemini-live-2.5-flash-preview"
SETUP = wire.dumps({"setup": {"model": MODEL, "sessionResumption": {}}})
CONTENT = wire.dumps({"clientContent": {"turns": [{"parts": [{"text": "Hi"}]}], "turnComplete": True}})


@pytest.fixture
def broken(serve):
    """A simulator with one or more faults."""

    def start(*faults, **settings):
        return serve(faults=Faults(*faults, seed=1), **{"brain": Echo(), **settings})

    return start


async def silent(client, seconds=0.05):
    """Whether nothing comes for a while."""
    with trio.move_on_after(seconds) as scope:
        await client.socket.get_message()
    return scope.cancelled_caught


async def test_an_upgrade_is_refused_with_a_status_and_retry_after(broken, connect, refused):
    async with broken(Fault(what=RefuseUpgrade(status=429, retry_after=7))) as simulator:
        refusal = await refused(simulator)
        assert refusal.status_code == 429
        assert (b"retry-after", b"7") in refusal.headers
        assert b"RESOURCE_EXHAUSTED" in refusal.body
        client = await connect(simulator)
        assert await client.setup() == {"setupComplete": {}}


async def test_an_upgrade_is_refused_without_retry_after(broken, refused):
    async with broken(Fault(what=RefuseUpgrade(status=503))) as simulator:
        assert b"retry-after" not in dict((await refused(simulator)).headers)


async def test_an_upgrade_is_refused_with_a_status_nobody_has_registered(broken, refused):
    async with broken(Fault(what=RefuseUpgrade(status=520))) as simulator:
        assert (await refused(simulator)).status_code == 520


async def test_an_upgrade_is_never_answered(broken, gemini_path):
    async with broken(Fault(what=StallUpgrade(), times=0)) as simulator:
        for end in ("eof", "reset"):
            async with await trio.open_tcp_stream(simulator.host, simulator.port) as stream:
                head = f"GET {gemini_path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\r\n"
                await stream.send_all(head.encode())
                with trio.move_on_after(0.05) as scope:
                    await stream.receive_some()
                assert scope.cancelled_caught
                if end == "eof":
                    await stream.send_eof()
                    assert await stream.receive_some() == b""
                else:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_the_setup_is_never_answered(broken, connect):
    async with broken(Fault(what=Withhold(), message="setupComplete")) as simulator:
        client = await connect(simulator)
        await client.send({"setup": {"model": MODEL}})
        assert await silent(client)


async def test_the_setup_is_answered_with_an_error_body(broken, connect):
    fault = {"message": "setupComplete"}
    async with broken(
        Fault(what=Inject(what="error"), **fault), Fault(what=Withhold(), **fault)
    ) as simulator:
        client = await connect(simulator)
        assert (await client.setup())["error"]["code"] == 500
        assert await silent(client)


async def test_a_message_of_the_client_is_overheard(broken, connect):
    async with broken(Fault(what=Withhold(), message="clientContent")) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("lost")
        await client.say("found")
        await client.until("turnComplete")
        assert simulator.conversations[0].heard.user_texts == ["found"]


async def test_a_close_with_code_and_reason_at_a_message(broken, connect):
    async with broken(Fault(what=Close(code=1008, reason="no"), message="modelTurn")) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        assert await client.until_close() == (1008, "no")
        await simulator.wait_for(lambda s: not s.connections)


@pytest.mark.parametrize(
    ("drop", "point"),
    [
        (Drop(), {"received": 2}),
        (Drop(how="eof"), {"message": "clientContent"}),
        (Drop(mid_frame=True), {"message": "modelTurn"}),
        (Drop(how="eof", mid_frame=True), {"sent": 2}),
    ],
)
async def test_a_connection_ends_without_a_close_frame(broken, connect, drop, point):
    async with broken(Fault(what=drop, **point)) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        assert await client.until_close() == (1006, None)
        await simulator.wait_for(lambda s: not s.connections)


async def test_a_half_open_connection_reads_and_writes_nothing(broken, connect):
    async with broken(Fault(what=Freeze(), message="clientContent")) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        assert await silent(client)
        with trio.move_on_after(0.05) as scope:
            await client.socket.ping(b"x")
        assert scope.cancelled_caught


async def test_pings_are_not_answered(broken, connect):
    async with broken(Fault(what=NoPongs(), message="setupComplete")) as simulator:
        client = await connect(simulator)
        await client.setup()
        with trio.move_on_after(0.05) as scope:
            await client.socket.ping(b"x")
        assert scope.cancelled_caught
        await client.say("Hi")
        assert await client.until("turnComplete")


async def test_a_message_is_delayed(broken, connect):
    async with broken(Fault(what=Delay(seconds=0.1), message="setupComplete")) as simulator:
        client = await connect(simulator)
        await client.send({"setup": {"model": MODEL}})
        assert await silent(client, 0.05)
        assert await client.receive() == {"setupComplete": {}}


async def test_a_timed_fault_strikes_on_an_idle_connection(broken, connect):
    async with broken(Fault(what=Close(code=1001), after=0.3)) as simulator:
        client = await connect(simulator)
        await client.setup()
        assert (await client.until_close())[0] == 1001


@pytest.mark.parametrize(
    ("what", "payload"),
    [
        ("garbage", b"\x00\x01garbage{]"),
        ("empty", b""),
        ("array", b"[1, 2, 3]"),
        ("interrupted", b'{"serverContent": {"interrupted": true}}'),
    ],
)
async def test_something_is_injected_before_a_message(broken, connect, what, payload):
    async with broken(Fault(what=Inject(what=what), message="setupComplete")) as simulator:
        client = await connect(simulator)
        await client.send({"setup": {"model": MODEL}})
        assert await client.socket.get_message() == payload
        assert await client.receive() == {"setupComplete": {}}


async def test_invalid_utf8_in_a_text_frame_breaks_the_protocol(broken, connect):
    async with broken(Fault(what=Inject(what="invalid_utf8"), message="setupComplete")) as simulator:
        client = await connect(simulator)
        await client.send({"setup": {"model": MODEL}})
        code, _ = await client.until_close()
        assert code in {1006, 1007}


async def test_messages_are_distorted_and_repeated(broken, connect):
    faults = (Fault(what=Distort(), message="setupComplete"), Fault(what=Repeat(), message="setupComplete"))
    async with broken(*faults) as simulator:
        client = await connect(simulator)
        first, second = await client.setup(), await client.receive()
        assert first == second
        assert "novelMember" in first


async def test_a_muted_model_answers_no_more_but_hears(broken, connect):
    async with broken(Fault(what=Mute(), message="setupComplete")) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        assert await silent(client)
        assert simulator.conversations[0].heard.user_texts == ["Hi"]


async def test_go_away_can_be_followed_by_silence(broken, connect):
    async with broken(Fault(what=GoAway(seconds=30.0, silent=True), message="clientContent")) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        assert await client.receive() == {"goAway": {"timeLeft": "30s"}}
        assert await silent(client)


async def test_go_away_in_the_middle_of_a_tool_call_is_kept(broken, connect):
    fault = Fault(what=GoAway(seconds=0.05), message="toolCall")
    async with broken(fault, brain=Script([[Call("look")]])) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("?")
        assert [next(iter(one)) for one in await client.until("toolCall")] == ["goAway", "toolCall"]
        assert (await client.until_close())[0] == 1011


async def test_a_cancellation_crosses_its_answer(broken, connect):
    async with broken(Fault(what=CancelTools(), message="toolResponse"), brain=Rules()) as simulator:
        client = await connect(simulator)
        await client.setup(tools=[{"functionDeclarations": [{"name": "look"}]}])
        await client.say("look")
        (call,) = (await client.until("toolCall"))[-1]["toolCall"]["functionCalls"]
        await client.send({"toolResponse": {"functionResponses": [{"id": call["id"], "response": {}}]}})
        messages = await client.until("turnComplete")
        assert messages[0] == {"toolCallCancellation": {"ids": [call["id"]]}}
        await simulator.wait_for(lambda s: s.conversations[0].heard.tool_results)
        assert not simulator.conversations[0].heard.tool_results[0].accepted


async def test_handles_are_withheld_or_refused(broken, connect):
    fault = Fault(what=Withhold(), message="sessionResumptionUpdate", nth=2)
    async with broken(fault, Fault(what=RevokeHandles(), received=3)) as simulator:
        client = await connect(simulator)
        await client.setup(sessionResumption={})
        await client.say("Hi")
        await client.until("turnComplete")
        await client.say("Again")
        updates = await client.until("turnComplete")
        assert all("newHandle" not in one.get("sessionResumptionUpdate", {}) for one in updates)
        assert len(simulator._world.handles) == 1


async def test_audio_comes_after_the_turn_or_at_any_time(broken, connect):
    faults = (
        Fault(what=LateAudio(seconds=0.02), message="turnComplete"),
        Fault(what=LateAudio(), received=3),
    )
    async with broken(*faults) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        await client.until("turnComplete")
        (late,) = await client.until("modelTurn")
        data = late["serverContent"]["modelTurn"]["parts"][0]["inlineData"]["data"]
        assert len(wire.decode_base64(data)) == 960
        await client.say("Again")
        assert await client.until("turnComplete")


async def test_a_fault_of_another_dial_does_nothing(broken, connect):
    async with broken(Fault(what=Drop(mid_frame=True), dial=9, sent=1)) as simulator:
        client = await connect(simulator)
        assert await client.setup() == {"setupComplete": {}}


async def test_faults_can_be_lifted(broken, connect, refused):
    repeat = Fault(what=Repeat(), message="setupComplete", times=0)
    refuse = Fault(what=RefuseUpgrade(status=503), dial=2)
    async with broken(repeat, refuse) as simulator:
        first = await connect(simulator)
        assert await first.setup() == await first.receive() == {"setupComplete": {}}
        assert [one.struck for one in simulator.connections] == [(Repeat(),)]
        assert (await refused(simulator)).status_code == 503
        simulator.lift_faults()
        second = await connect(simulator)
        await second.setup()
        assert await silent(second)
        await first.say("Hi")
        assert await first.until("turnComplete")
        assert [one.struck for one in simulator.connections] == [(Repeat(),), ()]


async def test_a_connection_tells_what_has_struck_it(broken, connect):
    async with broken(
        Fault(what=Mute(), after=0.0), Fault(what=Withhold(), message="turnComplete")
    ) as simulator:
        client = await connect(simulator)
        await client.setup()
        await client.say("Hi")
        (connection,) = simulator.connections
        assert await simulator.wait_for(lambda _: len(connection.struck) == 2)
        assert set(connection.struck) == {Mute(), Withhold()}


async def test_under_chaos_some_conversations_fail_and_the_simulator_lives_on(serve, gemini_path):
    ended = []
    async with serve(brain=Echo(), faults=Chaos(seed=5)) as simulator:
        url = f"ws://{simulator.host}:{simulator.port}{gemini_path}?key={simulator.connection['api_key']}"
        for _ in range(60):
            with trio.move_on_after(0.05):
                try:
                    async with trio_websocket.open_websocket_url(url) as client:
                        await client.send_message(SETUP)
                        await client.send_message(CONTENT)
                        while b"turnComplete" not in await client.get_message():
                            pass
                        ended.append("turn")
                except trio_websocket.ConnectionRejected as rejected:
                    ended.append(rejected.status_code)
                except trio_websocket.ConnectionClosed as closed:
                    ended.append(closed.reason.code)
        assert simulator.dials == 60
    assert ended.count("turn") > 20
    assert {503, 1006} <= set(ended)
