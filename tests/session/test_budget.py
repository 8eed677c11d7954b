"""A session that may cost so much and no more."""

import pytest

from livebridge.errors import BudgetExceededError, ConfigError, SessionClosedError
from livebridge.protocol import Budget


def costs(line, tokens, *, end=True):
    """The model says something, and what it costs."""
    content = {"modelTurn": {"parts": [{"text": "x"}]}, **({"turnComplete": True} if end else {})}
    line.say({"serverContent": content, "usageMetadata": {"totalTokenCount": tokens}})


def scopes(log):
    return [error.scope for error in log.of("on_error") if isinstance(error, BudgetExceededError)]


async def test_a_passed_budget_is_told_once_and_the_session_goes_on(live, log):
    budget = Budget(session_tokens=15, turn_tokens=9)
    async with live.session(budget=budget, **log.callbacks("on_error")) as session:
        line = await live.line()
        for tokens in (8, 9, 5):
            costs(line, tokens)
            await session.wait_turn()
        costs(line, 10, end=False)
        costs(line, 12)
        await session.wait_turn()
        await log.wait("on_error", 2)
        assert scopes(log) == ["session", "turn"]
        assert not session.closed


async def test_a_passed_budget_closes_the_session_after_the_turn(live, log):
    budget = Budget(session_tokens=15, action="close")
    async with live.session(
        budget=budget, **log.callbacks("on_error", "on_turn_complete", "on_close")
    ) as session:
        line = await live.line()
        costs(line, 20, end=False)
        await log.wait("on_error", 1)
        assert not session.closed
        line.turn("to the end")
        info = await session.wait_closed()
        assert info.initiated_by == "client"
        assert [turn.text for turn in log.of("on_turn_complete")] == ["xto the end"]
        assert scopes(log) == ["session"]
        with pytest.raises(SessionClosedError):
            await session.send_text("more")


async def test_a_budget_is_a_budget(live):
    with pytest.raises(ConfigError, match="option budget must be Budget or None, not int"):
        async with live.session(budget=5):
            pytest.fail("the block must not be entered")
