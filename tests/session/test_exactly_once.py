"""Transparent resumption: whatever the network does, the server has read what was accepted, once, in order."""

import attrs
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebridge.auth import VertexExpress
from livebridge.errors import ConnectError
from livebridge.protocol import ReconnectPolicy

MODEL = "gemini-3.1-flash-live-preview"


@attrs.frozen(kw_only=True)
class Schedule:
    """What happens to one session."""

    messages: int
    gaps: tuple[int, ...]
    callback_delays: tuple[int, ...]
    drops: tuple[int, ...]
    refusals: tuple[int, ...]
    cut_setups: tuple[int, ...]
    goaways: tuple[int, ...]
    inbox: int
    outbox: int
    cadence: int
    unresumable_every: int
    lag: int
    closes_early: bool
    forwards: bool


def _milliseconds(top, *, at_most):
    return st.lists(st.integers(0, top), min_size=1, max_size=at_most).map(tuple)


schedules = st.builds(
    Schedule,
    messages=st.integers(1, 40),
    gaps=_milliseconds(300, at_most=8),
    callback_delays=_milliseconds(400, at_most=5),
    drops=st.lists(st.integers(0, 3000), max_size=12).map(tuple),
    refusals=st.lists(st.integers(0, 2), max_size=6).map(tuple),
    cut_setups=st.lists(st.booleans().map(int), max_size=6).map(tuple),
    goaways=st.lists(st.integers(0, 5000), max_size=3).map(tuple),
    inbox=st.sampled_from([1, 2, 4, 64]),
    outbox=st.integers(1, 16),
    cadence=st.integers(1, 6),
    unresumable_every=st.integers(2, 5),
    lag=st.integers(0, 50),
    closes_early=st.booleans(),
    forwards=st.booleans(),
)


@attrs.define
class Conversation:
    """The server's memory: a state, and a snapshot of it behind every handle."""

    schedule: Schedule
    state: list[str] = attrs.field(factory=list)
    snapshots: dict[str, tuple[list[str], int]] = attrs.field(factory=dict)
    said: list[str] = attrs.field(factory=list)
    updates: int = 0

    async def begin(self, line):
        """A setup arrived: restore what its handle stands for."""
        self.state = list(self.snapshots[line.handle][0]) if line.handle else []
        if self.schedule.cut_setups and line.number - 2 in range(len(self.schedule.cut_setups)):
            previous = self.schedule.cut_setups[line.number - 3] if line.number > 2 else 0
            if self.schedule.cut_setups[line.number - 2] and not previous:
                line.drop()
                return
        line.complete()
        if not line.handle:
            self.snapshots["h0"] = ([], 0)
            line.resumable("h0", index=0)

    def read(self, line, message):
        """A client message was read; now and then the client is told how far we are, and often something else."""
        (text,) = message["realtimeInput"]["text"].split()
        self.state.append(text)
        consumed = len(line.received)
        self.said.append(f"{line.number}:{len(self.said)}")
        line.text(self.said[-1])
        if consumed % self.schedule.cadence == 0:
            self.updates += 1
            if self.updates % self.schedule.unresumable_every == 0:
                line.say(
                    {
                        "sessionResumptionUpdate": {
                            "resumable": False,
                            "lastConsumedClientMessageIndex": consumed,
                        }
                    }
                )
                return
            handle = f"h{len(self.snapshots)}"
            self.snapshots[handle] = (list(self.state), consumed)
            line.resumable(handle, index=consumed)


async def _calm(session):
    """Wait until nothing has happened for a while."""
    epoch = 0
    while epoch != session.epoch or session.status != "ready" or session.statistics().pending_sends:
        epoch = session.epoch
        await trio.sleep(12)
        while session.statistics().inbox_depth:
            await trio.sleep(1)


async def _scenario(live, log, schedule):
    talk = Conversation(schedule)
    live.forwarding = schedule.forwards
    live.default = talk.begin
    live.on_message = talk.read
    delays = iter(schedule.callback_delays * 1000)
    epochs = []

    async def on_text(delta):
        log.add("on_text", delta.text)
        epochs.append(delta.epoch)
        await trio.sleep(next(delays) / 1000)

    async def faults():
        for after in schedule.drops:
            await trio.sleep(after / 1000)
            for refusal in schedule.refusals[:1]:
                live.refuse(*(ConnectError("no", phase="dial") for _ in range(refusal)))
            if live.lines:
                live.lines[-1].drop()

        live.network._refusals.clear()
        peace.set()

    async def go_away():
        for after in schedule.goaways:
            await trio.sleep(after / 1000)
            if live.lines:
                live.lines[-1].go_away("5s")

    accepted = []
    peace = trio.Event()
    async with trio.open_nursery() as nursery:
        async with live.session(
            model=MODEL,
            auth=VertexExpress(api_key="k"),
            session_resumption={"transparent": True},
            on_text=on_text,
            inbox_frames=schedule.inbox,
            outbox_messages=schedule.outbox,
            content_max_age=None,
            reconnect=ReconnectPolicy(max_outage=None),
            close_timeout=600,
            **log.callbacks("on_resumed", "on_session_lost", "on_error", "on_close"),
        ) as session:
            while session.handle is None:
                await trio.sleep(0.001)
            nursery.start_soon(faults)
            nursery.start_soon(go_away)
            for n in range(schedule.messages):
                await session.send_text(str(n))
                accepted.append(str(n))
                await trio.sleep(schedule.gaps[n % len(schedule.gaps)] / 1000)
            if not schedule.closes_early:
                await peace.wait()
                await _calm(session)
            read = session.statistics().messages_received
            result = await session.close()
        nursery.cancel_scope.cancel()
    assert log.of("on_session_lost") == []
    assert log.of("on_error") == []
    if result.undelivered:
        assert schedule.closes_early
        assert talk.state == accepted[: len(talk.state)]
        assert len(talk.state) + result.undelivered >= len(accepted)
    else:
        assert talk.state == accepted
    assert read is not None
    heard = log.of("on_text")
    assert len(set(heard)) == len(heard), "nothing is dispatched twice"
    numbers = [int(each.split(":")[1]) for each in heard]
    assert numbers == sorted(numbers), "everything is dispatched in order"
    assert epochs == sorted(epochs)
    resumed = [info.epoch for info in log.of("on_resumed")]
    assert resumed == list(range(2, 2 + len(resumed)))
    assert log.names.count("on_close") == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=schedules)
def test_invariant_26_the_server_has_read_exactly_what_was_accepted(world, new_log, schedule):
    world(lambda live: _scenario(live, new_log(), schedule))


@pytest.mark.soak
@settings(max_examples=4000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=schedules)
def test_invariant_26_the_server_has_read_exactly_what_was_accepted_for_thousands_of_schedules(
    world, new_log, schedule
):
    world(lambda live: _scenario(live, new_log(), schedule))
