import itertools

import pytest
import wsproto
from hypothesis import given
from hypothesis import strategies as st
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from livebridge.simulator._frame_tap import FrameTap, TappedClose, TappedMessage


def peer(*, client):
    """One side of an open WebSocket, for what it sends."""
    kind = wsproto.ConnectionType.CLIENT if client else wsproto.ConnectionType.SERVER
    return wsproto.connection.Connection(kind)


def sent(events, *, client):
    side = peer(client=client)
    return b"".join(side.send(event) for event in events)


MESSAGES = st.one_of(
    st.text(max_size=9).map(lambda text: [TextMessage(data=text)]),
    st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536]).map(lambda n: [BytesMessage(data=b"\xa5" * n)]),
    st.lists(st.binary(max_size=9), min_size=1, max_size=4).map(
        lambda parts: (
            [
                event
                for part in parts
                for event in (BytesMessage(data=part, message_finished=False), Ping(payload=b"?"))
            ]
            + [BytesMessage(data=b"", message_finished=True)]
        )
    ),
)


def whole(events):
    text = isinstance(events[0], TextMessage)
    data = [event.data for event in events if not isinstance(event, Ping)]
    return TappedMessage(text, "".join(data).encode() if text else b"".join(data))


@given(
    messages=st.lists(MESSAGES, max_size=4),
    cuts=st.lists(st.integers(0, 200), max_size=6),
    client=st.booleans(),
)
def test_messages_are_found_however_the_stream_is_cut(messages, cuts, client):
    data = sent([event for events in messages for event in events], client=client)
    tap = FrameTap()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = [item for start, end in itertools.pairwise(places) for item in tap.feed(data[start:end])]
    assert found == [whole(events) for events in messages]


@pytest.mark.parametrize("client", [False, True])
def test_a_close_frame_is_told_with_code_and_reason(client):
    data = sent([CloseConnection(code=1011, reason="Oops.")], client=client)
    assert list(FrameTap().feed(data)) == [TappedClose(1011, "Oops.")]


def test_a_close_frame_may_be_empty():
    assert list(FrameTap().feed(b"\x88\x00")) == [TappedClose(1005, "")]
