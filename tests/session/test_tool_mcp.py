"""Tools of MCP servers: listed before the first connection, called through, errors told to the model."""

import base64
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio

from livebridge.errors import ConfigError, ToolError
from livebridge.testing._tools import tool_bench

SERVER = '''
from mcp.server.mcpserver import MCPServer

server = MCPServer("desk")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def lend(book: str) -> str:
    """Lend a book."""
    raise ValueError(f"{book} is lent out")


server.run("stdio")
'''


def remote(name, **schema):
    return SimpleNamespace(name=name, description=f"Do {name}.", input_schema=schema)


def text(words):
    return SimpleNamespace(type="text", text=words)


class Desk:
    """An MCP session as far as it is used; answers are prescribed."""

    def __init__(self, *tools, pages=1):
        self.tools = tools
        self.pages = pages
        self.calls = []
        self.answer = SimpleNamespace(content=[text("done")], structured_content=None, is_error=False)

    async def list_tools(self, *, cursor=None):
        page = int(cursor or 0)
        following = str(page + 1) if page + 1 < self.pages else None
        return SimpleNamespace(
            tools=[self.tools[page]] if self.pages > 1 else list(self.tools), next_cursor=following
        )

    async def call_tool(self, name, arguments=None):
        self.calls.append((name, arguments))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


NUMBERS = {"type": "object", "$schema": "x", "properties": {"a": {"type": "integer"}}}


async def _weather(city: str) -> str:
    """Tell the weather."""
    return city


async def test_the_tools_of_a_server_are_declared_beside_others_and_called_through(live):
    desk = Desk(remote("desk/add", **NUMBERS), remote("ping", type="object"))
    async with live.session(tools=[desk, _weather, {"google_search": {}}]):
        line = await live.line()
        declared = {each["name"]: each for each in line.setup["tools"][-1]["functionDeclarations"]}
        assert set(declared) == {"_weather", "desk_add", "ping"}
        assert declared["desk_add"]["parametersJsonSchema"] == {
            key: NUMBERS[key] for key in ("type", "properties")
        }
        assert "parametersJsonSchema" not in declared["ping"]
        line.call({"id": "c1", "name": "desk_add", "args": {"a": 1}})
        assert (await line.next_response())[0]["response"] == {"result": "done"}
        assert desk.calls == [("desk/add", {"a": 1})]


async def test_a_server_may_list_its_tools_in_pages(live):
    desk = Desk(remote("one"), remote("two"), remote("three"), pages=3)
    async with live.session(tools=[desk]):
        line = await live.line()
        assert [each["name"] for each in line.setup["tools"][0]["functionDeclarations"]] == [
            "one",
            "two",
            "three",
        ]


async def test_a_server_without_tools_changes_nothing(live):
    async with live.session(tools=[Desk()]):
        line = await live.line()
        assert "tools" not in line.setup


async def test_models_that_never_wait_are_told_so(live):
    options = {"model": "gemini-3.8-live-extended-thinking", "thinking_config": {"thinking_level": "low"}}
    async with live.session(tools=[Desk(remote("ping"))], **options):
        line = await live.line()
        assert line.setup["tools"][0]["functionDeclarations"][0]["behavior"] == "NON_BLOCKING"


def block(kind, **members):
    return SimpleNamespace(type=kind, **members)


PNG = base64.b64encode(b"\x89PNG").decode()


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        ({"content": [text("a"), text("b")]}, {"result": "a\nb"}),
        ({"content": []}, {"result": ""}),
        ({"content": [text("5")], "structured_content": {"sum": 5}}, {"sum": 5}),
        ({"content": [text("5")], "structuredContent": 5}, {"result": 5}),
        ({"content": [text("no")], "is_error": True}, {"error": "no"}),
        ({"content": [], "isError": True}, {"error": "ping failed"}),
        ({"content": [block("resource", resource=SimpleNamespace(text="inside"))]}, {"result": "inside"}),
        (
            {"content": [text("look"), block("image", data=PNG, mime_type="image/png")]},
            {"content": ["look", {"$ref": "media-1"}]},
        ),
        (
            {"content": [block("resource", resource=SimpleNamespace(blob=PNG, mimeType="image/png"))]},
            {"content": [{"$ref": "media-1"}]},
        ),
        (
            {"content": [block("resource_link", uri="file:///a", mime_type="text/plain")]},
            {"content": [{"uri": "file:///a", "mime_type": "text/plain"}]},
        ),
    ],
)
async def test_what_a_server_answers_is_what_the_model_gets(live, answer, response):
    desk = Desk(remote("ping"))
    desk.answer = SimpleNamespace(**answer)
    async with live.session(tools=[desk]):
        line = await live.line()
        line.call({"id": "c1", "name": "ping"})
        assert (await line.next_response())[0]["response"] == response


