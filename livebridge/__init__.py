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
server on your machine), `livebridge.threads` (for programs that do not run on trio), `livebridge.errors` (everything
that is raised).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # for checkers; at run time a name is imported when it is first used
    from livebridge import errors, otp, protocol, simulator, telemetry, testing, threads, wire
    from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress
    from livebridge.errors import (
        ActorError,
        AlreadyReceivingError,
        BudgetExceededError,
        CallbackError,
        ConfigError,
        ConnectionFailureError,
        LivebridgeError,
        ProtocolError,
        RestError,
        SendError,
        StoreError,
        ToolError,
    )
    from livebridge.otp import Backoff, ChildSpec, DynamicSupervisor, GenServer, Registry, Supervisor
    from livebridge.protocol import LiveConfig, Phase, Status, Turn
    from livebridge.rest import Models
    from livebridge.session import (
        Handler,
        Session,
        ToolContext,
        create_token,
        current_session,
        run,
        run_supervised,
        tool,
    )
    from livebridge.threads import LiveBridgeThread

__version__ = "0.1.0"
"""Semantic version of this release."""

__all__ = [
    "ActorError",
    "AlreadyReceivingError",
    "Backoff",
    "BudgetExceededError",
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
    "LiveBridgeThread",
    "LiveConfig",
    "LivebridgeError",
    "Models",
    "Phase",
    "ProtocolError",
    "Registry",
    "RestError",
    "SendError",
    "Session",
    "Status",
    "StoreError",
    "Supervisor",
    "ToolContext",
    "ToolError",
    "Turn",
    "VertexAi",
    "VertexExpress",
    "__version__",
    "create_token",
    "current_session",
    "errors",
    "otp",
    "protocol",
    "run",
    "run_supervised",
    "simulator",
    "telemetry",
    "testing",
    "threads",
    "tool",
    "wire",
]

_HOMES: Final = {
    "ActorError": "livebridge.errors",
    "AlreadyReceivingError": "livebridge.errors",
    "BudgetExceededError": "livebridge.errors",
    "Backoff": "livebridge.otp",
    "CallbackError": "livebridge.errors",
    "ChildSpec": "livebridge.otp",
    "ConfigError": "livebridge.errors",
    "ConnectionFailureError": "livebridge.errors",
    "DynamicSupervisor": "livebridge.otp",
    "EphemeralToken": "livebridge.auth",
    "Gateway": "livebridge.auth",
    "GeminiApi": "livebridge.auth",
    "GenServer": "livebridge.otp",
    "Handler": "livebridge.session",
    "LiveBridgeThread": "livebridge.threads",
    "LiveConfig": "livebridge.protocol",
    "LivebridgeError": "livebridge.errors",
    "Models": "livebridge.rest",
    "Phase": "livebridge.protocol",
    "ProtocolError": "livebridge.errors",
    "Registry": "livebridge.otp",
    "RestError": "livebridge.errors",
    "SendError": "livebridge.errors",
    "Session": "livebridge.session",
    "Status": "livebridge.protocol",
    "StoreError": "livebridge.errors",
    "Supervisor": "livebridge.otp",
    "ToolContext": "livebridge.session",
    "ToolError": "livebridge.errors",
    "Turn": "livebridge.protocol",
    "VertexAi": "livebridge.auth",
    "VertexExpress": "livebridge.auth",
    "create_token": "livebridge.session",
    "current_session": "livebridge.session",
    "errors": "livebridge",
    "otp": "livebridge",
    "protocol": "livebridge",
    "run": "livebridge.session",
    "run_supervised": "livebridge.session",
    "simulator": "livebridge",
    "telemetry": "livebridge",
    "testing": "livebridge",
    "threads": "livebridge",
    "tool": "livebridge.session",
    "wire": "livebridge",
}
"""Where each name comes from. The command line and the pytest plugin load this package first and need little."""


if not TYPE_CHECKING:  # checkers see the imports above, and no name that does not exist

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object
        value = (
            import_module(f"{__name__}.{name}") if home == __name__ else getattr(import_module(home), name)
        )
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
