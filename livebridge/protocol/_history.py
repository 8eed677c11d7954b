"""The last turns of a conversation as text, to seed a fresh session that has forgotten it."""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

from livebridge import wire
from livebridge.protocol._shapes import Turn

MAX_CHARACTERS: Final = 64_000
"""Of one seed: some sixteen thousand tokens, which any Live model takes."""


@attrs.define
class History:
    """Keeps what user and model said in the last turns.

    Args:
        turns: How many turns of the model are kept, each with what the user said before it; 0: none.

    Attributes:
        told: Numbers of the messages whose words are part of `contents`.
    """

    turns: int = 0
    told: deque[int] = attrs.field(factory=lambda: deque[int](maxlen=4096))
    _said: list[tuple[int, str]] = attrs.field(factory=list)
    _past: deque[wire.Content] = attrs.field(factory=deque)

    def user_said(self, text: str, *, seq: int = 0) -> None:
        """Note words of the user.

        Args:
            text: The words.
            seq: The number of the message that holds them; 0: they were spoken.
        """
        if self.turns and text:
            self._said.append((seq, text))

    def sent(self, message: wire.ClientMessage, *, seq: int) -> None:
        """Note the words in a message of the user, and those that it puts into the model's mouth."""
        given, content = message.realtime_input, message.client_content
        if given is not None and given.text is not None:
            self.user_said(given.text, seq=seq)
        for turn in () if content is None else content.turns or ():
            text = "\n".join(part.text for part in turn.parts or () if part.text)
            if turn.role == "model":
                self._take(text, before=None)
            elif turn.role in (None, "user"):
                self.user_said(text, seq=seq)

    def completed(self, turn: Turn, *, open_from: int | None = None) -> None:
        """Note a completed turn: the user's words before it, and the model's.

        Args:
            turn: The turn.
            open_from: The number of the first message that it does not answer.
        """
        if not self.turns:
            return
        self.user_said(turn.input_transcript)
        self._take(turn.text, before=open_from)

    def contents(self) -> tuple[wire.Content, ...]:
        """The turns to seed a fresh session with; the first one is the user's."""
        room = MAX_CHARACTERS
        past: list[wire.Content] = []
        for content in reversed(self._past):
            room -= sum(len(part.text or "") for part in content.parts or ())
            if room < 0:
                break
            past.insert(0, content)
        while past and past[0].role == "model":
            past.pop(0)
        return tuple(past)

    def _take(self, text: str, *, before: int | None) -> None:
        """The model has said something: what the user said until then lies in the past, too."""
        if not self.turns:
            return
        past = [(seq, said) for seq, said in self._said if before is None or seq < before]
        self._said = [(seq, said) for seq, said in self._said if before is not None and seq >= before]
        self.told.extend(seq for seq, _ in past)
        said = " ".join(said for _, said in past).strip()
        if said:
            self._past.append(_content("user", said))
        if text:
            self._past.append(_content("model", text))
        while len(self._past) > 2 * self.turns:
            self._past.popleft()


def _content(role: str, text: str) -> wire.Content:
    return wire.Content(role=role, parts=(wire.Part(text=text),))
