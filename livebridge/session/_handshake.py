"""Opening a connection: credentials, dial, ``setup``, and the wait for ``setupComplete``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
import trio

from livebridge import wire
from livebridge.auth import (
    EphemeralToken,
    Gateway,
    GeminiApi,
    VertexAi,
    VertexExpress,
    Way,
    headers_by,
    merge_headers,
)
from livebridge.errors import ConfigError, ConnectError, ConnectionLostError, CredentialsError, SetupError
from livebridge.protocol import ConnectionState, LiveProtocol, Unrecognized, build_setup
from livebridge.session import _reporting as reporting
from livebridge.session._endpoints import Endpoint, shared_endpoint
from livebridge.session._state import SessionState
from livebridge.telemetry import BUS
from livebridge.transport import Dial, Transport

DIAL_GRACE: Final = 1.0
"""Seconds beyond ``dial_timeout`` that a dial gets to keep that time itself: it knows best what it waited for."""

Early = list[tuple[wire.ServerMessage | Unrecognized, int]]
"""What was read up to ``setupComplete``, that one included, with the sizes of the frames."""


class UnansweredError(SetupError):
    """The server did not answer a setup in time; users see a plain `SetupError`.

    Attributes:
        alive: Whether anything was heard meanwhile: an answer to a ping, or messages of another kind.
    """

    alive: bool = False


@attrs.define(eq=False)
class Handshake:
    """Opens connections of one session.

    Args:
        state: The session's.
        dial: Opens transports.

    Attributes:
        endpoint: What it shares, inside of `sharing`, with other sessions that dial there as well.
    """

    state: SessionState
    dial: Dial
    endpoint: Endpoint = attrs.field(init=False)

    @property
    def url(self) -> str:
        """Where this session dials."""
        options = self.state.options
        return self.state.auth.endpoint(api_version=options.api_version, base_url=options.base_url)

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """The session lives in this block: it has an `endpoint`."""
        with shared_endpoint(self.url, self.state.auth, self.state.options.circuit) as self.endpoint:
            yield

    async def open(self, nursery: trio.Nursery, *, refresh: bool) -> Transport:
        """Dial, with credentials that are asked for anew.

        Args:
            nursery: Where the transport's own tasks live.
            refresh: The last credentials were refused.

        Raises:
            ConnectError: It did not work; also when there were no credentials, or not in time.
        """
        options = self.state.options
        headers = await self._credentials(refresh=refresh)
        seconds = options.dial_timeout
        async with self.endpoint.limiter:
            with reporting.connecting(self.state):
                with trio.move_on_after(seconds + DIAL_GRACE):
                    return await self.dial(
                        nursery,
                        self.url,
                        headers=merge_headers(headers, options.headers or {}),
                        ssl_context=options.ssl_context,
                        proxy=options.proxy,
                        dial_timeout=seconds,
                        max_message_size=options.max_message_size,
                    )
                raise ConnectError(
                    f"the dial has not ended {DIAL_GRACE:g} s after its timeout of {seconds:g} s",
                    phase="dial",
                    initiated_by="network",
                    retryable=True,
                )

    @property
    def renewable(self) -> bool:
        """Whether asking for credentials again can bring other ones: they are not plain text."""
        match self.state.auth:
            case GeminiApi(api_key=str()) | VertexExpress(api_key=str()) | EphemeralToken(token=str()):
                return False
            case Gateway(headers_source=source):
                return not isinstance(source, Mapping)
            case _:
                return True

    async def _credentials(self, *, refresh: bool) -> dict[str, str]:
        """Ask who we are; whoever provides that has as much time as a dial."""
        auth = self.state.auth
        options = self.state.options
        seconds = options.dial_timeout
        way = Way(proxy=options.proxy, ssl_context=options.ssl_context)
        try:
            with trio.move_on_after(seconds):
                return await headers_by(auth, way=way, refresh=refresh)
        except CredentialsError as error:
            raise ConnectError(
                str(error), phase="dial", initiated_by="client", retryable=self._is_passing(error)
            ) from error
        raise ConnectError(
            f"the credentials were not provided within {seconds:g} s",
            phase="dial",
            initiated_by="client",
            retryable=True,
        )

    def _is_passing(self, error: CredentialsError) -> bool:
        """Whether asking again may help: somebody's function has failed, or it is the network's fault."""
        if self.state.ever_connected or error.retryable:
            return True
        auth = self.state.auth
        function = callable(auth.credentials) if isinstance(auth, VertexAi) else self.renewable
        return function and error.__cause__ is not None

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
        began = state.now
        try:
            with trio.move_on_after(seconds):
                await transport.send([frame])
                if BUS.active:
                    reporting.sent(state, [frame])
                early = await _answer(transport, protocol, ping_after=seconds / 2)
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
        unanswered = UnansweredError(
            f"no setupComplete within {seconds:g} s",
            phase="setup",
            initiated_by="client",
            retryable=True,
            hint="a field of the configuration that the server does not support can have this effect; set are: "
            + ", ".join(_fields(setup)),
        )
        unanswered.alive = transport.last_heard > began
        if not unanswered.alive:
            transport.abort()
        raise unanswered

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


async def _answer(transport: Transport, protocol: LiveProtocol, *, ping_after: float) -> Early:
    """Wait for ``setupComplete``; a ping tells meanwhile whether the line is alive."""
    early: Early = []
    with trio.move_on_after(ping_after) as scope:
        await _read_setup_complete(transport, protocol, early)
    if scope.cancelled_caught:
        await transport.ping()
        await _read_setup_complete(transport, protocol, early)
    return early


async def _read_setup_complete(transport: Transport, protocol: LiveProtocol, early: Early) -> None:
    while protocol.state is not ConnectionState.READY:
        for frame in await transport.receive():
            early.append((protocol.receive(frame), len(frame)))
        refusal = protocol.refusal
        if refusal is not None:
            reason = refusal.reason
            raise SetupError(
                str(refusal),
                status=refusal.status,
                reason=reason if isinstance(reason, str) else None,
                phase="setup",
                initiated_by="server",
                retryable=True,
            ) from refusal


def _fields(setup: wire.Setup) -> list[str]:
    """What is set in a setup, by name."""
    config = setup.generation_config
    inner = [] if config is None else [f"generation_config.{name}" for name in _set(config)]
    return [name for name in _set(setup) if name != "generation_config"] + inner


def _set(message: attrs.AttrsInstance) -> list[str]:
    return [field.name for field in attrs.fields(type(message)) if getattr(message, field.name) is not None]
