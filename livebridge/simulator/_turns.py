"""Takes turns: one answer of the model after the other, from the cue to ``turnComplete``.

::

    idle ──cue──▶ speaking ──last step──▶ playing ──played──▶ idle
                    │   ▲                    │
      blocking call │   │ results            │ interruption
                    ▼   │                    ▼
                   waiting ──interruption──▶ idle
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Literal, assert_never

from livebridge import wire
from livebridge.simulator._brains import Call, Cue, ToolResults, UserTurn
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._records import ResultHeard, Turn
from livebridge.simulator._refusals import Hangup
from livebridge.simulator._speaking import Ask, Emit, End, Pause, Speaker, Step
from livebridge.simulator._tokens import Count, count_text, count_turn, overflow, usage, window
from livebridge.simulator._tooling import OpenCall, OpenCalls, is_blocking, names_of
from livebridge.simulator._world import World

GENERATION_FACTOR: Final = 3.0
"""At real pace sound is generated this many times as fast as it plays."""

State = Literal["idle", "speaking", "waiting", "playing"]
Output = wire.ServerMessage | Hangup


class TurnTaker:
    """The model's half of one connection.

    Attributes:
        state: Where it stands; see the drawing above.
        due: When `advance` must be called next, ``None`` if nothing is to be done by itself.
        calls: Function calls that wait for their answers.
    """

    def __init__(
        self, world: World, conversation: Conversation, speaker: Speaker, emit: Callable[[Output], None]
    ) -> None:
        self.state: State = "idle"
        self.due: float | None = None
        self.calls = OpenCalls()
        self._world = world
        self._conversation = conversation
        self._speaker = speaker
        self._emit = emit
        self._cues: deque[Cue] = deque()
        self._steps: Iterator[Step] = iter(())
        self._collected: list[ResultHeard] = []
        self._prompt = Count()
        self._number = 0
        self._text = ""
        self._audio_seconds = 0.0
        self._played_at = 0.0
        self._thoughts = 0
        self._tool_tokens = 0
        self._names: tuple[str, ...] = ()

    @property
    def resumable(self) -> bool:
        """Whether a handle may be issued now."""
        return self.state == "idle" and not self.calls and not self._cues

    def begin(self, cue: Cue, *, now: float) -> None:
        """Answer the cue, or queue it if the model is busy."""
        if self.state != "idle":
            self._cues.append(cue)
            return
        self._compress()
        self._clear()
        self._number += 1
        self._prompt = self._context_tokens()
        self._answer(cue, now=now)
        speed = self._world.settings.speed
        if speed is not None and isinstance(cue, UserTurn):
            self.due = now + self._world.settings.latency / speed

    def interrupt(self, *, now: float) -> bool:
        """The user cuts in: what was being said ends, its calls are cancelled.

        Returns:
            Whether there was anything to interrupt.
        """
        if self.state == "idle":
            return False
        self._emit_content(wire.ServerContent(interrupted=True))
        cancelled = self.calls.cancel(self._number)
        self.cancelled(cancelled)
        self._collected.clear()
        self._complete(interrupted=True, now=now)
        return True

    def cancelled(self, ids: list[str]) -> None:
        """Tell the client that calls are taken back."""
        if ids:
            cancellation = wire.ToolCallCancellation(ids=ids)
            self._emit(wire.ServerMessage(tool_call_cancellation=cancellation))

    def cancel_calls(self, *, now: float) -> list[str]:
        """Take back every open call, as the server may; a model that stood still goes on without results.

        Returns:
            The ids of the calls.
        """
        ids = self.calls.cancel()
        self.cancelled(ids)
        if self.state == "waiting":
            self._finish(now=now)
        return ids

    def results(self, response: wire.ToolResponse, *, now: float) -> None:
        """Take the answers of functions; those nobody asked for are recorded and ignored."""
        ready: dict[str, list[ResultHeard]] = {}
        for function_response in response.function_responses or ():
            record, call = self.calls.settle(function_response, vertex=self._conversation.vertex)
            self._conversation.hear(record)
            if call is None:
                continue
            if call.blocking:
                self._collected.append(record)
            else:
                ready.setdefault(record.scheduling or "WHEN_IDLE", []).append(record)
        if self.state == "waiting" and not self.calls.blocking:
            results = tuple(self._collected)
            self._collected.clear()
            self._remember(results)
            self._answer(ToolResults(results=results), now=now)
        for scheduling, records in ready.items():
            self._late(tuple(records), scheduling, now=now)

    def advance(self, now: float) -> None:
        """Do what is due: one step of the answer, or the end of the turn."""
        if self.due is None or now < self.due:
            return
        if self.state == "playing":
            self._complete(interrupted=False, now=now)
            return
        step = next(self._steps, None)
        if step is None:
            self._finish(now=now)
        else:
            self._take(step, now)

    def _take(self, step: Step, now: float) -> None:
        match step:
            case Emit():
                self._say(step, now)
            case Ask():
                self._call(step.calls, now)
            case Pause():
                self.due = None if step.seconds is None else now + step.seconds
            case End():
                self._emit(step.hangup)
                self.due = None
            case _:
                assert_never(step)

    def _say(self, step: Emit, now: float) -> None:
        if step.message is not None:
            self._emit(step.message)
        self._text += step.text
        self._thoughts += count_text(step.thought)
        speed = self._world.settings.speed
        if step.audio:
            self._audio_seconds += step.seconds
            if speed is not None:
                self._played_at = max(self._played_at, now) + step.seconds / speed
        self.due = now if speed is None else now + step.seconds / (GENERATION_FACTOR * speed)

    def _call(self, calls: tuple[Call, ...], now: float) -> None:
        conversation = self._conversation
        function_calls = []
        for call in calls:
            call_id = self._world.make_call_id(vertex=conversation.vertex)
            self.calls.add(
                OpenCall(
                    id=call_id,
                    name=call.name,
                    blocking=is_blocking(conversation, call.name),
                    turn=self._number,
                )
            )
            function_calls.append(wire.FunctionCall(id=call_id, name=call.name, args=dict(call.args)))
            self._names += (call.name,)
        if conversation.profile.code_before_call and not conversation.vertex:
            self._emit_code(calls)
        self._emit(wire.ServerMessage(tool_call=wire.ToolCall(function_calls=function_calls)))
        if self.calls.blocking:
            self.state = "waiting"
            self.due = None
        else:
            self.due = now

    def _emit_code(self, calls: tuple[Call, ...]) -> None:
        lines = []
        for call in calls:
            arguments = ", ".join(f"{name}={value!r}" for name, value in call.args.items())
            lines.append(f"print(default_api.{call.name}({arguments}))")
        code = wire.ExecutableCode(code="\n".join(lines), language=wire.Language.PYTHON)
        turn = wire.Content(parts=[wire.Part(executable_code=code)])
        self._emit_content(wire.ServerContent(model_turn=turn))

    def _answer(self, cue: Cue, *, now: float) -> None:
        self._conversation.answers += 1
        if isinstance(cue, ToolResults):
            self._tool_tokens += sum(count_text(str(dict(result.response))) for result in cue.results)
        self.state = "speaking"
        self.due = now
        self._steps = self._speaker.steps(self._world.settings.brain.respond(self._conversation, cue))

    def _late(self, results: tuple[ResultHeard, ...], scheduling: str, *, now: float) -> None:
        """A NON_BLOCKING function has answered."""
        self._remember(results)
        if scheduling == wire.FunctionResponseScheduling.SILENT:
            return
        if scheduling == wire.FunctionResponseScheduling.INTERRUPT:
            self.interrupt(now=now)
        self.begin(ToolResults(results=results), now=now)

    def _remember(self, results: tuple[ResultHeard, ...]) -> None:
        text = wire.dumps([dict(result.response) for result in results]).decode()
        self._conversation.add(Turn(role="tool", text=text, source="tool", names=names_of(results)))

    def _finish(self, *, now: float) -> None:
        self._emit_content(wire.ServerContent(generation_complete=True))
        self.state = "playing"
        self.due = max(now, self._played_at)

    def _complete(self, *, interrupted: bool, now: float) -> None:
        turn = Turn(
            role="model",
            text=self._text,
            source="model",
            audio_seconds=self._audio_seconds,
            interrupted=interrupted,
            names=self._names,
        )
        if self._text or self._names or self._audio_seconds:
            self._conversation.add(turn)
        status = wire.InteractionStatus.IDLE if self._conversation.profile.interaction_status else None
        tokens = usage(self._prompt, count_turn(turn), thoughts=self._thoughts, tool_use=self._tool_tokens)
        content = wire.ServerContent(turn_complete=True, interaction_status=status)
        self._emit(wire.ServerMessage(server_content=content, usage_metadata=tokens))
        self.state = "idle"
        self.due = None
        self._clear()
        if self._cues:
            self.begin(self._cues.popleft(), now=now)

    def _context_tokens(self) -> Count:
        instruction = Count(text=count_text(self._conversation.instruction))
        return instruction + self._conversation.tokens

    def _compress(self) -> None:
        conversation = self._conversation
        limits = window(conversation.setup.context_window_compression, conversation.profile.context_tokens)
        if limits is None or conversation.tokens.total <= limits.trigger_tokens:
            return
        if dropped := overflow(conversation.turns, limits):
            conversation.forget(dropped)

    def _clear(self) -> None:
        self._steps = iter(())
        self._text = ""
        self._audio_seconds = 0.0
        self._played_at = 0.0
        self._thoughts = 0
        self._tool_tokens = 0
        self._names = ()

    def _emit_content(self, content: wire.ServerContent) -> None:
        self._emit(wire.ServerMessage(server_content=content))
