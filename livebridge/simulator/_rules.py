"""The default brain: calls the tools the user names, remembers what it was told, and makes conversation."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from livebridge import wire
from livebridge.simulator._arguments import fill
from livebridge.simulator._brains import Action, Call, Cue, Say, Think, ToolResults, UserTurn, result_text
from livebridge.simulator._conversation import Conversation
from livebridge.simulator._words import IN_A_NAME, root, words

_NAME: Final = re.compile(
    rf"\b(?:my name is|I(?: a|['\u2019])m called|call me) (\w[{IN_A_NAME}]*)", re.IGNORECASE
)
_ASK_NAME: Final = re.compile(
    r"\bwhat(?:['\u2019]s| is) my name\b|\bwho am I\b|\bdo you know my name\b", re.IGNORECASE
)
_REMEMBER: Final = re.compile(r"\bremember(?: that)?(?:\s*:?\s+|\s*\uff1a\s*)(.+)", re.IGNORECASE | re.DOTALL)
_ASK_FACTS: Final = re.compile(
    r"\bwhat (?:do|did|should) you (?:remember|know)|\bwhat did I tell you\b", re.IGNORECASE
)
_GREETING: Final = re.compile(r"^\W*(?:hello|hi|hey|good (?:morning|evening|day)|greetings)\b", re.IGNORECASE)
_GREET: Final = re.compile(r"\bgreet\b", re.IGNORECASE)
_THANKS: Final = re.compile(r"\b(?:thanks|thank you)\b", re.IGNORECASE)
_BYE: Final = re.compile(r"\b(?:good ?bye|see you)\b", re.IGNORECASE)
_QUESTION: Final = re.compile(r"^\W*(?:what|who|why|how|when|where|which)\b", re.IGNORECASE)
_QUESTION_MARKS: Final = ("?", "\uff1f", "؟")
_FULL_STOPS: Final = ".!。\uff01।"

_STOP_WORDS: Final = frozenset(
    {
        "a", "about", "an", "and", "are", "at", "be", "can", "could", "did", "do", "does", "for", "get", "has",
        "have", "how", "i", "in", "is", "it", "make", "me", "my", "now", "of", "on", "or", "please", "set", "some",
        "tell", "that", "the", "there", "this", "to", "was", "what", "when", "where", "which", "who", "why", "will",
        "with", "would", "you", "your",
    }
)  # fmt: skip


class Rules:
    """A brain of a dozen rules, for demonstrations and tests that need a partner rather than a script.

    - A declared function whose name the user's words contain ("what's the *weather* in Paris" and
      ``get_weather``) is called, its arguments filled from the words; then its result is spoken.
    - "my name is Alice" and "remember: …" are kept and given back on "what is my name" and "what do you remember".
    - Greetings, thanks and goodbyes are returned; everything else is answered with words built from what was said.

    It remembers through the conversation itself: what a resumption or compression forgets, it does not know.
    """

    def respond(self, conversation: Conversation, cue: Cue) -> Iterable[Action]:
        """Apply the first rule that fits."""
        if isinstance(cue, ToolResults):
            yield Say(_results(cue))
            return
        yield Think(f"The user said {cue.text!r}.")
        called = list(_calls(conversation, cue.text))
        if called:
            yield from called
            return
        yield Say(_answer(conversation, cue))


def _calls(conversation: Conversation, text: str) -> Iterator[Call]:
    said = {_stem(root(word)) for word in words(text.lower())}
    for declaration in conversation.declarations:
        if declaration.name and _names(declaration, said, text):
            yield Call(declaration.name, fill(declaration, text))


def _names(declaration: wire.FunctionDeclaration, said: set[str], text: str) -> bool:
    name = declaration.name or ""
    if name.lower() in text.lower():
        return True
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").replace("-", " ").lower().split()
    telling = {_stem(part) for part in parts if part not in _STOP_WORDS}
    return bool(telling) and telling <= said


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word.removesuffix(ending)
    return word


def _results(cue: ToolResults) -> str:
    told = [
        f"{(result.name or 'the tool').replace('_', ' ')} says {result_text(result.response)}."
        for result in cue.results
    ]
    sentence = " ".join(told)
    return sentence[:1].upper() + sentence[1:]


def _said(conversation: Conversation) -> Iterator[str]:
    """What the user has said, newest first."""
    for turn in reversed(conversation.turns):
        if turn.role == "user":
            yield turn.text


def _answer(conversation: Conversation, cue: UserTurn) -> str:
    text = cue.text.strip()
    for rule in (_about_memory, _about_manners):
        answer = rule(conversation, text)
        if answer is not None:
            return answer
    return _small_talk(conversation, cue)


def _about_memory(conversation: Conversation, text: str) -> str | None:
    if _ASK_NAME.search(text):
        name = next((found for said in _said(conversation) if (found := _name_in(said))), None)
        return f"Your name is {name}." if name else "You have not told me your name."
    if _ASK_FACTS.search(text):
        facts = [found for said in _said(conversation) if (found := _fact_in(said))]
        return (
            f"You told me: {'; '.join(reversed(facts))}."
            if facts
            else "You have not told me anything to remember."
        )
    name = _name_in(text)
    if name:
        return f"Nice to meet you, {name}."
    fact = _fact_in(text)
    return f"I will remember: {fact}." if fact else None


def _name_in(text: str) -> str | None:
    found = _NAME.search(text)
    return None if found is None else found[1]


def _fact_in(text: str) -> str | None:
    found = _REMEMBER.search(text)
    if found is None or text.rstrip().endswith(_QUESTION_MARKS):
        return None
    return found[1].strip().rstrip(_FULL_STOPS)


def _about_manners(conversation: Conversation, text: str) -> str | None:
    name = next((found for said in _said(conversation) if (found := _name_in(said))), None)
    address = f", {name}" if name else ""
    if _GREETING.search(text):
        return f"Hello{address}! How can I help you?"
    if _GREET.search(text):
        return f"Welcome{address}! It is good to have you here."
    if _THANKS.search(text):
        return f"You are welcome{address}."
    if _BYE.search(text):
        return f"Goodbye{address}! It was good to talk to you."
    return None


def _small_talk(conversation: Conversation, cue: UserTurn) -> str:
    if cue.source == "speech" and cue.text.startswith("("):
        return f"I heard you speak for {cue.audio_seconds:.1f} seconds, but I could not make out the words."
    if not cue.text.strip():
        return "I am listening."
    telling = [word for word in words(cue.text) if root(word).lower() not in _STOP_WORDS]
    topic = " ".join(telling[:6]) or cue.text.strip().rstrip("?") or "that"
    if _QUESTION.search(cue.text):
        answers = (
            f"That is a good question about {topic}. As a simulated model I can only say that it is worth asking.",
            f"You ask about {topic}. I am a simulator, so I would rather hear what you think.",
            f"About {topic} I know as much as a loopback address. What else can I do for you?",
        )
    else:
        answers = (
            f"I see: {topic}. Tell me more.",
            f"You mentioned {topic}. What happened next?",
            f"{topic[:1].upper()}{topic[1:]}, I understand. What would you like to do about it?",
        )
    return answers[conversation.answers % len(answers)]
