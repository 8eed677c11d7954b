"""What arrives is read with tolerance, and what cannot be read is kept."""

import math
from typing import Any

import pytest

from livebridge import wire
from livebridge.errors import DecodeError


def server(plain: dict[str, Any]) -> wire.ServerMessage:
    return wire.decode_server(wire.dumps(plain))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b" ",
        b"[]",
        b"null",
        b"1",
        b'"setupComplete"',
        b"{",
        b'{"a":}',
        b"{} {}",
        b'{"a":NaN}',
        b'{"a":1e999}',
        b"\xff\xfe",
        b'{"\xc3\x28":1}',
        b'"\\ud800"',
        b'{"a":"\\ud800"}',
        "\ud800",
        '{"a":"\ud800"}',
        "\ufeff{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\x00",
        memoryview(b"{}{}")[::2],
    ],
)
def test_what_is_no_json_object_raises_decode_error(frame: Any) -> None:
    for decode in (wire.decode_server, wire.decode_client):
        with pytest.raises(DecodeError):
            decode(frame)


def nested_schema(depth: int) -> bytes:
    schema = b'{"items":' * depth + b"{}" + b"}" * depth
    return b'{"setup":{"tools":[{"functionDeclarations":[{"parameters":' + schema + b"}]}]}}"


def test_a_deep_object_is_read() -> None:
    message = wire.decode_client(nested_schema(200))
    assert message.setup is not None
    assert message.unknown is None
    assert wire.decode_client(wire.encode_client(message)) == message


@pytest.mark.parametrize("depth", [1010, 1100, 100_000])
def test_an_object_too_deep_to_be_read_raises_decode_error(depth: int) -> None:
    with pytest.raises(DecodeError, match=r"nested too deeply|depth limit"):
        wire.decode_client(nested_schema(depth))


def test_plain_values_nested_without_end_raise_decode_error() -> None:
    schema: dict[str, Any] = {}
    schema["items"] = schema
    with pytest.raises(DecodeError, match="no Schema: nested too deeply"):
        wire.from_plain(wire.Schema, schema)


def test_a_decode_error_never_quotes_the_frame() -> None:
    with pytest.raises(DecodeError) as caught:
        wire.decode_server(b'{"newHandle": "s3cret" "x"}')
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, bytes.decode])
def test_a_frame_may_be_any_kind_of_bytes_or_text(kind: Any) -> None:
    message = wire.decode_server(kind(b'{"setupComplete": {}}'))
    assert message == wire.ServerMessage(setup_complete=wire.SetupComplete())


def test_an_unknown_member_is_kept_where_it_stood() -> None:
    message = server({"serverContent": {"turnComplete": True, "mood": {"x_y": [1, None]}}, "news": None})
    assert message.unknown == {"news": None}
    assert message.server_content is not None
    assert message.server_content.unknown == {"mood": {"x_y": [1, None]}}
    assert message.server_content.turn_complete is True


def test_an_unknown_value_of_an_enumeration_stays_text() -> None:
    content = server({"serverContent": {"turnCompleteReason": "BORED"}}).server_content
    assert content == wire.ServerContent(turn_complete_reason="BORED")
    assert type(content.turn_complete_reason) is str


def test_a_known_value_of_an_enumeration_is_its_member() -> None:
    content = server({"serverContent": {"interactionStatus": "IDLE"}}).server_content
    assert content is not None
    assert content.interaction_status is wire.InteractionStatus.IDLE


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("turnComplete", "maybe"),
        ("turnComplete", 1),
        ("modelTurn", []),
        ("modelTurn", "hello"),
        ("turnCompleteReason", 7),
        ("inputTranscription", True),
    ],
)
def test_a_value_that_does_not_fit_is_kept_raw_and_its_field_stays_none(member: str, value: Any) -> None:
    content = server({"serverContent": {member: value, "interrupted": True}}).server_content
    assert content == wire.ServerContent(interrupted=True, unknown={member: value})


