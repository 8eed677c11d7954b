"""What becomes of an exception that somebody's credentials raise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from livebridge.errors import CredentialsError

_T = TypeVar("_T")


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


async def provided(source: Callable[[], Awaitable[_T]], *, what: str) -> _T:
    """Ask a user's function for something.

    Args:
        source: The function.
        what: What it provides, for errors (``the API key``).

    Returns:
        What it returned, unchecked.

    Raises:
        CredentialsError: It failed; one that it raised itself is left as it is.
    """
    try:
        return await source()
    except CredentialsError:
        raise
    except Exception as error:
        raise credentials_failure(f"the function that provides {what} failed", error) from error
