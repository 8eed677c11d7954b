"""Says in the log that an inbox fills up, before reading has to stop."""

from __future__ import annotations

import logging
from typing import Final

import attrs

from livebridge.otp import Lane

_log: Final = logging.getLogger("livebridge.session")

HIGH: Final = 0.8
"""Part of an inbox whose filling is worth a warning."""

LOW: Final = 0.4
"""Part of an inbox below which the next filling is another one."""


@attrs.define
class Gauge:
    """Looks at an inbox after every frame."""

    _warned: bool = False

    def look(self, inbox: Lane) -> None:
        """Warn once each time that callbacks fall behind so far."""
        depth, cost = inbox.depth, inbox.cost
        if self._warned:
            self._warned = depth > LOW * inbox.capacity or cost > LOW * inbox.max_cost
        elif depth >= HIGH * inbox.capacity or cost >= HIGH * inbox.max_cost:
            self._warned = True
            _log.warning("callbacks fall behind: %d frames (%d bytes) wait in the inbox", depth, cost)
