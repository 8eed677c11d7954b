from livebridge.protocol import Handle, HandleBook


def book(**options) -> HandleBook:
    made = HandleBook(fingerprint="model", **options)
    made.observe("h1", resumable=True, now=10.0, epoch=1)
    return made


def test_a_resumable_update_with_a_handle_replaces_the_last_one():
    handles = book()
    assert handles.observe("h2", resumable=True, now=11.0, epoch=1)
    assert handles.usable(12.0).value == "h2"


def test_an_unresumable_update_does_not_forget_the_last_handle():
    handles = book()
    assert not handles.observe("", resumable=False, now=11.0, epoch=1)
    assert not handles.resumable
    assert handles.usable(12.0).value == "h1"


def test_a_resumable_update_without_a_handle_replaces_nothing():
    handles = book()
    assert not handles.observe("", resumable=True, now=11.0, epoch=1)
    assert not handles.observe(None, resumable=True, now=11.0, epoch=1)
    assert handles.usable(12.0).value == "h1"


def test_a_handle_ages_only_from_the_end_of_its_connection():
    handles = book(ttl=100.0)
    assert handles.usable(10_000.0) is not None
    handles.dropped(10_000.0)
    handles.dropped(10_050.0)
    assert handles.usable(10_100.0) is not None
    assert handles.usable(10_100.1) is None
    assert handles.current is not None


def test_a_new_connection_stops_the_ageing():
    handles = book(ttl=100.0)
    handles.dropped(20.0)
    handles.connected()
    assert handles.usable(1_000.0) is not None


def test_a_handle_of_another_configuration_is_not_used():
    handles = HandleBook(fingerprint="new model")
    handles.adopt(Handle(value="h", received_at=0.0, epoch=1, fingerprint="old model"), dropped_at=None)
    assert handles.usable(1.0) is None


def test_an_adopted_handle_ages_from_its_own_drop():
    handles = HandleBook(ttl=100.0)
    handles.adopt(Handle(value="h", received_at=0.0, epoch=0), dropped_at=5.0)
    assert handles.usable(105.0) is not None
    assert handles.usable(105.1) is None


def test_a_handle_is_a_secret():
    assert "h1" not in repr(book().current)
    assert "h1" not in repr(book())


def test_a_conversation_that_was_given_up_cannot_hand_in_another_handle():
    handles = book()
    handles.give_up(1)
    assert not handles.observe("h2", resumable=True, now=11.0, epoch=1)
    assert handles.usable(12.0) is None
    assert not handles.resumable
    assert handles.observe("h3", resumable=True, now=13.0, epoch=2)
    assert handles.usable(14.0).value == "h3"
