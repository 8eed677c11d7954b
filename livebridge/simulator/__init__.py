"""A local Live API server."""

from livebridge.simulator._brains import (
    Action,
    Brain,
    Call,
    Cue,
    Echo,
    HangUp,
    Say,
    Script,
    Send,
    Stall,
    Think,
    ToolResults,
    UserTurn,
    Wait,
)
from livebridge.simulator._connection import Connection, Frame
from livebridge.simulator._conversation import ConnectionRecord, Conversation
from livebridge.simulator._profiles import PROFILES, Profile
from livebridge.simulator._recordings import Recordings
from livebridge.simulator._records import (
    AudioHeard,
    ContentHeard,
    FrameHeard,
    Heard,
    ResultHeard,
    SignalHeard,
    TextHeard,
    Turn,
    UpdateHeard,
)
from livebridge.simulator._refusals import Hangup
from livebridge.simulator._rules import Rules
from livebridge.simulator._server import LiveSimulator, run
from livebridge.simulator._settings import TEST_ACCESS_TOKEN, TEST_API_KEY, Settings
from livebridge.simulator._voices import Reading, ToneError, ToneVoice, Voice

__all__ = [
    "PROFILES",
    "TEST_ACCESS_TOKEN",
    "TEST_API_KEY",
    "Action",
    "AudioHeard",
    "Brain",
    "Call",
    "Connection",
    "ConnectionRecord",
    "ContentHeard",
    "Conversation",
    "Cue",
    "Echo",
    "Frame",
    "FrameHeard",
    "HangUp",
    "Hangup",
    "Heard",
    "LiveSimulator",
    "Profile",
    "Reading",
    "Recordings",
    "ResultHeard",
    "Rules",
    "Say",
    "Script",
    "Send",
    "Settings",
    "SignalHeard",
    "Stall",
    "TextHeard",
    "Think",
    "ToneError",
    "ToneVoice",
    "ToolResults",
    "Turn",
    "UpdateHeard",
    "UserTurn",
    "Voice",
    "Wait",
    "run",
]
