"""Every knob of the simulator, in one frozen value."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

import attrs

from livebridge.errors import ConfigError
from livebridge.simulator._brains import Brain
from livebridge.simulator._checks import Bounds, Limit, Number, Ordinal, Seconds, check_fields
from livebridge.simulator._profiles import PROFILES, Profile
from livebridge.simulator._refusals import DEADLINE_EXPIRED, Hangup
from livebridge.simulator._rules import Rules
from livebridge.simulator._voices import ToneVoice, Voice

TEST_API_KEY: Final = "simulated-api-key"
TEST_ACCESS_TOKEN: Final = "simulated-access-token"  # noqa: S105  # opens nothing but the simulator

Frames = Literal["binary", "text", "compact", "fragmented"]
"""How server frames look: binary and pretty-printed like the real ones; as text; binary without white space; or
binary and pretty-printed, cut into several fragments."""


def _several(secrets: Iterable[str]) -> tuple[str, ...]:
    """Keys as a tuple; one text alone is no collection of texts."""
    expected = "api_keys and access_tokens must be collections of texts, such as a tuple of one"
    if isinstance(secrets, str):
        raise ConfigError(expected)
    try:
        return tuple(secrets)
    except TypeError as error:
        raise ConfigError(expected) from error


@attrs.frozen(kw_only=True)
class Settings:
    """How a simulator behaves. Times are seconds of trio's clock.

    Attributes:
        brain: What decides what the model says.
        voice: What the model sounds like.
        api_keys: Keys the Gemini path (and Vertex express) accepts.
        access_tokens: Bearer tokens the Vertex path accepts.
        profiles: The models it serves.
        frames: How server frames look.
        pace: ``fast``: as fast as the client reads, without waiting for playback; ``real``: sound is generated
            three times as fast as it plays and the turn completes when it would have been played; a number is
            that many times real time.
        latency: How long the model thinks before it answers, at real pace.
        audio_chunk_bytes: Sound per message: 1920 bytes are 40 ms.
        connection_lifetime: When a connection ends, ``None`` for never.
        go_away_lead: How long before that ``goAway`` is sent, ``None`` for no notice.
        lifetime_close: How a connection ends when its life is over.
        session_limit: How long a session without compression may last, over all of its connections.
        video_session_limit: The same once video has been sent.
        max_sessions: How many sessions may be connected at once.
        handles: Whether resumption handles are issued: after every ``turns``, or ``never``.
        handle_every: Beside that, this often while the model is idle and something has happened.
        first_handle: Whether a handle follows ``setupComplete`` at once.
        handle_ttl: How long after the end of a session's last connection its handles are valid.
        keep_handles: How many handles of a conversation stay valid; what happened before the oldest of them is
            dropped, from ``heard``, ``history`` and the model's context, so that a conversation can go on for days.
            ``None``: all of them, and everything is remembered.
        keep_handles: Ordinal | None = None
    interim_transcripts: Seconds of speech between two guesses at what is being said
            (``interimInputTranscription``), if the setup asks for input transcription; ``None`` for no guesses.
        audio_during_tool: What realtime audio does while a blocking call is open: as the ``model`` would,
            ``accept`` or ``refuse`` (1008).
        strict: Whether members that the backend's messages do not have are refused, as the real servers do.
        keep_audio: Whether realtime audio is kept in ``heard``; switch it off for sessions that last for hours.
        keep_frames: Whether every message of a connection is kept in its ``frames``.
        seed: Makes ids and random faults repeat; ``None`` for different ones every time.

    Raises:
        ConfigError: A setting has the wrong type or is out of its range.
    """

    brain: Brain = attrs.field(factory=Rules)
    voice: Voice = attrs.field(factory=ToneVoice)
    api_keys: tuple[str, ...] = attrs.field(default=(TEST_API_KEY,), converter=_several, repr=False)
    access_tokens: tuple[str, ...] = attrs.field(default=(TEST_ACCESS_TOKEN,), converter=_several, repr=False)
    profiles: Mapping[str, Profile] = PROFILES
    frames: Frames = "binary"
    pace: Literal["fast", "real"] | Annotated[float, Bounds(low=0, above=True)] = "fast"
    latency: Seconds = 0.3
    audio_chunk_bytes: Annotated[int, Bounds(low=2, even=True)] = 1920
    connection_lifetime: Limit | None = 600.0
    go_away_lead: Limit | None = 60.0
    lifetime_close: Hangup = DEADLINE_EXPIRED
    session_limit: Limit | None = 900.0
    video_session_limit: Limit | None = 120.0
    max_sessions: Number = 1000
    handles: Literal["turns", "never"] = "turns"
    handle_every: Seconds | None = 5.0
    first_handle: bool = False
    handle_ttl: Limit = 7200.0
    keep_handles: Ordinal | None = None
    interim_transcripts: Seconds | None = None
    audio_during_tool: Literal["model", "accept", "refuse"] = "model"
    strict: bool = True
    keep_audio: bool = True
    keep_frames: bool = False
    seed: int | None = None

    def __attrs_post_init__(self) -> None:
        check_fields(self, absent="None")

    @property
    def speed(self) -> float | None:
        """Playback seconds per second of the clock; ``None`` for as fast as possible."""
        if self.pace == "fast":
            return None
        return 1.0 if self.pace == "real" else float(self.pace)
