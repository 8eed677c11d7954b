"""What the doctor finds: one line, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

Level = Literal["ok", "warn", "fail"]

_COLORS: Final[Mapping[Level, str]] = {"ok": "32", "warn": "33", "fail": "1;31"}

_INDENT: Final = " " * 21


@attrs.frozen
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What, in a word.
        level: ``ok``, ``warn`` (it may bite) or ``fail`` (no session without it).
        text: What was found; no secret.
        advice: What to do about it; empty where there is nothing to do.
    """

    check: str
    level: Level
    text: str
    advice: str = ""

    def lines(self, *, color: bool) -> list[str]:
        """The finding for a terminal."""
        level = f"{self.level:<4}"
        painted = f"\x1b[{_COLORS[self.level]}m{level}\x1b[0m" if color else level
        first = f"{painted}  {self.check:<13}  {self.text}"
        return [first, *([f"{_INDENT}→ {self.advice}"] if self.advice else [])]


def ok(check: str, text: str, advice: str = "") -> Finding:
    """All is well."""
    return Finding(check, "ok", text, advice)


def warn(check: str, text: str, advice: str) -> Finding:
    """It works, or may work, and may bite."""
    return Finding(check, "warn", text, advice)


def fail(check: str, text: str, advice: str = "") -> Finding:
    """There will be no session."""
    return Finding(check, "fail", text, advice)
