"""What a conversation cost: one normalised token count, its addition, and the sum over turns.

The two backends count alike but name differently (``responseTokenCount`` here, ``candidatesTokenCount``
there); the codec has made one message class of both, this module makes one value of it that can be added.

How totals are formed. A report (`UsageMetadata`) rides on the message that completes a turn and counts that
whole turn, the re-read context included, so the cost of a session is the *sum over its turns*. Within one
turn a server may report more than once; the reports are cumulative, so a later one replaces the counts of an
earlier one (details that it leaves out stay known). A report behind the end of a turn is a repeat, which changes
nothing, or what the turn had not been told yet; after a turn whose own report came with its end, other counts
belong to the next turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from livebridge import wire

_COUNTS: Final = (
    "prompt_token_count",
    "output_token_count",
    "thoughts_token_count",
    "tool_use_prompt_token_count",
    "cached_content_token_count",
    "total_token_count",
)

_EXTRAS: Final = (
    "prompt_tokens_details",
    "output_tokens_details",
    "cache_tokens_details",
    "tool_use_prompt_tokens_details",
    "traffic_type",
    "service_tier",
)


@attrs.frozen(kw_only=True)
class Usage:
    """Token counts of a turn, or of a whole session. Two of them can be added.

    Attributes:
        prompt_token_count: Tokens read: the whole context as it was for this turn.
        output_token_count: Tokens of the answer, thoughts not included.
        thoughts_token_count: Tokens of the model's thinking.
        tool_use_prompt_token_count: Tokens of tool results that the model read.
        cached_content_token_count: The part of the prompt that came from the cache.
        total_token_count: What the server gave as the total; the sum of prompt, output, thoughts and tool
            results where it gave none.
        prompt_tokens_details: The prompt by modality.
        output_tokens_details: The answer by modality.
        cache_tokens_details: The cached part by modality.
        tool_use_prompt_tokens_details: The tool results by modality.
        traffic_type: How Vertex billed it; the newest one in a sum.
        service_tier: How the Gemini API served it; the newest one in a sum.
    """

    prompt_token_count: int = 0
    output_token_count: int = 0
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    cached_content_token_count: int = 0
    total_token_count: int = 0
    prompt_tokens_details: tuple[wire.ModalityTokenCount, ...] = ()
    output_tokens_details: tuple[wire.ModalityTokenCount, ...] = ()
    cache_tokens_details: tuple[wire.ModalityTokenCount, ...] = ()
    tool_use_prompt_tokens_details: tuple[wire.ModalityTokenCount, ...] = ()
    traffic_type: wire.TrafficType | str | None = None
    service_tier: wire.ServiceTier | str | None = None

    @classmethod
    def from_wire(cls, report: wire.UsageMetadata) -> Usage:
        """Normalise one report of the server; a count it left out is zero."""
        prompt = report.prompt_token_count or 0
        output = report.response_token_count or 0
        thoughts = report.thoughts_token_count or 0
        tool_use = report.tool_use_prompt_token_count or 0
        total = report.total_token_count
        return cls(
            prompt_token_count=prompt,
            output_token_count=output,
            thoughts_token_count=thoughts,
            tool_use_prompt_token_count=tool_use,
            cached_content_token_count=report.cached_content_token_count or 0,
            total_token_count=prompt + output + thoughts + tool_use if total is None else total,
            prompt_tokens_details=tuple(report.prompt_tokens_details or ()),
            output_tokens_details=tuple(report.response_tokens_details or ()),
            cache_tokens_details=tuple(report.cache_tokens_details or ()),
            tool_use_prompt_tokens_details=tuple(report.tool_use_prompt_tokens_details or ()),
            traffic_type=report.traffic_type,
            service_tier=report.service_tier,
        )

    @property
    def response_token_count(self) -> int:
        """`output_token_count` under the Gemini API's name."""
        return self.output_token_count

    @property
    def candidates_token_count(self) -> int:
        """`output_token_count` under Vertex's name."""
        return self.output_token_count

    @property
    def response_tokens_details(self) -> tuple[wire.ModalityTokenCount, ...]:
        """`output_tokens_details` under the Gemini API's name."""
        return self.output_tokens_details

    @property
    def candidates_tokens_details(self) -> tuple[wire.ModalityTokenCount, ...]:
        """`output_tokens_details` under Vertex's name."""
        return self.output_tokens_details

    @property
    def prompt_by_modality(self) -> dict[str, int]:
        """Tokens read, by modality: ``{"TEXT": 12, "AUDIO": 300}``."""
        return _by_modality(self.prompt_tokens_details)

    @property
    def output_by_modality(self) -> dict[str, int]:
        """Tokens of the answer, by modality."""
        return _by_modality(self.output_tokens_details)

    def __add__(self, other: Usage) -> Usage:
        """Add count by count, details modality by modality."""
        if not isinstance(other, Usage):
            return NotImplemented
        return Usage(
            prompt_token_count=self.prompt_token_count + other.prompt_token_count,
            output_token_count=self.output_token_count + other.output_token_count,
            thoughts_token_count=self.thoughts_token_count + other.thoughts_token_count,
            tool_use_prompt_token_count=self.tool_use_prompt_token_count + other.tool_use_prompt_token_count,
            cached_content_token_count=self.cached_content_token_count + other.cached_content_token_count,
            total_token_count=self.total_token_count + other.total_token_count,
            prompt_tokens_details=_sum(self.prompt_tokens_details, other.prompt_tokens_details),
            output_tokens_details=_sum(self.output_tokens_details, other.output_tokens_details),
            cache_tokens_details=_sum(self.cache_tokens_details, other.cache_tokens_details),
            tool_use_prompt_tokens_details=_sum(
                self.tool_use_prompt_tokens_details, other.tool_use_prompt_tokens_details
            ),
            traffic_type=other.traffic_type or self.traffic_type,
            service_tier=other.service_tier or self.service_tier,
        )


