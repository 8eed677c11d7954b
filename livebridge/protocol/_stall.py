"""The stall watch's rules: the user has finished and nothing comes, though the connection is alive.

Models have been seen to fall silent with the socket open and no error: after a user's turn, after a barge-in,
after a tool's answer, after a resume. The clock runs while an answer is awaited; each time it has run for
`StallPolicy.after` seconds, one step of a ladder is taken::

    awaited --after--> event --after--> nudge --after--> rotate --after--> fresh

=========  ===================================================================================
step       what the session does
=========  ===================================================================================
event      tells you (``on_stall``), nothing else
nudge      says once more that the user has finished, if that can be said to this model
rotate     replaces the connection, resuming with the handle, and asks again
fresh      starts a fresh session, told of the last turns (``reseed_turns``), and asks again
=========  ===================================================================================

What awaits an answer, and what is one, this table says (``.``: no change). The clock runs in ``waiting`` (the
model owes an answer), ``owing`` (a turn from before the question is still on its way) and ``cut`` (that turn
was interrupted); in the last two, what comes until that turn has ended puts the clock back and is no answer.
While the user speaks (``listening``; ``barging`` and ``barged`` into such a turn) the clock stands still::

    sign         idle       answering  waiting    owing      cut        listening  barging    barged
    asked        waiting    owing      .          .          .          .          .          .
    returned     waiting    waiting    .          waiting    .          .          .          .
    began        listening  barging    listening  barging    barged     .          .          .
    ended        .          .          .          .          .          waiting    owing      cut
    released     .          .          .          .          .          idle       answering  cut
    paused       waiting    .          .          .          .          waiting    answering  cut
    heard        waiting    .          .          .          .          .          .          .
    interrupted  cut        cut        cut        cut        .          barged     barged     .
    output       answering  .          answering  .          .          barging    .          .
    generated    answering  .          answering  .          answering  .          .          barging
    complete     .          idle       idle       waiting    waiting    .          listening  listening
    replaced     .          idle       .          waiting    waiting    .          listening  listening

The microphone's being switched off is no sign at all: whoever mutes it may have said nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal, get_args

import attrs

from livebridge import wire
from livebridge.errors import ConfigError

StallStep = Literal["event", "nudge", "rotate", "fresh"]
"""One rung of the ladder."""

LADDER: Final[tuple[StallStep, ...]] = ("event", "nudge", "rotate", "fresh")


@attrs.frozen(kw_only=True)
class StallPolicy:
    """What is done about a silent model.

    Attributes:
        after: Seconds of silence before the first step, and between two steps.
        unsure_after: Seconds before the first step where it is not certain that the user has finished (the model
            was interrupted by speech, and nothing tells when that ends) or that it is the model's turn (it is
            still busy with an earlier one). Never less than ``after``.
        steps: The ladder; leave out what you do not want.

    Raises:
        ConfigError: A time is not positive, or a step is none.
    """

    after: float = 20.0
    unsure_after: float = 60.0
    steps: tuple[StallStep, ...] = LADDER

    def __attrs_post_init__(self) -> None:
        for name in ("after", "unsure_after"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"StallPolicy.{name} must be positive, not {getattr(self, name)!r}")
        for step in self.steps:
            if step not in get_args(StallStep):
                raise ConfigError(f"StallPolicy.steps knows {', '.join(LADDER)}; not {step!r}")


class Standing(StrEnum):
    """Who owes whom a word."""

    IDLE = "idle"
    ANSWERING = "answering"
    WAITING = "waiting"
    OWING = "owing"
    CUT = "cut"
    LISTENING = "listening"
    BARGING = "barging"
    BARGED = "barged"


class Sign(StrEnum):
    """What changes that."""

    ASKED = "asked"  # a message that asks for a turn was accepted
    RETURNED = "returned"  # the answer to a call that the model stands still for
    BEGAN = "began"  # the user begins to speak: activityStart, or the server heard it
    ENDED = "ended"  # activityEnd of an activity that was begun
    RELEASED = "released"  # the same, but nothing was sent in between
    PAUSED = "paused"  # the server heard the user's speech end
    HEARD = "heard"  # the server transcribed words of the user
    INTERRUPTED = "interrupted"
    OUTPUT = "output"  # content, a transcript of it, a function call
    GENERATED = "generated"  # generationComplete, which an interrupted turn never has
    COMPLETE = "complete"  # turnComplete
    REPLACED = "replaced"  # the connection is gone


RUNNING: Final = frozenset({Standing.WAITING, Standing.OWING, Standing.CUT})
"""Where the clock runs."""

SPEAKING: Final = frozenset({Standing.LISTENING, Standing.BARGING, Standing.BARGED})
"""Where the user speaks and the clock stands still."""

_I, _A, _W, _O, _C, _L, _B, _D = Standing

TABLE: Final[Mapping[Standing, Mapping[Sign, Standing]]] = {
    _I: {
        Sign.ASKED: _W,
        Sign.RETURNED: _W,
        Sign.BEGAN: _L,
        Sign.PAUSED: _W,
        Sign.HEARD: _W,
        Sign.INTERRUPTED: _C,
        Sign.OUTPUT: _A,
        Sign.GENERATED: _A,
    },
    _A: {
        Sign.ASKED: _O,
        Sign.RETURNED: _W,
        Sign.BEGAN: _B,
        Sign.INTERRUPTED: _C,
        Sign.COMPLETE: _I,
        Sign.REPLACED: _I,
    },
    _W: {
        Sign.BEGAN: _L,
        Sign.INTERRUPTED: _C,
        Sign.OUTPUT: _A,
        Sign.GENERATED: _A,
        Sign.COMPLETE: _I,
    },
    _O: {
        Sign.RETURNED: _W,
        Sign.BEGAN: _B,
        Sign.INTERRUPTED: _C,
        Sign.COMPLETE: _W,
        Sign.REPLACED: _W,
    },
    _C: {Sign.BEGAN: _D, Sign.GENERATED: _A, Sign.COMPLETE: _W, Sign.REPLACED: _W},
    _L: {
        Sign.ENDED: _W,
        Sign.RELEASED: _I,
        Sign.PAUSED: _W,
        Sign.INTERRUPTED: _D,
        Sign.OUTPUT: _B,
    },
    _B: {
        Sign.ENDED: _O,
        Sign.RELEASED: _A,
        Sign.PAUSED: _A,
        Sign.INTERRUPTED: _D,
        Sign.COMPLETE: _L,
        Sign.REPLACED: _L,
    },
    _D: {
        Sign.ENDED: _C,
        Sign.RELEASED: _C,
        Sign.PAUSED: _C,
        Sign.GENERATED: _B,
        Sign.COMPLETE: _L,
        Sign.REPLACED: _L,
    },
}
"""The table above; what is not in a row changes nothing."""


def expects_answer(message: wire.ClientMessage) -> bool:
    """Whether a message asks the model for a turn.

    ``activityEnd`` does; that it ends an activity is for `StallWatch` to know. ``audioStreamEnd`` does not:
    it says that the microphone is off, perhaps after a long silence.
    """
    content = message.client_content
    if content is not None:
        return content.turn_complete is True
    given = message.realtime_input
    return given is not None and (given.text is not None or given.activity_end is not None)
