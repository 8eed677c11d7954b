"""What a tool can ask for beside its arguments, by annotating a parameter: session, call, and `ToolContext`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.session._tool_calls import Own, Run, Undo
from livebridge.session._tool_mark import Scheduling
from livebridge.session._verbs import Verbs


@attrs.define(eq=False, kw_only=True)
class ToolContext:
    """The call that a tool works on, and what can be done about it.

    A tool gets one by having a parameter annotated with this class; the model does not see that parameter. (A
    parameter annotated with `Session` or `livebridge.wire.FunctionCall` is filled in the same way.) Everything
    here works from the worker thread of a plain function, too.

    Example::

        @tool(behavior="non_blocking")
        async def book(people: int, context: ToolContext) -> str:
            booking = await reserve(people)
            context.on_cancel(booking.cancel)
            context.progress("the table is reserved, waiting for the kitchen")
            return await booking.confirmed()

    Attributes:
        session: The session whose model called.
        call: The call, with ``id``, ``name`` and ``args``.
    """

    session: Verbs
    call: wire.FunctionCall
    _progress: Callable[[object, Scheduling | None], bool]
    _on_cancel: Callable[[Undo], None]

    def on_cancel(self, callback: Undo) -> None:
        """Register what undoes the tool's work, should the model take the call back.

        It runs once the tool has ended, also if the tool had finished and its answer was still on its way. Several
        run in reverse order; one that raises is reported to ``on_error``. It does not run when the tool fails or
        times out, or when the session ends: the tool itself sees that.

        Args:
            callback: A function without arguments; what it returns is awaited if it can be.
        """
        self._in_trio(self._on_cancel, callback)

    def progress(self, value: object, *, scheduling: Scheduling | None = None) -> bool:
        """Send a part of the result before the tool is done (``willContinue``).

        Args:
            value: As a tool's result.
            scheduling: When the model takes it up; as the tool's answer by default.

        Returns:
            Whether it is sent. It is not where the model cannot take it (a blocking call, a model or backend
            without asynchronous calls), nor when nobody waits for it any more.

        Raises:
            ToolError: The value cannot be sent.
        """
        return self._in_trio(self._progress, value, scheduling)

    def _in_trio(self, function: Callable[..., bool | None], *arguments: object) -> bool:  # type: ignore[explicit-any]  # either of the two above
        if trio.lowlevel.in_trio_task():
            return bool(function(*arguments))
        return bool(trio.from_thread.run_sync(function, *arguments))


INJECTED: Final[Mapping[type, str]] = {Verbs: "session", wire.FunctionCall: "call", ToolContext: "context"}
"""What the session fills in, by the class that a parameter is annotated with."""


def own_for(session: Verbs) -> Own:
    """Make what fills in the parameters that the model does not see."""

    def own(run: Run, progress: Callable[[object, Scheduling | None], bool]) -> dict[str, object]:
        context = ToolContext(session=session, call=run.call, progress=progress, on_cancel=run.undo.append)
        return {"session": session, "call": run.call, "context": context}

    return own
