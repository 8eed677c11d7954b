"""What goes wrong comes out as it is, where it was asked for, and nowhere else."""

import traceback

import pytest

from livebridge.errors import (
    ConfigError,
    ConnectError,
    ConnectionFailureError,
    SessionFailedError,
)
from livebridge.simulator import Close, Fault, Faults, RefuseUpgrade


def failing(world):
    """Options of a session that can be made to fail for good: a retry does not mend a 404."""
    return world.serve(faults=Faults(Fault(what=RefuseUpgrade(status=404), dial=2)))


def test_a_wrong_option_is_told_before_anything_is_dialled(start, world):
    options = world.serve()
    with pytest.raises(ConfigError, match="did you mean temperature"):
        start(**options, temprature=1)
    assert world.do(lambda simulator: simulator.dials) == 0


def test_a_refused_connection_is_told_unwrapped(start, world):
    options = world.serve(faults=Faults(Fault(what=RefuseUpgrade(status=404))))
    with pytest.raises(ConnectError) as caught:
        start(**options)
    assert caught.value.status == 404
    assert not isinstance(caught.value.__context__, BaseExceptionGroup)


def test_a_refused_setup_is_told_unwrapped(start, world):
    options = world.serve(faults=Faults(Fault(what=Close(code=1008, reason="no"), received=1)))
    with pytest.raises(ConnectionFailureError) as caught:
        start(**options)
    assert caught.value.code == 1008


def test_an_exception_in_the_block_comes_out_as_it_is(start, options):
    error = KeyError("mine")
    with pytest.raises(KeyError) as caught, start(**options) as session:
        raise error
    assert caught.value is error
    assert len(traceback.extract_tb(error.__traceback__)) == 1
    assert not hasattr(error, "__notes__")
    assert session.closed


def fail(world, session):
    world.do(lambda simulator: simulator.connections[0].drop())
    with pytest.raises(SessionFailedError):
        session.wait_closed()


def test_a_session_that_failed_says_so_at_the_next_call_and_at_the_end_of_its_block(start, world):
    options = failing(world)
    with pytest.raises(SessionFailedError) as caught, start(**options) as session:
        fail(world, session)
        with pytest.raises(SessionFailedError):
            session.ask("Hello")
    assert caught.value.status == 404
    assert isinstance(caught.value.__cause__, ConnectError)


def test_a_session_that_failed_is_noted_on_another_exception(start, world):
    options = failing(world)
    with pytest.raises(KeyError) as caught, start(**options) as session:
        fail(world, session)
        raise KeyError
    assert caught.value.__notes__[0].startswith("the session had failed as well: ")


def test_its_own_error_is_not_noted_twice(start, world):
    options = failing(world)
    with pytest.raises(SessionFailedError) as caught, start(**options) as session:
        fail(world, session)
        session.ask("Hello")
    assert not hasattr(caught.value, "__notes__")


def test_a_call_that_waits_is_told_of_the_failure(start, world):
    session = start(**failing(world))
    waiting = session.wait_turn.submit()
    fail(world, session)
    with pytest.raises(SessionFailedError):
        waiting.result(10)


def test_a_session_that_fails_leaves_the_others_alone(start, world):
    healthy = start(**world.serve())
    doomed = start(**failing(world))
    fail(world, doomed)
    assert healthy.ask("Hello", timeout=10).text
