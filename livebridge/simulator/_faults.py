"""What can go wrong, as data: when a fault strikes, and what it does."""

from typing import Annotated, Final, Literal

import attrs

from livebridge.errors import ConfigError
from livebridge.simulator._checks import (
    Bounds,
    Chance,
    Number,
    Ordinal,
    Seconds,
    check_fields,
    check_value,
)

CLIENT_MESSAGES: Final = frozenset(
    {
        "setup", "clientContent", "realtimeInput", "realtimeInput.audio", "realtimeInput.video",
        "realtimeInput.text", "realtimeInput.activityStart", "realtimeInput.activityEnd",
        "realtimeInput.audioStreamEnd", "toolResponse", "contextUpdate",
    }
)  # fmt: skip
"""What ``message`` may name on the way in."""

SERVER_MESSAGES: Final = frozenset(
    {
        "setupComplete", "serverContent", "modelTurn", "inputTranscription", "outputTranscription",
        "generationComplete", "interrupted", "turnComplete", "toolCall", "toolCallCancellation",
        "usageMetadata", "goAway", "sessionResumptionUpdate", "voiceActivity",
        "voiceActivityDetectionSignal",
    }
)  # fmt: skip
"""What ``message`` may name on the way out."""

Point = Literal["upgrade", "received", "sent", "time", "bytes"]


@attrs.frozen(kw_only=True)
class RefuseUpgrade:
    """Answer the upgrade with an HTTP status instead of 101.

    Attributes:
        status: The status, 200 to 599.
        retry_after: Seconds for a ``Retry-After`` header, ``None`` for no header.
    """

    status: Annotated[int, Bounds(low=200, high=599)] = 503
    retry_after: Number | None = None


@attrs.frozen
class StallUpgrade:
    """Take the upgrade request and never answer."""


@attrs.frozen(kw_only=True)
class Close:
    """Close with this code and reason.

    Attributes:
        code: Any that fits into a close frame; 1005, 1006 and 1015 never travel in one (RFC 6455, 7.4.1).
        reason: Cut to what fits.
    """

    code: Annotated[int, Bounds(low=0, high=65_535)] = 1011
    reason: str = "Internal error encountered."


@attrs.frozen(kw_only=True)
class Drop:
    """End the stream without a close frame.

    Attributes:
        how: ``reset`` (RST) or ``eof`` (FIN).
        mid_frame: Send half of the message at hand first; only where a message is being sent, and without ``byte``,
            which says it more exactly.
    """

    how: Literal["reset", "eof"] = "reset"
    mid_frame: bool = False


@attrs.frozen(kw_only=True)
class Freeze:
    """Leave the connection open and stop reading it (half-open), or writing to it, or both."""

    reading: bool = True
    writing: bool = True


@attrs.frozen
class NoPongs:
    """Answer no pings from here on."""


@attrs.frozen(kw_only=True)
class Delay:
    """Wait that many seconds before the message at hand, or in the middle of the server's stream."""

    seconds: Seconds = 1.0


@attrs.frozen(kw_only=True)
class Garble:
    """Turn over every bit of some bytes of the server's stream; only with ``byte``.

    Attributes:
        size: How many bytes.
    """

    size: Ordinal = 4


@attrs.frozen(kw_only=True)
class Inject:
    """Send something a client must survive, before the message at hand.

    Attributes:
        what: ``garbage`` (no JSON), ``invalid_utf8`` (in a text frame), ``deep`` (nested JSON), ``oversize``,
            ``array`` (JSON that is no object), ``empty`` (an empty frame), ``unknown_message``,
            ``error`` (``{"error": …}``), ``interrupted`` (with nothing to interrupt).
        size: Bytes of the oversize message, levels of the deep one.
    """

    what: Literal[
        "garbage",
        "invalid_utf8",
        "deep",
        "oversize",
        "array",
        "empty",
        "unknown_message",
        "error",
        "interrupted",
    ] = "garbage"
    size: Number = 2_000


@attrs.frozen
class Distort:
    """Add unknown members and an unknown enum value to the message at hand."""


@attrs.frozen
class Repeat:
    """Send the message at hand twice."""


