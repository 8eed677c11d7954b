"""Numbers the turns of the model over a whole session, so that sound that was cut off can be told from what follows.

The number rises when a turn ends, and at once when the model is interrupted: whatever comes after the
interruption belongs to what the model says next, also where the server ends the interrupted turn only later.
"""

from __future__ import annotations

import attrs

from livebridge import wire
from livebridge.protocol._turns import ends_turn


@attrs.define
class TurnNumbers:
    """Feed it the server messages of a session in the order in which they were read.

    Attributes:
        current: Number of the turn that the model is in, or will be in next; the first is 1.
    """

    current: int = 1
    _begun: bool = False

    def feed(self, message: wire.ServerMessage) -> int:
        """Take one message.

        Returns:
            The turn to which its content belongs. If it says ``interrupted``, the one before was cut off.
        """
        content = message.server_content
        if content is None:
            self._begun = self._begun or message.tool_call is not None
            return self.current
        if content.interrupted:
            self.current += 1
            self._begun = False
        if content.model_turn is not None or content.output_transcription is not None:
            self._begun = True
        turn = self.current
        if ends_turn(content) and self._begun:
            self.current += 1
            self._begun = False
        return turn

    def restart(self) -> None:
        """The connection is gone: what the model was saying will not be finished."""
        if self._begun:
            self.current += 1
            self._begun = False
