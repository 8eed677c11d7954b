"""The verbs that send words and answers. Everything is checked before anything is accepted."""

from __future__ import annotations

import trio

from livebridge.errors import ConfigError
from livebridge.protocol import (
    Kind,
    client_content,
    context_update,
    realtime_input,
    tool_response,
)
from livebridge.session._microphone import Microphone
from livebridge.session._outgoing import SendReceipt, Wait


class Senders(Microphone):
    """The sending half of `Verbs`."""

    async def send_text(
        self,
        text: str,
        turn_complete: bool = True,  # noqa: FBT001, FBT002 - the original's signature
        *,
        wait: Wait = "accepted",
        timeout: float | None = None,
    ) -> SendReceipt:
        """Send words of the user, on the channel that the model takes text from.

        Args:
            text: What the user says.
            turn_complete: The model shall answer now. Models that take text as realtime input answer always.
            wait: How far to wait: ``accepted``, ``written``, or ``acked`` (covered by a resumption handle).
            timeout: Seconds for that; a callback that waits for ``acked`` has to give one.

        Raises:
            ConfigError: `text` is no string, `wait` no known word, or a callback would wait for ever.
            LivebridgeError: As all sends; see `Session`.
        """
        if not isinstance(text, str):
            raise ConfigError(f"text must be a str, not {type(text).__name__}")
        if self._state.capabilities.text_input == "realtime_input":
            message = realtime_input(text=text)
        else:
            message = client_content(text, turn_complete=turn_complete)
        return await self._actor.outgoing.send(message, Kind.CONTENT, wait=wait, timeout=timeout)

    async def send_client_content(
        self,
        content: object = None,
        turn_complete: bool = True,  # noqa: FBT001, FBT002 - the original's signature
        *,
        wait: Wait = "accepted",
        timeout: float | None = None,
    ) -> SendReceipt:
        """Append turns to the conversation, in order; interrupts a generation.

        Args:
            content: Text, a `Part`, a `Content`, mappings of their fields, a list of turns; nothing: the turn
                is complete.
            turn_complete: The model shall answer now.
            wait: See `send_text`.
            timeout: See `send_text`.

        Raises:
            ConfigError: `content` is none of these, or the model takes its words by `send_text` only (the 3.x
                models, but for the history that ``history_config`` announces).
            LivebridgeError: As all sends; see `Session`.
        """
        message = client_content(content, turn_complete=turn_complete)
        self._actor.outgoing.check(message)
        return await self._actor.outgoing.send(message, Kind.CONTENT, wait=wait, timeout=timeout)

    async def send_tool_response(self, responses: object) -> int:
        """Answer tool calls by hand.

        Args:
            responses: A `FunctionResponse`, a mapping of its fields, or a list of these. The Gemini API needs
                the id of each call.

        Returns:
            How many were sent: an answer to a call that was cancelled or answered already is left out.

        Raises:
            ConfigError: There is none, or one is malformed.
            LivebridgeError: As all sends; see `Session`.
        """
        known = {key: call.name or "" for key, call in self.pending_tool_calls.items()}
        require_ids = self._state.auth.backend == "gemini"
        message = tool_response(responses, require_ids=require_ids, known=known)
        self._actor.outgoing.check_open()
        await trio.lowlevel.checkpoint()
        assert message.tool_response is not None
        return await self._actor.tools.answer(message.tool_response)

    async def send_context_update(
        self, *, system_instruction: object = None, tools: object = None
    ) -> SendReceipt:
        """Change instructions or tools from here on (models of the 3.8 generation).

        Args:
            system_instruction: New instructions; ``None`` keeps the present ones.
            tools: New tools; ``None`` keeps the present ones, ``[]`` removes them.

        Raises:
            ConfigError: Neither was given, one is malformed, or the model takes no updates.
            LivebridgeError: As all sends; see `Session`.
        """
        message = context_update(system_instruction=system_instruction, tools=tools)
        self._actor.outgoing.check(message)
        if message.context_update is not None and message.context_update.tools is not None:
            self._actor.tools.declare(message.context_update.tools.tools or ())
        return await self._actor.outgoing.send(message, Kind.CONTENT)
