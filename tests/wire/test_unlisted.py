"""A value that an enumeration does not list is told with its place, at the line of whoever wrote it."""

from typing import Any

import pytest

from livebridge import wire
from livebridge.protocol import LiveConfig


def warned_of(make: Any) -> Any:
    with pytest.warns(UserWarning, match="is no known") as caught:
        make()
    (warning,) = caught
    return warning


@pytest.mark.parametrize(
    ("cls", "value", "where", "begin"),
    [
        (
            wire.GenerationConfig,
            {"response_modalities": ["AUDIO", "SMELL"]},
            "config",
            "'SMELL' is no known Modality; config.response_modalities[1] is sent as it is. Known are MODALITY",
        ),
        (
            wire.Setup,
            {"tools": [{}, {"function_declarations": [{"name": "AT_ONCE", "behavior": "AT_ONCE"}]}]},
            "setup",
            "'AT_ONCE' is no known Behavior; setup.tools[1].function_declarations[0].behavior is sent",
        ),
        (
            wire.GenerationConfig,
            {
                "stop_sequences": ["HUGE"],
                "response_modalities": ["AUDIO"],
                "thinking_config": {"thinking_level": "HUGE"},
            },
            "config",
            "'HUGE' is no known ThinkingLevel; config.thinking_config.thinking_level is sent",
        ),
    ],
)
def test_the_warning_names_value_place_and_line(cls: Any, value: Any, where: str, begin: str) -> None:
    warning = warned_of(lambda: wire.from_user(cls, value, where=where))
    assert str(warning.message).startswith(begin)
    assert warning.filename == __file__


def test_the_warning_about_an_option_stands_at_the_line_of_the_option() -> None:
    detection = {"start_of_speech_sensitivity": "VERY"}
    warning = warned_of(lambda: LiveConfig(realtime_input_config={"automatic_activity_detection": detection}))
    assert "config.realtime_input_config.automatic_activity_detection.start_of_speech_sensitivity" in str(
        warning.message
    )
    assert warning.filename == __file__
    assert warned_of(lambda: LiveConfig.from_user({"media_resolution": "HUGE"})).filename == __file__


def test_a_known_value_warns_of_nothing_and_several_warn_one_by_one() -> None:
    wire.from_user(wire.GenerationConfig, {"response_modalities": ["audio"]}, where="config")
    with pytest.warns(UserWarning, match="is no known") as caught:
        wire.from_user(wire.GenerationConfig, {"response_modalities": ["A", "B"]}, where="config")
    places = [str(each.message).split("; ")[1].split(" is")[0] for each in caught]
    assert places == ["config.response_modalities[0]", "config.response_modalities[1]"]
