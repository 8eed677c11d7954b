"""The demonstration's brain: the simulator's rules, and three sentences of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from livebridge.simulator import Action, Conversation, Cue, Rules, Say, ToolResults

_ASKS_BACK: Final = re.compile(r"\bwhat (?:did|have) I (?:say|said|ask|asked|tell|told)\b", re.IGNORECASE)
_UNKNOWN: Final = "("
"""How the text of speech begins that the simulator could not recognise: ``(speech, 2.4 s)``."""


class Concierge:
    """`Rules` that also tells a weather report in one sentence, and what the user said before.

    It keeps no state: what it remembers is what the conversation on the server's side holds, so after a
    reconnect it knows exactly what the resumption handle brought back.
    """

    def __init__(self) -> None:
        self._rules = Rules()

    def respond(self, conversation: Conversation, cue: Cue) -> Iterable[Action]:
        """Answer."""
        if isinstance(cue, ToolResults):
            report = cue.results[0].response
            if {"city", "sky", "celsius"} <= set(report):
                yield Say(f"In {report['city']} it is {report['sky']}, with {report['celsius']} degrees.")
                return
        elif _ASKS_BACK.search(cue.text):
            yield Say(_recalled(conversation))
            return
        yield from self._rules.respond(conversation, cue)


def _recalled(conversation: Conversation) -> str:
    """What the user said before the question that was just asked."""
    before = conversation.heard.user_texts[:-1]
    words = [text for text in before if text and not text.startswith(_UNKNOWN)]
    if words:
        return f"You said: {' '.join(words)}"
    seconds = sum(turn.audio_seconds for turn in conversation.heard.utterances)
    if seconds:
        return f"You spoke for {seconds:.1f} seconds, in words I could not make out."
    return "You have not said anything before."
