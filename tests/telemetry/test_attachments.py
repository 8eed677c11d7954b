"""Who may listen to what, and what happens to a listener that fails."""

import logging

import pytest

from livebridge import telemetry
from livebridge.errors import ConfigError
from livebridge.telemetry import BUS, EVENTS, Bus

READY = ("gemini", "live", "session", "ready")
CLOSE = ("gemini", "live", "session", "close")


@pytest.fixture(autouse=True)
def nobody_listens():
    assert not BUS.active, "an earlier test left a handler behind"
    yield
    for attachment in telemetry.list_handlers():
        telemetry.detach(attachment.id)


def ignore(event, measurements, metadata, config):
    """Listens and does nothing."""


def test_a_handler_gets_the_event_its_numbers_its_metadata_and_its_own_config():
    heard = []
    telemetry.attach("mine", READY, lambda *given: heard.append(given), config={"prefix": "live"})
    BUS.emit(READY, {"gap": 1.5}, {"kind": "new"})
    BUS.emit(CLOSE, {}, {})
    assert heard == [(READY, {"gap": 1.5}, {"kind": "new"}, {"prefix": "live"})]


def test_several_events_can_be_listened_to_at_once_and_each_is_heard_once():
    heard = []
    telemetry.attach("mine", [READY, CLOSE, READY], lambda event, *_: heard.append(event))
    for event in EVENTS:
        BUS.emit(event, {}, {})
    assert heard == [READY, CLOSE]


def test_handlers_are_called_in_the_order_of_their_attachment():
    heard = []
    for name in ("first", "second"):
        telemetry.attach(name, READY, lambda _event, _m, _d, config: heard.append(config), name)
    BUS.emit(READY, {}, {})
    assert heard == ["first", "second"]


def test_a_detached_handler_hears_nothing_more():
    heard = []
    telemetry.attach("mine", READY, lambda *given: heard.append(given))
    assert telemetry.detach("mine") is True
    BUS.emit(READY, {}, {})
    assert heard == []
    assert telemetry.detach("mine") is False


def test_nothing_is_active_unless_somebody_is_attached():
    assert BUS.active is False
    telemetry.attach("mine", READY, ignore)
    assert BUS.active is True
    assert (BUS.wants(READY), BUS.wants(CLOSE)) == (True, False)
    telemetry.detach("mine")
    assert BUS.active is False


def test_those_who_listen_are_listed_by_what_their_events_begin_with():
    telemetry.attach("sessions", READY, ignore, config=1)
    telemetry.attach("sockets", ("gemini", "live", "websocket", "close"), ignore)
    assert [each.id for each in telemetry.list_handlers()] == ["sessions", "sockets"]
    (listed,) = telemetry.list_handlers(("gemini", "live", "session"))
    assert (listed.id, listed.events, listed.handler, listed.config) == ("sessions", (READY,), ignore, 1)


def test_a_name_can_be_taken_only_once():
    telemetry.attach("mine", READY, ignore)
    with pytest.raises(ConfigError, match="'mine' is attached already"):
        telemetry.attach("mine", CLOSE, ignore)


def test_a_handler_that_raises_is_detached_and_the_others_are_called_all_the_same(caplog):
    heard = []

    def fail(*_):
        raise KeyError("broken")

    telemetry.attach("bad", [READY, CLOSE], fail)
    telemetry.attach("good", READY, lambda *given: heard.append(given))
    with caplog.at_level(logging.ERROR, logger="livebridge.telemetry"):
        BUS.emit(READY, {}, {})
        BUS.emit(CLOSE, {}, {})
    assert len(heard) == 1
    assert [each.id for each in telemetry.list_handlers()] == ["good"]
    (record,) = caplog.records
    assert record.getMessage() == (
        "telemetry handler 'bad' raised KeyError on gemini.live.session.ready and was detached"
    )


def test_a_handler_may_detach_itself_and_others_while_an_event_is_on_its_way():
    heard = []

    def leave(*_):
        heard.append("first")
        telemetry.detach("first")
        telemetry.detach("second")

    telemetry.attach("first", READY, leave)
    telemetry.attach("second", READY, lambda *_: heard.append("second"))
    BUS.emit(READY, {}, {})
    BUS.emit(READY, {}, {})
    assert heard == ["first", "second"]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (("gemini", "live", "session", "redy"), r"did you mean \('gemini', 'live', 'session', 'ready'\)"),
        ("gemini.live.session.ready", "takes tuples of words"),
        (7, "takes tuples of words"),
        ([READY, 7], "an event is a tuple of words"),
        ([], "no event to listen to"),
    ],
)
def test_only_events_that_exist_can_be_listened_to(events, message):
    with pytest.raises(ConfigError, match=message):
        telemetry.attach("mine", events, ignore)
    assert telemetry.list_handlers() == ()


@pytest.mark.parametrize("handler", [None, lambda _: None])
def test_a_handler_takes_four_arguments(handler):
    with pytest.raises(ConfigError, match="telemetry handler is"):
        telemetry.attach("mine", READY, handler)


def test_a_callable_that_hides_its_signature_is_taken():
    class Hidden:
        @property
        def __signature__(self):
            raise ValueError("no signature")

        def __call__(self, *given):
            """Take anything."""

    telemetry.attach("mine", READY, Hidden())
    assert BUS.wants(READY)


def test_every_name_of_the_original_exists():
    original = """session init, session ready, session message received, session message sent, session tool_call,
    session close, session error, session go_away, websocket connect start, websocket connect stop,
    websocket connect exception, websocket send, websocket receive, websocket close, websocket retry"""
    names = {("gemini", "live", *name.split()) for name in original.split(",")}
    assert names <= set(EVENTS)
    assert len(set(EVENTS)) == len(EVENTS)


def test_the_manual_lists_every_event():
    table = telemetry.__doc__.split("====\n")[2]
    listed = {
        ("gemini", "live", *row[:35].replace(",", "").split()) for row in table.splitlines()[:-1] if row
    }
    assert listed - {("gemini", "live")} == set(EVENTS)


def test_two_buses_know_nothing_of_each_other():
    other = Bus()
    telemetry.attach("mine", READY, ignore)
    assert other.attachments() == ()
