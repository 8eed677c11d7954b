"""Frames that are always the same: the signals of a microphone, and silence."""

from __future__ import annotations

from typing import Final

from livebridge.protocol import audio_chunk, realtime_input
from livebridge.wire import encode_client

ACTIVITY_START: Final = encode_client(realtime_input(activity_start=True))
"""The user begins to speak (manual activity detection)."""

ACTIVITY_END: Final = encode_client(realtime_input(activity_end=True))
"""The user has spoken."""

STREAM_END: Final = encode_client(realtime_input(audio_stream_end=True))
"""The microphone is off (automatic activity detection)."""

SILENCE: Final = audio_chunk(bytes(3_200)).frame
"""A tenth of a second of nothing, at 16 kHz."""
