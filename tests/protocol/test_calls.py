from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from livebridge import wire
from livebridge.protocol import CallLedger, CallState


def call(call_id: str | None, name: str = "f") -> wire.FunctionCall:
    return wire.FunctionCall(id=call_id, name=name)


def test_the_right_to_answer_is_granted_once():
    ledger = CallLedger()
    ledger.announce([call("a")], epoch=1)
    assert ledger.claim("a")
    assert not ledger.claim("a")
    assert ledger.answered == 1
    assert ledger.suppressed == 1


def test_a_cancelled_call_is_never_answered():
    ledger = CallLedger()
    ledger.announce([call("a"), call("b")], epoch=1)
    assert ledger.cancel(["a", "unknown"]) == ["a"]
    assert ledger.cancel(["a"]) == []
    assert not ledger.claim("a")
    assert list(ledger.pending) == ["b"]
    assert not ledger.is_idle


def test_an_answer_that_has_not_left_can_be_revoked():
    ledger = CallLedger()
    ledger.announce([call("a"), call("b")], epoch=1)
    ledger.claim("a")
    ledger.revoke("a")
    ledger.revoke("b")
    ledger.revoke("unknown")
    ledger.revoke(None)
    assert ledger.state("a") is CallState.CANCELLED
    assert ledger.state("b") is CallState.OPEN
    assert (ledger.answered, ledger.cancelled) == (0, 1)


def test_calls_without_an_id_are_matched_by_name():
    ledger = CallLedger()
    keys = ledger.announce([call(None, "f"), call("", "g")], epoch=3)
    assert len(set(keys)) == 2
    assert ledger.key_for(None, "g") == keys[1]
    assert ledger.key_for(None, "nobody") is None
    assert ledger.key_for("x", None) == "x"
    assert ledger.epoch(keys[0]) == 3


def test_the_same_id_is_the_same_call():
    ledger = CallLedger()
    ledger.announce([call("a", "first")], epoch=1)
    ledger.announce([call("a", "second")], epoch=2)
    assert ledger.pending["a"].name == "first"


def test_an_id_that_was_never_announced_is_the_users_own_business():
    ledger = CallLedger()
    assert ledger.claim("other-process")
    assert ledger.state("other-process") is None
    assert ledger.epoch("other-process") is None


def test_settled_calls_do_not_pile_up():
    ledger = CallLedger()
    for number in range(1000):
        ledger.announce([call(str(number))], epoch=1)
        ledger.claim(str(number))
    assert len(ledger._calls) < 300
    assert ledger.is_idle


class LedgerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, an id is answered at most once and never after a cancellation."""

    ids = st.sampled_from("abcd")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = CallLedger()
        self.answers: dict[str, int] = {}
        self.cancelled: set[str] = set()
        self.announced: set[str] = set()

    @rule(key=ids)
    def announce(self, key: str) -> None:
        self.ledger.announce([call(key)], epoch=1)
        self.announced.add(key)

    @rule(key=ids)
    def cancel(self, key: str) -> None:
        self.cancelled.update(self.ledger.cancel([key]))

    @rule(key=ids)
    def answer(self, key: str) -> None:
        if key in self.announced and self.ledger.claim(key):
            assert key not in self.cancelled
            self.answers[key] = self.answers.get(key, 0) + 1

    @invariant()
    def each_id_is_settled_at_most_once(self) -> None:
        assert all(count == 1 for count in self.answers.values())
        assert not self.cancelled & set(self.answers)
        open_ids = {k for k in self.announced if self.ledger.state(k) is CallState.OPEN}
        assert open_ids == set(self.ledger.pending)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=60)


def test_an_id_that_comes_again_after_a_completed_turn_is_another_call():
    ledger = CallLedger()
    ledger.announce([call("a")], epoch=1)
    ledger.claim("a")
    ledger.announce([call("a")], epoch=1)
    assert ledger.state("a") is CallState.ANSWERED
    ledger.turn_completed()
    ledger.announce([call("a")], epoch=1)
    assert ledger.state("a") is CallState.OPEN
    assert ledger.claim("a")


def test_an_open_or_answered_call_is_orphaned_once_and_a_cancelled_one_never():
    ledger = CallLedger()
    ledger.announce([call("open"), call("answered"), call("cancelled")], epoch=1)
    ledger.claim("answered")
    ledger.cancel(["cancelled"])
    assert [ledger.orphan(key) for key in ("open", "open", "answered", "cancelled", "unknown")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert (ledger.orphaned, ledger.answered, ledger.cancelled) == (2, 0, 1)
    assert ledger.is_idle
    assert not ledger.claim("open")


def test_an_orphaned_call_that_the_server_makes_again_is_open_again():
    ledger = CallLedger()
    ledger.announce([call("a")], epoch=1)
    ledger.orphan("a")
    ledger.announce([call("a")], epoch=1)
    assert ledger.state("a") is CallState.ORPHANED
    ledger.announce([call("a")], epoch=2)
    assert ledger.state("a") is CallState.OPEN
    assert ledger.epoch("a") == 2


def test_a_call_is_known_wherever_it_stands():
    ledger = CallLedger()
    made = call("a")
    ledger.announce([made], epoch=1)
    ledger.claim("a")
    assert ledger.call("a") == made
    assert ledger.call("b") is None
