"""What is sent has one form, and only what fits is sent."""

import math
from types import MappingProxyType
from typing import Any

import pytest

from livebridge import wire
from livebridge.errors import ConfigError, DecodeError


def test_a_frame_is_compact_camel_case_json() -> None:
    turn = wire.Content(role="user", parts=[wire.Part(text="h\u00e9")])
    message = wire.ClientMessage(client_content=wire.ClientContent(turns=[turn], turn_complete=True))
    assert (
        wire.encode_client(message)
        == (
            '{"clientContent":{"turns":[{"parts":[{"text":"h\u00e9"}],"role":"user"}],"turnComplete":true}}'
        ).encode()
    )


def test_none_is_left_out_and_nothing_else_is() -> None:
    content = wire.ClientContent(turns=(), turn_complete=False)
    assert wire.to_plain(content) == {"turns": [], "turnComplete": False}
    assert wire.to_plain(wire.GenerationConfig(temperature=0.0, seed=0)) == {"temperature": 0.0, "seed": 0}
    assert wire.to_plain(wire.RealtimeInput(text="")) == {"text": ""}
    assert wire.to_plain(wire.FunctionResponse(response={})) == {"response": {}}


def test_an_empty_message_is_an_empty_object() -> None:
    message = wire.ClientMessage(realtime_input=wire.RealtimeInput(activity_start=wire.ActivityStart()))
    assert wire.encode_client(message) == b'{"realtimeInput":{"activityStart":{}}}'


def test_none_inside_free_form_values_is_a_null() -> None:
    response = wire.FunctionResponse(response={"output": None})
    assert wire.dumps(response) == b'{"response":{"output":null}}'


def test_a_server_indents_its_frames_and_ends_them_with_a_newline() -> None:
    message = wire.ServerMessage(setup_complete=wire.SetupComplete())
    assert wire.encode_server(message, pretty=True) == b'{\n  "setupComplete": {}\n}\n'
    assert wire.encode_server(message) == b'{"setupComplete":{}}'


def test_vertex_counts_candidates_where_the_gemini_api_counts_the_response() -> None:
    detail = wire.ModalityTokenCount(modality=wire.MediaModality.TEXT, token_count=1)
    usage = wire.UsageMetadata(
        prompt_token_count=2, response_token_count=1, response_tokens_details=(detail,)
    )
    message = wire.ServerMessage(usage_metadata=usage)
    assert wire.encode_server(message) == (
        b'{"usageMetadata":{"promptTokenCount":2,"responseTokenCount":1,'
        b'"responseTokensDetails":[{"modality":"TEXT","tokenCount":1}]}}'
    )
    assert wire.encode_server(message, vertex=True) == (
        b'{"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":1,'
        b'"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":1}]}}'
    )
    assert wire.encode_server(wire.ServerMessage(), vertex=True) == b"{}"


def test_the_model_selection_is_called_model_config_on_the_wire() -> None:
    config = wire.GenerationConfig(model_selection_config=wire.ModelSelectionConfig())
    assert wire.to_plain(config) == {"modelConfig": {}}


def test_a_64_bit_integer_is_written_as_text() -> None:
    config = wire.ContextWindowCompressionConfig(trigger_tokens=2**62)
    assert wire.to_plain(config) == {"triggerTokens": "4611686018427387904"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10.0, "10s"),
        (9.5, "9.5s"),
        (3.000000001, "3.000000001s"),
        (1e-9, "0.000000001s"),
        (1e-10, "0s"),
        (-1e-10, "0s"),
        (0.0, "0s"),
        (-1.25, "-1.25s"),
        (100, "100s"),
        (1e11, "100000000000s"),
    ],
)
def test_seconds_are_written_with_the_digits_they_need_and_without_exponent(
    seconds: float, text: str
) -> None:
    assert wire.to_plain(wire.GoAway(time_left=seconds)) == {"timeLeft": text}


def test_bytes_are_written_as_padded_standard_base64() -> None:
    for data in (b"\xfb\xff\xbf\xf0", bytearray(b"\xfb\xff\xbf\xf0"), memoryview(b"\xfb\xff\xbf\xf0")):
        assert wire.to_plain(wire.Blob(data=data)) == {"data": "+/+/8A=="}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, 1.0), (0.5, 0.5), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (math.nan, "NaN")],
)
def test_numbers_that_json_lacks_are_written_as_text(number: float, written: Any) -> None:
    assert wire.to_plain(wire.GenerationConfig(temperature=number)) == {"temperature": written}


