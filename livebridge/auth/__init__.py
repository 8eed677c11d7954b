"""Who we are and where we dial: credentials, URLs, headers and model names of both backends.

Five kinds of access, one protocol (`Auth`)::

    GeminiApi(api_key="…")                    Gemini Developer API          x-goog-api-key
    EphemeralToken("auth_tokens/…")           the same, for one client      Authorization: Token
    VertexAi(project="…", location="…")       Vertex AI, google-auth        Authorization: Bearer
    VertexExpress(api_key="…")                Vertex AI, express mode       x-goog-api-key
    Gateway("https://…", headers={…})         your own gateway              whatever you say

    from livebridge.auth import GeminiApi, resolve_auth

    auth = resolve_auth()                     # from the environment
    auth = GeminiApi(api_key=fetch_key)       # an async function, asked on every dial
    url = auth.endpoint()                     # wss://…  no secret in it
    headers = await auth.headers()            # secrets are here, and nowhere else
    model = auth.model_resource("gemini-3.1-flash-live-preview")

Guarantees:

* No secret is ever part of a URL, a ``repr`` or an error text.
* Credentials are asked for on every dial; ``headers(refresh=True)`` forces a new Google token.
* google-auth only ever runs in worker threads, and is imported only when it is needed.
* Every failure is a `CredentialsError` whose ``__cause__`` is the original; ``retryable`` is true when the
  network is to blame.

When not to use this package: to authenticate against anything but the Live API and the HTTP API beside it.
"""

from livebridge.auth._auth import Auth, Backend, Secret
from livebridge.auth._gateway import Gateway
from livebridge.auth._gemini import EphemeralToken, GeminiApi
from livebridge.auth._google import CredentialsSource, GoogleCredentials
from livebridge.auth._headers import merge_headers
from livebridge.auth._resolve import resolve_auth
from livebridge.auth._vertex import VertexAi, VertexExpress, headers_by
from livebridge.auth._ways import Way

__all__ = [
    "Auth",
    "Backend",
    "CredentialsSource",
    "EphemeralToken",
    "Gateway",
    "GeminiApi",
    "GoogleCredentials",
    "Secret",
    "VertexAi",
    "VertexExpress",
    "Way",
    "headers_by",
    "merge_headers",
    "resolve_auth",
]
