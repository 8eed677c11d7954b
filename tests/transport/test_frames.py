"""Frames: what we write, wsproto reads; what wsproto writes, however it is cut, we read."""

from __future__ import annotations

import struct

import pytest
import wsproto
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from livebridge.transport._frames import (
    Close,
    FrameDecoder,
    Ping,
    Pong,
    Violation,
    encode_close,
    encode_ping,
    encode_pong,
    encode_texts,
    mask,
)

LIMIT = 2**20


def server() -> Connection:
    return Connection(ConnectionType.SERVER)


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    first = (0x80 if fin else 0) | opcode
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    if len(payload) < 2**16:
        return bytes((first, 126)) + struct.pack("!H", len(payload)) + payload
    return bytes((first, 127)) + struct.pack("!Q", len(payload)) + payload


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, position = [], 0
    for size in sizes:
        pieces.append(data[position : position + size])
        position += size
    return [*pieces, data[position:]]


def feed_all(pieces, limit: int = LIMIT):
    decoder = FrameDecoder(limit)
    return [item for piece in pieces for item in decoder.feed(piece)]


@given(st.lists(st.text(max_size=300), max_size=6))
@settings(max_examples=100)
def test_wsproto_reads_the_texts_we_write(texts):
    connection = server()
    connection.receive_data(encode_texts([text.encode() for text in texts]))
    assert [event.data for event in _messages(connection)] == texts


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
def test_every_length_encoding_is_right(size):
    connection = server()
    connection.receive_data(encode_texts([b"x" * size]))
    assert [event.data for event in _messages(connection)] == ["x" * size]


def _messages(connection):
    found, parts = [], ""
    for event in connection.events():
        assert isinstance(event, TextMessage)
        parts += event.data
        if event.message_finished:
            found.append(TextMessage(data=parts))
            parts = ""
    return found


def test_every_frame_has_a_mask_of_its_own():
    first, second = encode_texts([b"same"]), encode_texts([b"same"])
    assert first != second
    both = encode_texts([b"same", b"same"])
    assert both[:10] != both[10:]


@given(st.binary(max_size=2000), st.binary(min_size=4, max_size=4))
def test_masking_twice_gives_the_payload_back_and_follows_the_rfc(payload, key):
    assert mask(mask(payload, key), key) == payload
    assert mask(payload, key) == bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


MESSAGES = st.one_of(
    st.tuples(st.just("text"), st.text(max_size=200)),
    st.tuples(st.just("bytes"), st.binary(max_size=400)),
    st.tuples(st.just("ping"), st.binary(max_size=125)),
    st.tuples(st.just("pong"), st.binary(max_size=125)),
)


@given(st.lists(MESSAGES, max_size=8), st.lists(st.integers(0, 300), max_size=12))
@settings(max_examples=200)
def test_what_wsproto_writes_arrives_whole_however_the_network_cuts_it(messages, sizes):
    connection, expected, data = server(), [], b""
    for kind, payload in messages:
        match kind:
            case "text":
                data += connection.send(TextMessage(data=payload))
                expected.append(payload.encode())
            case "bytes":
                data += connection.send(BytesMessage(data=payload))
                expected.append(payload)
            case "ping":
                data += connection.send(wsproto.events.Ping(payload=payload))
                expected.append(Ping(payload))
            case "pong":
                data += connection.send(wsproto.events.Pong(payload=payload))
                expected.append(Pong(payload))
    data += connection.send(CloseConnection(code=1011, reason="Ende"))
    expected.append(Close(1011, "Ende"))
    assert feed_all(cut(data, sizes)) == expected


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=6), st.lists(st.integers(0, 40), max_size=8))
def test_fragments_are_joined_around_control_frames(parts, sizes):
    data = b""
    for index, part in enumerate(parts):
        data += frame(2 if index == 0 else 0, part, fin=index == len(parts) - 1) + frame(9, b"!")
    expected = [Ping(b"!")] * (len(parts) - 1) + [b"".join(parts), Ping(b"!")]
    assert feed_all(cut(data, sizes)) == expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=300)
