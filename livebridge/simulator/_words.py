"""Finds the words in what people write, in any script."""

import re
import unicodedata
from typing import Final

_APOSTROPHES: Final = "'\u2019\u02bc"
_JOINERS: Final = "\u200c\u200d"
"""Invisible, and part of the words of Persian and of Indian scripts."""

_COMMON: Final = range(0x2000)
"""Where all but the East Asian scripts are; looking through them takes a millisecond."""

CAPITALS: Final = "".join(letter for letter in map(chr, _COMMON) if letter.isupper())
"""Capital letters, for a set in a pattern, which has no name for them."""

_MARKS: Final = "".join(sign for sign in map(chr, _COMMON) if unicodedata.category(sign)[0] == "M")

IN_A_NAME: Final = rf"\w'\u2019\u02bc{_JOINERS}{_MARKS}\u3099\u309a-"
"""What goes on with a name, for a set in a pattern: ``\\w`` knows no marks above and below letters."""

_POSSESSIVE: Final = re.compile(rf"[{_APOSTROPHES}]\w*$")


def words(text: str) -> list[str]:
    """The words of a text: letters with their marks, and apostrophes within; digits and signs are left out."""
    kept = "".join(letter if _is_part_of_a_word(letter) else " " for letter in text)
    stripped = (word.strip(_APOSTROPHES) for word in kept.split())
    return [word for word in stripped if word]


def _is_part_of_a_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LM" or letter in _APOSTROPHES or letter in _JOINERS


def root(word: str) -> str:
    """A word without what follows its apostrophe: ``what`` of ``what's``."""
    return _POSSESSIVE.sub("", word)
