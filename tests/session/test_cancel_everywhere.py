"""A cancellation at any step of any task loses nothing that is not reported, and leaves nothing behind."""

import contextlib
import itertools

import attrs
import pytest
import trio
import trio.testing

from livebridge.auth import VertexExpress
from livebridge.errors import LivebridgeError
from livebridge.session import Session

MODEL = "gemini-3.1-flash-live-preview"
ROUNDS = 2


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope (or does something else) just before the n-th task step that follows `arm`."""

    def __init__(self, step, strike=None):
        self.scope = trio.CancelScope()
        self._strike = strike or self.scope.cancel
        self.fired = False
        self._left = step
        self._armed = False

    def arm(self):
        self._armed = True

    def before_task_step(self, task):
        if self._armed and not self.fired:
            self._left -= 1
            if self._left == 0:
                self.fired = True
                self._strike()


@attrs.define
class Books:
    """What must balance after a run."""

    sent: list = attrs.field(factory=list)
    read: list = attrs.field(factory=list)
    closes: int = 0
    frames: list = attrs.field(factory=list)
    session: Session | None = None

    def check(self, live):
        live.check()
        session = self.session
        if session is None:
            return
        assert session.closed
        assert self.closes == 1, "on_close, once"
        texts = [text for line in live.lines for text in line.texts()]
        assert texts == list(dict.fromkeys(texts)), "nothing is written twice"
        assert texts == sorted(texts, key=int), "nothing is written out of order"
        statistics = session.statistics()
        undelivered = session._state.counters.undelivered
        accepted = session._state.outbox._seq
        answers = statistics.tool_calls_answered
        assert accepted - answers in (len(self.sent), len(self.sent) + 1), "cancelled means not accepted"
        arrived = sum(len(line.received) for line in live.lines)
        assert arrived + undelivered >= accepted, "accepted is written or reported"
        assert len(self.frames) + statistics.undispatched >= len(set(self.frames))
        assert self.frames == sorted(self.frames, key=int), "frames are dispatched in order"


async def _conversation(live, books, nursery):
    """Connect, talk, call a tool, lose the connection, rotate, close."""

    async def tool(call):
        await trio.sleep(0.01)
        return [{"id": each.id, "name": each.name, "response": {}} for each in call.function_calls]

    def on_close(_):
        books.closes += 1

    async def on_text(delta):
        books.frames.append(delta.text)
        await trio.lowlevel.checkpoint()

    options = live.options(on_text=on_text, on_tool_call=tool, on_close=on_close, outbox_messages=3)
    async with Session.start(**options) as session:
        books.session = session
        line = await live.line(1)
        for n in range(4):
            await session.send_text(str(n))
            books.sent.append(n)
        line.text("0", "1")
        line.resumable("h1")
        line.call({"id": "c", "name": "f"})
        await trio.sleep(0.1)
        line.drop()
        await session.send_text("4")
        books.sent.append(4)
        line = await live.line(2)
        line.text("2")
        line.resumable("h2")
        await session.wait_ready()
        line.go_away("10s")
        await session.send_text("5")
        books.sent.append(5)
        line = await live.line(3)
        line.text("3")
        await session.wait_ready()
        await session.close()


async def _abandoned(live, books, nursery):
    """Leave the block with an exception while a write is stuck and a callback is busy."""

    def on_close(_):
        books.closes += 1

    async def on_text(_):
        await trio.sleep(1)

    with contextlib.suppress(ZeroDivisionError):
        async with live.session(on_text=on_text, on_close=on_close) as session:
            books.session = session
            line = await live.line(1)
            line.text("0", "1")
            line.server.pause_reading()
            await session.send_text("0")
            books.sent.append(0)
            await trio.sleep(0.5)
            raise ZeroDivisionError


async def _transparent(live, books, nursery):
    """Acknowledgements and a replay."""

    def on_close(_):
        books.closes += 1

    async with live.session(
        auth=VertexExpress(api_key="k"),
        session_resumption={"transparent": True},
        on_close=on_close,
    ) as session:
        books.session = session
        line = await live.line(1)
        line.server.pause_reading()
        line.resumable("h", index=0)
        await session.send_text("0", wait="accepted")
        books.sent.append(0)
        await trio.sleep(0.1)
        line.drop()
        line = await live.line(2)
        await session.send_text("1", wait="written")
        books.sent.append(1)


@pytest.mark.parametrize("scenario", [_conversation, _abandoned, _transparent])
def test_invariant_10_a_session_cancelled_at_any_step_balances_its_books(make_live, scenario):
    runs = 0
    for _ in range(ROUNDS):
        for step in itertools.count(1):
            books = Books()
            instrument = CancelAtStep(step)
            trio.run(
                _one_run, make_live, scenario, books, instrument,
                clock=trio.testing.MockClock(autojump_threshold=0), instruments=[instrument],
            )  # fmt: skip
            if not instrument.fired:
                break
            runs += 1
    assert runs > 20


async def _one_run(make_live, scenario, books, instrument):
    live = make_live()
    async with trio.open_nursery() as nursery:
        await nursery.start(live.run)
        began = trio.current_time()
        with instrument.scope:
            instrument.arm()
            try:
                await scenario(live, books, nursery)
            except LivebridgeError as error:
                raise AssertionError("no error of ours may come out of a cancellation") from error
        assert trio.current_time() - began < 60
        if books.session is None and live.lines:
            assert live.open == 0
        books.check(live)
        nursery.cancel_scope.cancel()


def test_a_session_killed_at_any_step_leaves_nothing_behind(make_live):
    for step in itertools.count(1):
        books = Books()

        def kill(books=books):
            if books.session is not None:
                books.session.ref.kill()

        instrument = CancelAtStep(step, kill)
        trio.run(
            _killed_run, make_live, books, instrument,
            clock=trio.testing.MockClock(autojump_threshold=0), instruments=[instrument],
        )  # fmt: skip
        if not instrument.fired:
            break
    assert step > 20


async def _killed_run(make_live, books, instrument):
    live = make_live()
    async with trio.open_nursery() as nursery:
        await nursery.start(live.run)
        instrument.arm()
        with contextlib.suppress(LivebridgeError), trio.fail_after(100):
            await _conversation(live, books, nursery)
        live.check()
        assert books.closes <= 1
        nursery.cancel_scope.cancel()
