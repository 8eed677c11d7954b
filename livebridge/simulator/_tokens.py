"""Counts tokens the way Google's documentation says: per character, per second of sound, per image."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._records import Turn

CHARACTERS_PER_TOKEN: Final = 4
AUDIO_TOKENS_PER_SECOND: Final = 25
TOKENS_PER_IMAGE: Final = 258

TRIGGER_SHARE: Final = 0.8
"""Compression starts, by default, when the context fills this share of the window."""

TARGET_SHARE: Final = 0.5
"""And leaves, by default, this share of the trigger."""


@attrs.frozen(kw_only=True)
class Count:
    """Tokens by modality."""

    text: int = 0
    audio: int = 0
    image: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.text + self.audio + self.image

    def __add__(self, other: "Count") -> "Count":
        return Count(
            text=self.text + other.text, audio=self.audio + other.audio, image=self.image + other.image
        )

    def details(self) -> list[wire.ModalityTokenCount]:
        """The wire's list; modalities without tokens are left out."""
        named = (("TEXT", self.text), ("AUDIO", self.audio), ("IMAGE", self.image))
        return [
            wire.ModalityTokenCount(modality=wire.MediaModality(modality), token_count=count)
            for modality, count in named
            if count
        ]


def count_text(text: str) -> int:
    """Tokens of a text."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def count_turn(turn: Turn) -> Count:
    """Tokens of one entry of the context. Speech costs its seconds, not its recognised text."""
    audio = math.ceil(turn.audio_seconds * AUDIO_TOKENS_PER_SECOND)
    return Count(
        text=0 if audio else count_text(turn.text), audio=audio, image=turn.images * TOKENS_PER_IMAGE
    )


def count(turns: Iterable[Turn]) -> Count:
    """Tokens of a context."""
    return sum((count_turn(turn) for turn in turns), Count())


@attrs.frozen(kw_only=True)
class Window:
    """When a context is cut, and down to what."""

    trigger_tokens: int
    target_tokens: int


def window(config: wire.ContextWindowCompressionConfig | None, context_tokens: int) -> Window | None:
    """The sliding window a setup asks for, ``None`` without compression."""
    if config is None or config.sliding_window is None:
        return None
    trigger = config.trigger_tokens or int(context_tokens * TRIGGER_SHARE)
    return Window(
        trigger_tokens=trigger,
        target_tokens=config.sliding_window.target_tokens or int(trigger * TARGET_SHARE),
    )


def overflow(turns: Sequence[Turn], limits: Window) -> int:
    """How many of the oldest turns a sliding window drops; 0 below the trigger.

    The window then starts with a turn of the user, as documented; the newest turn always stays.
    """
    remaining = count(turns).total
    if remaining <= limits.trigger_tokens:
        return 0
    dropped = 0
    while dropped < len(turns) - 1 and (remaining > limits.target_tokens or turns[dropped].role != "user"):
        remaining -= count_turn(turns[dropped]).total
        dropped += 1
    return dropped


def usage(prompt: Count, response: Count, *, thoughts: int, tool_use: int) -> wire.UsageMetadata:
    """The ``usageMetadata`` of a turn. The codec gives each backend its own names."""
    return wire.UsageMetadata(
        prompt_token_count=prompt.total,
        response_token_count=response.total or None,
        thoughts_token_count=thoughts or None,
        tool_use_prompt_token_count=tool_use or None,
        total_token_count=prompt.total + response.total + thoughts + tool_use,
        prompt_tokens_details=prompt.details() or None,
        response_tokens_details=response.details() or None,
    )
