"""All tools of one session, by the names that the model knows: functions, methods of the handler, MCP servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from livebridge import wire
from livebridge.errors import ConfigError
from livebridge.protocol import LiveConfig, ModelCapabilities
from livebridge.session._tool_function import Function, Runnable, tool_function
from livebridge.session._tool_mark import MARK
from livebridge.session._tool_mcp import McpSource, is_mcp


@attrs.define(eq=False)
class ToolBox:
    """The tools that the session runs.

    Attributes:
        tools: By name.
        sources: MCP servers, whose tools are listed before the first connection.
        declared: Names of the functions that were declared without code, for ``on_tool_call``.
    """

    tools: dict[str, Runnable] = attrs.field(factory=dict)
    sources: tuple[McpSource, ...] = ()
    declared: frozenset[str] = frozenset()

    @property
    def declarations(self) -> list[wire.FunctionDeclaration]:
        """What is declared to the model, in the order in which the tools were given."""
        return [tool.declaration for tool in self.tools.values()]

    @property
    def is_empty(self) -> bool:
        """Whether the session has nothing to run."""
        return not self.tools and not self.sources

    def add(self, tools: Iterable[Runnable]) -> None:
        """Put tools in.

        Raises:
            ConfigError: A name is taken.
        """
        for tool in tools:
            if tool.name in self.tools or tool.name in self.declared:
                raise ConfigError(f"there are two tools named {tool.name}; rename one with @tool(name='…')")
            self.tools[tool.name] = tool

    async def list_sources(self) -> list[wire.FunctionDeclaration]:
        """Ask the MCP servers what they have, once; returns what is new.

        Raises:
            ConfigError: A name is taken.
            ToolError: A server did not answer.
        """
        known = len(self.tools)
        sources, self.sources = self.sources, ()
        for source in sources:
            self.add(await source.tools())
        return self.declarations[known:]


def tool_box(
    config: LiveConfig, handler: object, able: ModelCapabilities, injectable: Mapping[type, str]
) -> ToolBox:
    """Collect the tools of a session.

    Args:
        config: Its ``tools`` may hold functions and MCP sessions.
        handler: Its methods that are marked with ``@tool`` are tools.
        able: What the model can do.
        injectable: What tools may ask for beside their arguments.

    Raises:
        ConfigError: A function cannot be declared, or two tools have the same name.
    """
    names = [
        declaration.name
        for tool in config.declared_tools
        for declaration in tool.function_declarations or ()
        if declaration.name
    ]
    behavior = wire.Behavior.NON_BLOCKING if able.tool_behavior == "non_blocking" else None
    sources = tuple(McpSource(each, behavior) for each in config.functions if is_mcp(each))
    box = ToolBox(sources=sources, declared=frozenset(names))
    functions: list[Function] = [each for each in config.functions if not is_mcp(each)]
    for function in [*functions, *_methods(handler)]:
        tool = tool_function(function, injectable)
        if tool.declaration.behavior is None:
            tool = attrs.evolve(tool, declaration=attrs.evolve(tool.declaration, behavior=behavior))
        box.add([tool])
    return box


def _methods(handler: object) -> list[Function]:
    """The marked methods of a handler, in the order in which they were written, base classes first."""
    names: dict[str, None] = {}
    for cls in reversed(type(handler).__mro__):
        names.update(dict.fromkeys(name for name, value in vars(cls).items() if _is_marked(value)))
    return [getattr(handler, name) for name in names if _is_marked(getattr(type(handler), name))]


def _is_marked(value: object) -> bool:
    return getattr(getattr(value, "__func__", value), MARK, None) is not None
