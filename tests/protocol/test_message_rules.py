"""What a server would hang up on in the middle of a conversation, told before it is sent."""

import attrs
import pytest

from livebridge.errors import ConfigError
from livebridge.protocol import (
    LIVE_MODELS,
    LiveConfig,
    ModelCapabilities,
    capabilities,
    check_message,
    client_content,
    context_update,
    realtime_input,
)

AUTOMATIC = LiveConfig()
MANUAL = LiveConfig(realtime_input_config={"automatic_activity_detection": {"disabled": True}})
WITH_HISTORY = LiveConfig(history_config={"initial_history_in_client_content": True})
START, END, OFF = (
    realtime_input(**{name: True}) for name in ("activity_start", "activity_end", "audio_stream_end")
)
FLASH_31 = "gemini-3.1-flash-live-preview"


def refused(message, *, model="gemini-of-tomorrow", config=AUTOMATIC, **given):
    """What is wrong with a message; empty if nothing is."""
    able = capabilities(model) if isinstance(model, str) else model
    try:
        check_message(message, backend="gemini", config=config, able=able, **given)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("model", sorted(LIVE_MODELS))
def test_content_in_the_middle_is_refused_where_text_goes_as_realtime_input(model):
    content_is_taken = LIVE_MODELS[model].text_input == "client_content"
    assert (refused(client_content("x"), model=model) == "") is content_is_taken
    assert refused(realtime_input(text="x"), model=model) == ""


def test_the_refusal_of_content_says_what_to_do():
    text = refused(client_content("x"), model=FLASH_31)
    assert f"{FLASH_31}: it takes clientContent as history only" in text
    assert "initial_history_in_client_content" in text
    assert "send_text(), which picks the channel" in text


def test_an_announced_history_goes_as_content_until_it_is_complete():
    history = client_content([{"role": "model", "parts": ["Hello"]}])
    assert refused(history, model=FLASH_31, config=WITH_HISTORY, seeding=True) == ""
    assert "its history is complete" in refused(history, model=FLASH_31, config=WITH_HISTORY)


@pytest.mark.parametrize("model", sorted(LIVE_MODELS))
def test_a_context_update_is_for_the_models_of_the_38_generation(model):
    message = context_update(system_instruction="Be brief.")
    assert (refused(message, model=model) == "") is model.startswith("gemini-3.8")


@pytest.mark.parametrize("model", [f"{FLASH_31}-09-2031", "gemini-9-live", "mine"])
@pytest.mark.parametrize("message", [client_content("x"), context_update(tools=[])], ids=["words", "update"])
def test_a_model_that_nobody_knows_is_not_turned_away(model, message):
    assert refused(message, model=model) == ""


def test_whoever_describes_a_model_is_taken_at_their_word():
    mine = ModelCapabilities(name="mine", text_input="realtime_input", context_update=False)
    assert "mine" in refused(client_content("x"), model=mine)
    assert "mine takes no context update" in refused(context_update(tools=[]), model=mine)
    assert refused(context_update(tools=[]), model=attrs.evolve(mine, context_update=True)) == ""


@pytest.mark.parametrize(
    "automatic",
    [
        AUTOMATIC,
        LiveConfig(realtime_input_config={}),
        LiveConfig(realtime_input_config={"automatic_activity_detection": {"silence_duration_ms": 9}}),
        LiveConfig(realtime_input_config={"automatic_activity_detection": {"disabled": False}}),
    ],
)
def test_signals_belong_to_one_way_of_detecting_activity(automatic):
    for message in (START, END):
        assert "'disabled': True" in refused(message, config=automatic)
        assert refused(message, config=MANUAL) == ""
    assert refused(OFF, config=automatic) == ""
    assert "send activity_end" in refused(OFF, config=MANUAL)


def test_where_a_token_locks_the_configuration_nothing_is_known_of_it():
    for message in (START, OFF, client_content("x")):
        assert refused(message, config=None, model=FLASH_31) == ""
    assert check_message(START, backend="gemini") is None
