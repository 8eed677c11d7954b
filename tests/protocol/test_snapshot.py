import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.protocol import Handle, KeptMessage, Kind, Outbox, Snapshot, take_snapshot


def test_a_snapshot_holds_the_handle_and_what_it_does_not_cover_but_no_media():
    outbox = Outbox()
    outbox.start_connection()
    outbox.accept(Kind.CONTENT, b'{"a":1}', now=0.0)
    outbox.take()
    outbox.written(now=0.0)
    outbox.accept(Kind.AUDIO, b"sound", now=0.0, seconds=0.1)
    outbox.accept(Kind.TOOL, b'{"b":2}', now=0.0)
    handle = Handle(value="h", received_at=1.0, epoch=1, fingerprint="m")
    snapshot = take_snapshot(handle, tuple(outbox.unsettled()), saved_at=5.0, epoch=1, uses=1)
    assert snapshot.handle == "h"
    assert [(m.payload, m.written) for m in snapshot.messages] == [(b'{"a":1}', True), (b'{"b":2}', False)]


def test_without_a_handle_there_is_still_a_snapshot():
    assert take_snapshot(None, (), saved_at=0.0, epoch=0, uses=0) == Snapshot()


@given(
    handle=st.none() | st.text(min_size=1),
    fingerprint=st.text(),
    saved_at=st.floats(0, 2e9),
    epoch=st.integers(0, 9),
    uses=st.integers(0, 9),
    messages=st.lists(
        st.builds(
            KeptMessage,
            kind=st.sampled_from([Kind.CONTENT, Kind.TOOL, Kind.SIGNAL]),
            payload=st.text().map(str.encode),
            written=st.booleans(),
        )
    ),
)
def test_what_is_saved_is_what_is_loaded(**fields):
    snapshot = Snapshot(**{**fields, "messages": tuple(fields["messages"])})
    assert Snapshot.loads(snapshot.dumps()) == snapshot


FIELDS = {
    "version": 1, "handle": None, "fingerprint": "", "saved_at": 0, "epoch": 0, "uses": 0, "messages": [],
}  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        *(wire.dumps(FIELDS | wrong) for wrong in ({"version": 99}, {"saved_at": "x"}, {"messages": [1]})),
    ],
)
def test_other_bytes_are_no_snapshot(data):
    with pytest.raises(DecodeError):
        Snapshot.loads(data)


def test_a_handle_that_ended_two_incarnations_is_poisoned():
    assert not Snapshot(uses=1).is_poisoned
    assert Snapshot(uses=2).is_poisoned


def test_handles_are_not_shown():
    assert "secret" not in repr(Snapshot(handle="secret"))
