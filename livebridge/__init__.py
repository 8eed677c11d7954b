"""Real-time conversations with Gemini through the Live API, as supervised actors on trio.

Example::

    import livebridge, trio

    async def main() -> None:
        async with livebridge.Session.start(
            model="gemini-3.1-flash-live-preview",
            output_audio_transcription={},
            on_transcription=lambda t: print(t.text, end=""),
        ) as session:
            turn = await session.ask("What is machine learning?", timeout=30)
            print(turn.output_transcript, turn.usage)

    trio.run(main)

Where to read on: `livebridge.session` (sessions, options, callbacks), `livebridge.otp` (actors and
supervisors), `livebridge.wire` (messages), `livebridge.protocol` (rules), `livebridge.simulator` (a Live API
server on your machine), `livebridge.errors` (everything that is raised).
"""

from livebridge import errors, otp, protocol, simulator, wire
from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress
from livebridge.errors import (
    ActorError,
    AlreadyReceivingError,
    CallbackError,
    ConfigError,
    ConnectionFailureError,
    LivebridgeError,
    ProtocolError,
    RestError,
    SendError,
    ToolError,
)
from livebridge.otp import Backoff, ChildSpec, DynamicSupervisor, GenServer, Registry, Supervisor
from livebridge.protocol import LiveConfig, Phase, Status, Turn
from livebridge.session import Handler, Session, current_session, run, run_supervised

__version__ = "0.1.0"
"""Semantic version of this release."""

__all__ = [
    "ActorError",
    "AlreadyReceivingError",
    "Backoff",
    "CallbackError",
    "ChildSpec",
    "ConfigError",
    "ConnectionFailureError",
    "DynamicSupervisor",
    "EphemeralToken",
    "Gateway",
    "GeminiApi",
    "GenServer",
    "Handler",
    "LiveConfig",
    "LivebridgeError",
    "Phase",
    "ProtocolError",
    "Registry",
    "RestError",
    "SendError",
    "Session",
    "Status",
    "Supervisor",
    "ToolError",
    "Turn",
    "VertexAi",
    "VertexExpress",
    "__version__",
    "current_session",
    "errors",
    "otp",
    "protocol",
    "run",
    "run_supervised",
    "simulator",
    "wire",
]
