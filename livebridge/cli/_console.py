"""The only module that knows columns and colours: rows with the time at which something happened."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Final, TextIO

LABEL_WIDTH: Final = 13

_COLORS: Final[Mapping[str, str]] = {
    "status": "36",
    "ready": "1;36",
    "you": "32",
    "you said": "32",
    "activity": "90",
    "tool call": "35",
    "tool answer": "35",
    "model": "1;34",
    "usage": "90",
    "handle": "90",
    "turn": "90",
    "go away": "33",
    "reconnect": "33",
    "resumed": "1;32",
    "interrupted": "33",
    "error": "1;31",
    "lost": "1;31",
}
"""SGR codes by the label of the row; a label that is not listed is plain."""


def wants_color(stream: TextIO, choice: bool | None) -> bool:  # noqa: FBT001 - what the option left
    """Whether to colour: as the user chose; else on a terminal that can, unless ``NO_COLOR`` is set."""
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Console:
    """Writes rows of three columns (seconds since the start, a label, a text) to a stream.

    A reader that goes away (``livebridge demo | head``) is no error: what follows is not written.

    Args:
        color: Whether to colour labels.
        stream: Where to; standard output by default.
    """

    def __init__(self, *, color: bool, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._color = color
        self._began = time.monotonic()
        self._open: str | None = None
        self._gone = False

    def row(self, label: str, text: str) -> None:
        """Write a row with the time of now."""
        self.end()
        self._write(f"{self._head(label)}{text}\n")

    def piece(self, label: str, text: str) -> None:
        """Append to the row of that label if it is the last one, else begin it. For text that comes in pieces."""
        if self._open == label:
            self._write(text)
            return
        self.end()
        self._write(f"{self._head(label)}{text.lstrip()}")
        self._open = label

    def line(self, text: str = "") -> None:
        """Write a line without columns."""
        self.end()
        self._write(f"{text}\n")

    def end(self) -> None:
        """End a row that was left open for more pieces."""
        if self._open is not None:
            self._open = None
            self._write("\n")

    def strong(self, text: str) -> str:
        """The text in bold, where colours are on."""
        return self._paint("1", text)

    def _head(self, label: str) -> str:
        seconds = time.monotonic() - self._began
        name = self._paint(_COLORS.get(label, ""), f"{label:<{LABEL_WIDTH}}")
        return f"{self._paint('90', f'{seconds:6.2f} s')}  {name}"

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and code else text

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._gone = True
