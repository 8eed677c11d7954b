"""How many tokens a conversation may cost, and when that has been passed."""

from __future__ import annotations

from typing import Literal

import attrs

from livebridge.errors import BudgetExceededError, ConfigError
from livebridge.protocol._usage import Usage


@attrs.frozen(kw_only=True)
class Budget:
    """Limits of what a session may cost, in tokens as the server counts them (``total_token_count``).

    The server reports what a turn has cost when it completes it, and each turn is billed for the whole context
    that it reads again: a limit is noticed when it has been passed, not before. A session that is restarted by
    its supervisor counts anew.

    Attributes:
        session_tokens: For all turns together; ``None``: no limit. Reported once.
        turn_tokens: For each turn; ``None``: no limit. Reported once for each turn that passes it.
        action: ``report`` tells ``on_error`` (`livebridge.errors.BudgetExceededError`) and goes on; ``close``
            closes the session in order, too, after the turn in which a limit was passed.

    Raises:
        ConfigError: A limit is no whole number from 1, or there is no such action.
    """

    session_tokens: int | None = attrs.field(default=None)
    turn_tokens: int | None = attrs.field(default=None)
    action: Literal["report", "close"] = attrs.field(default="report")

    @session_tokens.validator
    @turn_tokens.validator
    def _check_limit(self, attribute: attrs.Attribute[int | None], value: object) -> None:
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ConfigError(f"{attribute.name} must be a whole number from 1, or None, not {value!r}")

    @action.validator
    def _check_action(self, attribute: attrs.Attribute[str], value: object) -> None:
        if value not in ("report", "close"):
            raise ConfigError(f"action must be 'report' or 'close', not {value!r}")


class BudgetWatch:
    """Compares what was spent with a budget, and complains about each limit once.

    Args:
        budget: The limits.

    Attributes:
        exceeded: A limit has been passed.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._is_session_told = False
        self._is_turn_told = False
        self.exceeded: bool = False

    def look(self, *, total: Usage, turn: Usage | None, ended: bool) -> tuple[BudgetExceededError, ...]:
        """Look at the present counts.

        Args:
            total: Of the session so far.
            turn: Of the turn in progress, or of the one that has just ended.
            ended: It has.

        Returns:
            A complaint for each limit that has been passed since.
        """
        found: list[BudgetExceededError] = []
        limit, used = self._budget.turn_tokens, 0 if turn is None else turn.total_token_count
        if limit is not None and used > limit and not self._is_turn_told:
            self._is_turn_told = True
            found.append(
                BudgetExceededError(
                    f"a turn has cost {used} tokens; its budget is {limit}",
                    scope="turn",
                    limit=limit,
                    used=used,
                )
            )
        if ended or turn is None:
            self._is_turn_told = False
        limit, used = self._budget.session_tokens, total.total_token_count
        if limit is not None and used > limit and not self._is_session_told:
            self._is_session_told = True
            found.append(
                BudgetExceededError(
                    f"the session has cost {used} tokens; its budget is {limit}",
                    scope="session",
                    limit=limit,
                    used=used,
                )
            )
        if found:
            self.exceeded = True
        return tuple(found)