async def test_a_call_that_fails_is_told_to_the_model(live, log):
    desk = Desk(remote("ping"))
    desk.answer = RuntimeError("connection closed")
    async with live.session(tools=[desk], **log.callbacks("on_error")):
        line = await live.line()
        line.call({"id": "c1", "name": "ping"})
        assert (await line.next_response())[0]["response"] == {"error": "ping failed: connection closed"}
        assert isinstance(await log.wait("on_error"), ToolError)


async def test_a_server_that_cannot_list_its_tools_fails_the_session_before_the_dial(live):
    class Broken(Desk):
        async def list_tools(self, *, cursor=None):
            raise RuntimeError("no such method")

    with pytest.raises(ToolError, match="could not list its tools: no such method"):
        async with live.session(tools=[Broken()]):
            raise AssertionError
    assert live.lines == []


async def test_a_server_that_does_not_answer_fails_the_session(live):
    class Silent(Desk):
        async def list_tools(self, *, cursor=None):
            await trio.sleep_forever()

    with pytest.raises(ToolError, match="in 7 s"):
        async with live.session(tools=[Silent()], setup_timeout=7):
            raise AssertionError


async def test_two_servers_with_a_tool_of_the_same_name_are_refused(live):
    with pytest.raises(ConfigError, match="two tools named ping"):
        async with live.session(tools=[Desk(remote("ping")), Desk(remote("ping"))]):
            raise AssertionError


async def test_what_is_neither_a_function_nor_a_server_is_refused(live):
    with pytest.raises(ConfigError, match="tools take"):
        async with live.session(tools=[object()]):
            raise AssertionError


def test_a_real_server_over_stdio_is_listed_and_called(tmp_path: Path):
    stdio = pytest.importorskip("mcp.client.stdio", reason="the extra livebridge[mcp] is not installed")
    from mcp import ClientSession  # noqa: PLC0415 - only with the extra

    program = tmp_path / "server.py"
    program.write_text(SERVER)
    parameters = stdio.StdioServerParameters(command=sys.executable, args=[str(program)])

    async def talk(desk):
        await desk.initialize()
        async with tool_bench(tools=[desk]) as bench:
            declared = {each.name: each.description for each in bench.declarations}
            total = await bench.call("add", a=2, b=3)
            wrong = await bench.call("add", a="two", b=3)
            lent = await bench.call("lend", book="Emma")
        return declared, total, wrong, lent

    async def main():
        with (tmp_path / "log").open("w") as log:
            async with stdio.stdio_client(parameters, errlog=log) as streams, ClientSession(*streams) as desk:
                return await talk(desk)

    # a process of its own lives in real time
    declared, total, wrong, lent = trio.run(main)
    assert declared == {"add": "Add two numbers.", "lend": "Lend a book."}
    assert total.response == {"result": 5}
    assert "add" in wrong.error
    assert lent.error is not None


async def test_a_session_that_takes_the_next_page_as_parameters_gets_it_so(live):
    types = pytest.importorskip("mcp.types", reason="the extra livebridge[mcp] is not installed")

    class Older(Desk):
        async def list_tools(self, *, params=None):
            assert params is None or isinstance(params, types.PaginatedRequestParams)
            return await super().list_tools(cursor=None if params is None else params.cursor)

    async with live.session(tools=[Older(remote("one"), remote("two"), pages=2)]):
        line = await live.line()
        assert [each["name"] for each in line.setup["tools"][0]["functionDeclarations"]] == ["one", "two"]
