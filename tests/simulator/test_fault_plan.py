import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.simulator import (
    Chaos,
    Close,
    Delay,
    Distort,
    Drop,
    Fault,
    Faults,
    Freeze,
    Garble,
    GoAway,
    Inject,
    LateAudio,
    Mute,
    RefuseUpgrade,
    Repeat,
    StallUpgrade,
    Withhold,
    load_fault_file,
    load_faults,
)
from livebridge.simulator._chaos import CHANCES
from livebridge.simulator._fault_plan import FaultPlan, client_kinds, server_kinds
from livebridge.simulator._mischief import distorted, frame, injected

# sound takes its time on a busy machine
CALMLY = settings(deadline=None, max_examples=40)

DONE = wire.ServerMessage(setup_complete=wire.SetupComplete())
TURN = wire.ServerMessage(
    server_content=wire.ServerContent(turn_complete=True), usage_metadata=wire.UsageMetadata()
)


def dials(count, *faults, seed=None):
    plan = FaultPlan(Faults(*faults, seed=seed))
    return [plan.dial(number, now=0.0) for number in range(1, count + 1)]


def test_a_fault_strikes_once_unless_told_otherwise():
    refuse = RefuseUpgrade(status=429, retry_after=3)
    assert [run.upgrade() for run in dials(3, Fault(what=refuse))] == [refuse, None, None]
    assert [run.upgrade() for run in dials(3, Fault(what=refuse, times=2))] == [refuse, refuse, None]
    assert [run.upgrade() for run in dials(3, Fault(what=refuse, times=0))] == [refuse] * 3
    assert [run.upgrade() for run in dials(3, Fault(what=StallUpgrade(), dial=2))] == [
        None,
        StallUpgrade(),
        None,
    ]


def test_a_fault_strikes_at_the_nth_message():
    (run,) = dials(1, Fault(what=Close(), received=2), Fault(what=Drop(), sent=3))
    assert run.received({"setup": {}}) == []
    assert run.received({"clientContent": {}}) == [Close()]
    assert [run.sent(DONE) for _ in range(4)] == [[], [], [Drop()], []]


def test_a_fault_strikes_at_a_kind_of_message_and_at_the_nth_of_it():
    (run,) = dials(
        1, Fault(what=Repeat(), message="setupComplete"), Fault(what=Mute(), message="turnComplete", nth=2)
    )
    assert run.sent(TURN) == []
    assert run.sent(DONE) == [Repeat()]
    assert run.sent(TURN) == [Mute()]


def test_a_fault_can_wait_for_a_resumed_connection():
    first, second = dials(
        2,
        Fault(what=Mute(), message="setupComplete", resumed=True, times=0),
        Fault(what=Withhold(), message="setupComplete", resumed=False, times=0),
        Fault(what=Close(), after=1.0, resumed=True, times=0),
    )
    first.received({"setup": {"sessionResumption": {}}})
    second.received({"setup": {"session_resumption": {"handle": "h"}}})
    assert (first.sent(DONE), second.sent(DONE)) == ([Withhold()], [Mute()])
    assert (first.due(1.0), second.due(1.0)) == ([], [Close()])


def test_a_timed_fault_strikes_once_its_time_has_come():
    (run,) = dials(1, Fault(what=Freeze(), after=2.0), Fault(what=Close(), after=5.0))
    assert run.deadline == 2.0
    assert run.due(1.9) == []
    assert run.due(2.0) == [Freeze()]
    assert run.deadline == 5.0
    assert run.due(9.0) == [Close()]
    assert run.deadline is None


def test_a_plan_that_is_lifted_strikes_no_more():
    plan = FaultPlan(
        Faults(
            Fault(what=RefuseUpgrade(), times=0),
            Fault(what=Close(), after=1.0),
            Fault(what=Mute(), sent=1),
            Fault(what=Drop(), byte=1),
        )
    )
    run, (torn,) = plan.dial(1, now=0.0), plan.stream(1)
    plan.lift()
    assert (run.upgrade(), run.due(2.0), run.sent(DONE), torn.strikes()) == (None, [], [], False)
    assert run.struck == []


