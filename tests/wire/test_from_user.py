"""What users hand in is taken in any customary form, and misspelt or ill-typed things are named."""

import enum
import math
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

from livebridge import wire
from livebridge.errors import ConfigError


class Dumped:
    """An object in the manner of pydantic."""

    def __init__(self, **members: Any) -> None:
        self.members = members

    def model_dump(self, *, exclude_none: bool) -> dict[str, Any]:
        assert exclude_none
        return self.members


def taken(cls: type[wire.Message], value: Any) -> Any:
    return wire.from_user(cls, value, where="option")


def test_keys_may_be_snake_case_or_camel_case_at_any_depth() -> None:
    expected = wire.GenerationConfig(
        speech_config=wire.SpeechConfig(
            voice_config=wire.VoiceConfig(prebuilt_voice_config=wire.PrebuiltVoiceConfig(voice_name="Kore"))
        )
    )
    for value in (
        {"speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}}},
        {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}},
        {"speechConfig": {"voice_config": {"prebuiltVoiceConfig": {"voice_name": "Kore"}}}},
        MappingProxyType({"speech_config": expected.speech_config}),
        Dumped(speech_config=Dumped(voice_config={"prebuilt_voice_config": Dumped(voice_name="Kore")})),
    ):
        assert taken(wire.GenerationConfig, value) == expected


def test_an_instance_is_taken_as_it_is() -> None:
    setup = wire.Setup(model="models/m")
    assert taken(wire.Setup, setup) is setup


def test_none_is_absent() -> None:
    assert taken(wire.Setup, {"model": None, "tools": None}) == wire.Setup()


@pytest.mark.parametrize("value", ["AUDIO", "audio", "Audio", wire.Modality.AUDIO])
def test_enumerations_may_be_text_in_any_case(value: Any) -> None:
    config = taken(wire.GenerationConfig, {"response_modalities": [value]})
    assert config.response_modalities == (wire.Modality.AUDIO,)
    assert type(config.response_modalities[0]) is wire.Modality


def test_enumerations_of_other_makers_are_known_by_their_values() -> None:
    class TheirModality(str, enum.Enum):  # noqa: UP042 - as google-genai has them
        SPEECH = "AUDIO"

    config = taken(wire.GenerationConfig, {"response_modalities": {TheirModality.SPEECH}})
    assert config.response_modalities == (wire.Modality.AUDIO,)


@pytest.mark.parametrize(
    ("cls", "field", "short", "member"),
    [
        (wire.FunctionResponse, "scheduling", "when_idle", wire.FunctionResponseScheduling.WHEN_IDLE),
        (wire.GenerationConfig, "media_resolution", "low", wire.MediaResolution.MEDIA_RESOLUTION_LOW),
        (
            wire.AutomaticActivityDetection,
            "start_of_speech_sensitivity",
            "high",
            wire.StartSensitivity.START_SENSITIVITY_HIGH,
        ),
        (wire.UsageMetadata, "service_tier", "FLEX", wire.ServiceTier.FLEX),
    ],
)
def test_enumerations_may_go_without_their_common_prefix(
    cls: type[wire.Message], field: str, short: str, member: enum.StrEnum
) -> None:
    assert getattr(taken(cls, {field: short}), field) is member


def test_an_unknown_value_of_an_enumeration_passes_with_a_warning_that_names_the_known_ones() -> None:
    with pytest.warns(UserWarning, match=r"'smell' is no known Modality; .* TEXT, IMAGE, AUDIO, VIDEO"):
        config = taken(wire.GenerationConfig, {"response_modalities": ["smell"]})
    assert config.response_modalities == ("smell",)


@pytest.mark.parametrize(
    "data", [b"\xfb\xff", bytearray(b"\xfb\xff"), memoryview(b"\xfb\xff"), "+/8=", "-_8"]
)
def test_bytes_may_be_base64(data: Any) -> None:
    assert taken(wire.Blob, {"data": data}) == wire.Blob(data=b"\xfb\xff")
    assert type(taken(wire.Blob, {"data": data}).data) is bytes


def test_numbers_may_be_whole_or_not_where_that_means_the_same() -> None:
    config = taken(wire.GenerationConfig, {"temperature": 1, "seed": 40.0, "top_p": 0.5})
    assert config == wire.GenerationConfig(temperature=1.0, seed=40, top_p=0.5)
    assert type(config.temperature) is float
    assert type(config.seed) is int
    window = taken(wire.SlidingWindow, {"target_tokens": 8})
    assert window == wire.SlidingWindow(target_tokens=8)