@pytest.mark.parametrize(
    ("cls", "member", "value"),
    [
        (wire.Content, "parts", {}),
        (wire.Content, "parts", [{"text": "a"}, 5]),
        (wire.Content, "parts", [None]),
        (wire.Content, "role", 5),
        (wire.Schema, "properties", []),
        (wire.Schema, "properties", {"a": 5}),
        (wire.FunctionCall, "args", "x"),
        (wire.Setup, "labels", {"a": 1}),
        (wire.Blob, "data", 5),
        (wire.Blob, "data", "Y"),
        (wire.Blob, "data", "YQ="),
        (wire.Blob, "data", "YWJj="),
        (wire.Blob, "data", "="),
        (wire.Blob, "data", "Y Q=="),
        (wire.Blob, "data", "Y\u00e9=="),
        (wire.Segment, "startIndex", 1.5),
        (wire.Segment, "startIndex", True),
        (wire.Segment, "startIndex", "1.0"),
        (wire.Segment, "startIndex", 2**63),
        (wire.Segment, "startIndex", 1e30),
        (wire.Segment, "startIndex", "99999999999999999999"),
        (wire.Segment, "startIndex", []),
        (wire.GenerationConfig, "temperature", True),
        (wire.GenerationConfig, "temperature", "warm"),
        (wire.GenerationConfig, "temperature", {}),
        (wire.GenerationConfig, "temperature", 10**400),
        (wire.GoAway, "timeLeft", 10),
        (wire.GoAway, "timeLeft", "10"),
        (wire.GoAway, "timeLeft", "1.0000000001s"),
        (wire.GoAway, "timeLeft", "999999999999s"),
        (wire.GoAway, "timeLeft", {"seconds": 10}),
        (wire.GoAway, "timeLeft", "\u0661s"),
        (wire.Interval, "startTime", 5),
    ],
)
def test_no_kind_of_value_is_bent_to_fit(cls: type[wire.Message], member: str, value: Any) -> None:
    assert wire.from_plain(cls, {member: value}) == cls(unknown={member: value})


def test_null_means_absent() -> None:
    assert server({"serverContent": None, "goAway": {"timeLeft": None}}) == wire.ServerMessage(
        go_away=wire.GoAway()
    )


def test_keys_may_be_snake_case_in_either_direction() -> None:
    message = server({"server_content": {"model_turn": {"parts": [{"inline_data": {"mime_type": "a/b"}}]}}})
    part = wire.Part(inline_data=wire.Blob(mime_type="a/b"))
    assert message.server_content == wire.ServerContent(model_turn=wire.Content(parts=(part,)))
    sent = wire.decode_client(b'{"client_content":{"turn_complete":false}}')
    assert sent.client_content == wire.ClientContent(turn_complete=False)


def test_names_inside_free_form_maps_are_never_touched() -> None:
    free = {"snake_case": {"camelCase": None, "x": [{"turn_complete": 1}]}}
    message = server({"toolCall": {"functionCalls": [{"args": free}]}})
    assert message.tool_calls[0].args == free
    schema = wire.from_plain(
        wire.Schema, {"properties": {"first_name": {"max_length": 3}, "lastName": {}}, "default": free}
    )
    assert schema.properties == {"first_name": wire.Schema(max_length=3), "lastName": wire.Schema()}
    assert schema.default == free
    declaration = wire.from_plain(wire.FunctionDeclaration, {"parametersJsonSchema": free})
    assert declaration.parameters_json_schema == free
    assert wire.from_plain(wire.Setup, {"labels": {"my_label": "x"}}).labels == {"my_label": "x"}
    assert wire.from_plain(wire.Part, {"partMetadata": free}).part_metadata == free
    assert wire.from_plain(wire.FunctionResponse, {"response": free}).response == free


@pytest.mark.parametrize("count", ["responseTokenCount", "candidatesTokenCount", "candidates_token_count"])
@pytest.mark.parametrize("details", ["responseTokensDetails", "candidatesTokensDetails"])
def test_both_vocabularies_of_usage_are_read(count: str, details: str) -> None:
    message = server({"usageMetadata": {count: 7, details: [{"modality": "AUDIO", "tokenCount": 7}]}})
    detail = wire.ModalityTokenCount(modality=wire.MediaModality.AUDIO, token_count=7)
    assert message.usage_metadata == wire.UsageMetadata(
        response_token_count=7, response_tokens_details=(detail,)
    )


def test_of_two_words_for_one_count_the_one_with_a_value_counts() -> None:
    for usage in (
        {"responseTokenCount": 7, "candidatesTokenCount": None},
        {"responseTokenCount": None, "candidatesTokenCount": 7},
        {"responseTokenCount": 5, "candidatesTokenCount": 7},
    ):
        assert server({"usageMetadata": usage}).usage_metadata == wire.UsageMetadata(response_token_count=7)


