"""The rules of a Live API conversation, without any I/O.

Nothing in here waits, reads a clock, draws a random number or touches a socket: whoever uses it says what
time it is. So every rule can be tested in a millisecond and proven with random histories.

=====================  ==========================================================================
`LiveProtocol`         one connection: what may be sent when, what a frame is
`message_events`       one server message: which callbacks, in which order, with which arguments
`TurnCollector`        many messages: turns and what they cost
`TurnNumbers`          which turn a message belongs to, and which one an interruption cut off
`Utterances`           when a transcript is finished
`PlayoutBuffer`        sound that waits to be played, and what an interruption leaves of it
`Outbox`               what was accepted and is not safe yet: order, bounds, replay
`HandleBook`           the resumption handle: the last good one, its age, when to give it up
`CallLedger`           function calls: each is answered once or cancelled
`classify`             a failure: retry, start afresh, refresh credentials, or give up
`Reconnector`          a history of failures: how long to wait, when to stop
`PHASES`               the connection manager's states as a table
`LiveConfig`           what can be asked for in ``setup``, and `check`, the rules before dialling
`capabilities`         what a model can do
=====================  ==========================================================================

Example::

    protocol = LiveProtocol()
    frame = protocol.send(wire.ClientMessage(setup=wire.Setup(model="models/…")))
    message = protocol.receive(frame_from_server)       # a ServerMessage, or Unrecognized
    protocol.receive_eof()

Guarantees: bytes from the network never raise; an illegal step changes nothing; what was accepted is either
written, acknowledged, or reported as given up.

When not to use it: to talk to the Live API use `livebridge.Session`, which drives all of this.
"""

from livebridge.protocol._blobs import is_picture
from livebridge.protocol._breaker import CircuitBreaker, CircuitPolicy, CircuitState
from livebridge.protocol._budget import Budget, BudgetWatch
from livebridge.protocol._calls import CallLedger, CallState, OpenCall
from livebridge.protocol._config import LiveConfig, build_setup
from livebridge.protocol._connection import TRANSITIONS, ConnectionState, LiveProtocol, Step
from livebridge.protocol._entries import Entry, Kind, Lost
from livebridge.protocol._events import CALLBACKS, Callback, Marker, message_events
from livebridge.protocol._failures import RULES, Classified, classify
from livebridge.protocol._handles import Handle, HandleBook
from livebridge.protocol._history import History
from livebridge.protocol._inputs import (
    AudioChunk,
    audio_chunk,
    client_content,
    context_update,
    realtime_input,
    tool_response,
)
from livebridge.protocol._mime import INPUT_RATE_HZ, OUTPUT_RATE_HZ, audio_rate
from livebridge.protocol._models import LIVE_MODELS, ModelCapabilities, capabilities
from livebridge.protocol._numbering import TurnNumbers
from livebridge.protocol._outbox import Outbox
from livebridge.protocol._phases import CONNECTED, ENDED, ENDING, PHASES, Event, follow
from livebridge.protocol._playout import PlayoutBuffer, playing_time
from livebridge.protocol._reconnect import Plan, Reconnector, ReconnectPolicy
from livebridge.protocol._setup_rules import check, check_message
from livebridge.protocol._shapes import (
    AudioDelta,
    CloseInfo,
    Continuity,
    Direction,
    GoAwayInfo,
    Interrupted,
    Phase,
    ReadyInfo,
    ReadyKind,
    ReconnectingInfo,
    ResumedInfo,
    ResumptionUpdate,
    SessionLostInfo,
    StallInfo,
    Status,
    TextDelta,
    Transcript,
    Turn,
    Unrecognized,
)
from livebridge.protocol._snapshot import KeptMessage, Snapshot
from livebridge.protocol._snapshot import take as take_snapshot
from livebridge.protocol._stall import StallPolicy, StallStep, expects_answer
from livebridge.protocol._stall_watch import StallWatch
from livebridge.protocol._turns import TurnCollector, ends_turn
from livebridge.protocol._usage import Usage, UsageMeter
from livebridge.protocol._utterances import Utterances
from livebridge.protocol._verdicts import Failure, Rule, Verdict

__all__ = [
    "CALLBACKS",
    "CONNECTED",
    "ENDED",
    "ENDING",
    "INPUT_RATE_HZ",
    "LIVE_MODELS",
    "OUTPUT_RATE_HZ",
    "PHASES",
    "RULES",
    "TRANSITIONS",
    "AudioChunk",
    "AudioDelta",
    "Budget",
    "BudgetWatch",
    "CallLedger",
    "CallState",
    "Callback",
    "CircuitBreaker",
    "CircuitPolicy",
    "CircuitState",
    "Classified",
    "CloseInfo",
    "ConnectionState",
    "Continuity",
    "Direction",
    "Entry",
    "Event",
    "Failure",
    "GoAwayInfo",
    "Handle",
    "HandleBook",
    "History",
    "Interrupted",
    "KeptMessage",
    "Kind",
    "LiveConfig",
    "LiveProtocol",
    "Lost",
    "Marker",
    "ModelCapabilities",
    "OpenCall",
    "Outbox",
    "Phase",
    "Plan",
    "PlayoutBuffer",
    "ReadyInfo",
    "ReadyKind",
    "ReconnectPolicy",
    "ReconnectingInfo",
    "Reconnector",
    "ResumedInfo",
    "ResumptionUpdate",
    "Rule",
    "SessionLostInfo",
    "Snapshot",
    "StallInfo",
    "StallPolicy",
    "StallStep",
    "StallWatch",
    "Status",
    "Step",
    "TextDelta",
    "Transcript",
    "Turn",
    "TurnCollector",
    "TurnNumbers",
    "Unrecognized",
    "Usage",
    "UsageMeter",
    "Utterances",
    "Verdict",
    "audio_chunk",
    "audio_rate",
    "build_setup",
    "capabilities",
    "check",
    "check_message",
    "classify",
    "client_content",
    "context_update",
    "ends_turn",
    "expects_answer",
    "follow",
    "is_picture",
    "message_events",
    "playing_time",
    "realtime_input",
    "take_snapshot",
    "tool_response",
]