@pytest.mark.parametrize("value", [1.5, "1.5s", timedelta(seconds=1.5)])
def test_durations_may_be_seconds_timedeltas_or_text(value: Any) -> None:
    assert taken(wire.VideoMetadata, {"start_offset": value}) == wire.VideoMetadata(start_offset=1.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T03:04:05+02:00"),
    ],
)
def test_timestamps_may_be_datetimes_that_know_their_zone(value: Any, text: str) -> None:
    assert taken(wire.Interval, {"start_time": value}) == wire.Interval(start_time=text)


@pytest.mark.parametrize(
    "value",
    [
        "Hi",
        ["Hi"],
        ("Hi",),
        {"text": "Hi"},
        [{"text": "Hi"}],
        wire.Part(text="Hi"),
        [wire.Part(text="Hi")],
        Dumped(text="Hi"),
        [Dumped(text="Hi")],
        {"role": "user", "parts": ["Hi"]},
        Dumped(role="user", parts=[{"text": "Hi"}]),
    ],
)
def test_a_content_may_be_text_a_part_or_a_list_of_these(value: Any) -> None:
    assert taken(wire.Content, value) == wire.Content(role="user", parts=(wire.Part(text="Hi"),))


def test_a_content_as_a_list_keeps_each_part() -> None:
    picture = {"inline_data": {"data": b"x", "mimeType": "image/png"}}
    content = taken(wire.Content, ["Look:", picture])
    blob = wire.Blob(data=b"x", mime_type="image/png")
    assert content.parts == (wire.Part(text="Look:"), wire.Part(inline_data=blob))


def test_an_empty_mapping_is_an_empty_content() -> None:
    assert taken(wire.Content, {}) == wire.Content()


def test_short_forms_work_inside_other_objects() -> None:
    setup = taken(wire.Setup, {"system_instruction": "Be brief."})
    part = wire.Part(text="Be brief.")
    assert setup.system_instruction == wire.Content(role="user", parts=(part,))


def test_names_of_the_users_own_are_never_touched() -> None:
    declaration = {
        "name": "book",
        "parameters": {"type": "object", "properties": {"first_name": {"type": "string"}, "lastName": {}}},
        "response_json_schema": {"snake_key": {"camelKey": None}},
    }
    tool = taken(wire.Tool, {"function_declarations": [declaration]})
    assert tool.function_declarations[0].parameters == wire.Schema(
        type=wire.Type.OBJECT,
        properties={"first_name": wire.Schema(type=wire.Type.STRING), "lastName": wire.Schema()},
    )
    assert tool.function_declarations[0].response_json_schema == {"snake_key": {"camelKey": None}}
    assert taken(wire.Setup, {"labels": {"my_label": "x"}}).labels == {"my_label": "x"}
    response = taken(wire.FunctionResponse, {"response": Dumped(first_name="A", lastName=None)})
    assert response.response == {"first_name": "A", "lastName": None}


@pytest.mark.parametrize(
    ("cls", "value", "complaint"),
    [
        (wire.Setup, {"modle": "m"}, r"option: Setup has no field 'modle'; did you mean 'model'\?"),
        (
            wire.GenerationConfig,
            {"speechConfig": {"voice_config": {"prebuilt_voice_confg": {}}}},
            r"option\.speech_config\.voice_config: VoiceConfig has no field 'prebuilt_voice_confg'; did",
        ),
        (wire.Setup, {"inputAudioTranscripton": {}}, r"did you mean 'input_audio_transcription'\?"),
        (wire.PrebuiltVoiceConfig, {"qqq": 1}, r"has no field 'qqq'; known are voice_name"),
        (wire.ActivityStart, {"at": 1}, r"ActivityStart has no field 'at'; it has no fields"),
        (wire.Content, {5: "x"}, r"Content has no field 5; known are parts, role"),
        (wire.Content, {"unknown": {}}, r"Content has no field 'unknown'"),
    ],
)
def test_an_unknown_key_is_named_with_its_path_and_the_nearest_known_one(
    cls: type[wire.Message], value: Any, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        taken(cls, value)


def test_one_field_in_two_spellings_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"option\.turn_complete: expected one spelling of this field"):
        taken(wire.ClientContent, {"turn_complete": True, "turnComplete": False})


