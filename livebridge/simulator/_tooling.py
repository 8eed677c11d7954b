"""The ledger of function calls the model waits for: which ones are open, and which answers count."""

from collections.abc import Iterable

import attrs

from livebridge import wire
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._records import ResultHeard


@attrs.frozen(kw_only=True)
class OpenCall:
    """A call without its (last) answer.

    Attributes:
        id: Its id.
        name: The function.
        blocking: Whether the model stands still until the answer.
        turn: The number of the model's turn that made the call, counted per connection.
    """

    id: str
    name: str
    blocking: bool
    turn: int


class OpenCalls:
    """Every open call of one connection; a resumed connection starts with none."""

    def __init__(self) -> None:
        self._open: dict[str, OpenCall] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def blocking(self) -> bool:
        """Whether the model stands still."""
        return any(call.blocking for call in self._open.values())

    def add(self, call: OpenCall) -> None:
        """The model has called."""
        self._open[call.id] = call

    def cancel(self, turn: int | None = None) -> list[str]:
        """Forget the calls of one turn of the model, or all; their ids."""
        ids = [call.id for call in self._open.values() if turn is None or call.turn == turn]
        for call_id in ids:
            del self._open[call_id]
        return ids

    def settle(self, response: wire.FunctionResponse, *, vertex: bool) -> tuple[ResultHeard, OpenCall | None]:
        """Match a response with its call; Vertex AI takes the function's name for want of an id.

        Returns:
            The record of the response, and the call it answers or ``None`` if it is to be ignored.
        """
        call = self._open.get(response.id or "")
        if call is None and vertex and response.id is None:
            call = next((one for one in self._open.values() if one.name == response.name), None)
        if call is not None and not response.will_continue:
            del self._open[call.id]
        record = ResultHeard(
            id=response.id,
            name=response.name or (None if call is None else call.name),
            response=response.response or {},
            scheduling=None if response.scheduling is None else str(response.scheduling),
            will_continue=bool(response.will_continue),
            accepted=call is not None,
        )
        return record, call


def is_blocking(conversation: Conversation, name: str) -> bool:
    """Whether the model waits for this function: by its declaration and by the model's habits."""
    if conversation.profile.non_blocking == "required":
        return False
    if conversation.profile.non_blocking == "stalls":
        return True
    declaration = conversation.declaration(name)
    return declaration is None or declaration.behavior != wire.Behavior.NON_BLOCKING


def names_of(results: Iterable[ResultHeard]) -> tuple[str, ...]:
    """The functions the results come from."""
    return tuple(result.name or "" for result in results)
