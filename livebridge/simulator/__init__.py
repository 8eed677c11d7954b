"""A local Live API server: hold conversations with it, test a bot against it, let it misbehave on command.

What it is
----------
One port that speaks what Google's servers speak: the WebSocket of the Gemini API and the one of Vertex AI, with their
differences in paths, names, close codes and texts, and the HTTP calls beside them (the list of models, ephemeral
tokens). Behind it sits a *conversation*: the state that outlives connections. A *brain* decides what the model says,
a *voice* turns it into sound, a *fault plan* decides what goes wrong. Google's own clients talk to it unaware.

::

    async with LiveSimulator.serve(brain=Script(["Hello!", [Call("get_weather", {"city": "Paris"})]])) as simulator:
        async with Session.start(model="gemini-2.5-flash-native-audio-latest", **simulator.connection) as session:
            ...
            simulator.conversations[0].heard.user_texts       # what the server knows
            simulator.connections[0].go_away(seconds=5)       # what the server does to you
            await simulator.wait_for(lambda s: s.conversations[0].heard.tool_results)

How it is cut
-------------
::

      client ══ TCP/TLS ══ LiveSimulator ── GET models, POST auth_tokens
                                │
                            Connection ── fault plan: refuse, drop, freeze, garble, delay …
    ────────────────────────────┼──────────────────────────── below: no waiting, no clock, no socket
                            Dialogue            one connection: setup, time limits, handles
                ┌───────────┴───────────┐
             Exchange               TurnTaker   the client's half and the model's half
           ┌────┴─────┐           ┌─────┴─────┐
        Listener      Conversation          Brain ── Voice
     (finds speech)    (the state)        (what to say, how it sounds)

The model below the line takes messages and the time and gives messages back; it is tested by itself.

Brains
------
`Rules`, the default, calls a declared function when the user's words name it, speaks its result, remembers what it
was told and makes conversation. `Script` says given turns, `Echo` repeats. A brain of your own is one method,
``respond(conversation, cue)``, that yields `Say`, `Call`, `Think`, `Wait`, `Stall`, `Send` or `HangUp`.

Sound
-----
Speech is found in realtime audio by its energy, with the setup's sensitivity, prefix padding and silence duration,
counted in samples, so that it does not matter how fast a test plays it. The default voice, `ToneVoice`, carries its
text in soft chords with sequence numbers and a checksum: ``ToneVoice.decode(pcm)`` proves that every sample arrived
once and in order, and the simulator understands what a ``ToneVoice(rate=16000)`` says to it. It knows other
recordings by heart if you ``simulator.recordings.add(pcm, text, rate=…)`` them; unknown speech is transcribed as
``(speech, 2.4 s)``.

Faults
------
`Faults` is a list of `Fault`: *when* (the n-th dial, the n-th message either way, a kind of message, a byte of the
server's stream, a time, a chance) and *what* (`RefuseUpgrade`, `Close`, `Drop`, `Freeze`, `Garble`, `Inject`,
`Withhold` …). ``load_faults`` reads it from TOML, `Chaos` mixes everything from a seed. A live `Connection` has the
same at hand: ``close``, ``drop``, ``go_away``, ``stall``, ``send_raw``, ``cancel_tools``; ``struck`` tells what the
plan has done to it, and ``simulator.lift_faults()`` ends the plan.

Runs of hours
-------------
A simulator remembers everything, so that tests can ask for it. ``keep_handles=…`` lets all but the newest handles of
a conversation expire and drops what only they needed; ``simulator.forget(conversation, keep_handles=…)`` does it once
and returns what is dropped. With ``keep_audio=False`` it holds a conversation of days in constant memory.

Record and replay
-----------------
`Recorder` stands between a client and a server (the real one, or a simulator) and writes a session log: one JSON
object per line with the time, the direction and the message, without credentials. `Replay` serves such a log::

    async with Recorder("session.jsonl", upstream=simulator.url).serve() as recorder: ...
    async with Replay("session.jsonl").serve() as replay: ...       # Session.start(**replay.connection)

``livebridge record`` and ``livebridge simulate --replay`` are the same on a command line.

Guarantees
----------
* ``heard`` is the server's state, not a log: a resumption takes it back to the moment of the handle, so it shows what
  a client has made sure of, nothing lost and nothing twice.
* A handle is issued only while nobody speaks, no answer is being given and no call is open.
* No message of a client raises in the simulator; a brain that raises ends its connection with 1011 and is logged.
* It listens on the loopback address and opens nothing else. Ids and chances repeat with ``seed``.

What it does not do
-------------------
It does not understand language or speech, it does not ground, search, execute code or see images (it counts them),
and its token counts are estimates by Google's rules of thumb. Where the real servers' reaction is not known from a
recording or a report, the stricter one is simulated. Do not use it to measure how good a prompt is, nor the latency
of the real service.
"""

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
from livebridge.simulator._chaos import Chaos
from livebridge.simulator._connection import Connection, Frame
from livebridge.simulator._conversation import ConnectionRecord, Conversation
from livebridge.simulator._fault_file import load_faults
from livebridge.simulator._faults import (
    CancelTools,
    Close,
    Delay,
    Distort,
    Drop,
    Fault,
    Faults,
    Freeze,
    Garble,
    GoAway,
    Inject,
    LateAudio,
    Mute,
    NoPongs,
    RefuseUpgrade,
    Repeat,
    RevokeHandles,
    StallUpgrade,
    Withhold,
)
from livebridge.simulator._files import load_brain, load_fault_file
from livebridge.simulator._listening import SessionOptions
from livebridge.simulator._log import (
    LoggedClose,
    LoggedConnection,
    LoggedMessage,
    LoggedRefusal,
    read_log,
)
from livebridge.simulator._profiles import PROFILES, Profile
from livebridge.simulator._recorder import Recorder
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
from livebridge.simulator._replay import Replay, ReplayedConnection
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
    "CancelTools",
    "Chaos",
    "Close",
    "Connection",
    "ConnectionRecord",
    "ContentHeard",
    "Conversation",
    "Cue",
    "Delay",
    "Distort",
    "Drop",
    "Echo",
    "Fault",
    "Faults",
    "Frame",
    "FrameHeard",
    "Freeze",
    "Garble",
    "GoAway",
    "HangUp",
    "Hangup",
    "Heard",
    "Inject",
    "LateAudio",
    "LiveSimulator",
    "LoggedClose",
    "LoggedConnection",
    "LoggedMessage",
    "LoggedRefusal",
    "Mute",
    "NoPongs",
    "Profile",
    "Reading",
    "Recorder",
    "Recordings",
    "RefuseUpgrade",
    "Repeat",
    "Replay",
    "ReplayedConnection",
    "ResultHeard",
    "RevokeHandles",
    "Rules",
    "Say",
    "Script",
    "Send",
    "SessionOptions",
    "Settings",
    "SignalHeard",
    "Stall",
    "StallUpgrade",
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
    "Withhold",
    "load_brain",
    "load_fault_file",
    "load_faults",
    "read_log",
    "run",
]
