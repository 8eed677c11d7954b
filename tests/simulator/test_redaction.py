import pytest

from livebridge import wire
from livebridge.simulator._redaction import REDACTED, Redaction, restored, sound_bytes


def told(redaction, plain):
    return redaction.members(wire.dumps(plain))["message"]


def test_credentials_are_redacted_wherever_they_stand():
    redaction = Redaction()
    redaction.hide("the-secret-key")
    redaction.hide("short")
    redaction.hide(None)
    plain = {"error": {"details": ["key the-secret-key", 1, None]}, "other": "a short word"}
    assert told(redaction, plain) == {
        "error": {"details": [f"key {REDACTED}", 1, None]},
        "other": "a short word",
    }
    raw = redaction.members(b"\xff the-secret-key")["base64"]
    assert wire.decode_base64(raw) == b"\xff [redacted]"
    assert redaction.text("bad key: the-secret-key") == "bad key: [redacted]"


def test_keys_of_tools_are_redacted_in_a_setup_and_arguments_of_calls_are_not():
    tools = [
        {"google_maps": {"auth_config": {"api_key": "k"}}},
        {"mcpServers": [{"streamableHttpTransport": {"url": "https://x", "headers": {"a": "b"}}}]},
    ]
    setup = told(Redaction(), {"setup": {"tools": tools}})["setup"]
    assert setup["tools"][0] == {"google_maps": {"auth_config": {"api_key": REDACTED}}}
    assert setup["tools"][1]["mcpServers"][0]["streamableHttpTransport"]["headers"] == REDACTED
    call = {"toolCall": {"functionCalls": [{"args": {"apiKey": "k"}}]}}
    assert told(Redaction(), call) == call


def test_handles_become_numbers_that_stay_the_same():
    redaction = Redaction()
    update = {"sessionResumptionUpdate": {"newHandle": "abc", "resumable": True}}
    assert told(redaction, update)["sessionResumptionUpdate"] == {"newHandle": "handle-1", "resumable": True}
    other = told(redaction, {"sessionResumptionUpdate": {"newHandle": "xyz"}})
    assert other == {"sessionResumptionUpdate": {"newHandle": "handle-2"}}
    setup = told(redaction, {"setup": {"session_resumption": {"handle": "abc"}}})
    assert setup == {"setup": {"session_resumption": {"handle": "handle-1"}}}
    empty = {"sessionResumptionUpdate": {"newHandle": ""}}
    assert told(redaction, empty) == empty
    assert told(Redaction(handles=True), update) == update


def test_sound_is_dropped_on_demand_and_only_sound():
    sound = {"mimeType": "audio/pcm;rate=16000", "data": "AAAAAA=="}
    picture = {"mimeType": "image/png", "data": "AAAAAA=="}
    plain = {"realtimeInput": {"audio": sound, "video": picture}}
    assert told(Redaction(), plain) == plain
    dropped = told(Redaction(audio=False), plain)
    assert dropped == {
        "realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "droppedBytes": 4}, "video": picture}
    }
    assert restored(dropped) == plain


@pytest.mark.parametrize(
    ("blob", "size"),
    [
        ({"data": "AAAA"}, 3),
        ({"data": "!"}, 0),
        ({}, 0),
        ({"droppedBytes": 7}, 7),
        ({"droppedBytes": -1}, 0),
        ({"droppedBytes": 10**12}, 0),
    ],
)
def test_the_size_of_a_blob_is_told_from_whatever_is_there(blob, size):
    assert sound_bytes(blob) == size


@pytest.mark.parametrize("plain", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900])
def test_what_is_nested_too_deeply_is_cut_off(plain):
    assert REDACTED.encode() in wire.dumps(Redaction().members(plain.encode()))