@pytest.mark.parametrize("key", ["modelConfig", "modelSelectionConfig", "model_selection_config"])
def test_all_names_of_the_model_selection_are_read(key: str) -> None:
    config = wire.from_plain(wire.GenerationConfig, {key: {"featureSelectionPreference": "BALANCED"}})
    assert config.model_selection_config == wire.ModelSelectionConfig(
        feature_selection_preference=wire.FeatureSelectionPreference.BALANCED
    )


@pytest.mark.parametrize("key", ["type", "voiceActivityType"])
def test_both_names_of_the_kind_of_voice_activity_are_read(key: str) -> None:
    activity = server({"voiceActivity": {key: "ACTIVITY_START", "audioOffset": "1.5s"}}).voice_activity
    assert activity == wire.VoiceActivity(type=wire.VoiceActivityType.ACTIVITY_START, audio_offset=1.5)


@pytest.mark.parametrize("value", ["12", 12, 12.0])
def test_a_64_bit_integer_may_be_text_or_a_number(value: Any) -> None:
    update = server({"sessionResumptionUpdate": {"lastConsumedClientMessageIndex": value}})
    assert update.session_resumption_update == wire.SessionResumptionUpdate(
        last_consumed_client_message_index=12
    )


@pytest.mark.parametrize(("value", "meant"), [("true", True), ("false", False), (True, True), (False, False)])
def test_a_truth_value_may_be_text(value: Any, meant: bool) -> None:
    update = server({"sessionResumptionUpdate": {"resumable": value}}).session_resumption_update
    assert update is not None
    assert update.resumable is meant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10.0), ("9.5s", 9.5), ("3.000000001s", 3.000000001), ("0s", 0.0), ("-1.25s", -1.25)],
)
def test_a_duration_becomes_seconds(text: str, seconds: float) -> None:
    assert server({"goAway": {"timeLeft": text}}).go_away == wire.GoAway(time_left=seconds)


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (1.5, 1.5), ("1.5", 1.5), ("-1e3", -1000.0), ("Infinity", math.inf), ("-Infinity", -math.inf)],
)
def test_a_number_may_be_text(value: Any, number: float) -> None:
    config = wire.from_plain(wire.GenerationConfig, {"temperature": value})
    assert config.temperature == number
    assert type(config.temperature) is float


def test_a_number_may_be_no_number() -> None:
    config = wire.from_plain(wire.GenerationConfig, {"temperature": "NaN"})
    assert config.temperature is not None
    assert math.isnan(config.temperature)


@pytest.mark.parametrize("text", ["-_-_8A==", "-_-_8A", "+/+/8A==", "+/+/8A", "+_-/8A=="])
def test_base64_may_have_either_alphabet_and_any_padding(text: str) -> None:
    assert wire.from_plain(wire.Blob, {"data": text}).data == b"\xfb\xff\xbf\xf0"


def test_empty_base64_is_no_bytes() -> None:
    assert wire.from_plain(wire.Blob, {"data": ""}).data == b""


def test_sequences_are_tuples_so_that_messages_stay_frozen() -> None:
    message = server({"toolCallCancellation": {"ids": ["a", "b"]}})
    assert message.tool_call_cancellation == wire.ToolCallCancellation(ids=("a", "b"))
    assert hash(message) == hash(message)


def test_a_message_without_a_known_member_is_unrecognized() -> None:
    message = server({"error": {"code": 404}})
    assert message.is_unrecognized
    assert message.unknown == {"error": {"code": 404}}


def test_a_message_whose_only_member_cannot_be_read_is_unrecognized() -> None:
    assert server({"serverContent": 5}).is_unrecognized


@pytest.mark.parametrize("plain", [{}, {"setupComplete": {}}, {"setupComplete": {}, "news": 1}])
def test_a_message_with_a_known_member_or_with_none_at_all_is_recognized(plain: dict[str, Any]) -> None:
    assert not server(plain).is_unrecognized


def test_plain_values_may_be_any_mapping() -> None:
    class Headers(dict[str, Any]):
        pass

    assert wire.from_plain(wire.Content, Headers(role="user")) == wire.Content(role="user")
    with pytest.raises(DecodeError, match="no Content: expected a JSON object, got list"):
        wire.from_plain(wire.Content, [])  # type: ignore[arg-type]
