import math

import pytest

from livebridge.errors import ConfigError
from livebridge.simulator import Echo, LiveSimulator, Settings, ToneVoice
from livebridge.simulator._settings import TEST_API_KEY


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"pace": "slow"}, "pace must be fast or real or a number above 0; got 'slow'"),
        ({"pace": False}, "pace must be .* got False"),
        ({"pace": -1}, "pace must be .* got -1"),
        ({"pace": 0}, "pace must be .* got 0"),
        ({"brain": 3}, "brain must be an instance of Brain; got 3"),
        ({"brain": Echo}, "brain must be an instance of Brain; got <class"),
        ({"voice": ToneVoice}, "voice must be an instance of Voice"),
        ({"frames": "xml"}, "frames must be binary, text, compact or fragmented; got 'xml'"),
        ({"latency": "a"}, "latency must be a number from 0 on; got 'a'"),
        ({"latency": math.inf}, "latency must be a number from 0 on; got inf"),
        ({"connection_lifetime": -5}, "connection_lifetime must be a number from 0 on, or None; got -5"),
        ({"connection_lifetime": math.nan}, "connection_lifetime must be .* got nan"),
        ({"handle_every": "never"}, "handle_every must be a number from 0 on, or None; got 'never'"),
        ({"max_sessions": 1.5}, "max_sessions must be a whole number from 0 on; got 1.5"),
        ({"audio_chunk_bytes": 3}, "audio_chunk_bytes must be an even number from 2 on; got 3"),
        ({"lifetime_close": 1000}, "lifetime_close must be an instance of Hangup; got 1000"),
        (
            {"profiles": {"a": 3}},
            "profiles must be a mapping of text to an instance of Profile; got {'a': 3}",
        ),
        ({"strict": 1}, "strict must be true or false; got 1"),
        ({"seed": "x" * 999}, "seed must be a whole number, or None; got 'x{59}…$"),
        ({"faults": 3}, "faults must be an instance of Faults, or None; got 3"),
        ({"port": 99_999}, "port must be a whole number from 0 to 65535; got 99999"),
        ({"host": None}, "host must be text; got None"),
        ({"ssl_context": True}, "ssl_context must be an instance of SSLContext, or None; got True"),
    ],
)
async def test_a_setting_has_its_type_and_its_range(settings, told):
    with pytest.raises(ConfigError, match=told):
        async with LiveSimulator.serve(**settings):
            pass


@pytest.mark.parametrize("keys", ["secret", 5, (b"secret",)])
def test_keys_are_a_collection_of_texts_and_no_error_quotes_them(keys):
    with pytest.raises(ConfigError, match=r"must be .*text") as told:
        Settings(api_keys=keys)
    assert "secret" not in str(told.value)


async def test_records_are_dropped_down_to_a_handle_or_more():
    async with LiveSimulator.serve() as simulator:
        with pytest.raises(ConfigError, match="keep_handles must be a whole number from 1 on; got 0"):
            simulator.forget(None, keep_handles=0)


def test_settings_take_whatever_makes_sense():
    settings = Settings(pace=2, connection_lifetime=math.inf, session_limit=None, api_keys=["one", "two"])
    assert settings.speed == 2.0
    assert settings.api_keys == ("one", "two")
    assert Settings().api_keys == (TEST_API_KEY,)