@attrs.frozen
class Withhold:
    """Send, or take, the message at hand not at all."""


@attrs.frozen
class Mute:
    """Send no ``serverContent`` and no ``toolCall`` from here on."""


@attrs.frozen(kw_only=True)
class GoAway:
    """Send ``goAway``.

    Attributes:
        seconds: The time left, after which the connection is closed.
        silent: Write nothing more after it.
    """

    seconds: Seconds = 10.0
    silent: bool = False


@attrs.frozen
class CancelTools:
    """Take back every open call; on ``toolResponse`` the cancellation crosses its answer."""


@attrs.frozen
class RevokeHandles:
    """Forget every handle of the conversation: the next resume is refused."""


@attrs.frozen(kw_only=True)
class LateAudio:
    """Send more sound after the message at hand, for example after ``turnComplete``; at most a minute of it."""

    seconds: Annotated[float, Bounds(low=0, high=60)] = 0.04


What = (
    RefuseUpgrade
    | StallUpgrade
    | Close
    | Drop
    | Freeze
    | NoPongs
    | Delay
    | Garble
    | Inject
    | Distort
    | Repeat
    | Withhold
    | Mute
    | GoAway
    | CancelTools
    | RevokeHandles
    | LateAudio
)
"""What a fault does."""

AtByte = Drop | Freeze | Delay | Garble
"""What it can do in the middle of the server's stream."""

