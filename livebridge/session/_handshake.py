"""Opening a connection: credentials, dial, ``setup``, and the wait for ``setupComplete``."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import trio

from livebridge import wire
from livebridge.auth import VertexExpress, merge_headers
from livebridge.errors import ConfigError, ConnectError, ConnectionLostError, CredentialsError, SetupError
from livebridge.protocol import ConnectionState, LiveProtocol, Unrecognized, build_setup
from livebridge.session import _reporting as reporting
from livebridge.session._endpoints import Endpoint, endpoint_for
from livebridge.session._state import SessionState
from livebridge.telemetry import BUS
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

    @property
    def url(self) -> str:
        """Where this session dials."""
        options = self.state.options
        return self.state.auth.endpoint(api_version=options.api_version, base_url=options.base_url)

    @property
    def endpoint(self) -> Endpoint:
        """What it shares with other sessions that dial there with the same credentials."""
        return endpoint_for(self.url, self.state.auth, self.state.options.circuit)

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
        async with self.endpoint.limiter:
            with reporting.connecting(self.state):
                return await self.dial(
                    nursery,
                    self.url,
                    headers=merge_headers(headers, options.headers or {}),
                    ssl_context=options.ssl_context,
                    proxy=options.proxy,
                    dial_timeout=options.dial_timeout,
                    max_message_size=options.max_message_size,
                )

    async def set_up(
        self,
        transport: Transport,
        protocol: LiveProtocol,
        *,
        handle: str | None,
        seed: Sequence[wire.Content] = (),
    ) -> Early:
        """Send ``setup``, once, as the first frame, and read up to ``setupComplete``.

        Args:
            transport: Upgraded.
            protocol: Nothing sent yet.
            handle: To resume with.
            seed: Turns to tell a fresh session before anything else.

        Raises:
            SetupError: It did not come.
            ConnectError: The model's full name could not be made up (no project).
        """
        state = self.state
        setup = build_setup(
            state.options.config,
            model_resource=self._model_resource(),
            backend=state.auth.backend,
            handle=handle,
            transparent=state.outbox.transparent,
            default_audio=not isinstance(state.auth, VertexExpress),
        )
        frame = protocol.send(wire.ClientMessage(setup=self._with_seeding(setup, seed)))
        seconds = state.options.setup_timeout
        try:
            with trio.move_on_after(seconds):
                await transport.send([frame])
                if BUS.active:
                    reporting.sent(state, [frame])
                early = await _read_setup_complete(transport, protocol)
                if seed:
                    await transport.send([protocol.send(self._seed_message(seed))])
                return early
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

    def _with_seeding(self, setup: wire.Setup, seed: Sequence[wire.Content]) -> wire.Setup:
        """Some models take a history only when the setup has announced it."""
        if not seed or not self.state.capabilities.seeds_history:
            return setup
        return attrs.evolve(setup, history_config=wire.HistoryConfig(initial_history_in_client_content=True))

    def _seed_message(self, seed: Sequence[wire.Content]) -> wire.ClientMessage:
        """An announced history ends with ``turnComplete`` and starts no generation; another must not end."""
        announced = self.state.capabilities.seeds_history
        content = wire.ClientContent(turns=tuple(seed), turn_complete=announced)
        return wire.ClientMessage(client_content=content)

    def _model_resource(self) -> str:
        try:
            return self.state.auth.model_resource(self.state.options.model)
        except ConfigError as error:
            raise ConnectError(str(error), phase="dial", initiated_by="client", retryable=False) from error


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
