"""The stall watch: the user has finished and nothing comes, though the connection is alive.

Models have been seen to fall silent with the socket open and no error: after a user's turn, after a barge-in,
after a resume. The watch is armed by whatever should make the model answer, disarmed by any sign of it, and
otherwise climbs a ladder, one step each time `StallPolicy.after` seconds have passed::

    armed --after--> event --after--> nudge --after--> rotate --after--> fresh

=========  ===================================================================================
step       what the session does
=========  ===================================================================================
event      tells you (``on_stall``), nothing else
nudge      says once more that the user has finished
rotate     replaces the connection, resuming with the handle
fresh      starts a fresh session (seeded with the last turns, if ``reseed_turns`` says so)
=========  ===================================================================================
"""

from __future__ import annotations

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
        steps: The ladder; leave out what you do not want.

    Raises:
        ConfigError: ``after`` is not positive, or a step is none.
    """

    after: float = 20.0
    steps: tuple[StallStep, ...] = LADDER

    def __attrs_post_init__(self) -> None:
        if not self.after > 0:
            raise ConfigError(f"StallPolicy.after must be positive, not {self.after!r}")
        for step in self.steps:
            if step not in get_args(StallStep):
                raise ConfigError(f"StallPolicy.steps knows {', '.join(LADDER)}; not {step!r}")


@attrs.define
class StallWatch:
    """Where a session stands on the ladder.

    Attributes:
        policy: The ladder.
        kind: What armed it: ``answer`` or ``interrupted``; ``None``: not armed.
        since: When it was armed, on the caller's clock.
    """

    policy: StallPolicy
    kind: str | None = None
    since: float = 0.0
    _step: int = 0
    _base: float = 0.0

    def arm(self, kind: str, now: float) -> None:
        """Something should make the model speak; the ladder starts at its foot."""
        self.kind = kind
        self.since = self._base = now
        self._step = 0

    def disarm(self) -> None:
        """The model gave a sign."""
        self.kind = None

    def pause(self, now: float) -> None:
        """The time up to now does not count (no connection, or a tool is at work)."""
        self._base = now

    @property
    def due_at(self) -> float | None:
        """When the next step is due; ``None`` if there is none."""
        if self.kind is None or self._step >= len(self.policy.steps):
            return None
        return self._base + self.policy.after

    def climb(self, now: float) -> StallStep | None:
        """The step that is due now, if one is."""
        due = self.due_at
        if due is None or now < due:
            return None
        step = self.policy.steps[self._step]
        self._step += 1
        self._base = now
        return step


def expects_answer(message: wire.ClientMessage) -> bool:
    """Whether a message should make the model speak."""
    content = message.client_content
    if content is not None:
        return content.turn_complete is True
    given = message.realtime_input
    return given is not None and (
        given.text is not None or given.activity_end is not None or given.audio_stream_end is True
    )