def test_garbage_never_raises_and_ends_at_its_first_violation(data, sizes):
    found = feed_all(cut(data, sizes), limit=100)
    assert all(not isinstance(item, Close | Violation) for item in found[:-1])
    assert all(len(item) <= 100 for item in found if isinstance(item, bytes))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\xc1\x00", 1002, id="reserved bit"),
        pytest.param(b"\x83\x00", 1002, id="unknown data opcode"),
        pytest.param(b"\x8b\x00", 1002, id="unknown control opcode"),
        pytest.param(b"\x81\x81\x00\x00\x00\x00x", 1002, id="masked short"),
        pytest.param(b"\x81\xfe\x00\x80", 1002, id="masked long"),
        pytest.param(b"\x09\x00", 1002, id="fragmented ping"),
        pytest.param(frame(9, b"x" * 126), 1002, id="long ping"),
        pytest.param(frame(0, b"x"), 1002, id="continuation of nothing"),
        pytest.param(frame(1, b"x", fin=False) + frame(1, b"y"), 1002, id="text inside a fragmented text"),
        pytest.param(b"\x82\x7e\x00\x01x", 1002, id="16 bit length for a short one"),
        pytest.param(b"\x82\x7f" + struct.pack("!Q", 500), 1002, id="64 bit length for a short one"),
        pytest.param(b"\x82\x7f" + struct.pack("!Q", 2**63), 1009, id="absurd length"),
        pytest.param(frame(1, b"\xff"), 1007, id="no UTF-8"),
        pytest.param(frame(1, b"\xc3", fin=False) + frame(0, b"("), 1007, id="no UTF-8 in fragments"),
        pytest.param(frame(8, b"\x03"), 1002, id="half a close code"),
    ],
)
def test_a_broken_frame_is_refused_with_the_code_of_the_rfc(data, code):
    whole = feed_all([data])[-1]
    bytewise = feed_all([data[index : index + 1] for index in range(len(data))])[-1]
    assert isinstance(whole, Violation)
    assert whole == bytewise
    assert whole.code == code


def test_a_character_split_over_two_fragments_is_fine():
    assert feed_all([frame(1, b"\xc3", fin=False) + frame(0, b"\xb6")]) == ["ö".encode()]


def test_an_oversize_message_is_refused_by_its_header_before_it_is_stored():
    assert feed_all([frame(2, b"x" * 1001)[:4]], limit=1000)[0].code == 1009
    pieces = [frame(2, b"x" * 600, fin=False), frame(0, b"x" * 600)[:4]]
    assert feed_all(pieces, limit=1000)[0].code == 1009


def test_nothing_counts_after_a_close_or_a_violation():
    decoder = FrameDecoder(LIMIT)
    assert decoder.feed(frame(8, struct.pack("!H", 1000)) + frame(1, b"late")) == [Close(1000, "")]
    assert decoder.feed(frame(1, b"later")) == []


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", Close(1005, "")),
        (struct.pack("!H", 1014), Close(1014, "")),
        (struct.pack("!H", 1008) + "no größe".encode(), Close(1008, "no größe")),
        (struct.pack("!H", 4999) + b"\xff", Close(4999, "\ufffd")),
    ],
)
def test_any_close_code_and_text_is_passed_on(payload, expected):
    assert feed_all([frame(8, payload)]) == [expected]


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (1000, "", (1000, "")),
        (1000, "bye", (1000, "bye")),
        (4000, "ü" * 100, (4000, "ü" * 61)),
        (1005, "x", (1005, "")),
        (1006, "x", (1005, "")),
        (7, "x", (1005, "")),
        (5000, "x", (1005, "")),
        (1011, "\ud800", (1011, "?")),
    ],
)
def test_wsproto_reads_the_close_we_write_and_no_illegal_code_is_ever_sent(code, reason, expected):
    connection = server()
    connection.receive_data(encode_close(code, reason))
    (event,) = connection.events()
    assert (event.code, event.reason) == expected


def test_wsproto_reads_our_pings_and_pongs():
    connection = server()
    connection.receive_data(encode_ping(b"a") + encode_pong(b"b"))
    ping, pong = connection.events()
    assert (ping.payload, pong.payload) == (b"a", b"b")


def test_a_large_message_in_small_pieces_costs_linear_time():
    data = frame(2, b"x" * 2**20)
    pieces = [data[index : index + 1024] for index in range(0, len(data), 1024)]
    assert feed_all(pieces, limit=2**21) == [b"x" * 2**20]
