"""The few HTTP calls beside the WebSocket: which models there are, and tokens for clients.

::

    from datetime import timedelta
    from livebridge.rest import Models, create_token

    for model in await Models.list():
        print(model.short_name, model.methods)

    model = await Models.resolve("audio")             # one that these credentials can use

    token = await create_token(                       # on a server, with the API key
        uses=1,
        expire_time=timedelta(minutes=30),
        constraints={"model": model, "generation_config": {"response_modalities": ["AUDIO"]}},
    )
    token.auth                                        # in the client: Session.start(auth=token.auth, …)

The way of a call::

    headers asked anew ─► attempt ─► 2xx ───────────────────────► JSON object
                            │  ▲
             401, 403 ──────┤  │ once, with a refreshed token
             408, 425, 429, ┤  │ up to four attempts, after Retry-After
             5xx, network ──┘──┘ or a growing random delay
                            └──► anything else: RestError(status, reason, retryable)

Guarantees: the API key travels in a header, never in a URL; no error text quotes it, even if the server does;
lists are read to their last page; the HTTP client is imported at the first call, not before.

Not guaranteed: that a resolved model still exists when you dial it.

When not to use this package: for anything but live sessions. Generating content, files, batches and tuning are
google-genai's business.
"""

from livebridge.rest._catalogue import CATALOGUE, LiveModel, ResponseModality
from livebridge.rest._models import LIVE_METHOD, Model, Models
from livebridge.rest._tokens import AuthToken, Moment, create_token

__all__ = [
    "CATALOGUE",
    "LIVE_METHOD",
    "AuthToken",
    "LiveModel",
    "Model",
    "Models",
    "Moment",
    "ResponseModality",
    "create_token",
]
