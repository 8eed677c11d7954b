"""Tools of MCP servers: listed once, before the first connection, and called through the session one gave us.

Nothing of the ``mcp`` package is needed to import this: whatever has ``list_tools`` and ``call_tool`` as its
``ClientSession`` has them (and its ``Client``) will do. It runs on anyio and so on trio.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Final, Protocol, runtime_checkable

import attrs

from livebridge import wire
from livebridge.errors import ToolError
from livebridge.session._tool_function import Form
from livebridge.session._tool_mark import ToolSettings

_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.:-]")
"""What the Live API does not take in the name of a function."""

MAX_PAGES: Final = 100
"""Pages of a listing; a server that has more is broken."""


@runtime_checkable
class McpSession(Protocol):
    """What is used of an MCP client session."""

    def list_tools(self) -> Awaitable[object]:
        """List the server's tools."""

    def call_tool(self, name: str, arguments: dict[str, object] | None = None) -> Awaitable[object]:
        """Call one."""


def is_mcp(value: object) -> bool:
    """Whether it is an MCP client session."""
    return isinstance(value, McpSession) and not isinstance(value, type)


@attrs.frozen(kw_only=True)
class McpTool:
    """A tool of an MCP server; see `ToolFunction` for what its attributes mean."""

    name: str
    remote_name: str
    session: McpSession
    declaration: wire.FunctionDeclaration
    settings: ToolSettings = attrs.field(factory=ToolSettings)
    form: Form = "async"

    def bind(self, given: Mapping[str, object], own: Mapping[str, object]) -> Callable[[], object]:
        """The server checks the arguments itself."""
        return partial(self._call, dict(given))

    async def _call(self, arguments: dict[str, object]) -> object:
        try:
            result = await self.session.call_tool(self.remote_name, arguments)
        except Exception as error:
            raise ToolError(f"{self.name} failed: {error}") from error
        content = _sequence(getattr(result, "content", None))
        text = "\n".join(each for each in map(_text, content) if each is not None)
        if _either(result, "is_error", "isError"):
            raise ToolError(text or f"{self.name} failed")
        structured = _either(result, "structured_content", "structuredContent")
        if structured is not None:
            return structured
        if all(_text(each) is not None for each in content):
            return text
        return {"content": [_block(each) for each in content]}


@attrs.frozen
class McpSource:
    """An MCP server.

    Attributes:
        session: The client session, open and initialised by the user.
        behavior: How its tools are declared.
    """

    session: object
    behavior: wire.Behavior | None = None

    async def tools(self) -> list[McpTool]:
        """List the server's tools.

        Raises:
            ToolError: It did not answer.
        """
        assert isinstance(self.session, McpSession)
        found: list[McpTool] = []
        cursor: object = None
        try:
            for _ in range(MAX_PAGES):
                listing = await _page(self.session, cursor)
                found.extend(self._tool(each) for each in _sequence(getattr(listing, "tools", None)))
                cursor = _either(listing, "next_cursor", "nextCursor")
                if cursor is None:
                    break
        except Exception as error:
            raise ToolError(f"an MCP server could not list its tools: {error}") from error
        return found

    def _tool(self, remote: object) -> McpTool:
        assert isinstance(self.session, McpSession)
        remote_name = str(getattr(remote, "name", ""))
        name = _FOREIGN.sub("_", remote_name)
        description = getattr(remote, "description", None)
        schema = _either(remote, "input_schema", "inputSchema")
        parameters: dict[str, object] | None = None
        if isinstance(schema, Mapping) and schema.get("properties"):
            parameters = {key: value for key, value in schema.items() if key != "$schema"}
        declaration = wire.FunctionDeclaration(
            name=name, description=description, parameters_json_schema=parameters, behavior=self.behavior
        )
        return McpTool(name=name, remote_name=remote_name, session=self.session, declaration=declaration)


async def _page(session: McpSession, cursor: object) -> object:
    """One page of a listing: the session's keyword for the next one differs between versions of the package."""
    if cursor is None:
        return await session.list_tools()
    listing: Callable[..., Awaitable[object]] = session.list_tools  # type: ignore[explicit-any]  # see above
    if "cursor" in inspect.signature(listing).parameters:
        return await listing(cursor=cursor)
    return await listing(params=import_module("mcp.types").PaginatedRequestParams(cursor=cursor))


def _either(value: object, name: str, older: str) -> object:
    """An attribute that was written in camelCase in older versions."""
    return getattr(value, name, getattr(value, older, None))


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _text(block: object) -> str | None:
    """The words of a content block; ``None`` if it is something else."""
    text = getattr(block, "text", None)
    if text is None:
        text = getattr(getattr(block, "resource", None), "text", None)
    return text if isinstance(text, str) else None


def _block(block: object) -> object:
    """A content block as a part of a tool's result: words, media, or a reference."""
    text = _text(block)
    if text is not None:
        return text
    resource = getattr(block, "resource", block)
    data = getattr(resource, "data", getattr(resource, "blob", None))
    mime_type = _either(resource, "mime_type", "mimeType")
    if isinstance(data, str) and isinstance(mime_type, str):
        return (wire.decode_base64(data), mime_type)
    return {"uri": str(getattr(resource, "uri", "")), "mime_type": mime_type}