def _count(usage: Usage, name: str) -> int:
    value: int = getattr(usage, name)
    return value


def _by_modality(details: Iterable[wire.ModalityTokenCount]) -> dict[str, int]:
    """Sum the counts of equal modalities, in order of first appearance."""
    counts: dict[str, int] = {}
    for detail in details:
        name = str(detail.modality or wire.MediaModality.MODALITY_UNSPECIFIED)
        counts[name] = counts.get(name, 0) + (detail.token_count or 0)
    return counts


def _sum(
    left: tuple[wire.ModalityTokenCount, ...], right: tuple[wire.ModalityTokenCount, ...]
) -> tuple[wire.ModalityTokenCount, ...]:
    known: dict[str, wire.MediaModality] = {str(modality): modality for modality in wire.MediaModality}
    return tuple(
        wire.ModalityTokenCount(modality=known.get(name, name), token_count=count)
        for name, count in _by_modality((*left, *right)).items()
    )


class UsageMeter:
    """Turns reports into the usage of turns and of the session.

    The session's total is ``settled + last + open``: the turns before the last one, the last one (a trailing
    report may still complete it) and the turn in progress.
    """

    def __init__(self) -> None:
        self._settled = Usage()
        self._last: Usage | None = None
        self._open: Usage | None = None
        self._is_final = True

    @property
    def open(self) -> Usage | None:
        """What was reported of the turn in progress."""
        return self._open

    @property
    def total(self) -> Usage:
        """Sum over all turns so far, the one in progress included."""
        total = self._settled
        for part in (self._last, self._open):
            if part is not None:
                total += part
        return total

    def report(self, report: wire.UsageMetadata, *, trailing: bool = False) -> Usage:
        """Take one report.

        Args:
            report: What the server sent.
            trailing: Nothing of a new turn has been seen since the last one ended. Such a report repeats or
                completes the last turn, unless one of its counts has shrunk, or the last turn has had its final
                report and this one counts otherwise: then it belongs to the next turn.

        Returns:
            The report, normalised.
        """
        usage = Usage.from_wire(report)
        if trailing and self._open is None and self._belongs_to_last(usage):
            self._last = _later(self._last, usage)
        else:
            self._open = _later(self._open, usage)
        return usage

    def end_turn(self, *, final: bool = False) -> Usage | None:
        """Close the turn in progress.

        Args:
            final: Its last report came with its end, or nothing more can come.

        Returns:
            Its usage, ``None`` when nothing was reported in it.
        """
        ended, self._open = self._open, None
        if self._last is not None:
            self._settled += self._last
        self._last = ended
        self._is_final = final
        return ended

    def _belongs_to_last(self, usage: Usage) -> bool:
        if self._last is None:
            return not self._is_final
        if self._is_final:
            return all(_count(usage, name) == _count(self._last, name) for name in _COUNTS)
        return _continues(self._last, usage)


def _later(earlier: Usage | None, later: Usage) -> Usage:
    """The later one of two reports about one turn; what it says nothing of stays as it was."""
    if earlier is None:
        return later
    known = {name: getattr(later, name) or getattr(earlier, name) for name in _EXTRAS}
    return attrs.evolve(later, **known)


def _continues(earlier: Usage, later: Usage) -> bool:
    return all(_count(later, name) >= _count(earlier, name) for name in _COUNTS)
