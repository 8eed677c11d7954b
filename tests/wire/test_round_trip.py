"""What is written is read again as it was: for every class, whatever it holds."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.errors import DecodeError
from livebridge.wire._names import fields_of

CLASSES = [
    cls
    for cls in map(wire.__dict__.get, wire.__all__)
    if isinstance(cls, type) and issubclass(cls, wire.Message) and cls is not wire.Message
]
QUICK = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
THOROUGH = settings(QUICK, max_examples=150)
WORDS = sorted({spelling for cls in CLASSES for field in fields_of(cls) for spelling in field.spellings})


def handed_in(value: Any) -> Any:
    """The same as a user would write it: mappings with snake_case keys."""
    if isinstance(value, wire.Message):
        names = [field.name for field in attrs.fields(type(value)) if field.name != "unknown"]
        return {n: handed_in(getattr(value, n)) for n in names if getattr(value, n) is not None}
    if isinstance(value, tuple):
        return [handed_in(item) for item in value]
    if isinstance(value, Mapping):
        return {key: handed_in(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@QUICK
@given(data=st.data())
def test_every_class_survives_the_wire(
    cls: type[wire.Message], any_message: Callable[..., Any], data: st.DataObject
) -> None:
    message = data.draw(any_message(cls))
    assert wire.from_plain(cls, wire.loads(wire.dumps(wire.to_plain(message)))) == message


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@QUICK
@given(data=st.data())
def test_every_class_can_be_handed_in_as_a_mapping(
    cls: type[wire.Message], any_message: Callable[..., Any], data: st.DataObject
) -> None:
    message = data.draw(any_message(cls, tame=True))
    assert wire.from_user(cls, handed_in(message), where="option") == message
    assert wire.from_user(cls, message, where="option") is message


@THOROUGH
@given(data=st.data())
def test_a_client_message_survives_its_frame(any_message: Callable[..., Any], data: st.DataObject) -> None:
    message = data.draw(any_message(wire.ClientMessage))
    assert wire.decode_client(wire.encode_client(message)) == message


@THOROUGH
@given(data=st.data(), vertex=st.booleans(), pretty=st.booleans())
def test_a_server_message_survives_its_frame_in_either_dialect(
    any_message: Callable[..., Any], data: st.DataObject, vertex: bool, pretty: bool
) -> None:
    message = data.draw(any_message(wire.ServerMessage))
    frame = wire.encode_server(message, vertex=vertex, pretty=pretty)
    assert wire.decode_server(frame) == message


@THOROUGH
@given(frame=st.binary(max_size=200) | st.text(max_size=100))
def test_bytes_that_are_no_message_raise_decode_error_and_nothing_else(frame: bytes | str) -> None:
    for decode in (wire.decode_server, wire.decode_client):
        try:
            message = decode(frame)
        except DecodeError:
            continue
        assert isinstance(message, wire.Message)


def json_of_known_words() -> st.SearchStrategy[Any]:
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from(["NaN", "9.5s", "12", "true", "AUDIO", "YQ==", "", "model"])
        | st.text(max_size=5)
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
        ),
        max_leaves=30,
    )


@THOROUGH
@given(plain=json_of_known_words())
def test_what_was_decoded_from_anything_is_written_back_the_same(plain: Any) -> None:
    for cls in (wire.ServerMessage, wire.ClientMessage):
        once = wire.to_plain(wire.from_plain(cls, {"setup": plain, "serverContent": plain}))
        assert wire.dumps(wire.to_plain(wire.from_plain(cls, once))) == wire.dumps(once)


@THOROUGH
@given(data=st.data(), cls=st.sampled_from([cls for cls in CLASSES if fields_of(cls)]))
def test_a_member_is_either_understood_or_kept_as_it_came(
    cls: type[wire.Message], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(fields_of(cls)))
    key = data.draw(st.sampled_from(sorted(field.spellings)))
    value = data.draw(json_of_known_words())
    message = wire.from_plain(cls, {key: value})
    if value is None:
        assert message == cls()
    elif message.unknown is None:
        assert getattr(message, field.attribute) is not None
    else:
        assert message == cls(unknown={key: value})
