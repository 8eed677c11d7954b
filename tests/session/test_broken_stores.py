"""What a session tells of a resume store that does not work: one line, and no more until it works again."""

import logging
import sqlite3

import pytest
import trio

from livebridge.errors import LivebridgeError, StoreError
from livebridge.session import SqliteResumeStore


class Store:
    """Refuses as long as ``error`` is set."""

    def __init__(self, error):
        self.error = error
        self.saves = 0

    async def load(self, key):
        return None

    async def save(self, key, snapshot):
        self.saves += 1
        if self.error is not None:
            raise self.error

    async def delete(self, key):
        pass


async def _saved(store, line, handle):
    """A new handle is there, and has been saved (or not)."""
    before = store.saves
    line.resumable(handle)
    while store.saves == before:
        await trio.sleep(1)


async def test_a_store_that_cannot_save_is_told_once_and_without_a_traceback(live, log, caplog):
    store = Store(OSError("disk on fire"))
    async with live.session(resume_store=store, **log.callbacks("on_error")) as session:
        line = await live.line()
        for number in range(5):
            await _saved(store, line, f"h{number}")
        assert session.handle == "h4"
    (error,) = log.of("on_error")
    assert isinstance(error, StoreError)
    assert isinstance(error, LivebridgeError)
    assert str(error).startswith("the resume store could not save: OSError: disk on fire;")
    assert error.__cause__ is store.error
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert record.getMessage() == str(error)
    assert record.exc_info is None


async def test_a_store_that_worked_in_between_or_fails_in_another_way_is_told_again(live, log):
    store = Store(OSError("disk on fire"))
    async with live.session(resume_store=store, **log.callbacks("on_error")):
        line = await live.line()
        for number, error in enumerate([store.error, None, store.error, OSError("no space left")]):
            store.error = error
            await _saved(store, line, f"h{number}")
        store.error = None
    assert [str(error).split(": ")[2].split(";")[0] for error in log.of("on_error")] == [
        "disk on fire",
        "disk on fire",
        "no space left",
    ]


async def test_a_store_that_never_answers_is_told_with_the_time_it_had(live, log):
    class Stuck(Store):
        async def save(self, key, snapshot):
            await trio.sleep_forever()

    async with live.session(resume_store=Stuck(None), **log.callbacks("on_error")):
        (await live.line()).resumable()
        error = await log.wait("on_error")
    assert "could not save: no answer within 5 s" in str(error)


async def test_an_sqlite_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(sqlite3.OperationalError, match=str(tmp_path)):
        await SqliteResumeStore(tmp_path).load("a")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        await SqliteResumeStore(tmp_path / "nowhere" / "sessions.db").load("a")
