"""A voice bot with the tools of an MCP server: the model calls them, livebridge passes the calls on.

The server is a program of its own, started over stdio; here it is this very file. Needs the extra:
``pip install 'livebridge[mcp]'``.

    GEMINI_API_KEY=… python examples/mcp_tools.py
    python examples/mcp_tools.py --simulate
"""

import os
import sys

import trio

from livebridge import LivebridgeError, Session
from livebridge.testing import connection

try:
    from mcp import ClientSession
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError:
    sys.exit("this example needs the extra mcp: python -m pip install 'livebridge[mcp]'")

MODEL = "gemini-3.1-flash-live-preview"

library = MCPServer("library", log_level="ERROR")
shelf = {"Emma": "Jane Austen", "Ulysses": "James Joyce"}


@library.tool()
def find_author(book: str) -> str:
    """Find out who wrote a book.

    Args:
        book: Its title.
    """
    if book not in shelf:
        raise ToolError(f"there is no book called {book}")
    return shelf[book]


async def report(error: LivebridgeError) -> None:
    print(f"[{type(error).__name__}] {error}")


async def main() -> None:
    # without env= the server gets a bare environment, in which a local checkout is not found
    server = StdioServerParameters(command=sys.executable, args=[__file__, "--serve"], env=dict(os.environ))
    async with (
        stdio_client(server) as streams,
        ClientSession(*streams) as desk,
        connection(simulate="--simulate" in sys.argv) as options,
    ):
        await desk.initialize()
        async with Session.start(
            model=MODEL, tools=[desk], output_audio_transcription={}, on_error=report, **options
        ) as session:
            for question in ("Please find the author of 'Emma'.", "Find the author of 'Nobody'."):
                print(f"> {question}")
                turn = await session.ask(question, timeout=30)
                for call in turn.tool_calls:
                    print(f"[{call.name} {dict(call.args or {})}]")
                print(turn.output_transcript)


if __name__ == "__main__":
    try:
        if "--serve" in sys.argv:
            library.run("stdio")
        else:
            trio.run(main)
    except* KeyboardInterrupt:
        pass
