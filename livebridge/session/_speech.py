"""What the model is saying, by turns: what was cut off, who must know at once, and who listens along."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, MutableMapping
from typing import Final

import attrs

from livebridge.errors import ConfigError, HandlerError
from livebridge.protocol import AudioDelta, Interrupted, TurnNumbers, Utterances
from livebridge.session._signal import Signal

_log: Final = logging.getLogger("livebridge.session")

Urgent = Callable[[Interrupted], object]
"""Called in the tap: before what is queued, synchronously."""


@attrs.define(eq=False)
class Speech:
    """The model's speech in one session.

    Attributes:
        numbers: Numbers the turns as they are read.
        utterances: Finds the ends of transcripts as they are dispatched.
        opened: Set when an utterance has begun.
        cut: The last turn that was cut off; sound of it, and of those before it, is stale.
        stale: Pieces of sound that were not given to ``on_audio`` because they were.
        urgent: Who is told of an interruption at once.
        listener: Who gets the model's sound besides the callbacks (an audio conversation).
    """

    numbers: TurnNumbers = attrs.field(factory=TurnNumbers)
    utterances: Utterances = attrs.field(factory=Utterances)
    opened: Signal = attrs.field(factory=Signal)
    cut: int = 0
    stale: int = 0
    urgent: list[Urgent] = attrs.field(factory=list)
    listener: Callable[[AudioDelta], object] | None = None

    def interrupted(self, turn: int, *, epoch: int) -> list[HandlerError]:
        """A turn was cut off.

        Returns:
            What those raised who were told.
        """
        self.cut = turn
        info = Interrupted(epoch=epoch, turn=turn)
        errors = []
        for tell in self.urgent:
            try:
                tell(info)
            except Exception as error:  # noqa: BLE001 - user code; reading must go on
                _log.error("callback on_interrupt_now raised %s", type(error).__name__, exc_info=error)
                errors.append(HandlerError("on_interrupt_now", info, error))
        return errors


def urgent_of(callbacks: MutableMapping[str, Callable[[object], object]]) -> list[Urgent]:
    """Take ``on_interrupt_now`` out of the callbacks, which are called in their turn.

    Raises:
        ConfigError: It is an async function; it is called where nothing can be awaited.
    """
    function = callbacks.pop("on_interrupt_now", None)
    if function is None:
        return []
    if inspect.iscoroutinefunction(function):
        raise ConfigError(
            "on_interrupt_now must be a plain function: it is called where nothing can be awaited"
        )
    return [function]
