"""Whatever calls, cancellations, disconnects and tools do to each other: one answer for each id, or none."""

from functools import partial

import trio
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from livebridge.session import ToolContext, tool

ASYNCHRONOUS = "gemini-2.5-flash-native-audio-preview-12-2025"


async def fast(n: int) -> int:
    return n


async def slow(n: int) -> int:
    await trio.sleep(n)
    return n


async def fails(n: int) -> None:
    await trio.sleep(n % 3)
    raise ValueError(n)


async def stubborn(n: int) -> str:
    try:
        await trio.sleep(n + 2)
    except trio.Cancelled:
        with trio.CancelScope(shield=True):
            await trio.sleep(n)
    return "never mind"


async def spiteful(n: int) -> str:
    try:
        await trio.sleep(n + 2)
    except trio.Cancelled:
        raise ValueError("not now") from None
    return "fine"


@tool(timeout=3)
async def endless(n: int) -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep(20)


@tool(behavior="non_blocking", scheduling="silent")
async def background(n: int, context: ToolContext) -> int:
    context.on_cancel(partial(trio.sleep, 1))
    await trio.sleep(n)
    context.progress("half")
    await trio.sleep(n)
    return n


@tool(behavior="non_blocking")
async def pieces(n: int):
    """Yield."""
    for piece in range(n % 3):
        await trio.sleep(1)
        yield piece


TOOLS = (fast, slow, fails, stubborn, spiteful, endless, background, pieces)
NAMES = [*(each.__name__ for each in TOOLS), "unknown"]

calls = st.lists(
    st.tuples(st.sampled_from(NAMES), st.one_of(st.integers(0, 4), st.just("wrong"))), min_size=1, max_size=4
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("call"), calls),
        st.tuples(st.just("again"), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.lists(st.integers(0, 20), min_size=1, max_size=3)),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.0])),
        st.tuples(
            st.sampled_from(["interrupt", "drop", "resumable", "go_away", "pause", "resume"]), st.none()
        ),
    ),
    min_size=1,
    max_size=14,
)


class Model:
    """The server's side, and its account of who was called, answered and cancelled."""

    def __init__(self, live, session, line):
        self.live = live
        self.session = session
        self.line = line
        self.ids: list[str] = []
        self.called_on: dict[str, int] = {}
        self.cancelled: dict[str, int] = {}
        self.messages: dict[str, dict] = {}

    async def do(self, what, argument):
        await getattr(self, f"_{what}")(argument)

    async def _call(self, calls):
        ids = [f"c{len(self.ids) + index}" for index in range(len(calls))]
        self.ids += ids
        given = [
            {"id": call_id, "name": name, "args": {"n": n}}
            for call_id, (name, n) in zip(ids, calls, strict=True)
        ]
        for each in given:
            self.messages[each["id"]] = each
            self.called_on[each["id"]] = self.line.number
        self.line.call(*given)

    async def _again(self, index):
        here = [each for each in self.ids if self.called_on[each] == self.line.number]
        if here and here[index % len(here)] not in self.cancelled:
            self.line.call(self.messages[here[index % len(here)]])

    async def _cancel(self, indices):
        here = [each for each in self.ids if self.called_on[each] == self.line.number]
        ids = [here[index % len(here)] for index in indices if here]
        self.line.cancel(*ids)
        await trio.testing.wait_all_tasks_blocked()
        answered = {answer["id"] for answer in self.line.responses() if not answer.get("willContinue")}
        for each in ids:
            if each not in answered:
                self.cancelled[each] = sum(answer["id"] == each for answer in self.line.responses())

    async def _wait(self, seconds):
        await trio.sleep(seconds)

    async def _interrupt(self, _):
        self.line.say({"serverContent": {"interrupted": True}})

    async def _resumable(self, _):
        self.line.resumable(f"h{len(self.ids)}")

    async def _go_away(self, _):
        self.line.go_away("3s")
        await self._next_line(self.line.number + 1)

    async def _drop(self, _):
        self.line.drop()
        await self._next_line(self.line.number + 1)

    async def _pause(self, _):
        """Stop reading: what is accepted from now on waits in the outbox, behind a word of the user."""
        await trio.testing.wait_all_tasks_blocked()
        self.line.server.pause_reading()
        await self.session.send_text("filler")
        await trio.testing.wait_all_tasks_blocked()

    async def _resume(self, _):
        self.line.server.resume_reading()

    async def _next_line(self, number):
        self.line.server.resume_reading()
        self.line = await self.live.line(number)

    def check(self, policy):
        per_line = {line.number: line.responses() for line in self.live.lines}
        for line in self.live.lines:
            kinds = {kind for message in line.received for kind in message}
            assert kinds <= {"toolResponse", "clientContent"}
            told = [text for text in line.texts() if text != "filler"]
            assert policy == "as_content" or not told
        for call_id in self.ids:
            lines = [
                number
                for number, answers in per_line.items()
                for answer in answers
                if answer["id"] == call_id and not answer.get("willContinue")
            ]
            assert len(lines) <= 1, f"{call_id} was answered {len(lines)} times"
            if call_id in self.cancelled:
                heard = sum(answer["id"] == call_id for answers in per_line.values() for answer in answers)
                assert heard == self.cancelled[call_id], f"{call_id} was heard of after its cancellation"
                event("cancelled")
            elif policy == "send" or self.called_on[call_id] == self.line.number:
                assert len(lines) == 1, f"{call_id} was not answered"
                event("answered")
            else:
                assert set(lines) <= {self.called_on[call_id]}, f"{call_id} was answered to a stranger"
                event("answered or orphaned")
        known = set(self.ids)
        assert {answer["id"] for answers in per_line.values() for answer in answers} <= known


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=steps,
    policy=st.sampled_from(["drop", "send", "as_content", "reattach"]),
    mode=st.sampled_from(["batch", "each"]),
    limit=st.sampled_from([1, 3, 8]),
)
def test_every_call_is_answered_once_or_cancelled_and_nothing_else_is_said(world, steps, policy, mode, limit):
    async def scenario(live):
        options = {"tools": list(TOOLS), "model": ASYNCHRONOUS, "keep_audio": False, "stall": None}
        options |= {"orphan_tool_results": policy, "tool_response_mode": mode, "max_concurrent_tools": limit}
        async with live.session(on_audio=lambda _: None, **options) as session:
            model = Model(live, session, await live.line(1))
            for what, argument in steps:
                await model.do(what, argument)
            model.line.server.resume_reading()
            await trio.sleep(200 if limit > 1 else 2000)
            if model.line.number != len(live.lines):
                model.line = live.lines[-1]
            model.check(policy)
            assert dict(session.pending_tool_calls) == {}
            statistics = session.statistics()
            assert statistics.tools_running == 0
            assert statistics.tool_calls_cancelled == len(model.cancelled)

    world(scenario)
