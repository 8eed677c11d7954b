"""Faults while a connection is made: each test is one cell of the matrix, named after what must hold."""

import pytest
import trio

from livebridge.errors import (
    ConnectError,
    SessionFailedError,
    SetupError,
)
from livebridge.protocol import Phase

OUTAGES = (None, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014)
"""Ends that a retry with the handle can heal; ``None`` is a reset or an end of file."""

HOPELESS = (1002, 1003, 1009, 1010, 1015, 4000, 4999)

outages = pytest.mark.parametrize("code", OUTAGES)
hopeless = pytest.mark.parametrize("code", HOPELESS)


def _refused(status=None, **details):
    return ConnectError(f"refused: {status}", status=status, phase="dial", **details)


async def _ready(live, handle="h1"):
    line = await live.line()
    if handle:
        line.resumable(handle)
    await trio.testing.wait_all_tasks_blocked()
    return line


@pytest.mark.parametrize("status", [None, 408, 429, 500, 502, 503, 504])
async def test_a_dial_that_fails_for_the_moment_is_repeated_after_a_back_off(live, log, status):
    async with live.session(**log.callbacks("on_resumed", "on_reconnecting")) as session:
        line = await _ready(live)
        live.refuse(*(_refused(status) for _ in range(3)))
        line.drop()
        await log.wait("on_resumed")
        assert live.network.dials == 5
        assert [info.attempt for info in log.of("on_reconnecting")] == [1, 2, 3, 4]
        assert session.epoch == 2
        assert live.lines[1].handle == "h1"


@pytest.mark.parametrize("status", [400, 404, 426])
async def test_a_dial_that_is_refused_for_good_fails_the_session(live, status):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session():
            line = await _ready(live)
            live.refuse(_refused(status))
            line.drop()
            await trio.sleep_forever()
    assert caught.value.status == status
    assert live.network.dials == 2


async def test_retry_after_is_honoured(live, log):
    async with live.session(**log.callbacks("on_resumed", "on_reconnecting")):
        line = await _ready(live)
        live.refuse(_refused(429, retry_after=45.0))
        line.drop()
        await log.wait("on_resumed")
        assert log.of("on_reconnecting")[1].delay == 45.0
        assert log.of("on_resumed")[0].gap >= 45.0


@pytest.mark.parametrize("phase", [Phase.DIALING, Phase.SETUP, Phase.BACKOFF, Phase.ROTATING, Phase.GOAWAY])
async def test_outer_cancellation_closes_at_once_in_every_phase(live, log, steps, phase):
    with trio.CancelScope() as scope:
        async with live.session(dial_timeout=200, setup_timeout=200, **log.callbacks("on_close")) as session:
            line = await _ready(live)
            if phase in (Phase.DIALING, Phase.ROTATING):
                live.dial_delays.append(100)
            live.then(steps.silence)
            if phase is Phase.BACKOFF:
                session._state.reconnector.attempts = 20
            if phase is Phase.ROTATING:
                session._actor.manager.reconnect()
            elif phase is Phase.GOAWAY:
                line.text("busy")
                line.go_away("100s")
            else:
                line.drop()
            while session.phase is not phase:
                await session._state.changed.wait()
            began = trio.current_time()
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() - began <= 1.0
    assert log.names == ["on_close"]


@outages
async def test_a_setup_that_is_cut_off_is_repeated_until_the_handle_has_had_its_tries(live, log, steps, code):
    """An internal error is the server's word; all else may be one outage that lasts for several setups."""
    tries = 2 if code == 1011 else 4
    async with live.session(**log.callbacks("on_resumed", "on_session_lost", "on_ready")):
        line = await _ready(live)
        live.then(*[steps.closing(code)] * tries)
        line.drop()
        await log.wait("on_resumed")
        assert [each.handle for each in live.lines] == [None, *["h1"] * tries, None]
        assert log.of("on_resumed")[0].continuity == "lost"
        assert [info.reason for info in log.of("on_session_lost")] == ["rejected"]
        assert [info.kind for info in log.of("on_ready")] == ["new", "fresh_after_loss"]
        assert log.names == ["on_ready", "on_session_lost", "on_resumed", "on_ready"]


@outages
async def test_a_setup_that_is_cut_off_for_a_while_costs_no_conversation(live, log, steps, code):
    tries = 1 if code == 1011 else 3
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")):
        line = await _ready(live)
        live.then(*[steps.closing(code)] * tries)
        line.drop()
        await log.wait("on_resumed")
        assert [each.handle for each in live.lines] == [None, *["h1"] * (tries + 1)]
        assert log.names == ["on_resumed"]


@pytest.mark.parametrize("code", [1007, 1008])
async def test_a_setup_that_is_refused_without_a_handle_is_fatal(live, steps, code):
    live.then(steps.closing(code, "no such field"))
    with pytest.raises(SetupError, match="no such field") as caught:
        async with live.session():
            pytest.fail("the block must not be entered")
    assert caught.value.code == code
    assert live.network.dials == 1


@pytest.mark.parametrize("code", [1007, 1008])
async def test_a_setup_that_is_refused_with_a_handle_twice_is_followed_by_a_fresh_session(
    live, log, steps, code
):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")):
        line = await _ready(live)
        live.then(steps.closing(code), steps.closing(code))
        line.drop()
        await log.wait("on_resumed")
        assert [each.handle for each in live.lines] == [None, "h1", "h1", None]
        assert len(log.of("on_session_lost")) == 1
        assert log.of("on_session_lost")[0].error.code == code


