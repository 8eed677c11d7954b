"""Opening a connection: credentials, dial, ``setup``, and the wait for ``setupComplete``."""

from __future__ import annotations

import attrs
import trio

from livebridge import wire
from livebridge.errors import ConnectError, ConnectionLostError, CredentialsError, SetupError
from livebridge.protocol import ConnectionState, LiveProtocol, Unrecognized, build_setup
from livebridge.session._state import SessionState
from livebridge.transport import Dial, Transport

Early = list[tuple[wire.ServerMessage | Unrecognized, int]]
"""What was read up to ``setupComplete``, that one included, with the sizes of the frames."""


@attrs.define(eq=False)
class Handshake:
    """Opens connections of one session.

    Args:
        state: The session's.
        dial: Opens transports.
    """

    state: SessionState
    dial: Dial

    async def open(self, nursery: trio.Nursery, *, refresh: bool) -> Transport:
        """Dial, with credentials that are asked for anew.

        Args:
            nursery: Where the transport's own tasks live.
            refresh: The last credentials were refused.

        Raises:
            ConnectError: It did not work; also when there were no credentials.
        """
        options = self.state.options
        auth = self.state.auth
        try:
            headers = await auth.headers(refresh=refresh)
        except CredentialsError as error:
            raise ConnectError(
                str(error), phase="dial", initiated_by="client", retryable=self.state.ever_connected
            ) from error
        return await self.dial(
            nursery,
            auth.endpoint(api_version=options.api_version, base_url=options.base_url),
            headers={**headers, **(options.headers or {})},
            ssl_context=options.ssl_context,
            proxy=options.proxy,
            dial_timeout=options.dial_timeout,
            max_message_size=options.max_message_size,
        )

    async def set_up(self, transport: Transport, protocol: LiveProtocol, *, handle: str | None) -> Early:
        """Send ``setup``, once, as the first frame, and read up to ``setupComplete``.

        Raises:
            SetupError: It did not come.
        """
        state = self.state
        setup = build_setup(
            state.options.config,
            model_resource=state.auth.model_resource(state.options.model),
            backend=state.auth.backend,
            handle=handle,
            transparent=state.outbox.transparent,
        )
        frame = protocol.send(wire.ClientMessage(setup=setup))
        seconds = state.options.setup_timeout
        try:
            with trio.move_on_after(seconds):
                await transport.send([frame])
                return await _read_setup_complete(transport, protocol)
        except ConnectionLostError as error:
            raise SetupError(
                f"the connection ended before setupComplete: {error}",
                code=error.code,
                reason=error.reason,
                phase="setup",
                initiated_by=error.initiated_by,
                retryable=error.retryable,
            ) from error
        raise SetupError(
            f"no setupComplete within {seconds:g} s",
            phase="setup",
            initiated_by="client",
            retryable=True,
            hint="a field of the configuration that the server does not support can have this effect",
        )


async def _read_setup_complete(transport: Transport, protocol: LiveProtocol) -> Early:
    early: Early = []
    while protocol.state is not ConnectionState.READY:
        for frame in await transport.receive():
            early.append((protocol.receive(frame), len(frame)))
        if protocol.refusal is not None:
            raise SetupError(
                str(protocol.refusal), phase="setup", initiated_by="server", retryable=True
            ) from protocol.refusal
    return early
