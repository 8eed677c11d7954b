"""google-genai 3.4.0 is the oracle: for the same configuration and the same calls both put the same on the wire.

Both libraries really connect, to one local server that keeps what they send, and both read what it says. What
they send is compared after one spelling was given to both (``_same_plain.py``). Where they differ on purpose, or
because of a defect of google-genai, stands in ``_same_differences.py`` with the reason, and is asserted too.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.auth import Gateway
from livebridge.errors import ConfigError


def _beside(name):
    """Import a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


laboratory, plainly, cases = _beside("_same_lab"), _beside("_same_plain"), _beside("_same_cases")
_beside("_same_observers")
differing = _beside("_same_differences")
normal, said = plainly.normal, plainly.said

# livebridge asks for these by itself, google-genai does not; a test below says so.
BY_DEFAULT = {"session_resumption": None, "context_window_compression": None}
FEW = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def lab():
    with laboratory.Lab() as made:
        yield made


def without_defaults(config):
    if not isinstance(config, dict):
        return {name: value for name, value in BY_DEFAULT.items() if getattr(config, name) is None}
    return {
        name: value
        for name, value in BY_DEFAULT.items()
        if name not in config and plainly.camel(name) not in config
    }


def assert_same_setup(lab, account, config):
    """Both send the same setup, or both refuse; what google-genai says of the backend, livebridge says too."""
    version = {"api_version": "v1alpha"} if account == "gemini" else {}
    try:
        theirs, _ = lab.theirs(account, config, **version)
    except ValueError as refusal:
        with pytest.raises(ConfigError) as ours:
            lab.ours(account, config, **version, **without_defaults(config))
        return str(refusal), str(ours.value)
    ours, _ = lab.ours(account, config, **version, **without_defaults(config))
    assert normal(ours.setup) == normal(theirs.setup)
    assert ours.path == theirs.path.replace("//", "/")
    return None


@pytest.mark.parametrize("account", ["gemini", "vertex", "express"])
@pytest.mark.parametrize("name", cases.CONFIGS)
def test_a_configuration_makes_the_same_setup_or_is_refused_by_both(lab, account, name):
    refusals = assert_same_setup(lab, account, cases.CONFIGS[name])
    if refusals is not None and " parameter is only supported in" in refusals[0] and name != "servers":
        # of a server google-genai names a member, livebridge the list
        assert refusals[0].rstrip(".") in refusals[1]


FLAT_FIELDS = frozenset(
    {
        "response_modalities",
        "temperature",
        "top_p",
        "top_k",
        "max_output_tokens",
        "media_resolution",
        "seed",
        "speech_config",
        "thinking_config",
        "enable_affective_dialog",
        "translation_config",
    }
)
NESTED_ONLY = (
    frozenset(field.name for field in wire.GenerationConfig.__attrs_attrs__) - FLAT_FIELDS - {"unknown"}
)
SETUP_FIELDS = frozenset(field.name for field in wire.Setup.__attrs_attrs__) - {
    "model",
    "generation_config",
    "unknown",
}
SKIP = differing.NOT_GENERATED


@st.composite
def configs(draw):
    """Configurations of every shape: flat, nested, in either spelling, with fields of either backend."""
    flat = draw(plainly.plain(wire.GenerationConfig, only=FLAT_FIELDS, skip=SKIP))
    for name in ("response_modalities", "responseModalities"):
        if name in flat:
            flat[name] = flat[name][:1]
    nested = draw(plainly.plain(wire.GenerationConfig, only=NESTED_ONLY, skip=SKIP, most=2))
    rest = draw(plainly.plain(wire.Setup, only=SETUP_FIELDS, skip=SKIP))
    return {**flat, **rest, **({"generation_config": nested} if nested else {})}


@FEW
@given(config=configs(), account=st.sampled_from(["gemini", "vertex", "express"]))
def test_any_configuration_makes_the_same_setup_or_is_refused_by_both(lab, config, account):
    assert_same_setup(lab, account, config)


async def their_talk(session, talk):
    """Say these things; which of them were refused, and how."""
    refusals = []
    for verb, given_ in talk:
        try:
            await getattr(session, f"send_{verb}")(**given_)
            refusals.append(None)
        except (ValueError, TypeError) as refusal:
            refusals.append(refusal)
    return refusals


async def our_talk(session, talk):
    refusals = []
    for verb, given_ in talk:
        try:
            if verb in ("client_content", "tool_response"):
                await getattr(session, f"send_{verb}")(*given_.values())
            else:
                await getattr(session, f"send_{verb}")(**given_)
            refusals.append(None)
        except ConfigError as refusal:
            refusals.append(refusal)
    return refusals


def assert_same_talk(lab, account, talk):
    config = cases.setup_for(talk)
    theirs, refused = lab.theirs(account, config, lambda session: their_talk(session, talk))
    ours, refused_by_us = lab.ours(account, config, lambda session: our_talk(session, talk))
    assert [each is None for each in refused_by_us] == [each is None for each in refused], (talk, refused)
    assert [normal(each) for each in ours.messages] == [normal(each) for each in theirs.messages]
    return list(zip(refused, refused_by_us, strict=True))


@pytest.mark.parametrize("account", ["gemini", "vertex"])
@pytest.mark.parametrize("name", cases.MESSAGES)
def test_a_call_puts_the_same_message_on_the_wire_or_is_refused_by_both(lab, account, name):
    ((theirs, ours),) = assert_same_talk(lab, account, [cases.MESSAGES[name]])
    if " parameter is only supported in" in str(theirs):
        assert str(theirs).rstrip(".") in str(ours)


def contents():
    return plainly.plain(wire.Content, skip=SKIP).filter(bool)