@pytest.mark.parametrize(
    ("cls", "value", "complaint"),
    [
        (wire.Setup, None, r"option: expected Setup or a mapping of its fields, got None"),
        (wire.Setup, "models/m", r"option: expected Setup or a mapping of its fields, got str"),
        (wire.Setup, wire.Content(), r"expected Setup or a mapping of its fields, got Content"),
        (wire.Setup, Dumped, r"expected Setup or a mapping of its fields, got type"),
        (wire.Content, 5, r"option: expected Content or a mapping of its fields, got int"),
        (wire.Content, ["a", 5], r"option\.parts\[1\]: expected Part or a mapping of its fields, got int"),
        (wire.Content, {"parts": "Hi"}, r"option\.parts: expected a list, got str"),
        (wire.Content, {"parts": {"text": "Hi"}}, r"option\.parts: expected a list, got dict"),
        (wire.Content, {"parts": 5}, r"option\.parts: expected a list, got int"),
        (wire.Content, {"role": 5}, r"option\.role: expected text, got int"),
        (wire.ClientContent, {"turn_complete": "yes"}, r"\.turn_complete: expected True or False, got str"),
        (wire.GenerationConfig, {"temperature": "hot"}, r"\.temperature: expected a number, got str"),
        (wire.GenerationConfig, {"temperature": 10**400}, r"\.temperature: expected a number of up to 64"),
        (wire.GenerationConfig, {"seed": "1"}, r"\.seed: expected an integer, got str"),
        (wire.GenerationConfig, {"seed": 1.5}, r"\.seed: expected an integer of up to 64 bits, got float"),
        (wire.GenerationConfig, {"seed": True}, r"\.seed: expected an integer of up to 64 bits, got bool"),
        (
            wire.GenerationConfig,
            {"response_modalities": [5]},
            r"\.response_modalities\[0\]: expected Modality, one of MODALITY_UNSPECIFIED, TEXT",
        ),
        (wire.Blob, {"data": 5}, r"\.data: expected bytes, or base64 text, got int"),
        (wire.Blob, {"data": "?"}, r"\.data: expected bytes, or base64 text, got str"),
        (wire.VideoMetadata, {"start_offset": "soon"}, r'expected a duration such as "9.5s", got str'),
        (wire.VideoMetadata, {"start_offset": []}, r"expected seconds, a timedelta, or text"),
        (wire.VideoMetadata, {"start_offset": math.inf}, r"expected seconds, a timedelta, or text"),
        (wire.VideoMetadata, {"start_offset": True}, r"expected seconds, a timedelta, or text"),
        (
            wire.Interval,
            {"end_time": 5},
            r"\.end_time: expected RFC 3339 text or a datetime with a time zone",
        ),
        (wire.Interval, {"end_time": datetime(2026, 1, 1)}, r"\.end_time: expected RFC 3339 text"),  # noqa: DTZ001
        (wire.Setup, {"labels": ["a"]}, r"\.labels: expected a mapping, got list"),
        (wire.Setup, {"labels": {"a": 1}}, r"\.labels\['a'\]: expected text, got int"),
        (wire.FunctionResponse, {"response": {5: 1}}, r"\.response\[5\]: expected text, got int"),
        (
            wire.Schema,
            {"properties": {"age": {"typ": "integer"}}},
            r"option\.properties\['age'\]: Schema has no field 'typ'; did you mean 'type'\?",
        ),
    ],
)
def test_a_wrong_type_is_named_with_its_path_and_what_was_expected(
    cls: type[wire.Message], value: Any, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        taken(cls, value)


def test_an_error_never_quotes_a_value() -> None:
    with pytest.raises(ConfigError) as caught:
        taken(wire.SessionResumptionConfig, {"handle": ["s3cret"]})
    assert "s3cret" not in str(caught.value)


def test_an_object_that_cannot_list_its_fields_is_refused_and_its_own_error_kept() -> None:
    class Broken:
        def model_dump(self, **_: Any) -> dict[str, Any]:
            raise ValueError("serialisation failed")

    with pytest.raises(ConfigError, match=r"\.tools\[0\]: expected an object whose model_dump") as caught:
        taken(wire.Setup, {"tools": [Broken()]})
    assert str(caught.value.__cause__) == "serialisation failed"
    with pytest.raises(ConfigError, match=r"\.properties\['a'\]: expected an object whose") as caught:
        taken(wire.Schema, {"properties": {"a": Broken()}})
    assert str(caught.value.__cause__) == "serialisation failed"


def test_a_mapping_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    schema["items"] = schema
    with pytest.raises(ConfigError, match="option: nested too deeply"):
        taken(wire.Schema, schema)