def test_chances_repeat_with_their_seed():
    def strikes(seed):
        fault = Fault(what=Delay(), message="setupComplete", probability=0.5, times=0)
        (run,) = dials(1, fault, seed=seed)
        return [bool(run.sent(DONE)) for _ in range(50)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 10 < sum(strikes(1)) < 40


def test_messages_are_known_by_their_members_in_either_spelling():
    plain = {"realtime_input": {"activity_start": {}, "audio": {}}}
    assert client_kinds(plain) == {"realtimeInput", "realtimeInput.activityStart", "realtimeInput.audio"}
    assert client_kinds({"realtimeInput": 3}) == {"realtimeInput"}
    assert client_kinds([]) == set()
    assert server_kinds(TURN) == {"serverContent", "turnComplete", "usageMetadata"}


SOON = {"sent": 1}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"what": RefuseUpgrade(status="abc")}, "status must be a whole number from 200 to 599; got 'abc'"),
        ({"what": RefuseUpgrade(status=101)}, "status must be .* got 101"),
        (
            {"what": RefuseUpgrade(retry_after=-1)},
            "retry_after must be a whole number from 0 on, or left out",
        ),
        ({"what": Close(code="1011"), **SOON}, "code must be a whole number from 0 to 65535; got '1011'"),
        ({"what": Close(code=True), **SOON}, "code must be a whole number"),
        ({"what": Close(code=1006), **SOON}, "code must be one that can be sent"),
        ({"what": Close(reason=7), **SOON}, "reason must be text; got 7"),
        ({"what": Drop(how="away"), **SOON}, "how must be reset or eof; got 'away'"),
        ({"what": Freeze(reading=1), **SOON}, "reading must be true or false; got 1"),
        ({"what": Delay(seconds=-1), **SOON}, "seconds must be a number from 0 on; got -1"),
        ({"what": Delay(seconds=math.nan), **SOON}, "seconds must be .* got nan"),
        ({"what": Delay(seconds=math.inf), **SOON}, "seconds must be .* got inf"),
        ({"what": LateAudio(seconds=1e9), **SOON}, "seconds must be a number from 0 to 60"),
        ({"what": Inject(what="garbge"), **SOON}, "what must be garbage, .* or interrupted; got 'garbge'"),
        ({"what": Inject(size=-1), **SOON}, "size must be a whole number from 0 on"),
        ({"what": Garble(size=0), "byte": 1}, "size must be a whole number from 1 on"),
        ({"what": GoAway(seconds="5"), **SOON}, "seconds must be a number"),
        (
            {"what": Close(), "received": "2"},
            "received must be a whole number from 1 on, or left out; got '2'",
        ),
        ({"what": Close(), "sent": 0}, "sent must be a whole number from 1 on"),
        ({"what": Close(), "after": "2"}, "after must be a number from 0 on"),
        ({"what": Close(), "message": 3}, "message must be text"),
        ({"what": Close(), "dial": 0, **SOON}, "dial must be a whole number from 1 on"),
        ({"what": Close(), "resumed": "yes", **SOON}, "resumed must be true or false"),
        ({"what": Close(), "nth": 1.5, "message": "setup"}, "nth must be a whole number"),
        ({"what": Close(), "probability": 5, **SOON}, "probability must be a number from 0 to 1; got 5"),
        ({"what": Close(), "times": -1, **SOON}, "times must be a whole number from 0 on"),
        ({"what": Drop(), "received_byte": -1}, "received_byte must be a whole number from 0 on"),
        ({"what": Close, **SOON}, "what must be something that can go wrong, such as Close()"),
        ({"what": "x" * 999, **SOON}, "such as Close()"),
    ],
)
def test_a_value_of_a_fault_has_its_type_and_its_range(fault, told):
    with pytest.raises(ConfigError, match=told):
        Fault(**fault)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"what": Close()}, "add message=…, received=…, sent=… or after=…$"),
        (
            {"what": Drop(), "dial": 1},
            "add message=…, received=…, sent=…, byte=…, received_byte=… or after=…$",
        ),
        ({"what": Repeat()}, r"add message=… \(one of the server's\) or sent=…$"),
        ({"what": Withhold()}, "add message=…, received=… or sent=…$"),
        ({"what": Repeat(), "received": 1}, "Repeat needs a message to the client; add message=…"),
        ({"what": Distort(), "after": 1}, "Distort needs a message to the client"),
        ({"what": Withhold(), "after": 1}, "Withhold needs a message; add"),
        ({"what": Drop(mid_frame=True), "received": 1}, "mid_frame needs a message to the client"),
        ({"what": Drop(mid_frame=True), "sent": 1, "byte": 3}, "mid_frame needs .* and no byte"),
        ({"what": RefuseUpgrade(), "sent": 1}, "strikes at the upgrade; leave message, received, sent and"),
        (
            {"what": RefuseUpgrade(), "resumed": True},
            "at the upgrade strikes before it is known what is resumed",
        ),
        ({"what": Close(), "received": 3, "nth": 3}, "nth counts messages of one kind; add message=…"),
    ],
)
def test_a_fault_that_could_never_strike_says_what_is_missing(fault, told):
    with pytest.raises(ConfigError, match=told):
        Fault(**fault)


@pytest.mark.parametrize(
    "plan", [lambda: Faults([]), lambda: Faults(3), lambda: Faults(seed="x"), lambda: Chaos(intensity=-1)]
)
def test_a_plan_is_made_of_faults_and_numbers(plan):
    with pytest.raises(ConfigError, match="must be"):
        plan()