def test_what_was_unknown_is_written_back_but_never_over_a_field() -> None:
    content = wire.Content(role="user", unknown={"mood": "good", "role": "model"})
    assert wire.to_plain(content) == {"role": "user", "mood": "good"}


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (wire.Content(role=5), r"Content\.role: expected text, got int"),
        (wire.Content(parts="hello"), r"Content\.parts: expected a list or tuple, got str"),
        (wire.Content(parts=[None]), r"Content\.parts\[0\]: expected Part, got None"),
        (
            wire.Content(parts=[wire.Part(), wire.Part(inline_data=wire.Blob(data="YQ=="))]),
            r"Content\.parts\[1\]\.inline_data\.data: expected bytes, got str",
        ),
        (wire.ClientContent(turn_complete="yes"), r"\.turn_complete: expected True or False, got str"),
        (wire.GenerationConfig(seed=1.0), r"\.seed: expected an integer of up to 64 bits, got float"),
        (wire.GenerationConfig(seed=True), r"\.seed: expected an integer"),
        (wire.GenerationConfig(seed=2**63), r"\.seed: expected an integer"),
        (wire.GenerationConfig(temperature="hot"), r"\.temperature: expected a number, got str"),
        (wire.GenerationConfig(temperature=True), r"\.temperature: expected a number, got bool"),
        (wire.GenerationConfig(temperature=10**400), r"\.temperature: expected a number of up to 64 bits"),
        (wire.GoAway(time_left="9s"), r"GoAway\.time_left: expected a number of seconds, got str"),
        (wire.GoAway(time_left=math.nan), r"expected a number of seconds"),
        (wire.GoAway(time_left=1e12), r"expected a number of seconds"),
        (wire.SlidingWindow(target_tokens="5"), r"\.target_tokens: expected an integer"),
        (wire.Setup(labels=[]), r"Setup\.labels: expected a mapping, got list"),
        (wire.Setup(labels={"a": 1}), r"Setup\.labels\['a'\]: expected text, got int"),
        (wire.Setup(labels={1: "a"}), r"Setup\.labels\[1\]: expected text, got int"),
        (wire.Schema(type=3), r"Schema\.type: expected text, got int"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_path_and_not_sent(
    message: wire.Message, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        wire.to_plain(message)


def test_an_error_says_the_type_of_a_value_and_never_the_value() -> None:
    with pytest.raises(ConfigError) as caught:
        wire.to_plain(wire.SlidingWindow(target_tokens="s3cret"))
    assert "s3cret" not in str(caught.value)


def test_each_encoder_takes_its_own_root_only() -> None:
    with pytest.raises(ConfigError, match="expected a ClientMessage, got ServerMessage"):
        wire.encode_client(wire.ServerMessage())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected a ServerMessage, got ClientMessage"):
        wire.encode_server(wire.ClientMessage())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"expected a message of livebridge\.wire, got dict"):
        wire.to_plain({})  # type: ignore[arg-type]


def test_a_message_nested_without_end_is_refused() -> None:
    schema = wire.Schema()
    for _ in range(5000):
        schema = wire.Schema(items=schema)
    with pytest.raises(ConfigError, match="nested too deeply"):
        wire.to_plain(schema)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1280])
@pytest.mark.parametrize("mime_type", ["audio/pcm;rate=16000", 'odd"\\\u00e9'])
def test_audio_is_encoded_directly_to_exactly_the_same_bytes(size: int, mime_type: str) -> None:
    data = bytes(range(256)) * 5
    blob = wire.Blob(data=data[:size], mime_type=mime_type)
    message = wire.ClientMessage(realtime_input=wire.RealtimeInput(audio=blob))
    for kind in (bytes, bytearray, memoryview):
        assert wire.encode_audio(kind(data[:size]), mime_type) == wire.encode_client(message)


def test_audio_may_be_every_other_byte_of_something() -> None:
    frame = wire.encode_audio(memoryview(b"a-b-c-")[::2], "audio/pcm")
    assert wire.decode_client(frame).realtime_input.audio.data == b"abc"


def test_audio_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected bytes, got str"):
        wire.encode_audio("YQ==", "audio/pcm")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected a MIME type, got int"):
        wire.encode_audio(b"", 16000)  # type: ignore[arg-type]


def test_json_takes_messages_mappings_and_enumerations_at_any_depth() -> None:
    value = {"a": [wire.Content(role="user")], "b": MappingProxyType({"c": wire.Modality.AUDIO})}
    assert wire.dumps(value) == b'{"a":[{"role":"user"}],"b":{"c":"AUDIO"}}'


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (b"x", "bytes has no JSON form"),
        ({"a": {1}}, "set has no JSON form"),
        ({1: 2}, "must be str"),
        ("\ud800", "surrogates"),
        (2**64, "64-bit"),
        ([wire.Content(role=5)], r"Content\.role: expected text, got int"),
    ],
)
def test_what_json_cannot_hold_is_refused(value: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        wire.dumps(value)


def test_json_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        wire.dumps(endless)


def test_an_answer_that_json_cannot_hold_is_refused_before_it_is_sent() -> None:
    response = wire.FunctionResponse(response={"picture": b"x"})
    message = wire.ClientMessage(tool_response=wire.ToolResponse(function_responses=[response]))
    with pytest.raises(ConfigError, match="bytes has no JSON form"):
        wire.encode_client(message)


def test_base64_goes_both_ways_and_complains_in_the_right_words() -> None:
    assert wire.encode_base64(b"\xfb\xff") == "+/8="
    assert wire.decode_base64("-_8") == b"\xfb\xff"
    with pytest.raises(ConfigError, match="expected bytes, got str"):
        wire.encode_base64("x")  # type: ignore[arg-type]
    with pytest.raises(DecodeError, match="expected base64 text"):
        wire.decode_base64("?")