_UPGRADE: Final = (RefuseUpgrade, StallUpgrade)
_ON_THE_WAY_OUT: Final = (Distort, Repeat)
_NEVER_SENT: Final = frozenset({1005, 1006, 1015})


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong.

    It strikes at the upgrade, unless one of ``received``, ``sent``, ``after`` and ``message`` says otherwise; all
    conditions that are given must hold.

    Attributes:
        what: What it does.
        dial: Only on the n-th upgrade of the simulator, from 1 on; for faults that strike at a byte of the whole
            stream, on the n-th TCP connection.
        resumed: Only on connections whose setup carried a handle (or carried none).
        received: At the n-th message from the client; 1 is the setup.
        sent: At the n-th message to the client; 1 is ``setupComplete``, if nothing went wrong before.
        after: That many seconds after the upgrade.
        message: At a message of this kind, one of `CLIENT_MESSAGES` or `SERVER_MESSAGES`.
        byte: After that many bytes: of the frame (head and payload) of a message to the client, if ``sent`` or
            ``message`` says of which; else of everything the server writes on a TCP connection, the TLS handshake and
            the answer to the upgrade included. Only for `Drop`, `Freeze`, `Delay` and `Garble`.
        received_byte: After that many bytes from the client on a TCP connection; what is beyond them is not heard
            before the fault is over. For the same faults as ``byte``, and without other conditions but ``dial``,
            ``probability`` and ``times``.
        nth: At the n-th of these messages on a connection; ``None`` for any.
        probability: With this chance each time all else fits.
        times: How often it strikes in all; 0 for any number.

    Raises:
        ConfigError: A value has the wrong type or is out of its range, or the conditions do not go together.
    """

    what: What
    dial: Ordinal | None = None
    resumed: bool | None = None
    received: Ordinal | None = None
    sent: Ordinal | None = None
    after: Seconds | None = None
    message: str | None = None
    byte: Number | None = None
    received_byte: Number | None = None
    nth: Ordinal | None = None
    probability: Chance = 1.0
    times: Number = 1

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.what, What):
            raise ConfigError(f"what must be something that can go wrong, such as Close(); got {self.what!r}")
        check_fields(self.what, absent="left out")
        check_fields(self, absent="left out")
        self._check_values()
        self._check_conditions()
        self._check_byte()
        self._check_point()

    @property
    def _name(self) -> str:
        return type(self.what).__name__

    def _check_values(self) -> None:
        if self.message is not None and self.message not in CLIENT_MESSAGES | SERVER_MESSAGES:
            known = ", ".join(sorted(CLIENT_MESSAGES | SERVER_MESSAGES))
            raise ConfigError(f"a fault's message must be one of {known}; got {self.message!r}")
        if isinstance(self.what, Close) and self.what.code in _NEVER_SENT:
            raise ConfigError(f"code must be one that can be sent; {self.what.code} only says that none came")

    def _check_conditions(self) -> None:
        points = {
            "received": self.received is not None or self.message in CLIENT_MESSAGES,
            "sent": self.sent is not None or self.message in SERVER_MESSAGES,
            "time": self.after is not None,
        }
        given = [point for point, wanted in points.items() if wanted]
        if len(given) > 1:
            raise ConfigError(f"a fault strikes at one point, got {' and '.join(given)}")
        if self.nth is not None and self.message is None:
            raise ConfigError("nth counts messages of one kind; add message=…")
        if self.resumed is not None and self.point in ("upgrade", "bytes"):
            raise ConfigError(
                f"a fault {self._place} strikes before it is known what is resumed; leave resumed out"
            )

    @property
    def _place(self) -> str:
        return "at a byte of the stream" if self.point == "bytes" else "at the upgrade"

    def _check_byte(self) -> None:
        position = self.byte if self.received_byte is None else self.received_byte
        if position is None:
            if isinstance(self.what, Garble):
                raise ConfigError("Garble strikes at a byte; say which, with byte=")
            return
        if not isinstance(self.what, AtByte):
            raise ConfigError(f"{self._name} cannot strike at a byte")
        alone = self.received_byte is not None
        points = {"bytes"} if alone else {"bytes", "sent"}
        if (alone and self.byte is not None) or self.point not in points:
            raise ConfigError(
                "bytes count from the start of something: give byte alone, or with sent or a message of the server; "
                "and received_byte alone"
            )

    def _check_point(self) -> None:
        what, point = self.what, self.point
        if isinstance(what, _UPGRADE):
            if point != "upgrade":
                raise ConfigError(
                    f"{self._name} strikes at the upgrade; leave message, received, sent and after out"
                )
        elif point == "upgrade":
            raise ConfigError(f"{self._name} cannot strike at the upgrade; add {self._possible_points()}")
        if isinstance(what, _ON_THE_WAY_OUT) and point != "sent":
            raise ConfigError(f"{self._name} needs a message to the client; add {self._possible_points()}")
        if isinstance(what, Withhold) and point == "time":
            raise ConfigError(f"{self._name} needs a message; add {self._possible_points()}")
        if isinstance(what, Drop) and what.mid_frame and (point != "sent" or self.byte is not None):
            raise ConfigError(
                "mid_frame needs a message to the client, and no byte; add message=… (one of the server's) or sent=…"
            )

    def _possible_points(self) -> str:
        """What may be added to say when it strikes."""
        if isinstance(self.what, _ON_THE_WAY_OUT):
            return "message=… (one of the server's) or sent=…"
        if isinstance(self.what, Withhold):
            return "message=…, received=… or sent=…"
        at_byte = ", byte=…, received_byte=…" if isinstance(self.what, AtByte) else ""
        return f"message=…, received=…, sent=…{at_byte} or after=…"

    @property
    def point(self) -> Point:
        """Where it strikes."""
        if self.after is not None:
            return "time"
        if self.received is not None or self.message in CLIENT_MESSAGES:
            return "received"
        if self.sent is not None or self.message in SERVER_MESSAGES:
            return "sent"
        return "upgrade" if self.byte is None and self.received_byte is None else "bytes"


@attrs.frozen(init=False)
class Faults:
    """A plan: everything that goes wrong with one simulator.

    ::

        Faults(
            Fault(what=RefuseUpgrade(status=429, retry_after=3), dial=1),
            Fault(what=Close(code=1011), message="toolCall"),
            seed=7,
        )

    Args:
        faults: What goes wrong. Several may strike at once, in this order.
        seed: Makes the probabilities repeat.

    Raises:
        ConfigError: Something in it is no `Fault`, or the seed is no whole number.
    """

    faults: tuple[Fault, ...] = ()
    seed: int | None = None

    def __init__(self, *faults: Fault, seed: int | None = None) -> None:
        for number, fault in enumerate(faults, start=1):
            check_value(f"fault {number}", fault, Fault)
        check_value("seed", seed, int | None)
        self.__attrs_init__(faults=faults, seed=seed)
