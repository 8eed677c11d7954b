"""Checked by mypy, never run: blocking sessions have the types of the async ones."""

from concurrent.futures import Future
from typing import assert_type

from livebridge import LiveBridgeThread, Session, Status, Turn, wire
from livebridge.protocol import CloseInfo
from livebridge.rest import Model, Models
from livebridge.session import CloseResult, SendReceipt, Statistics
from livebridge.simulator import LiveSimulator
from livebridge.threads import BlockingSession, in_thread


@in_thread
def store(turn: Turn) -> int:
    return len(turn.text)


def use_a_bridge() -> None:
    with LiveBridgeThread() as bridge, bridge.hold(LiveSimulator.serve()) as simulator:
        assert_type(simulator, LiveSimulator)
        assert_type(bridge.run(Models.list), list[Model])
        assert_type(bridge.submit(Models.list), Future[list[Model]])
        assert_type(bridge.start.submit(model="m"), Future[BlockingSession])
        with bridge.within(5).start(model="m", on_turn_complete=store) as session:
            assert_type(session, BlockingSession)
            use_a_session(session)


def use_a_session(session: BlockingSession) -> None:
    assert_type(session.ask("Hello", timeout=3), Turn)
    assert_type(session.ask.submit("Hello", timeout=3), Future[Turn])
    assert_type(session.within(3).receive(), wire.ServerMessage | None)
    assert_type(session.send_text("Hello", wait="written"), SendReceipt)
    assert_type(session.send_media_stream([b""]), float)
    assert_type(session.status, Status)
    assert_type(session.handle, str | None)
    assert_type(session.statistics(), Statistics)
    assert_type(session.wait_closed(), CloseInfo)
    assert_type(session.close(), CloseResult)
    assert_type(session.session, Session)
    with session.messages() as messages:
        for message in messages:
            assert_type(message, wire.ServerMessage)
    session.ask(3)  # type: ignore[arg-type]  # the signature is that of Session.ask
    session.send_audio(b"", speed=2)  # type: ignore[call-arg]  # as above
