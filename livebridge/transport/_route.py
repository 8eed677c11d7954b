"""How a connection would go, without opening it: through which proxy, and trusting whom."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

from livebridge.transport._address import parse_address
from livebridge.transport._dial import WEB_SCHEMES, authorities, default_context
from livebridge.transport._proxy import proxy_from_environment


def proxy_for(url: str, *, environ: Mapping[str, str] = os.environ) -> str | None:
    """Say which proxy `dial` takes for a URL by the rules of the environment.

    Args:
        url: ``ws://`` or ``wss://``.
        environ: The environment.

    Returns:
        A proxy URL, which may hold a password, or ``None`` for a direct connection.

    Raises:
        ConnectError: It is no such URL.
    """
    return proxy_from_environment(parse_address(url, what="URL", schemes=WEB_SCHEMES), environ)


def default_ssl_context() -> ssl.SSLContext:
    """The context that `dial` uses unless it is given one: the system's authorities and certifi's.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace both.

    Raises:
        OSError: What these variables name cannot be read.
    """
    return default_context(*authorities())
