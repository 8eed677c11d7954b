"""Options are checked, one by one, before anything is dialled."""

import ssl

import pytest

from livebridge.errors import ConfigError
from livebridge.protocol import LiveConfig, ReconnectPolicy
from livebridge.session import Keepalive
from livebridge.session._options import Options, known_options, parse

MODEL = {"model": "gemini-3.1-flash-live-preview"}


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("temprature", "temperature"),
        ("on_mesage", "on_message"),
        ("api_kye", "api_key"),
        ("close_timout", "close_timeout"),
        ("system_instructions", "system_instruction"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_name(name, near):
    what = "callback" if name.startswith("on_") else "option"
    with pytest.raises(ConfigError, match=f"{name} is no {what} of a session; did you mean {near}"):
        parse({**MODEL, name: 1})


def test_an_unknown_option_that_is_near_nothing_is_refused_all_the_same():
    with pytest.raises(ConfigError, match=r"xyzzyxyzzy is no option of a session$"):
        parse({**MODEL, "xyzzyxyzzy": 1})


@pytest.mark.parametrize("given", [{}, {"model": ""}, {"model": None}])
def test_the_model_is_required(given):
    with pytest.raises(ConfigError, match="model is required"):
        parse(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", 5),
        ("api_version", 1),
        ("base_url", b"x"),
        ("headers", [("a", "b")]),
        ("proxy", 1),
        ("ssl_context", "no"),
        ("dial_timeout", 0),
        ("dial_timeout", "ten"),
        ("dial_timeout", True),
        ("dial_timeout", float("inf")),
        ("setup_timeout", -1),
        ("keepalive", 0),
        ("keepalive", "often"),
        ("max_message_size", 1.5),
        ("max_message_size", 0),
        ("connect", 1),
        ("connect_attempts", 0),
        ("connect_attempts", True),
        ("reconnect", True),
        ("media_buffer", -0.1),
        ("max_media_lag", 0),
        ("inbox_frames", 0),
        ("outbox_messages", -1),
        ("content_max_age", 0),
        ("buffer_before_connect", "yes"),
        ("write_timeout", None),
        ("close_timeout", 0),
        ("tool_timeout", 0),
        ("tool_grace", None),
        ("max_concurrent_tools", 0),
        ("on_callback_error", "ignore"),
        ("max_callback_errors", 5),
        ("max_callback_errors", (1, 2, 3)),
        ("max_callback_errors", (0, 1)),
        ("max_callback_errors", ("a", "b")),
        ("callback_timeout", 0),
        ("slow_callback", 0),
        ("stall_timeout", 0),
        ("resume_handle", b"h"),
        ("replay", "everything"),
        ("unresumable", "panic"),
        ("max_connection_age", 0),
        ("keep_audio", None),
        ("dial", "tcp"),
    ],
)
async def test_an_option_of_the_wrong_type_or_value_is_refused_by_name_before_any_dial(live, name, value):
    with pytest.raises(ConfigError, match=name):
        async with live.session(**{name: value}):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reconnect", None),
        ("reconnect", ReconnectPolicy(max_attempts=1)),
        ("keepalive", None),
        ("keepalive", Keepalive(ping_after=1, dead_after=2)),
        ("proxy", None),
        ("tool_timeout", None),
        ("content_max_age", None),
        ("max_callback_errors", (20, 60.0)),
        ("max_callback_errors", None),
        ("on_callback_error", print),
        ("headers", {"x-a": "b"}),
        ("ssl_context", ssl.create_default_context()),
        ("media_buffer", 0),
    ],
)
def test_values_that_mean_something_are_kept(name, value):
    options, _ = parse({**MODEL, name: value})
    assert getattr(options, name) == value


def test_callbacks_and_setup_fields_are_told_apart_from_options():
    options, callbacks = parse(
        {**MODEL, "on_text": print, "on_audio": None, "temperature": 0.5, "voice": "Kore"}
    )
    assert callbacks == {"on_text": print}
    assert options.config.temperature == 0.5
    assert isinstance(options.config, LiveConfig)


def test_secrets_are_in_no_repr():
    options, _ = parse(
        {
            **MODEL,
            "api_key": "SECRET",
            "headers": {"authorization": "SECRET"},
            "resume_handle": "SECRET",
            "proxy": "http://user:SECRET@proxy",
        }
    )
    assert "SECRET" not in repr(options)


def test_every_option_is_known_and_documented():
    fields = [field for field in known_options() if hasattr(Options, "__attrs_attrs__")]
    assert "model" in fields
    names = [field.name for field in Options.__attrs_attrs__]
    assert all(f"        {name}: " in (Options.__doc__ or "") for name in names)


async def test_extra_headers_and_the_base_url_reach_the_dial(live):
    async with live.session(headers={"x-extra": "1"}, base_url="http://localhost:8080/here"):
        line = await live.line()
        assert line.server.headers["x-extra"] == "1"
        assert line.server.url.startswith("ws://localhost:8080/here/")
        assert "secret-key" not in line.server.url


async def test_a_configuration_the_model_cannot_serve_is_refused_before_any_dial(live):
    with pytest.raises(ConfigError):
        async with live.session(session_resumption={"transparent": True}):
            pytest.fail("the block must not be entered")
    assert live.network.dials == 0
