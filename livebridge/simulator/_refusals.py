"""How the Live API hangs up: close codes and reason texts, as clients of the real one have recorded them."""

from typing import Final

import attrs

from livebridge.errors import ProtocolError

REASON_LIMIT_BYTES: Final = 123
"""A close frame's payload is at most 125 bytes (RFC 6455, 5.5), two of them are the code."""


def cut(reason: str) -> str:
    """The longest beginning of a text that fits into a close frame."""
    return reason.encode()[:REASON_LIMIT_BYTES].decode(errors="ignore")


@attrs.frozen
class Hangup:
    """The end of a connection from the server's side.

    Attributes:
        code: WebSocket close code.
        reason: Reason text; cut to what fits into a close frame, as the real server does.
    """

    code: int
    reason: str = attrs.field(default="", converter=cut)


class RefusedError(ProtocolError):
    """The client did what the Live API does not allow; the connection ends with `hangup`."""

    def __init__(self, hangup: Hangup) -> None:
        super().__init__(f"{hangup.code} {hangup.reason}")
        self.hangup = hangup


INVALID_ARGUMENT: Final = Hangup(1007, "Request contains an invalid argument.")
PRECONDITION_FAILED: Final = Hangup(1007, "Precondition check failed.")
INVALID_JSON: Final = Hangup(1007, "Invalid JSON payload received. Unexpected token.")
BAD_API_KEY: Final = Hangup(1007, "API key not valid. Please pass a valid API key.")
EXPIRED_KEY: Final = Hangup(1007, "API key expired. Please renew the API key.")
BAD_AUDIO: Final = Hangup(
    1007,
    "error when processing input audio, please check if the inputaudio is in valid format: "
    "16khz s16le pcm, mono channel.",
)
THINKING_LEVEL_REQUIRED: Final = Hangup(1007, "Thinking level must be specified for this model")
THINKING_LEVEL_UNSUPPORTED: Final = Hangup(1007, "Thinking level is not supported for this model")
BLOCKING_UNSUPPORTED: Final = Hangup(1007, "BLOCKING function calls are not supported for this model")
SCHEDULING_UNSUPPORTED: Final = Hangup(1007, "Function response scheduling is not supported for this model")
CODE_EXECUTION_UNSUPPORTED: Final = Hangup(1007, "Code Execution tool is not supported for this model")
NOT_IMPLEMENTED: Final = Hangup(1008, "Operation is not implemented, or supported, or enabled.")
SESSION_NOT_FOUND: Final = Hangup(1008, "BidiGenerateContent session not found")
ABORTED: Final = Hangup(1008, "The operation was aborted.")
INTERNAL_ERROR: Final = Hangup(1011, "Internal error encountered.")
STILL_CONNECTED: Final = Hangup(1011, "Internal error occurred.")
UNAVAILABLE: Final = Hangup(1011, "The service is currently unavailable.")
DEADLINE_EXPIRED: Final = Hangup(1011, "Deadline expired before operation could complete.")
TOO_MANY_SESSIONS: Final = Hangup(1011, "RESOURCE_EXHAUSTED")


def model_not_found(resource: str, version: str) -> Hangup:
    """The Gemini API does not know the model, or not for this method."""
    return Hangup(
        1008,
        f"{resource} is not found for API version {version}, or is not supported for bidiGenerateContent. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def publisher_model_not_found(resource: str) -> Hangup:
    """Vertex AI does not know the model, or not in this region."""
    return Hangup(
        1008, f"Publisher Model `{resource}` was not found or your project does not have access to it."
    )


def modalities_unsupported(modalities: str) -> Hangup:
    """The model cannot answer in these modalities."""
    return Hangup(
        1007,
        f"The requested combination of response modalities ({modalities}) is not supported by the model",
    )


def unknown_field(name: str, path: str) -> Hangup:
    """The request has a member that this backend's message does not have."""
    return Hangup(
        1007, f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
    )
