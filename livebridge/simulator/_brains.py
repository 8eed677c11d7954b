"""What decides what the model says: the small protocol between a conversation and its brain, and two plain brains."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs

from livebridge import wire
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._records import ResultHeard, Source
from livebridge.simulator._refusals import Hangup


@attrs.frozen(kw_only=True)
class UserTurn:
    """The user has finished a turn.

    Attributes:
        text: What was said; speech as it was recognised.
        source: How it came: ``content``, ``text`` or ``speech``.
        audio_seconds: Seconds of sound in it.
        images: Images in it.
    """

    text: str
    source: Source
    audio_seconds: float = 0.0
    images: int = 0


@attrs.frozen(kw_only=True)
class ToolResults:
    """Functions the model called have answered."""

    results: tuple[ResultHeard, ...]


Cue = UserTurn | ToolResults
"""What a brain is asked with."""


@attrs.frozen
class Say:
    """Say a text: as sound or as text, whatever the session's modality is."""

    text: str


@attrs.frozen
class Think:
    """A thought: a text part with ``thought: true``, sent if the setup includes thoughts."""

    text: str


@attrs.frozen
class Call:
    """Call a function. Neighbouring calls go out in one ``toolCall``.

    A call of a BLOCKING function ends what the brain has to say: it is asked again with `ToolResults`. After calls
    of NON_BLOCKING functions it goes on.
    """

    name: str
    args: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class Wait:
    """Pause for some seconds of the simulator's clock, whatever the pace."""

    seconds: float


@attrs.frozen
class Stall:
    """Say nothing more and never finish the turn, as the real model sometimes does. An interruption ends it."""


@attrs.frozen
class Send:
    """Send this message as it is, for example with grounding metadata."""

    message: wire.ServerMessage


@attrs.frozen
class HangUp:
    """End the connection."""

    hangup: Hangup


Action = Say | Think | Call | Wait | Stall | Send | HangUp
"""What a brain can do. A plain ``str`` in a script is a `Say`."""


@runtime_checkable
class Brain(Protocol):
    """Decides what the model says.

    One brain serves every conversation of a simulator: keep no state in it, read it off the conversation, which a
    resumption takes back in time.
    """

    def respond(self, conversation: Conversation, cue: Cue) -> Iterable[Action]:
        """Answer the user, or go on after tool results.

        Invoked once per answer; what it yields is taken one by one, as the generation proceeds, and no further
        when the user interrupts. Yielding nothing gives an empty turn.

        Args:
            conversation: Everything the model knows.
            cue: What just came in.
        """
        ...


class Echo:
    """Says what it heard: the user's words, or the results of tools as text."""

    def respond(self, conversation: Conversation, cue: Cue) -> Iterable[Action]:
        """Repeat the cue."""
        del conversation
        if isinstance(cue, UserTurn):
            yield Say(cue.text)
        else:
            yield Say(" ".join(f"{result.name}: {result_text(result.response)}" for result in cue.results))


class Script:
    """Says given turns, one per answer the model is asked for.

    ::

        Script(["Hello!", [Call("get_weather", {"city": "Paris"})], "It is sunny."])

    The second entry answers the user's second turn with a call; the third one follows its result. Where a
    conversation stands is part of its state: a resumption that forgets an answer gives it again.

    Args:
        answers: A text, an action or a sequence of them for each answer. When they are used up the model says
            ``after``.
        after: What to say then.
    """

    def __init__(
        self,
        answers: Iterable[str | Action | Sequence[str | Action]],
        *,
        after: str = "That was the end of the script.",
    ) -> None:
        self._answers = [_actions(answer) for answer in answers]
        self._after = after

    def respond(self, conversation: Conversation, cue: Cue) -> Iterable[Action]:
        """Give the next answer of the script."""
        del cue
        position = conversation.answers - 1
        if position < len(self._answers):
            return self._answers[position]
        return [Say(self._after)]


def _actions(answer: str | Action | Sequence[str | Action]) -> list[Action]:
    if isinstance(answer, str):
        return [Say(answer)]
    if isinstance(answer, Sequence):
        return [Say(part) if isinstance(part, str) else part for part in answer]
    return [answer]


def result_text(response: Mapping[str, object]) -> str:
    """A function's response in words: its ``output`` or ``error`` or ``result``, or ``key: value`` pairs."""
    for key in ("output", "result"):
        if key in response:
            return spoken(response[key])
    if "error" in response:
        return f"an error: {spoken(response['error'])}"
    return spoken(response)


def spoken(value: object) -> str:
    """A JSON value as words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {spoken(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(spoken(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)
