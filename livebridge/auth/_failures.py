"""What becomes of an exception that somebody's credentials raise."""

from __future__ import annotations

from livebridge.errors import CredentialsError


class CredentialsUnavailableError(CredentialsError):
    """The credentials may be good, but they could not be obtained just now; trying again can help."""

    @property
    def retryable(self) -> bool:
        """Always true."""
        return True


def credentials_failure(message: str, error: Exception) -> CredentialsError:
    """Build the error to raise from a foreign one.

    Args:
        message: What was tried.
        error: What went wrong. Its text is left out: a token endpoint may quote what it was sent.

    Returns:
        A `CredentialsError`; retryable when the network or the moment is to blame.
    """
    text = f"{message} ({type(error).__name__})"
    # google-auth marks its own errors so; an OSError is the network.
    if isinstance(error, OSError) or getattr(error, "retryable", False):
        return CredentialsUnavailableError(text)
    return CredentialsError(text)
