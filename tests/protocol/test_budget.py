"""Budgets: what may be spent, and how often it is said that more was."""

import pytest

from livebridge.errors import ConfigError
from livebridge.protocol import Budget, BudgetWatch, Usage


def spent(tokens):
    return Usage(total_token_count=tokens)


def said(errors):
    return [(error.scope, error.limit, error.used) for error in errors]


def test_what_a_budget_allows_is_not_complained_about():
    watch = BudgetWatch(Budget(session_tokens=10, turn_tokens=10))
    assert watch.look(total=spent(10), turn=spent(10), ended=True) == ()
    assert not watch.exceeded


def test_a_turn_that_passes_its_budget_is_told_once_and_the_next_one_again():
    watch = BudgetWatch(Budget(turn_tokens=10))
    assert said(watch.look(total=spent(11), turn=spent(11), ended=False)) == [("turn", 10, 11)]
    assert watch.look(total=spent(12), turn=spent(12), ended=True) == ()
    assert watch.look(total=spent(22), turn=spent(10), ended=True) == ()
    assert said(watch.look(total=spent(33), turn=spent(11), ended=True)) == [("turn", 10, 11)]
    assert watch.exceeded


def test_a_turn_that_broke_off_does_not_silence_the_next_one():
    watch = BudgetWatch(Budget(turn_tokens=10))
    watch.look(total=spent(11), turn=spent(11), ended=False)
    assert watch.look(total=spent(11), turn=None, ended=False) == ()
    assert said(watch.look(total=spent(31), turn=spent(20), ended=True)) == [("turn", 10, 20)]


def test_a_session_that_passes_its_budget_is_told_once():
    watch = BudgetWatch(Budget(session_tokens=10))
    assert said(watch.look(total=spent(15), turn=spent(15), ended=True)) == [("session", 10, 15)]
    assert watch.look(total=spent(30), turn=spent(15), ended=True) == ()


@pytest.mark.parametrize("given", [{"session_tokens": 0}, {"turn_tokens": True}, {"turn_tokens": 1.5}])
def test_a_limit_is_a_whole_number_of_tokens(given):
    with pytest.raises(ConfigError, match=f"{next(iter(given))} must be a whole number"):
        Budget(**given)


def test_there_are_two_things_to_do_about_a_passed_budget():
    with pytest.raises(ConfigError, match="action must be 'report' or 'close'"):
        Budget(action="explode")
