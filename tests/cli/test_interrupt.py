import signal

import pytest
import trio
import trio.testing

from livebridge.cli._interrupt import run_until_interrupted
from livebridge.errors import ConfigError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_command_which_may_clean_up(number):
    cleaned = []

    async def command():
        try:
            signal.raise_signal(number)
            await trio.sleep_forever()
        finally:
            cleaned.append(number)

    assert run_until_interrupted(command) == 128 + number
    assert cleaned == [number]


def test_a_second_ctrl_c_does_not_wait_for_the_cleaning_up():
    async def command():
        try:
            signal.raise_signal(signal.SIGINT)
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.testing.wait_all_tasks_blocked()
                signal.raise_signal(signal.SIGINT)
                await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        run_until_interrupted(command)


def test_a_command_that_ends_by_itself_gives_its_status():
    async def command():
        await trio.lowlevel.checkpoint()
        return 3

    assert run_until_interrupted(command) == 3


def test_what_a_command_raises_comes_out_as_it_is():
    async def command():
        await trio.lowlevel.checkpoint()
        raise ConfigError("no")

    with pytest.raises(ConfigError, match=r"^no$"):
        run_until_interrupted(command)
