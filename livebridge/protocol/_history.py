"""The last turns of a conversation as text, to seed a fresh session that has forgotten it."""

from __future__ import annotations

from collections import deque

import attrs

from livebridge import wire
from livebridge.protocol._shapes import Turn


@attrs.define
class History:
    """Keeps what user and model said in the last turns.

    Args:
        turns: How many turns of the model are kept, each with what the user said before it; 0: none.
    """

    turns: int = 0
    _said: list[str] = attrs.field(factory=list)
    _past: deque[wire.Content] = attrs.field(factory=deque)

    def user_said(self, text: str) -> None:
        """Note words of the user that were sent as text."""
        if self.turns and text:
            self._said.append(text)

    def completed(self, turn: Turn) -> None:
        """Note a completed turn: the user's words before it, and the model's."""
        if not self.turns:
            return
        said = " ".join([*self._said, turn.input_transcript]).strip()
        self._said.clear()
        if said:
            self._past.append(_content("user", said))
        if turn.text:
            self._past.append(_content("model", turn.text))
        while len(self._past) > 2 * self.turns:
            self._past.popleft()

    def contents(self) -> tuple[wire.Content, ...]:
        """The turns to seed a fresh session with; the first one is the user's."""
        past = list(self._past)
        while past and past[0].role == "model":
            past.pop(0)
        return tuple(past)


def _content(role: str, text: str) -> wire.Content:
    return wire.Content(role=role, parts=(wire.Part(text=text),))
