"""The connection manager's states, as a table.

The drawing and `PHASES` say the same (a test compares them)::

    idle          --dial-->          dialing
    idle          --circuit open-->  circuit_open
    idle          --fatal-->         failed
    dialing       --upgraded-->      setup
    dialing       --failed-->        backoff
    dialing       --fatal-->         failed
    setup         --set up-->        ready
    setup         --failed-->        backoff
    setup         --fatal-->         failed
    ready         --go away-->       goaway
    ready         --rotate-->        rotating
    ready         --failed-->        backoff
    ready         --fatal-->         failed
    goaway        --go away-->       goaway
    goaway        --rotate-->        rotating
    goaway        --failed-->        backoff
    goaway        --fatal-->         failed
    rotating      --upgraded-->      setup
    rotating      --circuit open-->  circuit_open
    rotating      --failed-->        backoff
    rotating      --fatal-->         failed
    backoff       --dial-->          dialing
    backoff       --circuit open-->  circuit_open
    backoff       --fatal-->         failed
    circuit_open  --dial-->          dialing
    circuit_open  --fatal-->         failed
    closing       --closed-->        closed

``close`` leads to ``closing`` from every state but ``closed`` and ``failed``; ``closed`` ends every state but
``failed``, whatever it was doing (an outer cancellation does not wait for a drain).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from livebridge.protocol._shapes import Phase


class Event(StrEnum):
    """What moves the connection manager on."""

    DIAL = "dial"
    UPGRADED = "upgraded"
    SET_UP = "set up"
    GO_AWAY = "go away"
    ROTATE = "rotate"
    FAILED = "failed"
    FATAL = "fatal"
    CIRCUIT_OPEN = "circuit open"
    CLOSE = "close"
    CLOSED = "closed"


_ENDINGS: Final = {Event.CLOSE: Phase.CLOSING, Event.CLOSED: Phase.CLOSED}
_TROUBLE: Final = {Event.FAILED: Phase.BACKOFF, Event.FATAL: Phase.FAILED}

PHASES: Final[Mapping[Phase, Mapping[Event, Phase]]] = {
    Phase.IDLE: {
        Event.DIAL: Phase.DIALING,
        Event.CIRCUIT_OPEN: Phase.CIRCUIT_OPEN,
        Event.FATAL: Phase.FAILED,
        **_ENDINGS,
    },
    Phase.DIALING: {Event.UPGRADED: Phase.SETUP, **_TROUBLE, **_ENDINGS},
    Phase.SETUP: {Event.SET_UP: Phase.READY, **_TROUBLE, **_ENDINGS},
    Phase.READY: {Event.GO_AWAY: Phase.GOAWAY, Event.ROTATE: Phase.ROTATING, **_TROUBLE, **_ENDINGS},
    Phase.GOAWAY: {Event.GO_AWAY: Phase.GOAWAY, Event.ROTATE: Phase.ROTATING, **_TROUBLE, **_ENDINGS},
    Phase.ROTATING: {
        Event.UPGRADED: Phase.SETUP,
        Event.CIRCUIT_OPEN: Phase.CIRCUIT_OPEN,
        **_TROUBLE,
        **_ENDINGS,
    },
    Phase.BACKOFF: {
        Event.DIAL: Phase.DIALING,
        Event.CIRCUIT_OPEN: Phase.CIRCUIT_OPEN,
        Event.FATAL: Phase.FAILED,
        **_ENDINGS,
    },
    Phase.CIRCUIT_OPEN: {Event.DIAL: Phase.DIALING, Event.FATAL: Phase.FAILED, **_ENDINGS},
    Phase.CLOSING: {Event.CLOSED: Phase.CLOSED, Event.CLOSE: Phase.CLOSING},
    Phase.CLOSED: {},
    Phase.FAILED: {},
}

CONNECTED: Final = frozenset({Phase.READY, Phase.GOAWAY})
ENDED: Final = frozenset({Phase.CLOSED, Phase.FAILED})
ENDING: Final = frozenset({Phase.CLOSING, Phase.CLOSED, Phase.FAILED})


def follow(phase: Phase, event: Event) -> Phase:
    """The phase after `event`.

    Raises:
        KeyError: The table has no such step; this is a bug of the connection manager.
    """
    return PHASES[phase][event]
