"""Tools that return what cannot be sent: who it was and what is wrong with it, to user, log and model."""

import logging

import pytest

from livebridge.errors import ConfigError, HandlerError, ToolError

DECLARED = {"name": "set_timer", "parameters": {"type": "OBJECT"}}


def call(name):
    return {"id": "c1", "name": name, "args": {}}


async def unserialisable() -> object:
    """Look up a thing."""
    return object()


async def endless() -> list:
    """Give a list that contains itself."""
    found = []
    found.append(found)
    return found


async def long() -> str:
    """Give much."""
    return "x" * 99


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (unserialisable, "result is an object, which JSON cannot hold; expected text, a number"),
        (endless, "the result is nested too deeply (or contains itself)"),
        (long, "it has 149 bytes, more than the 50 that are allowed"),
    ],
)
async def test_a_result_that_cannot_be_sent_is_told_with_the_name_of_its_tool(live, log, caplog, tool, why):
    options = {"tools": [tool], "max_tool_response_bytes": 50 if tool is long else 10_000}
    async with live.session(**options, **log.callbacks("on_error")):
        line = await live.line()
        line.call(call(tool.__name__))
        (answer,) = await line.next_response()
        error = await log.wait("on_error")
    assert isinstance(error, ToolError)
    assert str(error).startswith(
        f"tool {tool.__name__} returned an object that cannot be sent as the result: {why}"
    )
    assert answer["response"]["error"] == str(error)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [str(error)]


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ("done", "not str"),
        ({"a": 1}, "FunctionResponse has no field 'a'"),
        ([1], "FunctionResponse or a mapping"),
        ([{"id": "c1", "response": {"a": object()}}], "is an object, which JSON cannot hold"),
    ],
)
async def test_an_answer_of_on_tool_call_that_means_nothing_was_returned_and_not_raised(
    live, log, caplog, returned, why
):
    async with live.session(tools=[DECLARED], on_tool_call=lambda _: returned, **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("set_timer"))
        (answer,) = await line.next_response()
        error = await log.wait("on_error")
    assert isinstance(error, HandlerError)
    assert str(error).startswith("on_tool_call returned no usable answer: ")
    assert why in str(error)
    assert isinstance(error.__cause__, ConfigError)
    assert answer["response"]["error"] == "the tool gave no usable answer"
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [str(error)]


async def test_a_config_error_that_on_tool_call_raises_was_raised(live, log):
    def wrong(tool_call):
        raise ConfigError("mine")

    async with live.session(tools=[DECLARED], on_tool_call=wrong, **log.callbacks("on_error")):
        line = await live.line()
        line.call(call("set_timer"))
        (answer,) = await line.next_response()
        assert str(await log.wait("on_error")) == "on_tool_call raised ConfigError: mine"
    assert answer["response"]["error"] == "ConfigError: mine"