@pytest.mark.parametrize(
    "fault",
    [
        {"what": Close(), "message": "setupCompleted"},
        {"what": Close(), "received": 1, "sent": 1},
        {"what": Close(), "message": "setup", "after": 1.0},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault):
    with pytest.raises(ConfigError):
        Fault(**fault)


TOML = """
seed = 7

[[fault]]
do = "refuse_upgrade"
status = 429
retry_after = 3
dial = 1

[[fault]]
do = "inject"
what = "deep"
size = 50
message = "turnComplete"
times = 0
"""


def test_a_plan_is_read_from_toml(tmp_path):
    expected = Faults(
        Fault(what=RefuseUpgrade(status=429, retry_after=3), dial=1),
        Fault(what=Inject(what="deep", size=50), message="turnComplete", times=0),
        seed=7,
    )
    assert load_faults(TOML) == expected
    path = tmp_path / "faults.toml"
    path.write_text(TOML, encoding="utf-8")
    assert load_fault_file(str(path)) == expected
    assert load_faults("") == Faults()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fault", "no TOML"),
        ("faults = 1", "not faults"),
        ("fault = 1", "list of tables"),
        ("seed = 'x'", "number as seed"),
        ("[[fault]]\ndial = 1", "does not say what to do"),
        ("fault = [1]", "does not say what to do"),
        ("[[fault]]\ndo = 'clse'", "did you mean close"),
        ("[[fault]]\ndo = 'zzz'", "there are cancel_tools"),
        ("[[fault]]\ndo = 'close'\ncoed = 3\nsent = 1", "did you mean code"),
        ("[[fault]]\ndo = 'close'\nmessage = 'x'", "must be one of"),
        ("seed = true", "number as seed"),
        (
            "[[fault]]\ndo = 'mute'\nsent = 1\n[[fault]]\ndo = 'close'\nreceived = '2'",
            r"fault 2 \(close\): received must",
        ),
        ("[[fault]]\ndo = 'refuse_upgrade'\nstatus = 'abc'", r"fault 1 \(refuse_upgrade\): status must be"),
        ("[[fault]]\ndo = 'inject'\nwhat = 'garbge'\nsent = 1", r"fault 1 \(inject\): what must be garbage"),
        ("[[fault]]\ndo = 'close'", r"fault 1 \(close\): .* add message=…, received=…, sent=… or after=…"),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(text, message):
    with pytest.raises(ConfigError, match=message):
        load_faults(text)


def test_a_plan_that_cannot_be_read_says_where(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the fault plan"):
        load_fault_file(str(tmp_path / "none.toml"))
    path = tmp_path / "bad.toml"
    path.write_text("[[", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        load_fault_file(str(path))
    path.write_text("[[fault]]\ndo = 'delay'\nsent = 1\nseconds = -1", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"bad\.toml: fault 1 \(delay\): seconds must be a number from 0 on"
    ):
        load_fault_file(str(path))
    path.write_bytes("# Köln".encode("latin-1"))
    with pytest.raises(ConfigError, match="no UTF-8: byte 3"):
        load_fault_file(str(path))


def test_chaos_is_everything_by_chance():
    chaos = Chaos(seed=3, intensity=2.0)
    assert chaos.seed == 3
    assert len(chaos.faults) == len(CHANCES)
    assert chaos.faults[0].probability == pytest.approx(2 * CHANCES[0].probability)
    assert all(fault.times == 0 for fault in chaos.faults)
    assert all(fault.probability == 1.0 for fault in Chaos(intensity=1e9).faults)


@CALMLY
@example(payload=bytes(126))
@example(payload=bytes(65_536))
@given(payload=st.binary(max_size=300))
def test_a_frame_made_by_hand_is_a_frame(payload):
    data = frame(2, payload)
    assert data[0] == 0x82
    sizes = {126: 2, 127: 8}
    extra = sizes.get(data[1], 0)
    length = int.from_bytes(data[2 : 2 + extra], "big") if extra else data[1]
    assert length == len(payload)
    assert data[2 + extra :] == payload


@pytest.mark.parametrize(
    ("what", "begins"),
    [("garbage", b"\x00\x01"), ("array", b"["), ("unknown_message", b'{"novel'), ("error", b'{"error')],
)
def test_what_is_injected_is_what_it_says(what, begins):
    assert injected(Inject(what=what))[2:].startswith(begins)


def test_injections_come_in_any_size():
    assert len(injected(Inject(what="oversize", size=100_000))) > 100_000
    assert injected(Inject(what="deep", size=10)).count(b'{"a":') == 10
    assert injected(Inject(what="empty")) == b"\x82\x00"
    assert injected(Inject(what="invalid_utf8"))[0] == 0x81


def test_a_distorted_message_keeps_what_it_had():
    plain = wire.loads(distorted(wire.encode_server(TURN)))
    assert plain["serverContent"]["turnComplete"] is True
    assert plain["serverContent"]["turnCompleteReason"] == "REASON_FROM_THE_FUTURE"
    assert "novelMember" in plain
    assert "serverContent" not in wire.loads(distorted(wire.encode_server(DONE)))
    assert distorted(b"[1]") == b"[1]"
