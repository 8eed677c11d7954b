from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from livebridge.simulator._ledger import Ledger


class LedgerMachine(RuleBasedStateMachine):
    """A ledger against plain lists: marks stay what they were, whatever happens later; what is forgotten is gone."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        self.model = []
        self.marks = []
        self.gone = []

    @rule(item=st.integers())
    def append(self, item):
        self.ledger.append(item)
        self.model.append(item)

    @rule()
    def mark(self):
        self.marks.append((self.ledger.mark(), list(self.model)))

    @rule(data=st.data())
    def restore(self, data):
        if self.marks:
            mark, self.model = data.draw(st.sampled_from(self.marks))
            self.model = list(self.model)
            self.ledger.restore(mark)

    @rule(data=st.data())
    def forget(self, data):
        # whoever forgets gives up the marks that go back further, and those of other pasts
        marks = [one for one in self.marks if one[1] == self.model[: len(one[1])]]
        if marks:
            mark, model = data.draw(st.sampled_from(marks))
            self.gone += self.ledger.forget(mark)
            self.marks = [one for one in self.marks if one[1][: len(model)] == model]

    @invariant()
    def they_agree(self):
        assert self.gone + list(self.ledger) == self.model
        assert list(self.ledger) == list(self.ledger.items)
        assert len(self.ledger) == self.ledger.end - len(self.gone)
        assert self.ledger.forgotten == len(self.gone)
        assert self.ledger.end == len(self.model)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=50, stateful_step_count=30)
