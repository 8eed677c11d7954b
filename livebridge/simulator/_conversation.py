"""A conversation: the state on the server's side that outlives connections."""

from collections.abc import Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._ledger import Ledger, Mark
from livebridge.simulator._profiles import Profile
from livebridge.simulator._records import Heard, Input, Turn
from livebridge.simulator._tokens import Count, count, count_turn

KEPT_CONNECTIONS: Final = 100
"""So many of them are remembered when records are dropped."""


@attrs.frozen(kw_only=True)
class ConnectionRecord:
    """One connection in the history of a conversation.

    Attributes:
        number: 1 for the first connection of the simulator, counted over all conversations.
        resumed: Whether it came with a handle.
        opened_at: Clock time of ``setupComplete``, in seconds of the simulator's clock.
    """

    number: int
    resumed: bool
    opened_at: float


@attrs.frozen(kw_only=True)
class Snapshot:
    """A conversation at one moment; a resumption handle points at one."""

    inputs: Mark[Input]
    turns: Mark[Turn]
    forgotten: int
    answers: int
    tokens: Count


class Conversation:
    """What the server knows of one session, over all of its connections.

    Attributes:
        id: The session id; Vertex AI tells it in ``setupComplete``.
        model: The model's plain name.
        vertex: Whether the client came by the Vertex AI path.
        setup: The setup in force, with what ``contextUpdate`` has changed.
        profile: The model's habits.
        connections: Every connection this conversation has had, oldest first; beside the first only the newest
            hundred, once records have been dropped.
        connected: Whether one of them is open.
        ended_at: When the last connection ended, ``None`` before that.
        answers: How many times the model was asked for an answer.
        compressions: How many times the context was cut.
        tokens: What the context costs, instruction left out.
    """

    def __init__(
        self, *, session_id: str, model: str, vertex: bool, setup: wire.Setup, profile: Profile
    ) -> None:
        self.id: str = session_id
        self.model: str = model
        self.vertex: bool = vertex
        self.setup: wire.Setup = setup
        self.profile: Profile = profile
        self.connections: list[ConnectionRecord] = []
        self.connected: bool = False
        self.ended_at: float | None = None
        self.answers: int = 0
        self.compressions: int = 0
        self.tokens: Count = Count()
        self._inputs: Ledger[Input] = Ledger()
        self._turns: Ledger[Turn] = Ledger()
        self._forgotten = 0

    def __repr__(self) -> str:
        return f"<Conversation {self.model}: {len(self.turns)} turns, {len(self.connections)} connections>"

    @property
    def heard(self) -> Heard:
        """What the client has said, as the state holds it now."""
        return Heard(inputs=tuple(self._inputs), history=tuple(self._turns))

    @property
    def history(self) -> Sequence[Turn]:
        """Every turn of both sides, what compression has cut included, what `drop_records` has dropped not."""
        return self._turns.items

    @property
    def turns(self) -> Sequence[Turn]:
        """The context: what the model sees now."""
        return self.history[max(0, self._forgotten - self._turns.forgotten) :]

    @property
    def declarations(self) -> Sequence[wire.FunctionDeclaration]:
        """Every function the client offers."""
        return [
            declaration for tool in self.setup.tools or () for declaration in tool.function_declarations or ()
        ]

    @property
    def instruction(self) -> str:
        """The text of the system instruction, empty without one."""
        content = self.setup.system_instruction
        return "" if content is None else text_of(content)

    @property
    def length(self) -> int:
        """How many things have happened; it grows with each of them and shrinks with a resumption."""
        return self._inputs.end + self._turns.end

    def declaration(self, name: str) -> wire.FunctionDeclaration | None:
        """The declared function of that name, ``None`` if there is none."""
        return next((one for one in self.declarations if one.name == name), None)

    def hear(self, received: Input) -> None:
        """Remember what the client sent."""
        self._inputs.append(received)

    def add(self, turn: Turn) -> None:
        """Append to the context."""
        self._turns.append(turn)
        self.tokens += count_turn(turn)

    def forget(self, turns: int) -> None:
        """Cut the oldest turns off the context."""
        self._forgotten = max(self._forgotten, self._turns.forgotten) + turns
        self.tokens = count(self.turns)
        self.compressions += 1

    def update(self, update: wire.ContextUpdate) -> None:
        """Replace the system instruction or the tools from here on."""
        if update.system_instruction is not None:
            self.setup = attrs.evolve(self.setup, system_instruction=update.system_instruction)
        if update.tools is not None:
            self.setup = attrs.evolve(self.setup, tools=update.tools.tools or ())

    def drop_records(self, *, before: Snapshot) -> Heard:
        """Keep no record of what came before a moment, neither in `heard` nor in what the model sees.

        Returns:
            What is dropped.
        """
        heard = Heard(inputs=self._inputs.forget(before.inputs), history=self._turns.forget(before.turns))
        if heard.history:
            self.tokens = count(self.turns)
        # the first one says when the session began
        del self.connections[1:-KEPT_CONNECTIONS]
        return heard

    def snapshot(self) -> Snapshot:
        """This moment."""
        return Snapshot(
            inputs=self._inputs.mark(),
            turns=self._turns.mark(),
            forgotten=self._forgotten,
            answers=self.answers,
            tokens=self.tokens,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a moment; the setup in force is not touched."""
        self._inputs.restore(snapshot.inputs)
        self._turns.restore(snapshot.turns)
        self._forgotten = snapshot.forgotten
        self.answers = snapshot.answers
        self.tokens = snapshot.tokens


def text_of(content: wire.Content) -> str:
    """The texts of a content's parts, thoughts left out, joined."""
    return "".join(part.text for part in content.parts or () if part.text and not part.thought)
