"""Calls a bot's tools as a model would, through a simulator, and shows what the model saw."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.errors import ToolError
from livebridge.session import Handler, Session
from livebridge.simulator import (
    Action,
    Call,
    Conversation,
    Cue,
    LiveSimulator,
    ResultHeard,
    Say,
    ToolResults,
)

MODEL: Final = "gemini-3.1-flash-live-preview"
"""The model that a bot talks to unless its options name another one."""

PATIENCE_SECONDS: Final = 10.0
"""How long a tool may take, unless a call says otherwise."""


@attrs.frozen(kw_only=True)
class ToolAnswer:
    """What the model saw of a call.

    Attributes:
        name: The function.
        response: What it answered.
        scheduling: ``SILENT``, ``WHEN_IDLE``, ``INTERRUPT`` or ``None``.
        progress: What came before the answer, piece by piece (``willContinue``).
    """

    name: str
    response: Mapping[str, object]
    scheduling: str | None = None
    progress: tuple[Mapping[str, object], ...] = ()

    @property
    def error(self) -> str | None:
        """What the model was told had gone wrong; ``None`` if nothing had."""
        error = self.response.get("error")
        return None if error is None else str(error)


class ToolBench:
    """A bot in a session with a simulated model that makes the calls it is told to make.

    Attributes:
        session: The bot's session.
        simulator: The server that it talks to.
    """

    def __init__(self, session: Session, simulator: LiveSimulator, caller: Caller) -> None:
        self.session = session
        self.simulator = simulator
        self._caller = caller

    @property
    def declarations(self) -> Sequence[wire.FunctionDeclaration]:
        """The functions as the model knows them."""
        return self._conversation.declarations

    async def call(
        self, name: str, /, *, timeout: float = PATIENCE_SECONDS, **arguments: object
    ) -> ToolAnswer:
        """Have the model call a function.

        Args:
            name: The function, as the model knows it.
            timeout: Seconds for the answer.
            **arguments: The call's, as JSON has them; use `call_with` if one of them is named ``timeout``.

        Raises:
            ToolError: The bot has declared no such function.
            TimeoutError: No answer came in time.
            LivebridgeError: The session has ended.
        """
        return await self.call_with(name, arguments, timeout=timeout)

    async def call_with(
        self, name: str, arguments: Mapping[str, object], *, timeout: float = PATIENCE_SECONDS
    ) -> ToolAnswer:
        """Have the model call a function with these arguments; see `call`.

        Raises:
            ToolError: The bot has declared no such function.
            TimeoutError: No answer came in time.
            LivebridgeError: The session has ended.
        """
        if self._conversation.declaration(name) is None:
            known = ", ".join(each.name or "" for each in self.declarations) or "none"
            raise ToolError(f"the model knows no function {name}; it knows {known}")
        before = len(self._heard())
        self._caller.next = Call(name, dict(arguments))
        with trio.move_on_after(timeout):
            await self.session.send_text(f"Call {name}.")
            pieces = await self.simulator.wait_for(lambda _: self._answered(before))
            return _answer(name, pieces)
        raise TimeoutError(f"{name} gave no answer within {timeout:g} s")

    @property
    def _conversation(self) -> Conversation:
        return self.simulator.conversations[-1]

    def _heard(self) -> list[ResultHeard]:
        return self._conversation.heard.tool_results

    def _answered(self, before: int) -> list[ResultHeard]:
        pieces = self._heard()[before:]
        return pieces if pieces and not pieces[-1].will_continue else []


class Caller:
    """The brain: makes the call that is due, and is content with every answer."""

    next: Call | None = None

    def respond(self, conversation: Conversation, cue: Cue) -> Iterable[Action]:
        """Make the call that is due."""
        due, self.next = self.next, None
        if due is None or isinstance(cue, ToolResults):
            return [Say("Thank you.")]
        return [due]


@asynccontextmanager
async def tool_bench(handler: Handler | None = None, /, **options: object) -> AsyncIterator[ToolBench]:
    """Run a bot against a simulated model, to call its tools.

    ::

        async with tool_bench(Concierge()) as bench:
            answer = await bench.call("book_table", people=4, at="19:00")
        assert answer.response == {"status": "booked"}

    Args:
        handler: The bot; or give its callbacks and ``tools=`` as options.
        **options: Those of `livebridge.Session.start`; ``model`` has a default.

    Raises:
        LivebridgeError: As `livebridge.Session.start`.
    """
    caller = Caller()
    async with LiveSimulator.serve(brain=caller) as simulator:
        given = {"model": MODEL, **simulator.connection, **options}
        async with Session.start(handler, **given) as session:
            yield ToolBench(session, simulator, caller)


def _answer(name: str, pieces: Sequence[ResultHeard]) -> ToolAnswer:
    *progress, last = pieces
    return ToolAnswer(
        name=name,
        response=last.response,
        scheduling=last.scheduling,
        progress=tuple(piece.response for piece in progress),
    )
