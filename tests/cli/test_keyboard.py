import os

import pytest
import trio
import trio.testing

from livebridge.cli._keyboard import lines


@pytest.mark.parametrize("pieces", [["a\nb", "c\r\n", "d"], ["a\nbc\nd"], ["a\nbc\nd\n"]])
async def test_lines_do_not_depend_on_how_input_comes(pieces, monkeypatch):
    reader, writer = os.pipe()
    stream = os.fdopen(reader)
    monkeypatch.setattr("sys.stdin", stream)
    read = []
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:

            async def collect():
                async for line in lines():
                    read.append(line)

            nursery.start_soon(collect)
            for piece in pieces:
                os.write(writer, piece.encode())
                await trio.testing.wait_all_tasks_blocked()
            os.close(writer)
    stream.close()
    assert read == ["a", "bc", "d"]