async def test_a_handle_that_is_named_as_unknown_is_given_up_after_one_try(live, log, steps):
    async with live.session(**log.callbacks("on_resumed", "on_session_lost")):
        line = await _ready(live)
        live.then(steps.closing(1008, "BidiGenerateContent session not found"))
        line.drop()
        await log.wait("on_resumed")
        assert [each.handle for each in live.lines] == [None, "h1", None]
        assert len(log.of("on_session_lost")) == 1


async def test_a_setup_that_is_not_answered_times_out_and_is_repeated(live, log, steps):
    live.then(steps.silence)
    before = trio.current_time()
    async with live.session(setup_timeout=6) as session:
        assert trio.current_time() - before >= 6
        assert session.epoch == 1
        assert live.network.dials == 2


async def test_a_setup_that_is_never_answered_is_a_setup_error_that_names_its_fields(live, steps):
    live.default = steps.silence
    with pytest.raises(SetupError, match="no setupComplete within 2 s") as caught:
        async with live.session(setup_timeout=2, output_audio_transcription={}, temperature=0.5):
            pytest.fail("the block must not be entered")
    assert type(caught.value) is SetupError
    assert caught.value.retryable is False
    assert caught.value.attempt == 2
    assert "configuration" in str(caught.value)
    assert "output_audio_transcription" in caught.value.hint
    assert "generation_config.temperature" in caught.value.hint
    assert live.network.dials == 2


async def test_a_setup_that_a_dead_line_leaves_unanswered_is_no_fault_of_the_setup(live, steps):
    async def dead(line):
        line.server.answers_pings = False

    live.then(dead, dead, dead)
    async with live.session(setup_timeout=2, connect_attempts=10) as session:
        assert session.epoch == 1
    assert live.network.dials == 4


async def test_a_configuration_that_has_worked_is_not_suspected_so_soon(live, log, steps):
    async with live.session(**log.callbacks("on_resumed")):
        line = await _ready(live, handle=None)
        live.then(*[steps.silence] * 3)
        line.drop()
        await log.wait("on_resumed")
        assert live.network.dials == 5


async def test_a_configuration_that_has_worked_and_is_never_answered_again_fails_in_the_end(live, steps):
    with pytest.raises(SessionFailedError) as caught:
        async with live.session():
            line = await _ready(live, handle=None)
            live.default = steps.silence
            line.drop()
            await trio.sleep_forever()
    assert isinstance(caught.value.__cause__, SetupError)
    assert live.network.dials == 5


async def test_a_resume_that_is_not_answered_in_time_is_tried_again_with_its_handle(live, log, steps):
    async with live.session(setup_timeout=6, **log.callbacks("on_resumed", "on_reconnecting")):
        line = await _ready(live)
        live.then(steps.silence)
        before = trio.current_time()
        line.drop()
        await log.wait("on_resumed")
        assert 7 <= trio.current_time() - before < 9
        assert [each.handle for each in live.lines] == [None, "h1", "h1"]
        assert log.of("on_resumed")[0].continuity == "resumed"
        assert "no setupComplete within 6 s" in str(log.of("on_reconnecting")[1].error)


async def test_a_handle_that_is_never_answered_is_given_up_and_the_setup_has_its_own_tries(live, log, steps):
    live.then(*[steps.silence] * 3)
    async with live.session(resume_handle="h0", connect_attempts=10, **log.callbacks("on_ready")):
        assert [line.handle for line in live.lines] == ["h0", "h0", None, None]
        assert (await log.wait("on_ready")).kind == "fresh_after_loss"


@pytest.mark.parametrize(
    ("error", "status", "dials"),
    [
        ({"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}, 400, 1),
        ({"code": 401, "message": "who?"}, 401, 2),
        ({"code": 403, "message": "no", "status": "PERMISSION_DENIED"}, 403, 2),
        ({"code": 404, "message": "models/x is not found"}, 404, 1),
        ({"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}, 429, 3),
        ({"code": 8, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}, 429, 3),
        ({"code": 503, "message": "later", "status": "UNAVAILABLE"}, 503, 3),
        ({"message": "odd"}, None, 3),
    ],
)
async def test_an_error_object_in_place_of_setup_complete_means_what_its_code_says(
    live, steps, error, status, dials
):
    live.default = steps.saying({"error": error})
    with pytest.raises(SetupError) as caught:
        async with live.session():
            pytest.fail("the block must not be entered")
    assert caught.value.status == status
    assert error["message"] in caught.value.reason
    assert caught.value.attempt == live.network.dials == dials


async def test_an_error_object_that_answers_a_resume_twice_costs_the_handle_and_not_the_session(
    live, log, steps
):
    async with live.session(**log.callbacks("on_resumed")):
        line = await _ready(live)
        live.then(*[steps.saying({"error": {"code": 400, "message": "bad handle"}})] * 2)
        line.drop()
        await log.wait("on_resumed")
        assert [each.handle for each in live.lines] == [None, "h1", "h1", None]


async def test_an_error_object_in_place_of_setup_complete_is_a_setup_error(live, steps):
    live.default = steps.saying({"error": {"code": 503, "message": "The service is unavailable."}})
    with pytest.raises(SetupError, match="The service is unavailable"):
        async with live.session():
            pytest.fail("the block must not be entered")
    assert live.network.dials == 3


async def test_garbage_before_setup_complete_is_dispatched_as_unrecognized(live, log, steps):
    live.then(steps.saying(b"\x00garbage", {"setupComplete": {}}))
    async with live.session(**log.callbacks("on_unrecognized")) as session:
        await log.wait("on_unrecognized")
        assert session.status == "ready"


@hopeless
async def test_a_setup_that_ends_with_a_hopeless_code_is_fatal(live, steps, code):
    live.then(steps.closing(code))
    with pytest.raises(SetupError):
        async with live.session():
            pytest.fail("the block must not be entered")
    assert live.network.dials == 1
