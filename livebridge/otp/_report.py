"""What the log says when an actor ends: one record, without secrets."""

from __future__ import annotations

import logging
import reprlib
from typing import Final

from livebridge.otp._caller import Caller
from livebridge.otp._cell import Cell, StateView
from livebridge.otp._reason import ExitReason
from livebridge.otp._server import GenServer

LOGGER: Final = logging.getLogger("livebridge.otp")

_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 120


def describe(actor: GenServer, cell: Cell) -> StateView:
    """Show an actor's redacted state and a word on what it handles, even if its formatters are broken."""
    try:
        state = actor.format_state()
        current = None
        if cell.current is not None:
            payload = cell.current[1]
            current = actor.format_message(payload.request if isinstance(payload, Caller) else payload)
    except Exception as exc:  # noqa: BLE001 - a broken formatter must not hide the crash it should describe
        return {"format_state": f"raised {type(exc).__name__}"}, None
    return state, current


def report_exit(
    cell: Cell, reason: ExitReason, view: StateView, caller: Caller | None, *, quiet: bool
) -> None:
    """Log the end of an actor: ERROR if it was abnormal, DEBUG if it was clean or somebody else tells it.

    Ctrl-C and `sys.exit` that strike in an actor leave the program as they do anywhere else: no crash to tell of.
    """
    if quiet or not reason.abnormal or isinstance(reason.exc, (KeyboardInterrupt, SystemExit)):
        LOGGER.debug("%s ended: %s", cell.name, reason)
        return
    state, message = view
    fields: dict[str, object] = {
        "actor": cell.name,
        "actor_id": cell.id,
        "exit_reason": str(reason),
        "last_message": message,
        "actor_state": {name: _shorten.repr(value) for name, value in state.items()},
        "caller": None if caller is None else caller.task_name,
        "undelivered": cell.leftovers,
    }
    LOGGER.error(
        "%s ended: %s (last message %s from %s, %d undelivered, state %s)",
        cell.name, reason, message, fields["caller"], cell.leftovers, fields["actor_state"],
        exc_info=reason.exc, extra=fields,
    )  # fmt: skip
