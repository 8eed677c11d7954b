import io

import pytest

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.simulator import LoggedClose, LoggedMessage, LoggedRefusal, read_log
from livebridge.simulator._log import LogWriter

HEAD = b'{"log": "livebridge", "version": 1}\n'


@pytest.fixture
def read(tmp_path):
    def from_bytes(data):
        file = tmp_path / "session.jsonl"
        file.write_bytes(data)
        return read_log(file)

    return from_bytes


def test_what_is_written_is_read_back(read):
    file = io.BytesIO()
    writer = LogWriter(file)
    writer.write(1, 0.0, "opened", path="/ws/x")
    writer.write(1, 0.25, "message", **{"from": "client", "opcode": "text", "message": {"setup": {}}})
    writer.write(2, 0.5, "opened", path="/ws/y")
    writer.write(1, 1, "message", **{"from": "server", "opcode": "binary", "base64": "AAE="})
    writer.write(1, 2, "closed", **{"from": "server", "code": 1011, "reason": "Oops."})
    writer.write(2, 3, "refused", status=429, retry_after="3")
    first, second = read(file.getvalue())
    assert writer.messages == 2
    assert (first.path, second.path, second.opened_at) == ("/ws/x", "/ws/y", 0.5)
    assert first.entries == [
        LoggedMessage(at=0.25, sender="client", text=True, payload=b'{\n  "setup": {}\n}\n'),
        LoggedMessage(at=1.0, sender="server", text=False, payload=b"\x00\x01"),
        LoggedClose(at=2.0, sender="server", code=1011, reason="Oops."),
    ]
    assert second.entries == [LoggedRefusal(at=3.0, status=429, retry_after="3")]


def test_an_end_without_a_close_frame_has_no_code(read):
    (connection,) = read(
        HEAD + b'{"connection": 1, "at": 0, "event": "closed", "from": "client"}\n'
        b'{"connection": 1, "at": 0, "event": "refused", "status": 503}'
    )
    assert connection.entries == [LoggedClose(at=0.0, sender="client"), LoggedRefusal(at=0.0, status=503)]


def test_sound_that_was_dropped_is_silence_of_the_same_length(read):
    blob = {"mimeType": "audio/pcm", "droppedBytes": 4}
    line = {"connection": 1, "at": 0, "event": "message", "from": "server", "message": {"parts": [blob]}}
    (connection,) = read(HEAD + wire.dumps(line))
    assert wire.loads(connection.entries[0].payload) == {
        "parts": [{"mimeType": "audio/pcm", "data": "AAAAAA=="}]
    }


def test_googles_logs_are_read_by_the_lengths_in_them(read):
    setup, complete = b'{"setup": {"model": "\xc3\xbc\n< 9"}}', b'{\n  "setupComplete": {}\n}\n'
    data = b">%d %s\n<%d %s\n" % (len(setup) + 1, setup, len(complete) + 1, complete)
    (connection,) = read(data)
    assert connection.path == ""
    assert connection.entries == [
        LoggedMessage(at=0.0, sender="client", text=True, payload=setup),
        LoggedMessage(at=0.0, sender="server", text=False, payload=complete),
    ]


def line(**members):
    return HEAD + wire.dumps({"connection": 1, "at": 0.0, **members})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "holds no connection"),
        (HEAD, "holds no connection"),
        (b"{}", "line 1: this is no session log"),
        (b"[]", "line 1: this is no session log"),
        (b'{"log": "livebridge", "version": 9}', "version 9 of the format is not known here"),
        (b"garbage", "line 1: "),
        (HEAD + b"[]", "line 2: expected an object"),
        (HEAD + b'{"connection": 1}', "line 2: at is missing or no float"),
        (HEAD + b'{"at": 1}', "line 2: connection is missing or no int"),
        (line(event="danced"), "unknown event 'danced'"),
        (line(event="opened"), "path is missing"),
        (line(event="message"), "a message has neither message nor base64"),
        (line(event="message", base64="AAA="), "from is client or server, not None"),
        (line(event="message", base64="!", **{"from": "client"}), "line 2: "),
        (line(event="closed", code="x", **{"from": "client"}), "code is missing or no int"),
        (line(event="refused"), "status is missing"),
        (b">", "at byte 0"),
        (b">9999 {}", "at byte 0"),
        (b">3 {}\n<0 ", "at byte 6"),
    ],
)
def test_what_is_no_log_is_told_with_its_line(read, data, told):
    with pytest.raises(ConfigError, match=r"session\.jsonl") as caught:
        read(data)
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the log"):
        read_log(tmp_path / "none")
