"""A mix of every fault, drawn by chance from a seed."""

from typing import Final

import attrs

from livebridge.simulator._checks import Limit, check_value
from livebridge.simulator._faults import (
    CancelTools,
    Close,
    Delay,
    Distort,
    Drop,
    Fault,
    Faults,
    Freeze,
    GoAway,
    Inject,
    LateAudio,
    RefuseUpgrade,
    Repeat,
    RevokeHandles,
    Withhold,
)
from livebridge.simulator._refusals import INTERNAL_ERROR, NOT_IMPLEMENTED, SESSION_NOT_FOUND

CHANCES: Final[tuple[Fault, ...]] = (
    Fault(what=RefuseUpgrade(status=503), probability=0.15),
    Fault(what=RefuseUpgrade(status=429, retry_after=1), probability=0.05),
    Fault(what=Withhold(), message="setupComplete", probability=0.02),
    Fault(
        what=Close(code=INTERNAL_ERROR.code, reason=INTERNAL_ERROR.reason),
        message="serverContent",
        probability=0.01,
    ),
    Fault(what=Close(code=1001, reason=""), message="turnComplete", probability=0.05),
    Fault(
        what=Close(code=NOT_IMPLEMENTED.code, reason=NOT_IMPLEMENTED.reason),
        message="toolCall",
        probability=0.05,
    ),
    Fault(
        what=Close(code=SESSION_NOT_FOUND.code, reason=SESSION_NOT_FOUND.reason),
        message="setup",
        resumed=True,
        probability=0.05,
    ),
    Fault(what=Drop(), message="serverContent", probability=0.01),
    Fault(what=Drop(mid_frame=True), message="modelTurn", probability=0.005),
    Fault(what=Drop(), byte=60, probability=0.02),
    Fault(what=Drop(how="eof"), message="modelTurn", byte=1, probability=0.005),
    Fault(what=Freeze(), message="modelTurn", byte=20, probability=0.005),
    Fault(what=Delay(seconds=0.2), message="serverContent", byte=3, probability=0.02),
    Fault(what=Drop(how="eof"), message="clientContent", probability=0.03),
    Fault(what=Drop(how="eof"), message="toolResponse", probability=0.05),
    Fault(what=Freeze(), message="realtimeInput.text", probability=0.01),
    Fault(what=Delay(seconds=0.5), message="serverContent", probability=0.02),
    Fault(what=Inject(what="garbage"), message="serverContent", probability=0.005),
    Fault(what=Inject(what="unknown_message"), message="serverContent", probability=0.02),
    Fault(what=Inject(what="interrupted"), message="turnComplete", probability=0.02),
    Fault(what=Distort(), message="serverContent", probability=0.05),
    Fault(what=Repeat(), message="setupComplete", probability=0.05),
    Fault(what=Withhold(), message="sessionResumptionUpdate", probability=0.1),
    Fault(what=GoAway(seconds=1.0), message="turnComplete", probability=0.05),
    Fault(what=GoAway(seconds=1.0), message="toolCall", probability=0.05),
    Fault(what=CancelTools(), message="toolResponse", probability=0.05),
    Fault(what=RevokeHandles(), message="turnComplete", probability=0.02),
    Fault(what=LateAudio(), message="turnComplete", probability=0.05),
)
"""What can go wrong in one connection, and how likely at each occasion."""


@attrs.frozen(init=False)
class Chaos(Faults):
    """A plan in which anything may go wrong at any time.

    Args:
        seed: The same seed and the same conversation give the same faults.
        intensity: Multiplies every probability; from 0 on.

    Raises:
        ConfigError: The seed or the intensity is no such number.
    """

    def __init__(self, *, seed: int | None = None, intensity: float = 1.0) -> None:
        check_value("intensity", intensity, Limit)
        faults = tuple(
            attrs.evolve(fault, probability=min(1.0, fault.probability * intensity), times=0)
            for fault in CHANCES
        )
        super().__init__(*faults, seed=seed)
