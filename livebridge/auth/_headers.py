"""Headers of a dial: who is calling, and one credential put safely into a header."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from livebridge.auth._auth import Secret
from livebridge.auth._failures import provided
from livebridge.errors import CredentialsError


@cache
def client_headers() -> Mapping[str, str]:
    """Return ``user-agent`` and ``x-goog-api-client``, which name library and language, nothing else."""
    # Reading the metadata costs more than importing this package, and only a dial needs it.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        ours = version("livebridge")
    except PackageNotFoundError:
        ours = "unknown"
    label = f"livebridge/{ours} gl-python/{sys.version.split()[0]}"
    return {"user-agent": label, "x-goog-api-client": label}


def merge_headers(base: Mapping[str, str], override: Mapping[str, str]) -> dict[str, str]:
    """Lay headers over others without regard to case.

    Args:
        base: What an `Auth` made.
        override: What the user wants instead or besides, an ``Authorization`` of their own included.

    Returns:
        All of them, names in lower case.
    """
    merged = {name.lower(): value for name, value in base.items()}
    merged.update({name.lower(): value for name, value in override.items()})
    return merged


async def key_headers(api_key: Secret) -> dict[str, str]:
    """Return the headers of a dial with an API key, of either backend.

    Args:
        api_key: The key, or an async function that is asked for it.

    Raises:
        CredentialsError: The function failed, or what there is cannot be a key.
    """
    return {**client_headers(), "x-goog-api-key": await ask(api_key, what="API key")}


async def ask(secret: Secret, *, what: str) -> str:
    """Get a credential that may have to be asked for.

    Args:
        secret: The credential or an async function.
        what: What it is, for errors (``API key``).

    Returns:
        The credential without surrounding blanks.

    Raises:
        CredentialsError: The function failed, or what there is cannot be a credential.
    """
    value = secret if isinstance(secret, str) else await provided(secret, what=f"the {what}")
    return checked(value, what=what)


def checked(value: object, *, what: str) -> str:
    """Check that a value can stand in a header, and never quote it.

    Raises:
        CredentialsError: It is empty, no string, or has characters that a header cannot hold.
    """
    if not isinstance(value, str):
        raise CredentialsError(f"the {what} must be a string, not {type(value).__name__}")
    text = value.strip()
    if not text:
        raise CredentialsError(f"the {what} is empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise CredentialsError(
            f"the {what} has characters that no credential has (blanks, line ends, accents …)"
        )
    return text