def responses():
    answer = st.dictionaries(plainly.WORDS, plainly.JSON, max_size=2)
    rest = plainly.plain(wire.FunctionResponse, skip={*SKIP, ("FunctionResponse", "response")}, most=6)
    return st.builds(lambda fields, response: {**fields, "response": response}, rest, answer)


def blobs(*kinds, begin=b""):
    pair = st.tuples(st.binary(min_size=1, max_size=9), st.sampled_from(kinds))
    return pair.map(lambda made: {"data": begin + made[0] * 2, "mime_type": made[1]})


REALTIME = st.one_of(
    blobs("audio/pcm;rate=16000", "audio/pcm").map(lambda blob: {"audio": blob}),
    blobs("image/png", begin=cases.PNG).map(lambda blob: {"video": blob}),
    plainly.WORDS.map(lambda text: {"text": text}),
    st.sampled_from([{"activity_start": {}}, {"activity_end": {}}, {"audio_stream_end": True}]),
)
CALLS = st.one_of(
    st.builds(cases.content, st.none() | contents() | st.lists(contents(), max_size=3), st.booleans()),
    REALTIME.map(lambda given_: ("realtime_input", given_)),
    (responses() | st.lists(responses(), max_size=2)).map(cases.answered),
    st.fixed_dictionaries(
        {},
        optional={
            "system_instruction": plainly.WORDS | contents(),
            "tools": st.lists(plainly.plain(wire.Tool, most=2, skip=SKIP), max_size=2),
        },
    ).map(lambda given_: ("context_update", given_)),
)


def consistent(talk):
    """Without the signals of the other way to detect activity."""
    unfit = "audio_stream_end" if cases.setup_for(talk) else "activity"
    return [call for call in talk if not any(name.startswith(unfit) for name in call[1])]


@FEW
@given(
    talk=st.lists(CALLS, min_size=1, max_size=8).map(consistent).filter(bool),
    account=st.sampled_from(["gemini", "vertex"]),
)
def test_any_calls_put_the_same_messages_on_the_wire_in_the_same_order(lab, talk, account):
    assert_same_talk(lab, account, talk)


def read_by_both(lab, account, messages):
    """What each library makes of these messages of the server."""

    async def their_reading(session):
        return [await session._receive() for _ in messages]

    async def our_reading(session):
        first = await session.receive()
        assert first.setup_complete is not None
        return [await session.receive() for _ in messages]

    lab.script = [json.dumps(message).encode() for message in messages]
    try:
        return lab.ours(account, None, our_reading)[1], lab.theirs(account, None, their_reading)[1]
    finally:
        lab.script = []


def assert_same_reading(lab, account, messages):
    ours, theirs = read_by_both(lab, account, messages)
    found = [list(plainly.differences(*pair)) for pair in zip(ours, theirs, strict=True)]
    assert found == [[]] * len(messages)


@pytest.mark.parametrize("account", ["gemini", "vertex"])
@pytest.mark.parametrize("frame", cases.FRAMES, ids=lambda frame: json.dumps(frame)[:60])
def test_a_message_of_the_server_is_read_alike_by_both(lab, account, frame):
    assert_same_reading(lab, account, [frame])


def server_messages(*, vertex):
    """Anything but a farewell (livebridge would leave) and a second answer to the setup."""
    message = said(wire.ServerMessage, vertex=vertex, skip=SKIP)
    return st.lists(
        message.filter(lambda made: made and not {"goAway", "setupComplete"} & set(made)),
        min_size=1,
        max_size=8,
    )


@FEW
@given(data=st.data(), account=st.sampled_from(["gemini", "vertex"]))
def test_any_messages_of_the_server_are_read_alike_by_both(lab, data, account):
    assert_same_reading(lab, account, data.draw(server_messages(vertex=account == "vertex")))


@pytest.mark.parametrize("account", ["gemini", "token", "vertex", "express"])
@pytest.mark.parametrize("base", ["https://{}", "https://{}/", "https://{}/p/q", "https://{}/p/", "wss://{}"])
@pytest.mark.parametrize("version", [None, "v1alpha"])
def test_both_dial_the_same_path_with_the_same_credential_and_model(lab, account, base, version):
    options = {"api_version": version} if version or account == "token" else {}
    options = {"api_version": "v1alpha"} if account == "token" else options
    theirs, _ = lab.theirs(account, base=base, **options)
    ours, _ = lab.ours(account, base=base, **options, **BY_DEFAULT)
    assert ours.path == theirs.path.replace("//", "/")
    names = ["authorization", "x-goog-user-project"] + ["x-goog-api-key"] * (account != "token")
    assert [ours.headers.get(name) for name in names] == [theirs.headers.get(name) for name in names]
    assert normal(ours.setup) == normal(theirs.setup)


def test_a_gateway_is_dialled_verbatim_with_its_headers(lab, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    base, headers = "wss://{}/a/gateway?of=mine", {"authorization": "Basic eDp5"}
    lab.accounts["gateway"] = ({"vertexai": True}, None)
    theirs, _ = lab.theirs("gateway", base=base, headers=headers)
    ours, _ = lab.ours("gateway", auth=Gateway(lab.url(base), headers=headers), **BY_DEFAULT)
    assert (ours.path, ours.headers["authorization"]) == (theirs.path, theirs.headers["authorization"])
    assert normal(ours.setup) == normal(theirs.setup)


@pytest.mark.parametrize("name", differing.DIFFERENCES)
def test_a_known_difference_is_still_one_and_has_a_reason(lab, name):
    difference = differing.DIFFERENCES[name]
    assert difference.reason.endswith(".")
    theirs, ours = difference.observe(lab)
    assert theirs != ours
    assert (theirs, ours) == (difference.theirs, difference.ours)
