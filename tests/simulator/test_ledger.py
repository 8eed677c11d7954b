from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from livebridge.simulator._ledger import Ledger


class LedgerMachine(RuleBasedStateMachine):
    """A ledger against plain lists: marks stay what they were, whatever happens later."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        self.model = []
        self.marks = []

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

    @invariant()
    def they_agree(self):
        assert list(self.ledger) == self.model == list(self.ledger.items)
        assert len(self.ledger) == len(self.model)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=50, stateful_step_count=30)
