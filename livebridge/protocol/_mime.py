"""Reads MIME types of media: is it audio, and at which rate?"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# The API generates 24 kHz; Vertex leaves the rate out of the MIME type.
OUTPUT_RATE_HZ: Final = 24_000

# "Input audio is natively 16 kHz": other rates are resampled by the server.
INPUT_RATE_HZ: Final = 16_000

_RATE: Final = re.compile(r";\s*rate\s*=\s*([1-9][0-9]{0,6})\s*(?:;|$)", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=64)
def audio_rate(mime_type: str | None, default: int = OUTPUT_RATE_HZ) -> int | None:
    """The sample rate of an audio type.

    Args:
        mime_type: For example ``audio/pcm;rate=24000``. A blob without a type is taken for audio: the API
            sends nothing else without one.
        default: The rate of a type that names none, or none that makes sense.

    Returns:
        Samples per second; ``None`` for what is not audio.
    """
    if mime_type is None:
        return default
    if mime_type[:6].lower() != "audio/":
        return None
    found = _RATE.search(mime_type)
    return int(found[1]) if found else default


def pcm_type(rate: int) -> str:
    """The MIME type of raw samples at that many per second."""
    return f"audio/pcm;rate={rate}"
