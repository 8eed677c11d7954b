from livebridge.simulator import Echo, Hangup

MODEL = "models/gemini-2.0-flash-live-001"
IMAGE = {"realtimeInput": {"video": {"mimeType": "image/jpeg", "data": "AAAA"}}}
COMPRESSED = {"contextWindowCompression": {"slidingWindow": {}}}


def test_a_connection_ends_after_its_lifetime_with_notice(dial):
    client = dial(connection_lifetime=10.0, go_away_lead=4.0)
    client.setup(MODEL)
    assert client.pass_time(5.9) == []
    assert client.pass_time(0.1) == [{"goAway": {"timeLeft": "4s"}}]
    assert client.pass_time(3.9) == []
    assert client.hangup is None
    client.pass_time(0.1)
    assert client.hangup == (1011, "Deadline expired before operation could complete.")
    assert not client.conversation.connected


def test_the_lifetime_counts_from_the_upgrade_even_without_a_setup(dial):
    client = dial(connection_lifetime=1.0, go_away_lead=None)
    assert client.pass_time(1.0) == []
    assert client.hangup[0] == 1011


def test_a_lead_longer_than_the_lifetime_gives_notice_at_once(dial):
    client = dial(connection_lifetime=1.0, go_away_lead=60.0)
    assert client.setup(MODEL) == [{"setupComplete": {}}, {"goAway": {"timeLeft": "1s"}}]


def test_how_a_lifetime_ends_can_be_chosen(dial):
    client = dial(connection_lifetime=1.0, lifetime_close=Hangup(1001, "drain"))
    client.pass_time(1.0)
    assert client.hangup == (1001, "drain")


def test_go_away_on_command_is_kept(dial):
    client = dial(connection_lifetime=None)
    client.setup(MODEL)
    client.dialogue.go_away(2.0, now=client.now)
    assert client.run() == [{"goAway": {"timeLeft": "2s"}}]
    client.pass_time(2.0)
    assert client.hangup[0] == 1011


def test_a_session_without_compression_ends_over_all_its_connections(dial, read):
    settings = {"connection_lifetime": None, "session_limit": 900.0, "brain": Echo()}
    client = dial(**settings)
    client.setup(MODEL, sessionResumption={})
    handle = read.handle(client.say("Hi"))
    client.pass_time(600.0)
    client.close()
    again = dial(client.world, now=client.now)
    again.setup(MODEL, sessionResumption={"handle": handle})
    again.pass_time(299.0)
    assert again.hangup is None
    again.pass_time(1.0)
    assert again.hangup[0] == 1011


def test_video_shortens_the_session(dial):
    client = dial(connection_lifetime=None)
    client.setup(MODEL)
    client.send(IMAGE)
    client.pass_time(119.0)
    assert client.hangup is None
    client.pass_time(1.0)
    assert client.hangup[0] == 1011


def test_compression_lifts_the_limit(dial):
    client = dial(connection_lifetime=None)
    client.setup(MODEL, **COMPRESSED)
    client.send(IMAGE)
    client.pass_time(100_000.0)
    assert client.hangup is None
    assert client.dialogue.deadline is None


def test_after_the_end_nothing_is_announced(dial):
    client = dial(connection_lifetime=1.0)
    client.pass_time(1.0)
    client.dialogue.go_away(1.0, now=client.now)
    assert client.run() == []
